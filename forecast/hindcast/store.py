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
from forecast.hindcast.jobs import Job, Results
from forecast.hindcast.scoring import Scored, Scores

_FORMAT = "forecast-fold/1"
_SCORES, _JOINT = "scores.parquet", "joint.parquet"


def recipe(job: Job[Scored], scores: Scores) -> dict[str, Any]:
    """Return everything that decides the result of a fold.

    The figures seen and scored on, the model's name, the settings that it was made with, draws,
    seed and the software. The code of a model of one's own is not looked at: change the name, or
    the store, when it changes.

    Parameters
    ----------
    job : Job
        One model at one origin: the panel as it was known, draws and seed.
    scores : Scores
        What its forecast is held against.

    Returns
    -------
    dict
        Plain values, see `forecast.artifacts.recipe`.
    """
    return artifacts.recipe(
        what="fold",
        label=scores.label,
        settings=scores.settings,
        seen=job.known,
        targets=scores.targets,
        origin=scores.origin,
        as_of=scores.as_of,
        draws=job.draws,
        seed=job.seed,
        joint=scores.joint,
    )


@dataclass(frozen=True)
class Store(Results[Scored]):
    """A folder of finished folds; several backtests may share it."""

    folder: Path

    def place(self, job: Job[Scored]) -> tuple[Path, dict[str, Any]]:
        """Return where the scores of a fold are kept, and their recipe."""
        scores = job.keeper
        assert isinstance(scores, Scores)  # noqa: S101
        label = re.sub(r"[^\w.-]", "_", scores.label)
        day = f"-{scores.as_of}" if scores.as_of else ""
        made = recipe(job, scores)
        name = f"{label}-{scores.origin}{day}-{artifacts.name_of(made)[:20]}"
        return self.folder / name, made

    def read(self, job: Job[Scored]) -> Scored | None:
        """Return a finished fold, or None if it is not there or is damaged."""
        contents = artifacts.read_entry(self.place(job)[0], _FORMAT)
        if contents is None or not {_SCORES, _JOINT} <= set(contents):
            return None
        return Scored(
            conform(pd.read_parquet(io.BytesIO(contents[_SCORES])), COLUMNS),
            conform(pd.read_parquet(io.BytesIO(contents[_JOINT])), JOINT_COLUMNS),
        )

    def write(self, job: Job[Scored], result: Scored, seconds: float) -> None:
        """Keep a finished fold; a run that is killed meanwhile leaves nothing half-written."""
        path, made = self.place(job)
        contents = {_JOINT: _parquet(result.joint), _SCORES: _parquet(result.table)}
        artifacts.write_entry(path, _FORMAT, contents, made)


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
