"""Finished folds on disk: each whole or not there, so that a killed run can go on."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast import artifacts
from forecast.hindcast.columns import COLUMNS, JOINT_COLUMNS, conform
from forecast.hindcast.fold import Fold, Scored
from forecast.shelf import shelf

_SCORES, _JOINT = "scores.parquet", "joint.parquet"


def fingerprint(fold: Fold) -> str:
    """Return a name for everything that decides the result of a fold.

    The figures seen and scored on, the model's name, the settings that it was made with, those of
    all models (some are made of others), draws, seed and the package's version. The code of a
    model of one's own is not looked at: change the name, or the store, when it changes.
    """
    from forecast import __version__

    settings = sorted(Path(shelf("models")).glob("*.toml"))
    content = "\n".join(
        (
            __version__,
            fold.label,
            fold.settings,
            *(f"{path.stem}\n{path.read_text(encoding='utf-8')}" for path in settings),
            fold.seen.hash if fold.seen is not None else "",
            fold.targets.to_csv(index=False, float_format="%.17g", lineterminator="\n"),
            f"{fold.origin} {fold.as_of} {fold.draws} {fold.seed} {fold.joint}",
        )
    )
    return hashlib.sha256(content.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Store:
    """A folder of finished folds; several backtests may share it.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def path(self, fold: Fold) -> Path:
        """Return where the scores of a fold are kept."""
        label = re.sub(r"[^\w.-]", "_", fold.label)
        day = f"-{fold.as_of}" if fold.as_of else ""
        return self.folder / f"{label}-{fold.origin}{day}-{fingerprint(fold)}"

    def read(self, fold: Fold) -> Scored | None:
        """Return a finished fold, or None if it is not there or not readable."""
        path = self.path(fold)
        if not (path / _SCORES).is_file() or not (path / _JOINT).is_file():
            return None
        import pyarrow as pa

        try:
            return Scored(
                conform(_read(path / _SCORES), COLUMNS),
                conform(_read(path / _JOINT), JOINT_COLUMNS),
            )
        except (pa.ArrowException, OSError, KeyError, ValueError):
            # A damaged file is as good as none: the fold is computed again.
            return None

    def write(self, fold: Fold, scored: Scored) -> None:
        """Keep a finished fold; a run that is killed meanwhile leaves nothing half-written."""
        path = self.path(fold)
        with artifacts.atomic_folder(path, artifacts.holding(_SCORES)) as folder:
            _write(scored.joint, folder / _JOINT)
            _write(scored.table, folder / _SCORES)


def _write(table: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.Table.from_pandas(table, preserve_index=False), path, write_page_checksum=True
    )


def _read(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    table: pd.DataFrame = pq.read_table(path, page_checksum_verification=True).to_pandas()
    return table
