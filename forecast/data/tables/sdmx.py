"""Coded tables: which columns of SDMX-CSV and Eurostat's files are which, and what codes mean.

Sources: SDMX-CSV field guide, versions 1.0 and 2.0 (https://github.com/sdmx-twg/sdmx-csv); the
SDMX code lists CL_OBS_STATUS and CL_FREQ; Eurostat, "Bulk download: file formats"
(https://ec.europa.eu/eurostat/web/main/data/database) and its list of observation flags.
"""

from __future__ import annotations

from collections.abc import Set

from forecast.data.tables.headings import Heading, label_measure
from forecast.data.tables.places import match
from forecast.data.tables.words import meaning, spaced

_ROLES = {
    "REF_AREA": "location",
    "GEO": "location",
    "REGION": "location",
    "TIME_PERIOD": "year",
    "OBS_VALUE": "value",
    "UNIT_MULT": "unit_mult",
    "UNIT_MEASURE": "unit",
    "UNIT": "unit",
    "OBS_STATUS": "obs_status",
    "OBS_FLAG": "obs_flag",
    "INDICATOR": "measure",
    "MEASURE": "measure",
    "SERIES": "measure",
    "ACTION": "action",
}
#: Columns that describe the file or a figure without changing what it is.
_DESCRIBING = {
    "DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "DECIMALS", "CONF_STATUS",
    "COMMENT", "COMMENT_OBS", "TIME_FORMAT", "TITLE", "LAST UPDATE", "LAST_UPDATE",
    "COLLECTION", "SOURCE_DETAIL", "NATURE", "BASE_PER", "PRE_BREAK_VALUE", "EMBARGO_TIME",
    "OBS_COMMENT", "BASE_PERIOD", "REF_YEAR_PRICE",
}  # fmt: skip
#: Values, beside those of any dimension, that leave a figure what it is.
_NEUTRAL: dict[str, Set[str]] = {
    "FREQ": {"A", "ANNUAL", "S", "H", "Q", "QUARTERLY", "M", "MONTHLY"},
    "TRANSFORMATION": {"N"},
    "ADJUSTMENT": {"N", "NSA"},
    "PRICE_BASE": {"N"},
    **dict.fromkeys(
        ("COUNTERPART_AREA", "PARTNER", "PARTNER COUNTRY", "CITIZENSHIP", "BIRTH_PLACE", "ORIGIN"),
        frozenset({"W", "WLD", "WORLD"}),
    ),
}
_STATUS = {
    "A": "", "": "", "P": "provisional", "E": "estimate", "B": "break", "I": "estimate",
    "R": "", "V": "", "U": "suspect", "D": "suspect", "N": "", "S": "",
}  # fmt: skip
#: Statuses of cells that hold no figure.
ABSENT = {"M", "L", "O", "H", "Q", "K"}
#: Eurostat's flags of one letter; several may stand together, as in ``bep``.
EUROSTAT_FLAGS = {
    "b": "break", "e": "estimate", "p": "provisional", "s": "estimate", "i": "", "r": "",
    "u": "suspect", "d": "suspect", "n": "", "c": "", "z": "",
}  # fmt: skip


def name_of(cell: object) -> str:
    """Return the identifier of a heading such as ``REF_AREA: Reference area``."""
    return str(cell).split(":")[0].strip().upper()


def is_sdmx(cells: list[str]) -> bool:
    """Whether headings are those of an SDMX-CSV file."""
    return {"TIME_PERIOD", "OBS_VALUE"} <= {name_of(cell) for cell in cells}


def role(heading: str) -> tuple[str, Heading]:
    """Return the role of a column and what its heading says."""
    name = name_of(heading)
    if name in _DESCRIBING:
        return "unused", Heading()
    known = _ROLES.get(name, "dimension")
    return ("figures", Heading("value")) if known == "value" else (known, Heading(known))


def code(cell: object) -> str:
    """Return the code of a cell such as ``KZ: Kazakhstan``."""
    return "" if cell is None else str(cell).split(":")[0].strip()


def text_of(cell: object) -> str:
    """Return of a cell such as ``KZ: Kazakhstan`` the part that is understood, else all of it."""
    text = spaced(str(cell))
    start, colon, label = text.partition(":")
    if not colon or match(text).code or label_measure(text) is not None:
        return text
    for part in (start.strip(), label.strip()):
        if match(part).code or label_measure(part) is not None or meaning("aggregate", part):
            return part
    return text


def is_whole(heading: str, cell: object) -> bool:
    """Whether the value of a dimension stands for all its parts, as ``T`` or ``Both sexes``.

    Parameters
    ----------
    heading : str
        Some values are neutral in one dimension only, such as ``A`` in ``FREQ``.
    """
    text = spaced(str(cell))
    start, _, label = text.partition(":")
    neutral = _NEUTRAL.get(name_of(heading), set())
    return any(
        part.strip().upper() in neutral or meaning("whole", part) or meaning("total", part)
        for part in (text, start, label)
        if part.strip()
    )


def flag(status: str) -> str | None:
    """Return our flag for an observation status; None if the list has no such status."""
    return _STATUS.get(status.upper())


def eurostat_flags(letters: str) -> tuple[str, ...] | None:
    """Return our flags for Eurostat's letters; None if one of them is not known.

    Examples
    --------
    >>> eurostat_flags("bep"), eurostat_flags("f")
    (('break', 'estimate', 'provisional'), None)
    """
    signs = [sign for sign in letters.casefold() if sign not in " ,;"]
    if any(sign not in EUROSTAT_FLAGS for sign in signs):
        return None
    return tuple(dict.fromkeys(EUROSTAT_FLAGS[sign] for sign in signs if EUROSTAT_FLAGS[sign]))
