"""Methods of a Track: average scores, skill, comparisons of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from forecast.evaluate import compare, summaries

Per = Literal["persons", "1000", "scale"]
Average = Literal["mean", "median", "weighted"]


class TrackQuestions:
    """Averages, tests and histograms of the scores of a Track.

    Attributes
    ----------
    table, joint : DataFrame
        The score table, and the table of scores of all locations together.
    settings : mapping
        What was asked for.
    """

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
        """Average the scores in groups.

        Parameters
        ----------
        by : sequence of str
            Columns of the score table to group by.
        average : {"mean", "median", "weighted"}
            Mean; median, which a few large countries cannot rule; mean weighted by people.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.
        common : bool
            Only figures that every model forecast, so that the models compare.

        Returns
        -------
        DataFrame
            The groups, ``forecasts, origins``; averages of ``crps``, ``wis`` and its parts,
            interval scores, quantile losses, ``log_score, mae, bias, mase, rmse`` in persons
            per year, or as `per` says; and ``coverage_50, coverage_80, coverage_95``
            (shares). See `forecast.evaluate.summaries.summary`.

        Raises
        ------
        DataError
            If nothing was scored.
        UnknownNameError
            If a column is not in the score table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> sorted(track.summary()["horizon"].unique().tolist())
        [1, 3]
        """
        return summaries.summary(
            self.table, by, average=average, per=per, common=common, step=self.step
        )

    def joint_summary(self, by: Sequence[str] = ("model", "measure", "horizon")) -> pd.DataFrame:
        """Average energy and variogram scores over folds that all models have in common.

        Parameters
        ----------
        by : sequence of str
            Columns of the score table to group by.

        Returns
        -------
        DataFrame
            The groups, ``unit``, ``folds, locations, energy_score, variogram_score``.

        Raises
        ------
        DataError
            If no two locations of a measure were scored together.
        UnknownNameError
            If a column is not in the table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("merged-units").select(source="uz-stat-balance")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2020, 2023), (1,), draws=100)
        >>> track.joint_summary(["model"])["model"].tolist()
        ['persistence', 'naive']
        """
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
        """Return the skill: 1 − score / score of a reference, positive where a model is better.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.
        by : sequence of str
            Columns of the score table to group by.
        score : str
            Column of the score table that is compared, such as ``"crps"`` or ``"absolute_error"``.
        average : {"mean", "median", "weighted"}
            Mean; median, which a few large countries cannot rule; mean weighted by people.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.

        Returns
        -------
        DataFrame
            The groups, ``forecasts`` (figures that both forecast), the average score, that of the
            ``reference``, and ``skill`` (1 is perfect, 0 no better). See
            `forecast.evaluate.summaries.skill`.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.skill().columns.tolist()
        ['model', 'horizon', 'forecasts', 'crps', 'reference', 'skill']
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
        """Test whether two models differ.

        Parameters
        ----------
        first, second : str
            Models of the track.
        by : sequence of str
            Columns of the score table to group by.
        score : str
            Column of the score table that is compared, such as ``"crps"`` or ``"absolute_error"``.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.
        seed : int
            Of the bootstrap.

        Returns
        -------
        DataFrame
            The groups, average scores of both models, and whether the difference may be luck:
            see `forecast.evaluate.compare.compare` for the columns and the sources.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> len(track.compare("naive", "persistence"))  # a row for each horizon
        2
        """
        return compare.compare(
            self.table, first, second, by, score=score, per=per, step=self.step, seed=seed
        )

    def comparisons(
        self, versus: str | None = None, *, score: str = "crps", per: Per = "scale"
    ) -> pd.DataFrame:
        """Compare every other model with one, by measure, source and horizon.

        The p-values adjusted for multiple testing take all rows of the table together.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.
        score : str
            Column of the score table that is compared, such as ``"crps"`` or ``"absolute_error"``.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.

        Returns
        -------
        DataFrame
            ``model``, the groups and the columns of `compare`; a negative difference means that the
            model is better than `versus`.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> len(track.comparisons())  # three measures, two horizons
        6
        """
        by = ("measure", "source", "horizon")
        return compare.compare_all(self.table, versus, by, score=score, per=per, step=self.step)
