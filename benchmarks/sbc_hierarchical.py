"""Ranks of true parameters in the hierarchical model of net rates, for ``sbc.py``.

Parameters are drawn from the priors learned from the world, with two groups and regions within
a country, so that every part of the model takes part.
"""

from __future__ import annotations

import numpy as np
from forecast.models.hierarchical.posterior import PanelPosterior
from forecast.models.hierarchical.refresh import refresh

from forecast.models.hierarchical import sampling
from forecast.models.hierarchical.checks import prior_histories, prior_parameters
from forecast.models.hierarchical.priors import resolve
from forecast.models.hierarchical.rates_panel import calm_floor, usual_moves
from forecast.models.specification import specification

GROUP = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
PARENT = np.array([0, 0, 0, 1])
N_YEARS = 24
#: PanelPosterior draws that a rank is counted among.
KEPT = 99


def replicate(seed: int) -> dict[str, np.ndarray]:
    """Ranks of all true parameters of one simulated world."""
    import nutpie

    stated = specification("hierarchical")
    settings = stated["settings"]
    priors, _ = resolve(stated, {}, len(GROUP), stated["learned"]["until"])
    generator = np.random.default_rng(seed)
    true = prior_parameters(priors, GROUP, PARENT, N_YEARS, 1, generator)
    # The first two rates are given to the model, so they may not depend on its parameters.
    first = 3.0 * generator.standard_normal((1, len(GROUP), 1))
    begun = np.concatenate([first, first + generator.standard_normal(first.shape)], axis=2)
    rates = prior_histories(true, GROUP, begun, settings, generator)[0]
    move = np.abs(np.diff(rates, axis=1))[:, :-1] + settings["least_move"]
    floor = calm_floor(usual_moves(rates, settings), settings)[:, 1:-1]
    known = np.ones_like(move)
    figures = np.stack([rates[:, 2:], rates[:, 1:-1], move, np.log(move), known, floor])
    own = sampling.centred(np.full(len(GROUP), N_YEARS), settings["centring"])
    posterior = PanelPosterior(figures, own, GROUP, PARENT, priors, settings["storm_floor"])
    tree = nutpie.sample(
        posterior.model(),
        draws=8 * KEPT, tune=500, chains=2, cores=1, seed=seed, target_accept=0.9,
        adaptation="draw_diag", save_warmup=False, progress_bar=False,
    )  # fmt: skip
    refresh(tree, posterior, seed)
    found = {}
    for name, values in tree["posterior"].data_vars.items():
        thinned = np.concatenate(values.to_numpy()[:, ::15])[:KEPT]
        found[str(name)] = (thinned < true[str(name)][0]).sum(axis=0)
    return found
