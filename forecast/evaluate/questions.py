"""What can be asked of a score table: averages, skill, comparisons, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from forecast.evaluate import calibration, compare, summaries

Per = Literal["persons", "1000", "scale"]
Average = Literal["mean", "median", "weighted"]


class TrackQuestions:
    """Averages, tests and histograms of the scores of a Track."""

    table: pd.DataFrame
    joint: pd.DataFrame
    settings: Mapping[str, object]

    @property
    def step(self) -> int:
        """Years per step of the panel."""
        return int(str(self.settings.get("step", 1)))

    @property
    def models(self) -> list[str]:
        """The models, in the order they were given."""
        return list(dict.fromkeys(self.table["model"]))

    @property
    def reference(self) -> str:
        """The model that skill is held against: no change, with an honest width if it was run.

        Empty where the backtest has neither that nor the plain naive forecast.
        """
        return summaries.reference_of(self.models)

    def summary(
        self,
        by: Sequence[str] = ("model", "horizon"),
        *,
        average: Average = "mean",
        per: Per = "persons",
        common: bool = True,
    ) -> pd.DataFrame:
        """Average the scores; see `forecast.evaluate.summaries.summary`."""
        return summaries.summary(
            self.table, by, average=average, per=per, common=common, step=self.step
        )

    def joint_summary(self, by: Sequence[str] = ("model", "measure", "horizon")) -> pd.DataFrame:
        """Average energy and variogram scores over folds that all models have in common."""
        return summaries.joint_summary(self.joint, by)

    def skill(
        self,
        versus: str | None = None,
        by: Sequence[str] = ("model", "horizon"),
        *,
        score: str = "crps",
        average: Average = "mean",
        per: Per = "persons",
    ) -> pd.DataFrame:
        """Return 1 − score / score of a reference; see `forecast.evaluate.summaries.skill`.

        `versus` is the `reference` of the track by default, here and in what follows.
        """
        chosen = {"score": score, "average": average, "per": per}
        return summaries.skill(self.table, versus, by, step=self.step, **chosen)

    def compare(
        self,
        first: str,
        second: str,
        by: Sequence[str] = ("horizon",),
        *,
        score: str = "crps",
        per: Per = "persons",
        seed: int = 1,
    ) -> pd.DataFrame:
        """Test whether two models differ; see `forecast.evaluate.compare.compare`."""
        return compare.compare(
            self.table, first, second, by, score=score, per=per, step=self.step, seed=seed
        )

    def comparisons(
        self, versus: str | None = None, *, score: str = "crps", per: Per = "scale"
    ) -> pd.DataFrame:
        """Compare every other model with one, by measure, source and horizon.

        The p-values adjusted for multiple testing take all rows of the table together.
        """
        by = ("measure", "source", "horizon")
        return compare.compare_all(self.table, versus, by, score=score, per=per, step=self.step)

    def calibration(self, by: Sequence[str] = ("model", "horizon")) -> pd.DataFrame:
        """Return how often intervals held what they promised.

        Add ``"shock"`` to `by` to tell calm from shock years; see
        `forecast.evaluate.calibration.coverage`.
        """
        return calibration.coverage(self.table, by, step=self.step)

    def calibration_test(self, by: Sequence[str] = ("model", "horizon")) -> pd.DataFrame:
        """Test coverage and PIT over all series of a group together.

        See `forecast.evaluate.calibration.over_panel`.
        """
        return calibration.over_panel(self.table, by)

    def pit(self, by: Sequence[str] = ("model",), bins: int = 10) -> pd.DataFrame:
        """Return PIT histograms; flat is calibrated."""
        return calibration.pit_histogram(self.table, by, bins)
