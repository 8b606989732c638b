"""SDMX-CSV: which columns are which, and what the codes of their attributes mean.

Source: SDMX-CSV field guide, versions 1.0 and 2.0 (https://github.com/sdmx-twg/sdmx-csv), and
the SDMX code lists CL_OBS_STATUS and CL_FREQ.
"""

from __future__ import annotations

from forecast.data.tables.grid import Line
from forecast.data.tables.headings import Heading

_ROLES = {
    "REF_AREA": "location",
    "GEO": "location",
    "TIME_PERIOD": "year",
    "OBS_VALUE": "value",
    "UNIT_MULT": "unit_mult",
    "UNIT_MEASURE": "unit",
    "UNIT": "unit",
    "OBS_STATUS": "obs_status",
    "INDICATOR": "measure",
    "MEASURE": "measure",
    "SERIES": "measure",
    "ACTION": "action",
}
#: Columns that describe the file or a figure without changing what it is.
_DESCRIBING = {
    "DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "DECIMALS", "CONF_STATUS",
    "COMMENT", "COMMENT_OBS", "TIME_FORMAT", "TITLE", "LAST UPDATE", "LAST_UPDATE", "OBS_FLAG",
    "COLLECTION", "SOURCE_DETAIL", "NATURE", "BASE_PER", "PRE_BREAK_VALUE", "EMBARGO_TIME",
}  # fmt: skip
#: Values of a dimension that stand for all its parts.
TOTALS = {"_T", "T", "TOTAL", "_Z", "A", "ANNUAL", "_X", "ALL"}
_STATUS = {
    "A": "", "": "", "P": "provisional", "E": "estimate", "B": "break", "I": "estimate",
    "R": "", "V": "", "U": "suspect", "D": "suspect", "N": "", "S": "",
}  # fmt: skip
#: Statuses of cells that hold no figure.
ABSENT = {"M", "L", "O", "H", "Q"}


def _name(cell: object) -> str:
    """Return the identifier of a heading such as ``REF_AREA: Reference area``."""
    return str(cell).split(":")[0].strip().upper()


def is_sdmx(line: Line) -> bool:
    """Whether a row is the header of an SDMX-CSV file."""
    names = {_name(line.cell(at)) for at in line.filled}
    return {"TIME_PERIOD", "OBS_VALUE"} <= names


def role(heading: str) -> tuple[str, Heading]:
    """Return the role of a column and what its heading says."""
    name = _name(heading)
    if name in _DESCRIBING:
        return "unused", Heading()
    found = _ROLES.get(name, "dimension")
    return ("figures", Heading("value")) if found == "value" else (found, Heading(found))


def code(cell: object) -> str:
    """Return the code of a cell such as ``KZ: Kazakhstan``."""
    return "" if cell is None else str(cell).split(":")[0].strip()


def flag(status: str) -> str | None:
    """Return our flag for an observation status; None if the list has no such status."""
    return _STATUS.get(status.upper())
