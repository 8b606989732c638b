"""The gross flows as an ordinary PyMC model, to look at, change, sample and criticise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.errors import DataError
from forecast.models.gross_flows import law
from forecast.models.gross_flows.data import DIRECTIONS, Gross

if TYPE_CHECKING:
    import pymc as pm

#: Standard deviation of a stretch's first level around the mean of its own figures, in logs.
WIDE = 3.0
#: Least and most degrees of freedom of a place's own shocks.
DEGREES = (3.0, 50.0)
#: Largest size of the correlation between directions, and share of common shocks.
MOST = 0.9
#: Free variables of the world and its places, as far as a panel has them.
PARAMETERS = (
    "mean", "spread", "growth", "damping", "noise", "degrees", "correlation", "shared", "log_shock",
)  # fmt: skip
#: All free variables.
FREE = (*PARAMETERS, "mixing", "news")
#: What the news are of, in their order, and the dimension that goes with the two flows.
NEWS = {
    "growth_news": "place_year", "shock_news": "change", "first_level": "stretch",
    "common_news": "year",
}  # fmt: skip
#: What they make, and the dimension.
PATHS = {"growth_path": "place_year", "common": "year", "move": "change", "level": "place_year"}


@dataclass(frozen=True, eq=False)
class Cells:
    """The years of all stretches in one row, a stretch after the other.

    Attributes
    ----------
    stretch, place, year : ndarray of int, shape (n_cells,)
        Positions of each cell's stretch, place and calendar year.
    changes : ndarray of int, shape (n_changes,)
        Cells that are not the first of their stretch.
    centre : ndarray, shape (n_stretches, 2)
        Mean of a stretch's figures, zero where it has none.
    values, error : ndarray, shape (n_cells, 2)
        See `Gross`; values are NaN where there is no figure.
    """

    stretch: np.ndarray
    place: np.ndarray
    year: np.ndarray
    changes: np.ndarray
    centre: np.ndarray
    values: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, gross: Gross) -> Cells:
        """Put the stretches of a panel in a row."""
        lengths = gross.end - gross.start + 1
        stretch = np.repeat(np.arange(len(lengths)), lengths)
        year = np.concatenate([np.arange(a, b + 1) for a, b in zip(gross.start, gross.end)])
        values = gross.values[stretch, year]
        known = ~np.isnan(values)
        belongs = (stretch == np.arange(len(lengths))[:, None]).astype(float)
        counted = np.maximum(belongs @ known, 1.0)
        return cls(
            stretch,
            gross.place[stretch],
            year,
            np.flatnonzero(year > gross.start[stretch]),
            belongs @ np.where(known, values, 0.0) / counted,
            values,
            gross.error[stretch, year],
        )

    @property
    def lag(self) -> np.ndarray:
        """Years from the column's cell to the row's of the same stretch, else −1."""
        same = self.stretch[:, None] == self.stretch
        return np.where(same, self.year[:, None] - self.year, -1)


def pymc_model(gross: Gross, priors: Mapping[str, Any]) -> pm.Model:
    """State the model of arrivals and departures in PyMC; see `forecast.models.gross_flows.law`.

    Parameters
    ----------
    gross : Gross
    priors : mapping
        The table ``[priors]`` of ``models/flows.toml``.

    Returns
    -------
    pymc.Model
        Log rates: of persons per 1,000 inhabitants. Free variables of the world (``mean``,
        ``spread``, ``growth``, ``damping``, ``noise``, ``degrees``, ``correlation``, and where
        there are several places ``shared``), of each place (``log_shock``) and of changes from
        one year to the next (``mixing``, the mixing variance that makes a shock Student-t); the
        standard normal ``news`` that move everything, with their names in ``growth_news`` (by
        year of a stretch), ``shock_news`` (by change), ``common_news`` (by calendar year) and
        ``first_level`` (by stretch between breaks); the observed ``log_rate`` by ``figure``, its
        values and counting error `pm.Data`.

        The news depend on no parameter. That they take some is for the coordinates in which they
        are sampled, `forecast.models.bayes.whitening`.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from forecast.models.bayes.whitening import partly_centred, standardised, whitened

    cells, names = Cells.of(gross), coordinates(gross)
    known = ~np.isnan(cells.values)
    row, flow = np.nonzero(known)
    several = len(gross.places) > 1
    with pm.Model(coords=names) as model:
        figures = pm.Data("figures", cells.values[known], dims="figure")
        counting = pm.Data("counting_error", cells.error[known], dims="figure")
        mean = pm.Normal("mean", *priors["log_shock"], dims="flow")
        spread = pm.HalfNormal("spread", priors["shock_spread"])
        log_shock = pm.Normal(
            "log_shock", mean, spread, dims=("place", "flow"), transform=partly_centred(0.0)
        )
        shock = pm.Deterministic("shock", pt.exp(log_shock), dims=("place", "flow"))
        growth = pm.HalfNormal("growth", priors["growth"], dims="flow")
        damping = pm.Beta("damping", *beta(*priors["damping"]), dims="flow")
        noise = pm.HalfNormal("noise", priors["noise"], dims="flow")
        degrees = pm.Truncated("degrees", pm.Gamma.dist(*priors["degrees"]), *DEGREES)
        correlation = pm.Uniform("correlation", -MOST, MOST)
        shared = pm.Uniform("shared", 0.0, MOST) if several else pt.constant(0.0, dtype="float64")
        half = degrees / 2.0
        mixing = pm.InverseGamma(
            "mixing", half, half, dims="change", transform=standardised(), default_transform=None
        )

        deviations = pt.sqrt(noise[flow] ** 2 + counting)
        parameters = shock, growth, damping, correlation, shared, mixing

        def moved(news: Any, *parameters: Any) -> Any:
            return paths(split(news, names), cells, *parameters)["level"][row, flow]

        away = figures - cells.centre[cells.stretch][row, flow]
        news = whitened(
            "news", "news_item", len(names["news_item"]), away, deviations, parameters, moved,
            lambda *given: covariance(cells, *given),
        )  # fmt: skip
        parts = split(news, names)
        states = parts | paths(parts, cells, *parameters)
        for name in ("level", "first_level"):
            centre = cells.centre[cells.stretch] if name == "level" else cells.centre
            states[name] = states[name] + centre
        for name, dim in (NEWS | PATHS).items():
            if name in states:
                states[name] = pm.Deterministic(name, states[name], dims=(dim, "flow"))
        pm.Normal(
            "log_rate", states["level"][row, flow], deviations, observed=figures, dims="figure"
        )
    return model


def split(news: Any, names: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return the news by what they are of; see `NEWS`.

    Parameters
    ----------
    news : array or tensor, shape (..., n_news)
        Standard normal.
    names : mapping
        See `coordinates`.

    Returns
    -------
    dict of str to array or tensor, shape (..., n, 2)
    """
    parts, begin = {}, 0
    for name, dim in NEWS.items():
        end = begin + 2 * len(names[dim])
        if end <= len(names["news_item"]):
            parts[name] = news[..., begin:end].reshape((*news.shape[:-1], len(names[dim]), 2))
        begin = end
    return parts


def paths(
    parts: Mapping[str, Any],
    cells: Cells,
    shock: Any,
    growth: Any,
    damping: Any,
    correlation: Any,
    shared: Any,
    mixing: Any,
) -> dict[str, Any]:
    """Return what the news make of the flows, by the law.

    Parameters
    ----------
    parts : mapping
        See `split`.
    cells : Cells
        The years.
    shock, growth, damping, correlation, shared, mixing : tensor
        Variables of the model.

    Returns
    -------
    dict of str to tensor, shape (..., n, 2)
        ``growth_path``, ``move``, ``first_level`` and ``level``, both around the centres of the
        stretches, and ``common`` where there are several places.
    """
    weights = [law.fading(damping[k], cells.lag) for k in (0, 1)]
    growing = law.growth(parts["growth_news"], growth, weights)
    size, pull = shock[cells.place[cells.changes]], growing[..., cells.changes, :]
    states = {"growth_path": growing, "first_level": WIDE * parts["first_level"]}
    if "common_news" in parts:
        made = parts["common_news"]
        states["common"] = law.pair(made[..., 0], made[..., 1], correlation)
        year = cells.year[cells.changes]
        pull = law.drift(pull, size, shared, states["common"][..., year, :])
    own = law.pair(parts["shock_news"][..., 0], parts["shock_news"][..., 1], correlation)
    states["move"] = pull + law.own_scale(size, shared) * mixing[:, None] ** 0.5 * own
    within = (cells.lag[:, cells.changes] >= 0).astype(float)
    first = states["first_level"][..., cells.stretch, :]
    return states | {"level": first + within @ states["move"]}


def covariance(
    cells: Cells,
    shock: Any,
    growth: Any,
    damping: Any,
    correlation: Any,
    shared: Any,
    mixing: Any,
) -> Any:
    """Return the covariance of the levels that have figures, whatever the news.

    Parameters
    ----------
    cells : Cells
        The years.
    shock, growth, damping, correlation, shared, mixing : array or tensor
        Variables of the model.

    Returns
    -------
    array or tensor, shape (n_figures, n_figures)
    """
    row, flow = np.nonzero(~np.isnan(cells.values))
    changes, year = cells.changes, cells.year[cells.changes]
    apart = np.maximum(np.abs(year[:, None] - year), 0)
    stretch = cells.stretch
    same = (stretch[changes][:, None] == stretch[changes]).astype(float)
    within = (cells.lag[row][:, changes] >= 0).astype(float)
    moved = within * shock[cells.place[changes]][:, flow].T
    yearly = (year[:, None] == year).astype(float)
    shocks = shared**2 * yearly + law.own_scale(1.0, shared) ** 2 * mixing * np.eye(len(changes))
    alike = (flow[:, None] == flow).astype(float)
    total = (alike + correlation * (1.0 - alike)) * (moved @ shocks @ moved.T)
    for k in range(2):
        one = within[flow == k]
        grown = one @ (growth[k] ** 2 * same * damping[k] ** apart) @ one.T
        place = (np.flatnonzero(flow == k) == np.arange(len(flow))[:, None]).astype(float)
        total = total + place @ grown @ place.T
    return total + WIDE**2 * alike * (stretch[row][:, None] == stretch[row])


def needed(gross: Gross) -> tuple[str, ...]:
    """Return the variables of the PyMC model that futures are drawn from.

    Parameters
    ----------
    gross : Gross
        The figures.
    """
    names = ("shock", "growth", "damping", "noise", "degrees", "correlation", "growth_path")
    return (*names, "level", *(("shared", "common") if len(gross.places) > 1 else ()))


def beta(mean: float, deviation: float) -> tuple[float, float]:
    """Return the powers of a beta distribution with this mean and standard deviation.

    Parameters
    ----------
    mean, deviation : float
        Between 0 and 1; the deviation below that of a coin of this mean.

    Raises
    ------
    DataError
        If there is none.

    Examples
    --------
    >>> beta(0.5, 0.25)
    (1.5, 1.5)
    """
    if not 0.0 < mean < 1.0 or deviation**2 >= mean * (1.0 - mean):
        raise DataError(
            f"damping in the priors of flows is {mean:g} ± {deviation:g}; give a mean between 0 "
            "and 1 and a standard deviation that a share of this mean can have, as [0.7, 0.15]."
        )
    count = mean * (1.0 - mean) / deviation**2 - 1.0
    return mean * count, (1.0 - mean) * count


def coordinates(gross: Gross) -> dict[str, list[Any]]:
    """Return the names along the dimensions of the model.

    Parameters
    ----------
    gross : Gross
    """
    cells = Cells.of(gross)
    places = [f"{place.location} ({place.source})" for place in gross.places]
    years = [gross.first_year + year for year in range(gross.values.shape[1])]
    labels = [f"{places[p]} {years[t]}" for p, t in zip(cells.place, cells.year)]
    names: dict[str, list[Any]] = {
        "place": places,
        "flow": list(DIRECTIONS),
        "year": years,
        "stretch": [f"{places[p]} from {years[t]}" for p, t in zip(gross.place, gross.start)],
        "place_year": labels,
        "change": [labels[cell] for cell in cells.changes],
        "figure": [f"{labels[i]} {DIRECTIONS[k]}" for i, k in np.argwhere(~np.isnan(cells.values))],
    }
    news = [
        f"{name} {entry} {flow}"
        for name, dim in NEWS.items()
        if name != "common_news" or len(places) > 1
        for entry in names[dim]
        for flow in DIRECTIONS
    ]
    return {**names, "news_item": news}
