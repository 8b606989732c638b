"""Seasonal models of single series: the last year again, ETS, components, ARIMA, theta."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecast.contract import BY_NAME
from forecast.errors import DataError, TooShortError
from forecast.models.registry import specification
from forecast.models.seasonal import linear
from forecast.models.seasonal.linear import condition, simulate
from forecast.models.seasonal.shape import Shape, decompose, pool
from forecast.models.series.classical import Theta, aicc
from forecast.models.series.representation import Nodes, SeriesPosterior
from forecast.models.series.univariate import (
    FittedSeriesModel,
    Prepared,
    StateSpaceModel,
    prepare,
)
from forecast.panel import Panel, Series
from forecast.series import last_break, usable_since_break


@dataclass(frozen=True)
class SeasonalPrepared(Prepared):
    """A series as a seasonal model sees it: outliers drawn in, its season beside it.

    Attributes
    ----------
    excess : ndarray, shape (n,)
        What outliers exceed `values` by; NaN in gaps.
    shape : Shape
        Its own season.
    parts : ndarray of int, shape (n,)
        Part of the year of each step, from 0.
    """

    excess: np.ndarray
    shape: Shape
    parts: np.ndarray

    def parts_ahead(self, n_ahead: int) -> np.ndarray:
        """Return the part of the year of each of the steps that follow."""
        season = self.series.season
        return np.asarray((self.series.origin % season + 1 + np.arange(n_ahead)) % season)


def require_season(name: str, panel: Panel) -> None:
    """Refuse figures by year for a seasonal model.

    Parameters
    ----------
    name : str
            Of the model.
    panel : Panel
        What it is given.

    Raises
    ------
    DataError
        With what to use instead.
    """
    if panel.frequency == "year":
        raise DataError(
            f"{name!r} forecasts months, quarters and half-years; these are figures by year, which "
            "have no season. Use 'ensemble', or a model of years such as 'ets'."
        )


def seasonally_prepared(series: Series, years: int = 2) -> SeasonalPrepared:
    """Put a series on its scale with outliers drawn in.

    Parameters
    ----------
    series : Series
        Of months, quarters or half-years.
    years : int
        Years of usable figures since the last break that are needed, besides two figures.

    Raises
    ------
    TooShortError
        If it is too short.
    """
    prepared = prepare(series)
    usable, least = usable_since_break(series), years * series.season + 2
    if usable < least:
        since = " since the last break" if last_break(series) else ""
        raise TooShortError(
            f"{usable} usable {series.frequency}s{since}; at least {least} are needed to tell "
            "season and change apart."
        )
    parts = np.asarray(series.years % series.season)
    start = last_break(series)
    memory = float(specification("seasonal-theta")["memory"])
    shape = decompose(prepared.values[start:], parts[start:], series.season, memory)
    cleaned = np.concatenate([prepared.values[:start], shape.cleaned])
    excess = prepared.values - cleaned
    return SeasonalPrepared(series, prepared.scale, cleaned, prepared.breaks, excess, shape, parts)


class SeasonalModel(StateSpaceModel):
    """Base of the seasonal models of single series: nodes in, forecasts of a panel out."""

    def prepared(self, series: Series) -> Prepared:
        """Return a series on its scale, outliers drawn in; see `seasonally_prepared`."""
        return seasonally_prepared(series)

    def fit(self, panel: Panel, seed: int) -> FittedSeriesModel:
        """Fit every series by itself; see `forecast.contract.Model`.

        Raises
        ------
        DataError
            Of figures by year.
        TooShortError
            If no series is long enough.
        """
        require_season(self.name, panel)
        return super().fit(panel, seed)

    def weigh(
        self, nodes: Nodes, prepared: Prepared, values: np.ndarray, skip: int = 0
    ) -> SeriesPosterior:
        """Weigh nodes by the figures of a series; see `StateSpaceModel.weigh`.

        Parameters
        ----------
        nodes : Nodes
            As `nodes` returns.
        prepared : Prepared
            Its breaks, rounding and outliers are respected.
        values : ndarray, shape (n,)
            On the model's scale; NaN in gaps.
        skip : int
            First errors that do not count.

        Returns
        -------
        SeriesPosterior

        Examples
        --------
        >>> import pandas as pd
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> months = [str(one) for one in pd.period_range("2020-01", periods=48, freq="M")]
        >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration", "period": months,
        ...                       "value": np.random.default_rng(1).poisson(500, 48)})
        >>> naive = model("seasonal-naive")
        >>> one = naive.prepared(fc.Panel.from_frame(table).series[0])
        >>> bool(naive.weigh(naive.nodes(one), one, one.values).spread > 0)
        True
        """
        assert isinstance(prepared, SeasonalPrepared)  # noqa: S101
        return condition(
            nodes, values, prepared.excess, prepared.breaks, prepared.scale.floor,
            self.discounts, skip,
        )  # fmt: skip

    def paths(
        self,
        prepared: Prepared,
        posterior: SeriesPosterior,
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Draw futures on the model's scale."""
        return simulate(posterior, n_ahead, n_draws, generator)


class SeasonalNaive(SeasonalModel):
    """y_t = y_{t-s} + e_t: the same part of last year, with a width learned from its errors.

    The variance drifts as that of every other model, so that skill against it is not won by width
    alone. It is the reference of skill for months, quarters and half-years.
    """

    name = "seasonal-naive"
    recipe = BY_NAME

    def prepared(self, series: Series) -> Prepared:
        """Return a series with its outliers as they are: last year is repeated, whatever it was."""
        made = seasonally_prepared(series, 1)
        return replace(made, values=made.values + made.excess, excess=0.0 * made.excess)

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the single node."""
        return linear.walk(prepared.series.season)


class SeasonalEts(SeasonalModel):
    """Level, damped trend and season driven by one error, averaged over a grid."""

    name = "seasonal-ets"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the grid of smoothing and damping parameters."""
        return linear.smoothing(prepared.series.season)


class SeasonalComponents(SeasonalModel):
    """A level that walks or reverts, noise, and a season that may change."""

    name = "seasonal-components"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the nodes of both kinds of level."""
        return linear.components(prepared.series.season)


class SeasonalArima(SeasonalModel):
    """Seasonal ARIMA; order by AICc among a few, coefficients averaged over a grid.

    All orders have one seasonal difference. Those without another one leave out as many more
    errors, so that all likelihoods are of the same figures.
    """

    name = "seasonal-arima"
    recipe = BY_NAME

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the nodes of the order that AICc chooses."""
        return self.posterior(prepared).nodes

    def posterior(self, prepared: Prepared) -> SeriesPosterior:
        """Fit every order and keep the one with the smallest AICc."""
        most = max(own[1] for own, _ in linear.orders())
        best: tuple[float, SeriesPosterior] | None = None
        for order in linear.orders():
            nodes = linear.arima(order, prepared.series.season)
            made = self.weigh(nodes, prepared, prepared.values, most - order[0][1])
            n_parameters = len(nodes.parameters) + 1
            score = aicc(
                float(made.log_likelihood.max()), n_parameters, int(np.isfinite(made.fitted).sum())
            )
            if best is None or score < best[0]:
                best = score, made
        assert best is not None  # noqa: S101
        return best[1]


class SeasonalTheta(SeasonalModel, Theta):
    """Theta on seasonally adjusted figures; the season and its own uncertainty come back after."""

    name = "seasonal-theta"
    recipe = BY_NAME

    def prepared(self, series: Series) -> Prepared:
        """Return a series without its season, which is shrunk as far as it is uncertain."""
        made = seasonally_prepared(series)
        effects, errors, _ = pool(made.shape.effects[None], made.shape.errors[None], 2)
        shape = replace(made.shape, effects=effects[0], errors=errors[0])
        return replace(made, values=made.values - effects[0][made.parts], shape=shape)

    def paths(
        self,
        prepared: Prepared,
        posterior: SeriesPosterior,
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Add the season to the futures of the adjusted series."""
        assert isinstance(prepared, SeasonalPrepared)  # noqa: S101
        shape, parts = prepared.shape, prepared.parts_ahead(n_ahead)
        error = generator.standard_normal((n_draws, len(shape.errors)))
        season = shape.effects + shape.errors * error
        paths = Theta.paths(self, prepared, posterior, n_ahead, n_draws, generator)
        return np.asarray(paths + season[:, parts])
