"""PyMC models as they are: sampled by nutpie, and what ArviZ reads made from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from forecast.errors import DataError
from forecast.models.bayes.gate import Sampled, draw

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

OnFailure = Literal["refuse", "mark"]


def checked(on_failure: OnFailure) -> OnFailure:
    """Return what is to be done with a fit that its diagnostics reject.

    Raises
    ------
    DataError
        If it is neither of the two.
    """
    if on_failure not in get_args(OnFailure):
        raise DataError(f"on_failure is {on_failure!r}; give 'refuse' or 'mark'.")
    return on_failure


def kept_variables(model: pm.Model, needed: Collection[str], owner: str) -> pm.Model:
    """Return a model that has every variable that futures are drawn from.

    Parameters
    ----------
    needed : collection of str
        Names of the variables.
    owner : str
        Class whose ``pymc_model`` made it.

    Raises
    ------
    DataError
        If it has lost one.
    """
    left = {variable.name for variable in (*model.free_RVs, *model.deterministics)}
    if lost := [name for name in needed if name not in left]:
        raise DataError(
            f"the model that {owner}.pymc_model returns has no variable {', '.join(lost)}, and "
            "futures are drawn from it. Keep it as a random variable or a pm.Deterministic."
        )
    return model


def draw_plainly(
    model: pm.Model, sampler: Mapping[str, Any], limits: Mapping[str, Any], seed: int, draws: int
) -> Sampled:
    """Draw from the posterior of a model by NUTS; see `forecast.models.bayes.gate.draw`.

    Parameters
    ----------
    sampler, limits : mapping
        The tables ``[sampler]`` and ``[diagnostics]`` of the model's TOML.
    draws : int
        Kept of each chain at first.
    """
    import nutpie

    return draw(nutpie.compile_pymc_model(model, backend="numba"), sampler, limits, seed, draws)


def to_arviz(model: pm.Model, sampled: xr.DataTree, draws: int, seed: int) -> xr.DataTree:
    """Return everything that ArviZ's checks read, from a PyMC model and draws of its posterior.

    ``arviz_stats.loo(tree)`` and ``arviz_stats.loo_pit(tree)`` run on it, and the plots of
    arviz-plots.

    Parameters
    ----------
    sampled : DataTree
        Group ``posterior`` and, where the sampler has them, ``sample_stats``.
    draws : int
        Over all chains; the pointwise likelihood of long ones would not fit in memory.
    seed : int
        Of predictive draws.

    Returns
    -------
    DataTree
        Groups ``prior``, ``prior_predictive``, ``posterior``, ``posterior_predictive``,
        ``log_likelihood``, ``observed_data``, ``constant_data`` and those of `sampled`.
    """
    import pymc as pm

    tree = thinned(sampled, draws)
    with model:
        tree.update(pm.sample_prior_predictive(draws, random_seed=seed))
        pm.compute_log_likelihood(tree, progressbar=False)
        pm.sample_posterior_predictive(
            tree, random_seed=seed, extend_inferencedata=True, progressbar=False
        )
    return tree


def thinned(sampled: xr.DataTree, draws: int) -> xr.DataTree:
    """Return some draws of a posterior, spread evenly over each chain.

    Parameters
    ----------
    sampled : DataTree
        Group ``posterior`` and, where the sampler has them, ``sample_stats``.
    draws : int
        Over all chains.
    """
    import xarray as xr

    sizes = sampled["posterior"].sizes
    each = max(1, min(sizes["draw"], draws // sizes["chain"]))
    rows = {"draw": spread(sizes["draw"], each)}
    return xr.DataTree.from_dict(
        {
            name: group.dataset.isel(rows).assign_coords(draw=np.arange(each))
            for name, group in sampled.children.items()
            if name in {"posterior", "sample_stats"}
        }
    )


def spread(available: int, wanted: int) -> np.ndarray:
    """Return positions of `wanted` draws spread evenly over those available.

    Parameters
    ----------
    available, wanted : int
        Numbers of draws.
    """
    return np.asarray(np.arange(wanted) * available // wanted)
