"""Regression on drivers, offered only to series whose own past shows that it helps."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from forecast.data import inputs
from forecast.errors import DataError, TooShortError
from forecast.models.registry import specification
from forecast.models.series.drivers import (
    Driven,
    Drivers,
    check,
    condition_on_drivers,
    drivers,
    futures,
    simulate_with_drivers,
)
from forecast.models.series.representation import SeriesPosterior, simulate
from forecast.models.series.structural import Structural
from forecast.models.series.univariate import (
    MINIMUM_YEARS,
    FittedSeriesModel,
    Prepared,
    StateSpaceModel,
    prepare,
    series_seed,
)
from forecast.panel import Panel, Series
from forecast.scales import Kind

#: Name of the settings, and of the model with its gate.
SHELF = "regression"


@dataclass(frozen=True, slots=True)
class Trial:
    """How the model with drivers did against the one without, before the present.

    Attributes
    ----------
    origins : int
        Inner origins that were tried.
    skill : float
        1 − CRPS with drivers / CRPS without; NaN without origins.
    p_value : float
        One-sided, that the drivers do not help; 1 where it cannot be tested.
    """

    origins: int
    skill: float
    p_value: float


def crps_of(paths: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the CRPS of draws, shape (n_draws, n), at observed values, shape (n,).

    Parameters
    ----------
    paths : ndarray, shape (n_draws, n)
        On the model's scale.
    observed : ndarray, shape (n,)
        On the same scale.
    """
    ordered = np.sort(paths, axis=0)
    size = len(ordered)
    weights = 2 * np.arange(1, size + 1) - size - 1
    spread = (weights[:, None] * ordered).sum(axis=0) / size**2
    return np.asarray(np.abs(ordered - observed).mean(axis=0) - spread)


def judged(losses: np.ndarray, overlap: int) -> Trial:
    """Compare losses with and without drivers, shape (n_origins, 2).

    A t-test on the mean difference whose origins count as often as their forecasts do not
    overlap.

    Parameters
    ----------
    losses : ndarray, shape (n_origins, 2)
        CRPS with and without drivers.
    overlap : int
        Steps that forecasts look ahead, in units of the distance of origins.
    """
    from scipy.special import stdtr

    size = len(losses)
    if size < 2 * overlap:
        return Trial(size, float("nan"), 1.0)
    skill = 1.0 - float(losses[:, 0].sum() / losses[:, 1].sum())
    difference = losses[:, 0] - losses[:, 1]
    separate = size / overlap
    error = float(difference.std(ddof=1)) / np.sqrt(separate)
    if error == 0.0:
        return Trial(size, skill, 1.0)
    p_value = float(stdtr(separate - 1, float(difference.mean()) / error))
    return Trial(size, skill, p_value)


class Regression(Structural):
    """`Structural` with drivers of the place beside it (``models/regression.toml``).

    Parameters
    ----------
    covariates : DataFrame, optional
        ``location, measure, year, value``; the bundled table by default. Rows after a
        series' last year are never looked at. The figures are those of the newest release:
        what had been published on the day is not recorded.
    gated : bool
        Whether the drivers have to pass the inner backtest; without it they are used wherever
        there are any.
    """

    def __init__(self, covariates: pd.DataFrame | None = None, *, gated: bool = True) -> None:
        self._own = covariates
        self._tables = None if covariates is None else check(covariates)
        self.inputs = ("covariates",) if covariates is None else ()
        self.gated = gated
        self.name = SHELF if gated else f"{SHELF}-always"
        self._day = ""
        self._tried: dict[tuple[object, ...], tuple[np.ndarray, np.ndarray]] = {}

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Drivers by measure, each a table of years by places."""
        if self._tables is None:
            raise DataError(
                "the regression has no drivers: fit it by forecast.forecast(), or give "
                "covariates= to it or to fit()."
            )
        return self._tables

    @property
    def recipe(self) -> dict[str, Any]:
        """The drivers of one's own, as text, and whether they have to help."""
        own = None if self._own is None else self._own.to_csv(float_format="%.17g")
        return {"model": self.name, "gated": self.gated, "covariates": own}

    def fit(
        self, panel: Panel, seed: int, covariates: pd.DataFrame | None = None
    ) -> FittedSeriesModel:
        """Fit every series of a panel by itself, with drivers as they were known at its end.

        Parameters
        ----------
        panel : Panel
            Annual series; others are forecast without drivers.
        seed : int
            Source of all randomness.
        covariates : DataFrame, optional
            ``location, measure, year, value``; by default the model's own, or else the bundled
            ones as `forecast.data.inputs` cuts them.

        Returns
        -------
        FittedSeriesModel
            Its notes say of each series which drivers are used, or why none is.

        Raises
        ------
        TooShortError
            If no series of the panel can be fitted.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> fitted = Regression().fit(panel, seed=1)
        >>> "drivers" in fitted.notes["reason"].iloc[0]
        True
        """
        if self.inputs and covariates is None:
            covariates = inputs.known(self.inputs, panel)["covariates"]
        own = self if covariates is None else self.knowing(covariates)
        return StateSpaceModel.fit(own, panel, seed)

    def knowing(self, covariates: pd.DataFrame) -> Regression:
        """Return the model with other drivers; what has been tried with them before is kept.

        Parameters
        ----------
        covariates : DataFrame
            ``location, measure, year, value``, perhaps ``as_of``.

        Returns
        -------
        Regression

        Examples
        --------
        >>> rows = {"location": "KAZ", "measure": "gdp_growth", "year": [2023], "value": [5.1]}
        >>> list(Regression().knowing(pd.DataFrame(rows)).tables)
        ['gdp_growth']
        """
        other = copy(self)
        other._tables = check(covariates)
        # Without days of release, what was known at an earlier origin is the same in all panels.
        other._day = str(covariates["as_of"].max()) if "as_of" in covariates else ""
        return other

    def draw_series(
        self, series: Series, n_ahead: int, n_draws: int, seed: int, **known: pd.DataFrame
    ) -> np.ndarray:
        """Forecast one series by itself; see `forecast.contract.ModelBase`."""
        own = self.knowing(known["covariates"]) if known else self
        return Structural.draw_series(own, series, n_ahead, n_draws, seed)

    @property
    def discounts(self) -> tuple[float, ...]:
        """Discounts of the variance that are weighed."""
        return tuple(specification(SHELF)["discount"])

    def posterior(self, prepared: Prepared) -> SeriesPosterior:
        """Return what the series says, with drivers where they have helped before."""
        found = self._drivers(prepared.series)
        if found is None:
            return Plain.of(self._plain(prepared), "no driver has figures for this place")
        if not self.gated:
            return self._driven(prepared, found)
        tried = self.trial(prepared)
        judgement = (
            "too few earlier origins to try them"
            if np.isnan(tried.skill)
            else f"skill {100 * tried.skill:+.0f} % over {tried.origins} earlier origins "
            f"(one-sided p = {tried.p_value:.2f})"
        )
        if not tried.skill > 0 or tried.p_value > specification(SHELF)["gate"]["p_value"]:
            return Plain.of(self._plain(prepared), f"drivers left out: {judgement}")
        used = ", ".join(found.names)
        return replace(self._driven(prepared, found), remark=f"drivers {used}: {judgement}")

    def trial(self, prepared: Prepared) -> Trial:
        """Forecast the last years before the present with and without drivers.

        Every inner origin lies before the series' last year, and so do the years forecast.

        Parameters
        ----------
        prepared : Prepared
            The series, see `forecast.models.series.univariate.prepare`.

        Returns
        -------
        Trial

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia")
        >>> one = prepare(panel.find(("kz-bns", "KAZ", "immigration")))
        >>> known = inputs.known(("covariates",), panel)
        >>> Regression().knowing(known["covariates"]).trial(one).origins
        15
        """
        gate = specification(SHELF)["gate"]
        values, horizon, losses = prepared.values, int(gate["horizon"]), []
        ends = [
            end
            for end in range(max(1, len(values) - 1 - gate["origins"]), len(values) - 1)
            if not np.isnan(values[end]) and (~np.isnan(values[: end + 1])).sum() >= MINIMUM_YEARS
        ]
        if len(ends) < 2 * horizon:
            return Trial(len(ends), float("nan"), 1.0)
        for end in ends:
            ahead = values[end + 1 : end + 1 + horizon]
            scored = ~np.isnan(ahead)
            if not scored.any():
                continue
            pair = self._pair(
                prepared.series.until(int(prepared.series.years[end])), prepared.scale.kind
            )
            if pair is not None:
                steps = np.flatnonzero(scored)
                losses.append([crps_of(paths[:, steps], ahead[steps]).mean() for paths in pair])
        return judged(np.array(losses).reshape(-1, 2), horizon)

    def paths(
        self,
        prepared: Prepared,
        posterior: SeriesPosterior,
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Draw futures on the model's scale, the drivers' own futures drawn with them."""
        if not isinstance(posterior, Driven):
            return simulate(posterior, n_ahead, n_draws, generator)
        met = futures(posterior.drivers, n_ahead, n_draws, generator)
        return simulate_with_drivers(posterior, met, generator)

    def remark(self, posterior: SeriesPosterior) -> str:
        """Return which drivers are used, or why none is."""
        return posterior.remark if isinstance(posterior, Driven | Plain) else ""

    def _pair(self, series: Series, kind: Kind) -> tuple[np.ndarray, np.ndarray] | None:
        """Forecast a series as it stood at an inner origin, with and without drivers.

        Later origins of a backtest ask for the same again, so that it is kept.
        """
        figures = (series.values, series.population, series.precision)
        known = [part.tobytes() for part in figures]
        state = (series.key, series.origin, kind, series.flags, self._day, *known)
        if state not in self._tried:
            gate = specification(SHELF)["gate"]
            found = self._drivers(series)
            try:
                past = prepare(series, kind)
            except TooShortError:
                return None
            if found is None:
                return None
            made = []
            for posterior in (self._driven(past, found), self._plain(past)):
                seed = series_seed(series.origin, SHELF, series.key)
                generator = np.random.default_rng(seed)
                size = int(gate["horizon"]), int(gate["draws"])
                made.append(self.paths(past, posterior, *size, generator))
            self._tried[state] = made[0], made[1]
        return self._tried[state]

    def _drivers(self, series: Series) -> Drivers | None:
        if series.step != 1:
            return None
        stated = specification(SHELF)
        return drivers(
            self.tables,
            series.location,
            series.origin,
            stated["driver"],
            stated["drivers"]["minimum_years"],
        )

    def _plain(self, prepared: Prepared) -> SeriesPosterior:
        return self.weigh(self.nodes(prepared), prepared, prepared.values)

    def seeded_as(self, posterior: SeriesPosterior) -> str:
        """Return `structural` where there are no drivers, so that the two forecasts are equal."""
        return self.name if isinstance(posterior, Driven) else Structural.name

    def _driven(self, prepared: Prepared, found: Drivers) -> Driven:
        spreads: Sequence[float] = specification(SHELF)["prior"]["spread"]
        return condition_on_drivers(
            self.nodes(prepared), prepared.values, prepared.series.years, prepared.breaks, found,
            spreads, prepared.scale.floor, self.discounts,
        )  # fmt: skip


@dataclass(frozen=True)
class Plain(SeriesPosterior):
    """A posterior without drivers, and why there are none."""

    remark: str

    @classmethod
    def of(cls, posterior: SeriesPosterior, remark: str) -> Plain:
        """Return a posterior with a remark beside it."""
        return cls(**vars(posterior), remark=remark)
