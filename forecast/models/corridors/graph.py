"""The model of corridors as an ordinary PyMC model, to look at, change, sample and criticise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.models.corridors.data import TERMS, PairFlows
from forecast.models.corridors.gibbs import LEAST_DEGREES

if TYPE_CHECKING:
    import pymc as pm


def pymc_model(flows: PairFlows, priors: Mapping[str, Any]) -> pm.Model:
    """State the model of the corridors of one source in PyMC.

    The same law is drawn from by `forecast.models.corridors.gibbs`, in arrays.

    Parameters
    ----------
    flows : PairFlows
    priors : mapping
        The table ``[priors]`` of ``models/corridors.toml``.

    Returns
    -------
    pymc.Model
        Observed ``log_count`` by ``figure``, the counts on the log scale, whose variance of
        counting is `pm.Data` (`PairFlows.log_counts`); dimensions ``origin`` and ``destination``
        hold the ends of several corridors, which have levels and shocks of their own.
    """
    import pymc as pm
    import pytensor.tensor as pt

    design, centre = flows.design(priors)
    origins, destinations = flows.places
    log_counts, counting = flows.log_counts()
    year, pair = np.nonzero(~np.isnan(flows.counts))
    labels = [f"{origin}:{destination}" for origin, destination in flows.pairs]
    coords: dict[str, Any] = {
        "pair": labels, "origin": origins, "destination": destinations, "term": list(TERMS),
        "year": flows.years, "step": flows.years[1:],
        "figure": [f"{labels[p]} {flows.years[t]}" for t, p in zip(year, pair)],
    }  # fmt: skip
    n_terms, n_origins = len(TERMS), len(origins)
    shared_scales, spreads = priors["shared"], priors["spread"]
    tails = float(priors["degrees"])
    with pm.Model(coords=coords) as model:
        offset = pm.Data("log_population", flows.offset, dims=("year", "pair"))
        counting_variance = pm.Data("counting_variance", counting[year, pair], dims="figure")
        gravity_terms = pm.Data("gravity_terms", design[:, 1 : 1 + n_terms], dims=("pair", "term"))

        log_size = pm.Data("log_size", flows.log_size, dims="pair")

        # Levels: gravity, origins and destinations say what to expect, a corridor has its own.
        spread = pm.HalfNormal("spread", spreads[0])
        mean = pm.Normal("mean", centre[0], priors["mean_spread"])
        gravity = pm.Normal(
            "gravity", centre[1 : 1 + n_terms], [priors[f"gravity_{term}"][1] for term in TERMS],
            dims="term",
        )  # fmt: skip
        expected = mean + gravity_terms @ gravity
        for at, end in enumerate(("origin", "destination"), start=1):
            end_spread = pm.HalfNormal(f"{end}_spread", spreads[at])
            effect = pm.Normal(f"{end}_level", 0.0, end_spread, dims=end)
            first = 1 + n_terms + (n_origins if at == 2 else 0)
            expected += design[:, first : first + len(flows.places[at - 1])] @ effect
        level = pm.Normal("level", expected, spread, dims="pair")

        # Shocks: a corridor's own, and those shared by year, origin and destination.
        persistence = pm.Beta("persistence", *priors["persistence"])
        innovation = pm.HalfNormal("innovation", priors["innovation"])
        evenness = LEAST_DEGREES + pm.Gamma("extra_evenness", *priors["evenness"])
        volatility = pm.Gamma("volatility", evenness / 2, evenness / 2, dims="pair")
        size = innovation / pt.sqrt(volatility)
        year_evenness = LEAST_DEGREES + pm.Gamma("extra_year_evenness", *priors["year_evenness"])
        calm = pm.Gamma("calm", year_evenness / 2, year_evenness / 2, dims="step")
        shock = pm.StudentT(
            "own_shock", nu=tails, mu=0.0, sigma=size / pt.sqrt(calm)[:, None],
            dims=("step", "pair"),
        )  # fmt: skip
        for at, what in enumerate(("year", "origin", "destination")):
            members = flows.members(what)
            scale = pm.HalfNormal(f"{what}_shock_size", shared_scales[at])
            if members.shape[1]:
                shared = pm.StudentT(
                    f"{what}_shock", nu=float(priors["shared_degrees"]), mu=0.0, sigma=scale,
                    shape=(flows.n_years - 1, members.shape[1]),
                )  # fmt: skip
                shock += shared @ members.T

        # Larger corridors may move less, in proportion, than small ones.
        by_size = pt.exp(-pm.Normal("size_effect", *priors["size_effect"]) * log_size)

        # Deviations from the level persist: what is left of each shock after so many steps.
        start = pm.Normal("start", 0.0, size / pt.sqrt(1.0 - persistence**2), dims="pair")
        apart = np.subtract.outer(np.arange(flows.n_years), np.arange(flows.n_years))
        left = pt.where(apart >= 0, persistence ** np.maximum(apart, 0), 0.0)
        deviation = pm.Deterministic(
            "deviation",
            by_size * (left @ pt.concatenate([start[None], shock])),
            dims=("year", "pair"),
        )
        noise = pm.HalfNormal("noise", priors["noise"])
        spread_of_counts = pt.sqrt((noise * by_size)[pair] ** 2 + counting_variance)
        pm.Normal(
            "log_count", (offset + level + deviation)[year, pair], spread_of_counts,
            observed=log_counts[year, pair], dims="figure",
        )  # fmt: skip
    return model
