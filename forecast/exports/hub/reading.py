"""A hub on disk, read once for all checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import DataError
from forecast.exports.hub import layout
from forecast.exports.hub.findings import Finding

#: Files that a hub may hold anywhere beside its own.
_IGNORED = ("README", ".", "LICENSE")
_TABLES = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Hub:
    """The configuration of a hub, and where its tables lie.

    Attributes
    ----------
    folder : Path
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
        return dict(self.configs[layout.ADMIN])

    @property
    def rounds(self) -> Sequence[Mapping[str, Any]]:
        """The rounds of ``tasks.json``."""
        return list(self.configs[layout.TASKS]["rounds"])

    @property
    def derived(self) -> frozenset[str]:
        """Task ids that follow from others."""
        named = set(self.configs[layout.TASKS].get("derived_task_ids") or [])
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
    for name in layout.CONFIG:
        path = root / name
        if not path.is_file():
            # Only the description of target data may be left out.
            if name != layout.TARGET_DATA:
                findings.append(Finding(name, "file", "is missing; every hub needs it."))
            continue
        try:
            found[name] = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            findings.append(Finding(name, "file", f"is not JSON: {error}."))
    return Hub(root, found, findings)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of a hub, every cell as text; an empty cell is an empty text.

    Raises
    ------
    ValueError
        Saying why it cannot be read.
    """
    if path.suffix not in _TABLES:
        raise ValueError(f"has the ending {path.suffix or '(none)'}; use csv or parquet")
    try:
        if path.suffix == ".csv":
            return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[])
        table = pd.read_parquet(path)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {str(error).splitlines()[0]}") from None
    return pd.DataFrame({name: table[name].map(_text) for name in table.columns})


def _text(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return str(value)
