"""A hub on disk, read once for all checks: names of its folders and files, texts in its tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pandas as pd

from forecast import periods
from forecast.errors import DataError
from forecast.locations import ends
from forecast.validation import clean

#: Version of the hubverse's schemas that is written and checked.
VERSION = "v6.0.0"
_ADDRESS = "https://raw.githubusercontent.com/hubverse-org/schemas/main"
#: Files in ``hub-config``.
ADMIN, TASKS = "hub-config/admin.json", "hub-config/tasks.json"
METADATA_SCHEMA = "hub-config/model-metadata-schema.json"
TARGET_DATA = "hub-config/target-data.json"
CONFIG = (ADMIN, TASKS, METADATA_SCHEMA, TARGET_DATA)
#: Kinds of target data, and the column of their figures.
KINDS = {"time-series": "observation", "oracle-output": "oracle_value"}
OUTPUT, METADATA, TARGETS = "model-output", "model-metadata", "target-data"
TIME_SERIES, ORACLE = f"{TARGETS}/time-series.csv", f"{TARGETS}/oracle-output.csv"
#: Columns of model output beside the task ids; there is no ``model_id``, the folder says it.
STANDARD = ("output_type", "output_type_id", "value")
#: What makes a task of ours, in the order of the columns.
TASK_IDS = ("origin_date", "source", "target", "location", "horizon", "target_end_date")
#: Ends of a corridor, task ids of a hub that has corridors, and what stands in them for one place.
ENDS, ONE_PLACE = ("origin", "destination"), "none"
ROUND, DERIVED = "origin_date", "target_end_date"
#: What identifies one observed figure.
UNIT = ("source", "target", "location", "target_end_date")
ABBREVIATION = re.compile(r"[A-Za-z0-9_]+")
#: How many offending rows a message quotes.
QUOTED = 3
#: Files that a hub may hold anywhere beside its own.
_IGNORED = ("README", ".", "LICENSE")
_TABLES = (".csv", ".parquet", ".arrow")
#: How a file may say, before its ending, which compression is inside.
_COMPRESSIONS = (".snappy", ".gzip", ".gz", ".brotli", ".zstd", ".lz4", ".lzo", ".bz2")
#: What a partition without a value is called in a path.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def task_ids(corridors: bool) -> tuple[str, ...]:
    """Return the task ids of a hub of ours; corridors have their ends behind the location."""
    return (*TASK_IDS[:4], *ENDS, *TASK_IDS[4:]) if corridors else TASK_IDS


def with_ends(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of a hub with the ends of its corridors behind the location."""
    table = table.copy()
    both = [ends(code) if ":" in code else (ONE_PLACE,) * 2 for code in table["location"]]
    for at, name in enumerate(ENDS):
        column = pd.Series([one[at] for one in both], index=table.index, dtype=object)
        table.insert(list(table.columns).index("location") + 1 + at, name, column)
    return table


def schema_address(config: str) -> str:
    """Return the address that names a schema of the hubverse, such as ``tasks-schema.json``."""
    return f"{_ADDRESS}/{VERSION}/{config}-schema.json"


def abbreviation(name: str) -> str:
    """Return a team's or model's name as an abbreviation: letters, digits and underscores.

    Examples
    --------
    >>> abbreviation("my-model 2")
    'my_model_2'
    """
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:40] or "unnamed"


def last_day(period: int, frequency: str) -> str:
    """Return the last day of a year, month, quarter or half-year, which stands for the period.

    Parameters
    ----------
    period : int
        Its number, see `forecast.periods`.
    frequency : str

    Examples
    --------
    >>> last_day(2027, "year"), last_day(24329, "month")
    ('2027-12-31', '2027-06-30')
    """
    return f"{period}-12-31" if frequency == "year" else str(periods.end(period, frequency).date())


class Finding(NamedTuple):
    """One rule that a hub breaks.

    Attributes
    ----------
    file : str
        Path inside the hub.
    rule : str
        Short name of the rule.
    problem : str
        What is wrong, where, and what would be right.
    """

    file: str
    rule: str
    problem: str


def quoted(values: Iterable[object]) -> str:
    """Name the first few of several values."""
    listed = [str(value) for value in dict.fromkeys(map(str, values))]
    more = len(listed) - QUOTED
    return ", ".join(listed[:QUOTED]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Hub:
    """The configuration of a hub, and where its tables lie.

    Attributes
    ----------
    configs : mapping of path to content
        What could be read of ``hub-config``.
    findings : list of Finding
        What could not be read.
    """

    folder: Path
    configs: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)

    @property
    def admin(self) -> Mapping[str, Any]:
        """Content of ``admin.json``."""
        return dict(self.configs[ADMIN])

    @property
    def rounds(self) -> Sequence[Mapping[str, Any]]:
        """The rounds of ``tasks.json``."""
        return list(self.configs[TASKS]["rounds"])

    @property
    def derived(self) -> frozenset[str]:
        """Task ids that follow from others."""
        named = set(self.configs[TASKS].get("derived_task_ids") or [])
        for entry in self.rounds:
            named |= set(entry.get("derived_task_ids") or [])
        return frozenset(named)

    def files(self, room: str) -> Iterator[Path]:
        """Yield the files below a folder of the hub, in order."""
        for path in sorted((self.folder / room).rglob("*")):
            if path.is_file() and not path.name.startswith(_IGNORED):
                yield path

    def name(self, path: Path) -> str:
        """Return a file's path inside the hub."""
        return path.relative_to(self.folder).as_posix()


def read_hub(folder: str | Path) -> Hub:
    """Read the configuration of a hub.

    Raises
    ------
    DataError
        If the folder is not there.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. Give the folder of a hub.")
    found: dict[str, Any] = {}
    findings = []
    for name in CONFIG:
        path = root / name
        if not path.is_file():
            # Only the description of target data may be left out.
            if name != TARGET_DATA:
                findings.append(Finding(name, "file", "is missing; every hub needs it."))
            continue
        try:
            found[name] = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            findings.append(Finding(name, "file", f"is not JSON: {error}."))
    return Hub(root, found, findings)


def stem(path: Path) -> str:
    """Return a file's name without its ending and its compression.

    Examples
    --------
    >>> stem(Path("2024-12-31-team-model.gz.parquet"))
    '2024-12-31-team-model'
    """
    inner = Path(path.stem)
    return inner.stem if inner.suffix in _COMPRESSIONS else path.stem


def read_table(path: Path, root: Path | None = None) -> pd.DataFrame:
    """Read a table of a hub, every cell as text; an empty cell is an empty text.

    `hubdata` reads hubs too, but casts all files to one schema and joins them: a cell that does
    not fit stops the reading, and neither its file nor its line is known. A check needs both.

    Parameters
    ----------
    root : Path, optional
        Folder whose subfolders ``column=value`` are columns.

    Raises
    ------
    ValueError
        Saying why it cannot be read.
    """
    if path.suffix not in _TABLES:
        raise ValueError(f"has the ending {path.suffix or '(none)'}; use csv or parquet")
    try:
        if path.suffix == ".csv":
            table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[])
        else:
            read = pd.read_parquet if path.suffix == ".parquet" else pd.read_feather
            # Folders that look like partitions are read below, as text like all else.
            with path.open("rb") as file:
                raw = read(file)
            table = pd.DataFrame({name: raw[name].map(_text) for name in raw.columns})
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {str(error).splitlines()[0]}") from None
    for name, value in _partitions(path, root).items():
        if name in table and (table[name] != value).any():
            raise ValueError(f"lies in {name}={value} and holds another {name}")
        table[name] = value
    return table


def _partitions(path: Path, root: Path | None) -> dict[str, str]:
    folders = path.relative_to(root).parts[:-1] if root is not None else ()
    pairs = [folder.split("=", 1) for folder in folders if "=" in folder]
    return {name: "" if value == _NO_VALUE else unquote(value) for name, value in pairs}


def _text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return str(value)


#: Starts of a text that spreadsheets take for a formula; full-width ones count in some languages.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def inactive(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, without control characters.

    References
    ----------
    OWASP, CSV Injection: https://owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> inactive("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    >>> inactive("un-wpp")
    'un-wpp'
    """
    cleaned = clean(text)
    return f"'{cleaned}" if cleaned.startswith(_ACTIVE) else cleaned


def inactive_columns(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table with the texts of some columns made `inactive`; what is no text stays.

    Parameters
    ----------
    table : DataFrame
        It is not changed.
    columns : sequence of str
        Columns of the table whose texts come from users.

    Returns
    -------
    DataFrame
    """
    changed = {}
    for column in columns:
        texts = [item for item in table[column].unique() if isinstance(item, str)]
        replaced = {text: inactive(text) for text in texts if inactive(text) != text}
        if replaced:
            changed[column] = table[column].replace(replaced)
    return table.assign(**changed) if changed else table
