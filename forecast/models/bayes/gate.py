"""Draws of a posterior by NUTS, and the gate that they have to pass."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecast.models.bayes.convergence import convergence, energy_moved

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Sampled:
    """Draws of a posterior with their diagnostics.

    Attributes
    ----------
    posterior : DataTree
        ArviZ's groups ``posterior`` and ``sample_stats``.
    table : DataFrame
        One row per parameter: ``parameter, mean, sd, r_hat, ess_bulk, ess_tail``.
    divergences : int
    e_bfmi : float
        The lowest of the chains.
    failure : str
        What the gate refuses and what to try; empty for a sound fit.
    seconds : float
        Spent sampling the draws that were kept, warm-up included.
    """

    posterior: xr.DataTree
    table: pd.DataFrame
    divergences: int
    e_bfmi: float
    failure: str
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """The diagnostics in one sentence."""
        worst = self.table.iloc[int(self.table["r_hat"].argmax())]
        thin = self.table.iloc[int(self.table["ess_bulk"].argmin())]
        said = (
            f"R-hat at most {worst['r_hat']:.3f} ({worst['parameter']}), bulk ESS at least "
            f"{thin['ess_bulk']:.0f} ({thin['parameter']}), tail ESS at least "
            f"{self.table['ess_tail'].min():.0f}, {self.divergences} divergences, "
            f"E-BFMI at least {self.e_bfmi:.2f}."
        )
        return f"{said} The fit is marked: {self.failure}" if self.failure else said

    def draws(self, name: str) -> np.ndarray:
        """Return draws of a parameter, chains joined, shape (n_draws, ...)."""
        values = self.posterior["posterior"][name].to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]))


def draw(
    model: Any,
    sampler: Mapping[str, Any],
    limits: Mapping[str, Any],
    seed: int,
    kept: int,
    after: Callable[[xr.DataTree], None] | None = None,
) -> Sampled:
    """Draw from a posterior; twice as long, and again, where the gate asks for more draws.

    Parameters
    ----------
    model : nutpie.sample.CompiledModel
    sampler, limits : mapping
        The tables ``[sampler]`` and ``[diagnostics]`` of the model's TOML.
    seed : int
    kept : int
        Draws of each chain at first.
    after : callable, optional
        What is done to the tree before it is examined, in place.
    """
    import nutpie

    while True:
        started = time.perf_counter()
        with warnings.catch_warnings():
            # Nothing of what it warns of goes unsaid: the gate reads the same diagnostics.
            warnings.simplefilter("ignore")
            tree = nutpie.sample(
                model,
                draws=kept,
                tune=int(sampler["warm_up"]),
                chains=int(sampler["chains"]),
                cores=int(sampler["chains"]),
                target_accept=float(sampler["target_accept"]),
                # Scales from the draws alone: those that use gradients too are too short for
                # spreads between locations.
                adaptation="draw_diag",
                seed=seed,
                save_warmup=False,
                progress_bar=False,
            )
        if after is not None:
            after(tree)
        seconds = time.perf_counter() - started
        sampled = replace(examine(tree, limits), seconds=seconds)
        if not sampled.failure or kept * 2 > int(sampler["most"]):
            return sampled
        kept *= 2


def examine(tree: xr.DataTree, limits: Mapping[str, Any]) -> Sampled:
    """Hold draws against the limits of the gate."""
    labels: list[str] = []
    columns = []
    for name, variable in tree["posterior"].data_vars.items():
        values = variable.to_numpy()
        labels += _labels(str(name), variable)
        columns.append(values.reshape(*values.shape[:2], -1))
    draws = np.concatenate(columns, axis=2)
    r_hat, bulk, tail = convergence(draws)
    table = pd.DataFrame(
        {
            "parameter": labels,
            "mean": draws.mean(axis=(0, 1)),
            "sd": draws.std(axis=(0, 1)),
            "r_hat": r_hat,
            "ess_bulk": bulk,
            "ess_tail": tail,
        }
    )
    divergences = int(tree["sample_stats"]["diverging"].sum())
    e_bfmi = energy_moved(tree["sample_stats"]["energy"].to_numpy())
    failure = _failure(table, divergences, e_bfmi, limits)
    return Sampled(tree, table, divergences, e_bfmi, failure)


def _labels(name: str, variable: xr.DataArray) -> list[str]:
    """Name every entry of a variable by its coordinates, or positions where it has none."""
    entries = [
        variable.coords[dim].to_numpy() if dim in variable.coords else range(variable.sizes[dim])
        for dim in variable.dims[2:]
    ]
    rows = itertools.product(*entries)
    return [f"{name}[{', '.join(map(str, row))}]" if row else name for row in rows]


def _failure(
    table: pd.DataFrame, divergences: int, e_bfmi: float, limits: Mapping[str, Any]
) -> str:
    if not np.isfinite(table[["mean", "r_hat", "ess_bulk"]].to_numpy()).all():
        stuck = table.loc[~np.isfinite(table["r_hat"]), "parameter"].tolist() or ["a parameter"]
        return f"{stuck[0]} did not move. Check the figures for values beyond any reason."
    worst = table.iloc[int(table["r_hat"].argmax())]
    if worst["r_hat"] > limits["largest_r_hat"]:
        return (
            f"the chains disagree on {worst['parameter']} (R-hat {worst['r_hat']:.3f}). "
            "Keep more draws (sampler={'most': ...}) or give it a tighter prior."
        )
    for kind in ("ess_bulk", "ess_tail"):
        thin = table.iloc[int(table[kind].argmin())]
        if thin[kind] < limits["least_ess"]:
            return (
                f"{thin['parameter']} has {thin[kind]:.0f} effective draws ({kind}), and "
                f"{limits['least_ess']} are needed. Keep more draws (sampler={{'most': ...}})."
            )
    if divergences > limits["most_divergences"]:
        return (
            f"{divergences} divergent transitions. Raise target_accept "
            "(sampler={'target_accept': 0.95}) or give tighter priors."
        )
    if e_bfmi < limits["least_e_bfmi"]:
        return f"the energy hardly moves (E-BFMI {e_bfmi:.2f}). Give tighter priors."
    return ""


def checked(model: pm.Model, posterior: xr.DataTree, draws: int, seed: int) -> xr.DataTree:
    """Gather what ArviZ's checks read: priors, likelihood and replicates beside the draws.

    Parameters
    ----------
    model : pymc.Model
    posterior : DataTree
        Groups ``posterior`` with every free variable of the model, and ``sample_stats``.
    draws : int
        Over all chains, spread evenly over those there are; as many of the prior.
    seed : int
    """
    import pymc as pm
    import xarray as xr

    sizes = posterior["posterior"].sizes
    each = max(1, min(sizes["draw"], draws // sizes["chain"]))
    within = np.arange(each) * sizes["draw"] // each
    tree = xr.DataTree.from_dict(
        {
            name: posterior[name].dataset.isel(draw=within).assign_coords(draw=np.arange(each))
            for name in ("posterior", "sample_stats")
        }
    )
    with model:
        quiet = {"progressbar": False}
        tree.update(pm.sample_prior_predictive(draws, random_seed=seed))
        pm.compute_log_likelihood(tree, **quiet)
        pm.sample_posterior_predictive(tree, random_seed=seed, extend_inferencedata=True, **quiet)
    return tree
