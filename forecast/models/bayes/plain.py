"""PyMC models as they are: what they share, sampling by nutpie, and what ArviZ reads of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, get_args

import numpy as np
import pandas as pd

from forecast.artifacts import atomic_file
from forecast.contract import FittedBase, ModelBase
from forecast.errors import DataError, FitError
from forecast.models.bayes.compiling import CompiledCode
from forecast.models.bayes.gate import Sampled, draw
from forecast.panel import Panel

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

OnFailure = Literal["refuse", "mark"]


def checked(on_failure: str) -> OnFailure:
    """Return what is to be done with a fit that its diagnostics reject.

    Raises
    ------
    DataError
        If it is neither of the two.
    """
    if on_failure not in get_args(OnFailure):
        raise DataError(f"on_failure is {on_failure!r}; give 'refuse' or 'mark'.")
    return cast(OnFailure, on_failure)


def accept(failure: str, on_failure: OnFailure, fit: str, caller: str) -> None:
    """Refuse a fit that its diagnostics reject, unless it is to be marked.

    Parameters
    ----------
    failure : str
        What the gate says; empty for a sound fit.
    fit : str
        What was fitted, in words.
    caller : str
        What takes ``on_failure``.

    Raises
    ------
    FitError
        With the parameter and a remedy.
    """
    if failure and on_failure == "refuse":
        raise FitError(
            f"the fit of {fit} is refused: {failure} {caller}(on_failure='mark') returns it marked."
        )


class PyMCModel(ModelBase):
    """A model with compiled code, whose PyMC model a subclass may change.

    Attributes
    ----------
    code : CompiledCode
        Named by the class that states the model.
    sampler : mapping
        The table ``[sampler]`` of its TOML, and what replaces it.
    """

    code: ClassVar[CompiledCode]
    sampler: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Whether a subclass states another model."""
        stating = next(c for c in type(self).__mro__ if "code" in vars(c))
        return type(self).pymc_model is not vars(stating)["pymc_model"]

    @property
    def by_compiled_code(self) -> bool:
        """Whether compiled code samples it; a model that was changed is sampled itself."""
        return bool(self.sampler["compiled"]) and not self.changed

    def pymc_model(self, panel: Panel) -> pm.Model:
        """State the model of a panel in PyMC.

        Parameters
        ----------
        panel : Panel
            With the figures that it is made for.

        Returns
        -------
        pymc.Model

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.gross_flows.model import Flows
        >>> panel = fc.load("central-asia").select(source="kz-bns")
        >>> [variable.name for variable in Flows().pymc_model(panel).observed_RVs]
        ['log_rate']
        """
        raise NotImplementedError(f"{type(self).__name__} states no model")

    def prepare(self) -> bool:
        """Have its code compiled in the background, and say whether it is."""
        return not self.by_compiled_code or self.code.start_compiling()


@dataclass(frozen=True)
class FittedPyMCModel(FittedBase):
    """A model with a posterior, after it has seen a panel.

    Attributes
    ----------
    panel : Panel
    seed : int
    sampled : Sampled
        Draws of the posterior, with their diagnostics.
    notes : DataFrame
        See `Forecast.notes`; says of each series what it borrows.
    """

    panel: Panel
    seed: int
    sampled: Sampled
    notes: pd.DataFrame

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per parameter: ``parameter, mean, sd, r_hat, ess_bulk, ess_tail``."""
        return self.sampled.table

    @property
    def posterior(self) -> xr.DataTree:
        """The draws and their statistics as an ArviZ DataTree; see also `to_arviz`."""
        return self.sampled.posterior

    def save_posterior(self, path: str | Path) -> Path:
        """Write the posterior as NetCDF, whole or not at all.

        Parameters
        ----------
        path : str or Path
            The file; an earlier one is replaced.

        Returns
        -------
        Path
            The file.
        """
        with atomic_file(path) as temporary:
            self.posterior.to_netcdf(temporary, engine="h5netcdf")
        return Path(path)


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
