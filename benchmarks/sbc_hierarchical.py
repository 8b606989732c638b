"""Ranks of true parameters in the hierarchical model of net rates, for ``sbc.py``.

The PyMC model itself draws parameters, from the priors learned from the world, and figures given
the years before them; the posterior draws are those of the compiled code. Countries with registers,
countries of one source and regions within countries take part.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pymc as pm

from forecast.models.hierarchical.fast import CODE
from forecast.models.hierarchical.fast.posterior import OF_EACH, PanelPosterior
from forecast.models.hierarchical.graph import OF_GROUPS, coordinates, data, pymc_model
from forecast.models.hierarchical.priors import Prior, resolve
from forecast.models.hierarchical.rates_panel import RatesPanel, collect
from forecast.models.registry import specification
from forecast.panel import Panel

#: Location by source; regions follow their country.
PLACES = {
    "KAZ": "kz", "KZ-10": "kz", "KZ-11": "kz", "KZ-15": "kz", "UZB": "uz", "UZ-TK": "uz",
    "KGZ": "world", "TJK": "world", "TKM": "world", "GEO": "world",
}  # fmt: skip
N_YEARS = 26
#: Posterior draws that a rank is counted among.
KEPT = 99


@cache
def world() -> tuple[RatesPanel, dict[str, Prior], pm.Model]:
    """Rates that stand before each year, their priors, and the model that draws the rest."""
    generator = np.random.default_rng(1)
    moves = generator.standard_t(3, (len(PLACES), N_YEARS))
    rates = 3.0 * generator.standard_normal((len(PLACES), 1)) + 0.7 * np.cumsum(moves, axis=1)
    table = pd.DataFrame(
        {
            "location": np.repeat(list(PLACES), N_YEARS),
            "source": np.repeat(list(PLACES.values()), N_YEARS),
            "year": np.tile(np.arange(2000, 2000 + N_YEARS), len(PLACES)),
            "value": 1000.0 * rates.ravel(),
            "population": 1e6,
        }
    )
    is_region = table["location"].str.contains("-")
    table["measure"] = np.where(is_region, "net_all_flows", "net_migration")
    pool = collect(Panel.from_frame(table))
    assert pool is not None
    stated = specification("hierarchical")
    priors, _ = resolve(stated, {}, len(PLACES), stated["learned"]["until"])
    return pool, priors, pymc_model(pool, priors, stated["settings"])


def replicate(seed: int) -> dict[str, np.ndarray]:
    """Ranks of all true parameters of one simulated world."""
    import nutpie

    CODE.compile_apart()
    from forecast.models.hierarchical.fast.refresh import refresh

    settings = specification("hierarchical")["settings"]
    pool, priors, model = world()
    drawn = pm.sample_prior_predictive(1, model=model, random_seed=seed)
    posterior = PanelPosterior.of(pool, priors, settings)
    where = data(pool, settings)
    rates = drawn["prior_predictive"]["rate"].to_numpy()[0, 0]
    posterior.figures[0][where["location_index"], where["year_index"]] = rates
    names = coordinates(pool, settings)
    names["padded_year"] = list(range(posterior.n_years))
    tree = nutpie.sample(
        posterior.model(names),
        draws=8 * KEPT, tune=500, chains=2, cores=1, seed=seed, target_accept=0.9,
        adaptation="draw_diag", save_warmup=False, progress_bar=False,
    )  # fmt: skip
    refresh(tree, posterior, seed)
    ranks = {}
    for name in (*OF_GROUPS, *OF_EACH):
        true = drawn["prior"][name].to_numpy()[0, 0]
        values = tree["posterior"][name].to_numpy()[..., : len(true)]
        thinned = np.concatenate(values[:, ::15])[:KEPT]
        ranks[name] = (thinned < true).sum(axis=0)
    return ranks
