"""Draws of a posterior by NUTS, and the gate that they have to pass.

R-hat and effective sample sizes are rank-normalised: Vehtari, Gelman, Simpson, Carpenter and
Bürkner (2021, doi:10.1214/20-BA1221). ArviZ has the same numbers, one parameter after another: of a
thousand they take as long as a quarter of the sampling. A test holds the two together.
"""

from __future__ import annotations

import itertools
import os
import time
import warnings
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr
    from nutpie.sample import CompiledModel

#: Parameters taken at a time: their draws stay in the processor's cache.
BLOCK = 32
#: Quantiles whose effective sample size is that of the tails: those of ArviZ.
TAILS = (0.11, 0.89)
#: Where nutpie states names and sizes of a vector's dimensions.
_SHAPE = ("dims", "shape")
#: Ranges below this are no movement.
LEAST_RANGE = float(np.finfo(float).resolution)


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
        Of all chains together.
    e_bfmi : float
        The lowest of the chains; infinite where a sampler has no energy.
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
            f"{self.table['ess_tail'].min():.0f}"
        )
        if np.isfinite(self.e_bfmi):
            said += f", {self.divergences} divergences, E-BFMI at least {self.e_bfmi:.2f}"
        said += "."
        return f"{said} The fit is marked: {self.failure}" if self.failure else said

    def draws(self, name: str) -> np.ndarray:
        """Return draws of a parameter, chains joined.

        Parameters
        ----------
        name : str
            Of the posterior.

        Returns
        -------
        ndarray, shape (n_draws, ...)
            On the scale on which the model states it.
        """
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
    """Draw from a posterior; longer, and again, where the gate asks for more draws.

    Twice as long, or four or eight times where that many effective draws are lacking.

    Parameters
    ----------
    sampler, limits : mapping
        The tables ``[sampler]`` and ``[diagnostics]`` of the model's TOML.
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
            trace = nutpie.sample(
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
                return_raw_trace=True,
            )
        tree = tree_of(trace, model)
        if after is not None:
            after(tree)
        seconds = time.perf_counter() - started
        sampled = replace(examine(tree, limits), seconds=seconds)
        if not sampled.failure or kept * 2 > int(sampler["most"]):
            return sampled
        thinnest = np.fmin.reduce(sampled.table[["ess_bulk", "ess_tail"]].to_numpy(), axis=None)
        needed = kept * float(limits["least_ess"]) / max(1.0, thinnest)
        kept *= 2
        while kept < needed and kept * 2 <= int(sampler["most"]):
            kept *= 2


def tree_of(trace: Any, model: CompiledModel) -> xr.DataTree:
    """Return the groups ``posterior`` and ``sample_stats`` of what nutpie sampled.

    What nutpie and ArviZ make of it themselves takes longer than to sample a small panel. Left out
    are warm-up, and statistics that are vectors or have a value at some draws only.

    Parameters
    ----------
    trace : object
        What `nutpie.sample` returns with ``return_raw_trace=True``.
    model : CompiledModel
        What was sampled.
    """
    import nutpie
    import pyarrow as pa
    import xarray as xr

    of_draws, of_statistics = (
        list(map(pa.record_batch, batches)) for batches in trace.get_arrow_trace()
    )
    kept = [~np.asarray(batch["tuning"]) for batch in of_statistics]
    about = {"inference_library": "nutpie", "inference_library_version": nutpie.__version__}
    hidden = {"chain", "draw", "tuning", *(model.reparameterized_names or ())}
    groups = {}
    for name, batches in (("posterior", of_draws), ("sample_stats", of_statistics)):
        variables = {}
        for field in batches[0].schema:
            stated = {key.decode(): text.decode() for key, text in (field.metadata or {}).items()}
            dims, sizes = (list(filter(None, stated.get(key, "").split(","))) for key in _SHAPE)
            scattered = name == "sample_stats" and (dims or "event_dim" in stated)
            if scattered or field.name in hidden:
                continue
            flat = [_numbers(batch[field.name]) for batch in batches]
            chains = [v.reshape(len(r), *map(int, sizes))[r] for v, r in zip(flat, kept)]
            variables[field.name] = ["chain", "draw", *dims], np.stack(chains)
        group = xr.Dataset(variables, attrs=about)
        groups[name] = group.assign_coords(
            {dim: model.coords.get(dim, range(size)) for dim, size in group.sizes.items()}
        )
    return xr.DataTree.from_dict(groups)


def _numbers(column: pa.Array) -> np.ndarray:
    """Return the numbers of a column, those of vectors one after another."""
    flat = column.flatten() if hasattr(column, "flatten") else column
    return np.asarray(flat.to_numpy(zero_copy_only=False))


def examine(
    tree: xr.DataTree, limits: Mapping[str, Any], names: Collection[str] | None = None
) -> Sampled:
    """Hold draws against the limits of the gate.

    Parameters
    ----------
    tree : DataTree
        Posterior, and statistics of the sampler where it is NUTS.
    limits : mapping
        ``[diagnostics]`` of the model's TOML.
    names : collection of str, optional
        Variables that are looked at; all by default.
    """
    labels: list[str] = []
    columns = []
    for name, variable in tree["posterior"].data_vars.items():
        if names is not None and name not in names:
            continue
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
    divergences, e_bfmi = 0, float("inf")
    if "sample_stats" in tree:
        from arviz_stats.base import array_stats

        divergences = int(tree["sample_stats"]["diverging"].sum())
        e_bfmi = float(np.min(array_stats.bfmi(tree["sample_stats"]["energy"].to_numpy())))
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


def convergence(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return R-hat, bulk and tail effective sample size of every parameter.

    Parameters
    ----------
    draws : ndarray, shape (n_chains, n_draws, n_parameters)
        At least four draws.

    Returns
    -------
    r_hat, ess_bulk, ess_tail : ndarray, shape (n_parameters,)
        NaN where a draw is not finite; R-hat also where nothing moves or there is one chain.
    """
    n_chains, n = draws.shape[0], draws.shape[2]
    r_hat, bulk, tail = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    sound = np.flatnonzero(np.isfinite(draws).all(axis=(0, 1)))

    def diagnose(rows: np.ndarray) -> None:
        values = np.ascontiguousarray(np.moveaxis(draws[:, :, rows], -1, 0))
        halves = _halves(values)
        normal = _normal_scores(halves)
        bulk[rows] = _effective(normal)
        if n_chains > 1:
            middle = np.median(halves, axis=(1, 2), keepdims=True)
            folded = _normal_scores(np.abs(halves - middle))
            r_hat[rows] = np.maximum(_r_hat(normal), _r_hat(folded))
        low, high = np.quantile(values, TAILS, axis=(1, 2))[:, :, None, None]
        below = (_effective(_halves((values <= limit).astype(float))) for limit in (low, high))
        tail[rows] = np.minimum(*below)

    blocks = [sound[first : first + BLOCK] for first in range(0, len(sound), BLOCK)]
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        list(executor.map(diagnose, blocks))
    return r_hat, bulk, tail


def _halves(values: np.ndarray) -> np.ndarray:
    """Split chains in two, shape (n, 2 n_chains, n_draws // 2): a drift shows between halves."""
    half = values.shape[2] // 2
    return np.concatenate([values[:, :, :half], values[:, :, -half:]], axis=1)


def _normal_scores(values: np.ndarray) -> np.ndarray:
    """Replace draws by the normal quantiles of their ranks; equal ones share a mean rank.

    As by `scipy.stats.rankdata`, in half the time: a fifth of a fit went into it.
    """
    rows = values.reshape(len(values), -1)
    size = rows.shape[1]
    order = np.argsort(rows, axis=1)
    # Positions in all rows, one after another.
    order += np.arange(0, rows.size, size)[:, None]
    ordered = rows.ravel()[order.ravel()]
    differs = np.append(True, ordered[1:] != ordered[:-1])
    differs[::size] = True
    first = np.flatnonzero(differs)
    equal = np.diff(first, append=rows.size)
    # Blom (1958).
    scores = ndtri((first % size + (equal + 1) / 2 - 0.375) / (size + 0.25))
    ranked = np.empty(rows.size)
    ranked[order.ravel()] = np.repeat(scores, equal)
    return ranked.reshape(values.shape)


def _r_hat(values: np.ndarray) -> np.ndarray:
    size = values.shape[2]
    between = size * values.mean(axis=2).var(axis=1, ddof=1)
    within = values.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + size - 1) / size))


def _effective(values: np.ndarray) -> np.ndarray:
    """Effective sample size by Geyer's (1992) initial monotone sequence."""
    n, n_chains, n_draws = values.shape
    size = n_chains * n_draws
    chain_mean = values.mean(axis=2)
    length = next_fast_len(2 * n_draws, real=True)
    spectrum = rfft(values - chain_mean[:, :, None], n=length, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    covariance = irfft(power, n=length, axis=1)[:, :n_draws] / n_draws
    within = covariance[:, :1] * n_draws / (n_draws - 1.0)
    whole = covariance[:, :1] + chain_mean.var(axis=1, ddof=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = 1.0 - (within - covariance) / whole
    correlation[:, 0] = 1.0
    even = correlation[:, : n_draws - n_draws % 2 : 2]
    pairs = even + correlation[:, 1::2]
    # Pairs count up to the first that is not positive, or to the last one looked at.
    last, rows = max((n_draws - 3) // 2, 0), np.arange(n)
    over = pairs[:, : last + 1] <= 0.0
    over[:, last] = True
    stop = np.argmax(over, axis=1)
    kept = np.arange(pairs.shape[1]) < stop[:, None]
    falling = np.where(kept, np.minimum.accumulate(pairs, axis=1), 0.0)
    rest = even[rows, stop]
    rest = np.where(pairs[rows, stop] >= 0.0, rest, np.maximum(rest, 0.0))
    time = np.maximum(2.0 * falling.sum(axis=1) - 1.0 + rest, 1.0 / np.log10(size))
    still = values.max(axis=(1, 2)) - values.min(axis=(1, 2)) < LEAST_RANGE
    return np.where(still, float(size), size / time)
