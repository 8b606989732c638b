"""The gross flows as an ordinary PyMC model, to look at, change, sample and criticise."""

from __future__ import annotations

from collections.abc import Mapping
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
#: Free variables, as far as a panel has them.
FREE = (
    "mean", "spread", "log_shock", "growth", "damping", "noise", "degrees", "correlation",
    "shared", "growth_news", "common_news", "move", "first_level",
)  # fmt: skip


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
        there are several places ``shared``), of each place (``log_shock``), of each stretch
        between breaks (``first_level``), of its years (``growth_news``), of changes from one year
        to the next (``move``) and of calendar years (``common_news``); the observed ``log_rate``
        by ``figure``, its values and counting error `pm.Data`.
    """
    import pymc as pm
    import pytensor.tensor as pt

    cells = Cells.of(gross)
    known = ~np.isnan(cells.values)
    several = len(gross.places) > 1
    with pm.Model(coords=coordinates(gross)) as model:
        figures = pm.Data("figures", cells.values[known], dims="figure")
        counting = pm.Data("counting_error", cells.error[known], dims="figure")
        mean = pm.Normal("mean", *priors["log_shock"], dims="flow")
        spread = pm.HalfNormal("spread", priors["shock_spread"])
        log_shock = pm.Normal("log_shock", mean, spread, dims=("place", "flow"))
        shock = pm.Deterministic("shock", pt.exp(log_shock), dims=("place", "flow"))
        growth = pm.HalfNormal("growth", priors["growth"], dims="flow")
        damping = pm.Beta("damping", *beta(*priors["damping"]), dims="flow")
        noise = pm.HalfNormal("noise", priors["noise"], dims="flow")
        degrees = pm.Truncated("degrees", pm.Gamma.dist(*priors["degrees"]), *DEGREES)
        correlation = pm.Uniform("correlation", -MOST, MOST)

        news = pm.Normal("growth_news", dims=("place_year", "flow"))
        weights = [law.fading(damping[k], cells.lag) for k in (0, 1)]
        growing = pm.Deterministic(
            "growth_path", law.growth(news, growth, weights), dims=("place_year", "flow")
        )
        size = shock[cells.place[cells.changes]]
        scale, pull = size, growing[cells.changes]
        if several:
            shared = pm.Uniform("shared", 0.0, MOST)
            made = pm.Normal("common_news", dims=("year", "flow"))
            common = pm.Deterministic(
                "common", law.pair(made[:, 0], made[:, 1], correlation), dims=("year", "flow")
            )
            pull = law.drift(pull, size, shared, common[cells.year[cells.changes]])
            scale = law.own_scale(size, shared)
        together = np.eye(2) + correlation * (1.0 - np.eye(2))
        move = pm.MvStudentT(
            "move", nu=degrees, mu=pull, scale=scale[:, :, None] * together * scale[:, None, :],
            dims=("change", "flow"),
        )  # fmt: skip
        first = pm.Normal("first_level", cells.centre, WIDE, dims=("stretch", "flow"))
        within = (cells.lag[:, cells.changes] >= 0).astype(float)
        level = pm.Deterministic(
            "level", first[cells.stretch] + within @ move, dims=("place_year", "flow")
        )
        deviations = pt.sqrt(noise[np.nonzero(known)[1]] ** 2 + counting)
        pm.Normal("log_rate", level[np.nonzero(known)], deviations, observed=figures, dims="figure")
    return model


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
    return {
        "place": places,
        "flow": list(DIRECTIONS),
        "year": years,
        "stretch": [f"{places[p]} from {years[t]}" for p, t in zip(gross.place, gross.start)],
        "place_year": labels,
        "change": [labels[cell] for cell in cells.changes],
        "figure": [f"{labels[i]} {DIRECTIONS[k]}" for i, k in np.argwhere(~np.isnan(cells.values))],
    }
