"""Each figure of the gross flows given all the others, exactly but for the parameters.

A figure says much of its own level, so that weighing draws of levels would not leave it out. Given
the parameters and the mixing of the shocks figures are jointly normal, and what the others say of
one is known (Bürkner, Gabry and Vehtari 2021, doi:10.1007/s00180-020-01045-4). Parameters still are
those that the figure has had a say in: draws of them are weighted, and where a short register
leaves too few draws with a weight, the model is fitted without the figure.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import arviz_stats
import numpy as np
import xarray as xr
from scipy.stats import norm

from forecast.models.bayes.gate import Sampled
from forecast.models.bayes.plain import thinned
from forecast.models.gross_flows.data import Gross
from forecast.models.gross_flows.graph import Cells, covariance

if TYPE_CHECKING:
    from arviz_stats.utils import ELPDDataLOO

    from forecast.models.gross_flows.model import FittedFlows


def left_out(cells: Cells, draw: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of every figure given all others.

    Parameters
    ----------
    cells : Cells
        The figures.
    draw : mapping of str to ndarray
        One draw of the variables of the PyMC model.

    Returns
    -------
    mean, deviation : ndarray, shape (n_figures,)
        In the order of the model's figures.
    """
    mean, whole = of_figures(cells, draw)
    values = cells.values[~np.isnan(cells.values)]
    precision = np.linalg.inv(whole)
    variance = 1.0 / np.diag(precision)
    return values - variance * (precision @ (values - mean)), np.sqrt(variance)


def of_figures(cells: Cells, draw: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of all figures, whatever levels, growth and common shocks.

    Parameters
    ----------
    cells, draw
        See `left_out`.
    """
    known = ~np.isnan(cells.values)
    names = "shock", "growth", "damping", "correlation", "shared", "mixing"
    levels = covariance(cells, *(draw.get(name, np.zeros(())) for name in names))
    around = (draw["noise"] ** 2 + cells.error)[known]
    return cells.centre[cells.stretch][known], levels + np.diag(around)


def each_left_out(cells: Cells, posterior: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return `left_out` of every draw, shape (n_chains, n_draws, n_figures).

    Parameters
    ----------
    cells : Cells
        The figures.
    posterior : Dataset
        Draws of the variables of the PyMC model.
    """
    values = {str(name): drawn.to_numpy() for name, drawn in posterior.data_vars.items()}
    shape = posterior.sizes["chain"], posterior.sizes["draw"]
    rows = [
        left_out(cells, {name: drawn[row] for name, drawn in values.items()})
        for row in np.ndindex(shape)
    ]
    mean, deviation = (np.reshape(part, (*shape, -1)) for part in zip(*rows))
    return mean, deviation


def condition(tree: xr.DataTree, cells: Cells, seed: int) -> None:
    """Make likelihood and replicates of a tree those of each figure given all others, in place.

    Parameters
    ----------
    tree : DataTree
        See `forecast.models.bayes.plain.to_arviz`.
    cells : Cells
        The figures.
    seed : int
        Of the replicates.
    """
    mean, deviation = each_left_out(cells, tree["posterior"].dataset)
    likelihood, replicated = (
        tree[name].dataset["log_rate"] for name in ("log_likelihood", "posterior_predictive")
    )
    likelihood[:] = norm.logpdf(tree["observed_data"]["log_rate"].to_numpy(), mean, deviation)
    noise = np.random.default_rng(seed).standard_normal(mean.shape)
    replicated[:] = mean + deviation * noise


def without(gross: Gross, figure: int) -> Gross:
    """Return the flows without one figure; places, years and stretches stay.

    Parameters
    ----------
    gross : Gross
        All figures.
    figure : int
        Position among the figures of the PyMC model.
    """
    cells, values = Cells.of(gross), gross.values.copy()
    row, flow = np.argwhere(~np.isnan(cells.values))[figure]
    values[cells.stretch[row], cells.year[row], flow] = np.nan
    return replace(gross, values=values)


class Refits(arviz_stats.SamplingWrapper):  # type: ignore[misc]
    """Fits without a figure, as `arviz_stats.reloo` asks for them.

    Parameters
    ----------
    fitted : FittedFlows
    tree : DataTree
        Its `to_arviz`.
    """

    def __init__(self, fitted: FittedFlows, tree: xr.DataTree) -> None:
        super().__init__(fitted.model, tree)
        self.fitted = fitted
        #: Probability integral transform of each figure that was left out of a fit.
        self.transforms: dict[int, float] = {}

    def sel_observations(self, idx: int) -> tuple[Gross, int]:
        """Return the flows without a figure, and its position."""
        return without(self.fitted.gross, idx), idx

    def sample(self, modified_observed_data: Gross) -> Sampled:
        """Draw from the posterior of the other figures."""
        fitted = self.fitted
        return fitted.model.posterior(fitted.panel, modified_observed_data, fitted.seed)

    def get_inference_data(self, fitted_model: Sampled) -> xr.DataTree:
        """Return as many draws as the tree has."""
        sizes = self.idata_orig["posterior"].sizes
        return thinned(fitted_model.posterior, sizes["chain"] * sizes["draw"])

    def log_likelihood__i(self, excluded_obs: int, idata__i: xr.DataTree) -> xr.DataArray:
        """Return the log density of the figure given the others, and keep its transform."""
        posterior = idata__i["posterior"].dataset
        parts = each_left_out(Cells.of(self.fitted.gross), posterior)
        mean, deviation = (part[..., excluded_obs] for part in parts)
        figure = self.idata_orig["observed_data"]["log_rate"].to_numpy()[excluded_obs]
        self.transforms[excluded_obs] = float(norm.cdf(figure, mean, deviation).mean())
        return xr.DataArray(norm.logpdf(figure, mean, deviation), dims=("chain", "draw"))


def leave_one_out(fitted: FittedFlows, tree: xr.DataTree) -> tuple[ELPDDataLOO, xr.DataArray]:
    """Return ArviZ's leave-one-out and its transforms; see `FittedFlows.leave_one_out`.

    Parameters
    ----------
    fitted : FittedFlows
    tree : DataTree
        Its `to_arviz`.
    """
    with warnings.catch_warnings():
        # Figures that it warns of are those that are left out of a fit below.
        warnings.simplefilter("ignore")
        weighted = arviz_stats.loo(tree, pointwise=True)
    refits = Refits(fitted, tree)
    exact: Any = arviz_stats.reloo(refits, loo_orig=weighted, pointwise=True)
    transforms: xr.DataArray = arviz_stats.loo_pit(tree)["log_rate"].copy()
    for figure, value in refits.transforms.items():
        transforms[figure] = value
    return exact, transforms
