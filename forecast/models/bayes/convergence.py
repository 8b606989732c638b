"""Rank-normalised R-hat and effective sample sizes of many parameters at once.

Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021, doi:10.1214/20-BA1221). ArviZ has the same
numbers, one parameter after another: of a thousand they take as long as a quarter of the sampling.
A test holds the two together.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri

#: Parameters taken at a time: their draws stay in the processor's cache.
BLOCK = 32
#: Quantiles whose effective sample size is that of the tails: those of ArviZ.
TAILS = (0.11, 0.89)
#: Ranges below this are no movement.
LEAST_RANGE = float(np.finfo(float).resolution)


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
    for first in range(0, len(sound), BLOCK):
        rows = sound[first : first + BLOCK]
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
    return r_hat, bulk, tail


def energy_moved(energy: np.ndarray) -> float:
    """Return the lowest E-BFMI of the chains (Betancourt 2016, arXiv:1604.00695).

    Parameters
    ----------
    energy : ndarray, shape (n_chains, n_draws)
    """
    moves = np.square(np.diff(energy, axis=1)).mean(axis=1)
    return float(np.min(moves / energy.var(axis=1, ddof=1)))


def _halves(values: np.ndarray) -> np.ndarray:
    """Split chains in two, shape (n, 2 n_chains, n_draws // 2): a drift shows between halves."""
    half = values.shape[2] // 2
    return np.concatenate([values[:, :, :half], values[:, :, -half:]], axis=1)


def _normal_scores(values: np.ndarray) -> np.ndarray:
    """Replace draws by the normal quantiles of their ranks; equal ones share a mean rank."""
    rows = values.reshape(len(values), -1)
    size = rows.shape[1]
    order = np.argsort(rows, axis=1)
    inner = np.take_along_axis(rows, order, axis=1)
    begins = np.concatenate(
        [np.ones((len(rows), 1), dtype=bool), inner[:, 1:] != inner[:, :-1]], axis=1
    )
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, begins.size))
    # Twice the mean rank, from 2 to 2 size, is whole.
    twice = np.repeat(2 * (starts % size) + lengths + 1, lengths).reshape(rows.shape)
    # Blom (1958).
    scores = ndtri((np.arange(2 * size + 1) / 2.0 - 0.375).clip(0.0) / (size + 0.25))
    found = np.empty(rows.shape)
    np.put_along_axis(found, order, scores[twice], axis=1)
    return found.reshape(values.shape)


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
