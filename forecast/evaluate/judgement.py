"""Methods of a Track: calibration of intervals, and verdicts on models."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast.evaluate import calibration, verdicts
from forecast.evaluate.questions import TrackQuestions


class JudgedTrack(TrackQuestions):
    """Calibration and verdicts of the forecasts of a Track."""

    def calibration(self, by: Sequence[str] = ("model", "horizon")) -> pd.DataFrame:
        """Return how often intervals held what they promised.

        Parameters
        ----------
        by : sequence of str
            Columns to group by; ``"shock"`` among them tells calm from shock years.

        Returns
        -------
        DataFrame
            The groups, ``level`` (promised share), ``coverage`` (share that held),
            ``standard_error, forecasts, origins``; see `forecast.evaluate.calibration.coverage`.

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
        >>> track.calibration(["model"])["level"].unique().tolist()
        [0.5, 0.8, 0.95]
        """
        return calibration.coverage(self.table, by, step=self.step)

    def calibration_test(self, by: Sequence[str] = ("model", "horizon")) -> pd.DataFrame:
        """Test coverage and PIT over all series of a group together.

        Parameters
        ----------
        by : sequence of str
            Columns to group by; ``model`` and ``horizon`` are always among them.

        Returns
        -------
        DataFrame
            The groups, ``series, origins, forecasts``, coverages with bounds and p-values,
            ``pit_mean, pit_spread, p_value_pit``; see `forecast.evaluate.calibration.over_panel`.

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
        >>> track.calibration_test()["origins"].tolist()
        [2, 2, 2, 2]
        """
        return calibration.over_panel(self.table, by)

    def pit(self, by: Sequence[str] = ("model",), bins: int = 10) -> pd.DataFrame:
        """Return PIT histograms; flat is calibrated.

        Parameters
        ----------
        by : sequence of str
            Columns of the score table to group by.
        bins : int
            Equal parts of the forecast distribution, at least 2.

        Returns
        -------
        DataFrame
            The groups, ``lower`` and ``upper`` edge of each part (0 to 1), ``count``, and
            ``density``, 1 everywhere if calibrated; see
            `forecast.evaluate.calibration.pit_histogram`.

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
        >>> len(track.pit(bins=5))  # two models
        10
        """
        return calibration.pit_histogram(self.table, by, bins)

    def verdicts(
        self, versus: str | None = None, *, score: str = "crps", rule: verdicts.Rule | None = None
    ) -> pd.DataFrame:
        """Judge every model, series and horizon by a rule.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.
        score : str
            Column of the score table that decides.
        rule : Rule, optional
            Thresholds; those of `forecast.evaluate.verdicts.Rule` by default.

        Returns
        -------
        DataFrame
            ``model, source, location, measure, horizon, verdict, reason`` and what they rest on,
            see `forecast.evaluate.verdicts.judge`.

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
        >>> track.verdicts()["verdict"].unique().tolist()
        ['too little data']
        """
        return verdicts.judge(self.table, versus, score=score, step=self.step, rule=rule)

    def forecastability(self, versus: str | None = None) -> pd.DataFrame:
        """Return the longest horizon with skill of every model and series.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.

        Returns
        -------
        DataFrame
            ``model, source, location, measure``; ``forecastability_horizon``, the longest horizon
            judged skilful (0: none); ``horizons_judged``, how many had enough data.

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
        >>> track.forecastability()["model"].unique().tolist()
        ['naive']
        """
        return verdicts.forecastability(self.verdicts(versus))
