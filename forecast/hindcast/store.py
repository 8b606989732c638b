"""Finished folds on disk: each whole or not there, so that a killed run can go on."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecast import artifacts
from forecast.hindcast.columns import COLUMNS, JOINT_COLUMNS, conform
from forecast.hindcast.fold import Fold, Scored

_FORMAT = "forecast-fold/1"
_SCORES, _JOINT = "scores.parquet", "joint.parquet"


def recipe(fold: Fold) -> dict[str, Any]:
    """Return everything that decides the result of a fold.

    The figures seen and scored on, the model's name, the settings that it was made with, draws,
    seed and the software. The code of a model of one's own is not looked at: change the name, or
    the store, when it changes.
    """
    return artifacts.recipe(
        what="fold",
        label=fold.label,
        settings=fold.settings,
        seen=fold.seen,
        targets=fold.targets,
        origin=fold.origin,
        as_of=fold.as_of,
        draws=fold.draws,
        seed=fold.seed,
        joint=fold.joint,
    )


@dataclass(frozen=True)
class Store:
    """A folder of finished folds; several backtests may share it.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def path(self, fold: Fold, made: dict[str, Any] | None = None) -> Path:
        """Return where the scores of a fold are kept."""
        label = re.sub(r"[^\w.-]", "_", fold.label)
        day = f"-{fold.as_of}" if fold.as_of else ""
        name = artifacts.name_of(made or recipe(fold))[:20]
        return self.folder / f"{label}-{fold.origin}{day}-{name}"

    def read(self, fold: Fold) -> Scored | None:
        """Return a finished fold, or None if it is not there or is damaged."""
        contents = artifacts.read_entry(self.path(fold), _FORMAT)
        if contents is None or not {_SCORES, _JOINT} <= set(contents):
            return None
        return Scored(
            conform(pd.read_parquet(io.BytesIO(contents[_SCORES])), COLUMNS),
            conform(pd.read_parquet(io.BytesIO(contents[_JOINT])), JOINT_COLUMNS),
        )

    def write(self, fold: Fold, scored: Scored) -> None:
        """Keep a finished fold; a run that is killed meanwhile leaves nothing half-written."""
        made = recipe(fold)
        contents = {_JOINT: _parquet(scored.joint), _SCORES: _parquet(scored.table)}
        artifacts.write_entry(self.path(fold, made), _FORMAT, contents, made)


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
