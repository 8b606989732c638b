"""Posterior draws of a panel of net rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.models.bayes.gate import Sampled, draw
from forecast.models.hierarchical.graph import pymc_model
from forecast.models.hierarchical.priors import Prior
from forecast.models.hierarchical.rates_panel import RatesPanel


def sample(
    pool: RatesPanel,
    priors: Mapping[str, Prior],
    settings: Mapping[str, Any],
    sampler: Mapping[str, Any],
    limits: Mapping[str, Any],
    seed: int,
) -> Sampled:
    """Draw from the posterior of a panel.

    Parameters
    ----------
    pool : RatesPanel
    priors : mapping of str to (mean, standard deviation)
    settings, sampler, limits : mapping
        The tables ``[settings]``, ``[sampler]`` and ``[diagnostics]`` of the model's TOML.
    seed : int
    """
    large = len(pool.series) >= settings["speaks_for_itself"]
    kept = int(sampler["kept_of_many" if large else "kept"])
    if sampler["compiled"]:
        from forecast.models.hierarchical.fast import posterior

        return posterior.sample(pool, priors, settings, sampler, limits, seed, kept)
    import nutpie

    model = nutpie.compile_pymc_model(pymc_model(pool, priors, settings), backend="numba")
    return draw(model, sampler, limits, seed, kept)
