"""Posterior draws of a panel of net rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from forecast.models.bayes.gate import Sampled, draw
from forecast.models.hierarchical.posterior import OF_LOCATIONS, OF_YEARS, PanelPosterior
from forecast.models.hierarchical.priors import Prior
from forecast.models.hierarchical.rates_panel import RatesPanel, transitions


def sample(
    pool: RatesPanel,
    priors: Mapping[str, Prior],
    settings: Mapping[str, Any],
    sampler: Mapping[str, Any],
    limits: Mapping[str, Any],
    seed: int,
) -> Sampled:
    """Draw from the posterior; twice as long, and again, where the gate asks for more draws.

    Parameters
    ----------
    pool : RatesPanel
    priors : mapping of str to (mean, standard deviation)
    settings, sampler, limits : mapping
        The tables ``[settings]``, ``[sampler]`` and ``[diagnostics]`` of the model's TOML.
    seed : int
    """
    from forecast.models.hierarchical.compiling import compile_apart

    # Before anything is imported that would be compiled here.
    compile_apart()
    from forecast.models.hierarchical.refresh import refresh

    data = transitions(pool, settings)
    posterior = PanelPosterior(
        np.stack([data[name] for name in OF_YEARS]),
        centred(data["weight"].sum(axis=1), settings["centring"]),
        pool.group,
        pool.parent,
        priors,
        float(settings["storm_floor"]),
    )
    model = posterior.model()
    large = len(pool.series) >= settings["speaks_for_itself"]
    kept = int(sampler["kept_of_many" if large else "kept"])
    return draw(
        model, sampler, limits, seed, kept, after=lambda tree: refresh(tree, posterior, seed)
    )


def centred(usable: np.ndarray, halves: Mapping[str, float]) -> np.ndarray:
    """Return how far each location is centred, by its number of usable transitions."""
    return np.stack([usable / (usable + halves[name]) for name in OF_LOCATIONS])
