"""Draws of the total of a year, from its running sums and those of the years before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecast.models.nowcast import growth
from forecast.models.nowcast.parts import KINDS, Parts
from forecast.models.nowcast.rows import Sums, rows
from forecast.models.nowcast.settings import NowcastSettings

#: Years before the one asked for that may lack their total too.
YEARS_OPEN = 2


@dataclass(frozen=True)
class _Case:
    """Series of one kind, with their groups and the draws of common shocks."""

    sums: Sums
    seen: np.ndarray
    group: np.ndarray
    shocks: np.ndarray
    settings: NowcastSettings


def totals(parts: Parts, n_draws: int, seed: int, settings: NowcastSettings) -> np.ndarray:
    """Return draws of the last year's total and of those before it that are not known.

    Parameters
    ----------
    parts : Parts
    n_draws : int
    seed : int
    settings : NowcastSettings

    Returns
    -------
    ndarray, shape (n_draws, n_series, 1 + 2)
        The year and the two before it, newest first; NaN where nothing can be said. A year whose
        total is known is that total in every draw.
    """
    found = np.full((n_draws, len(parts.keys), YEARS_OPEN + 1), np.nan)
    groups = sorted({(source, measure) for source, _, measure in parts.keys})
    group = np.array([groups.index((source, measure)) for source, _, measure in parts.keys])
    streams = np.random.SeedSequence(seed).spawn(len(KINDS))
    for kind, stream in zip(KINDS, streams):
        mine = np.array([one == kind for one in parts.kinds])
        if not mine.any():
            continue
        generator = np.random.default_rng(stream)
        here = np.unique(group[mine], return_inverse=True)[1]
        shocks = growth.heavy(generator, settings.tails_of_years, (n_draws, int(here.max()) + 1))
        sums = Sums(parts.sums[mine], _usual_size(parts.sums[mine, :-1]), kind)
        case = _Case(sums, parts.seen[mine], here, shocks, settings)
        found[:, mine] = _open_years(case, len(parts.years) - 1, generator, YEARS_OPEN)
    return found


def pooled(
    own: np.ndarray,
    others: Sequence[np.ndarray],
    share: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return draws of a linear pool, in the order of one's own draws.

    What is a high draw here stays one, so that series go together as they did.

    Parameters
    ----------
    own : ndarray, shape (n_draws,)
    others : sequence of ndarray, each of any shape (n,)
        Draws of the same total by others, which count the same.
    share : float
        Weight of `own`.
    generator : numpy.random.Generator
        Decides between equal draws.

    Returns
    -------
    ndarray, shape (n_draws,)

    Examples
    --------
    >>> own, generator = np.array([3.0, 1.0, 2.0]), np.random.default_rng(1)
    >>> pooled(own, [np.array([11.0, 12.0, 13.0])], 0.5, generator).round(6).tolist()
    [12.5, 1.5, 7.0]
    """
    # As many quantiles of each as it has weight, whatever the number of its draws.
    each = max(len(one) for one in (own, *others))
    mine = round(each * len(others) * share / (1.0 - share))
    every = np.concatenate([_quantiles(own, mine), *(_quantiles(one, each) for one in others)])
    found = np.empty(len(own))
    found[np.lexsort((generator.random(len(own)), own))] = _quantiles(every, len(own))
    return found


def _quantiles(draws: np.ndarray, count: int) -> np.ndarray:
    """Return quantiles in the middle of so many parts of probability one."""
    at, n = (np.arange(count) + 0.5) / count, len(draws)
    return np.asarray(np.interp(at, (np.arange(n) + 0.5) / n, np.sort(draws)))


def _usual_size(sums: np.ndarray) -> np.ndarray:
    """Return the mean size of a part of each series, whatever its sign, shape (n_series,)."""
    whole = np.abs(sums[:, :, -1:]) / (sums.shape[2] - 1)
    every = np.concatenate([np.abs(np.diff(sums, axis=2)), whole], axis=2).reshape(len(sums), -1)
    mean = np.nansum(every, axis=1) / np.maximum((~np.isnan(every)).sum(axis=1), 1)
    return np.where(mean > 0, mean, 1.0)


def _open_years(case: _Case, year: int, generator: np.random.Generator, depth: int) -> np.ndarray:
    """Return draws of a year's total and of as many years before it, newest first."""
    n_draws, n_series = len(case.shocks), len(case.seen)
    sums = case.sums.sums
    earlier = np.full((n_draws, n_series, depth), np.nan)
    if depth and year > 0:
        # A year before that lacks its total is nowcast first; its middle stands for it here, and
        # its draws move those of this year.
        earlier = _open_years(case, year - 1, generator, depth - 1)
        filled = sums.copy()
        filled[:, year - 1, -1] = np.median(earlier[:, :, 0], axis=0)
        case = replace(case, sums=replace(case.sums, sums=filled))
    known = sums[:, year, -1]
    drawn = np.tile(known, (n_draws, 1))
    # Only the newest year has first figures; those of years before are as later releases have them.
    seen = case.seen[:, year] if year == sums.shape[1] - 1 else sums[:, year]
    in_now = seen.shape[1] - 1 - (~np.isnan(seen[:, ::-1])).argmax(axis=1)
    missing = np.isnan(known)
    parts = sums.shape[2] - 1
    for part in sorted(set(in_now[missing & (in_now < parts)].tolist())):
        chosen = missing & (in_now == part)
        moved = np.zeros((n_draws, n_series))
        if depth and year > 0:
            before = case.sums.scaled(earlier[:, :, 0] - sums[:, year - 1, part], parts - part)
            moved = np.nan_to_num(before - np.median(before, axis=0))
        drawn[:, chosen] = _rest(case, year, part, chosen, moved, generator)
    whole = in_now == parts
    if whole.any() and year == sums.shape[1] - 1:
        drawn[:, whole] = _revised(case, year, parts, generator)[0][:, whole]
    return np.concatenate([drawn[:, :, None], earlier], axis=2)


def _rest(
    case: _Case,
    year: int,
    part: int,
    chosen: np.ndarray,
    moved: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return draws of the totals of some series that have so many parts in."""
    settings, sums = case.settings, case.sums
    so_far, revised = _revised(case, year, part, generator)
    # Past years have been revised; what this one will be revised to is compared with them.
    usual = np.median(so_far, axis=0)
    law = growth.learn(
        _past(case, range(1, year), part), case.shocks.shape[1], len(usual), settings,
        sums.kind != "net",
    )  # fmt: skip
    now = rows(sums, usual, year, part, case.group, settings)
    drawn = growth.draw(law, now.of(chosen), case.shocks, generator) + moved[:, chosen]
    if revised:
        more = sums.scaled(so_far, part) - sums.scaled(usual, part)
        drawn += (law.mean[case.group, growth.KNOWN.index("growth")] * more)[:, chosen]
    rest = sums.of(chosen).persons(drawn, sums.parts - part)
    if sums.kind == "count":
        rest = np.where(np.isnan(rest), np.nan, _counted(rest, generator))
        so_far = np.maximum(np.round(so_far), 0.0)
    return np.asarray(rest + so_far[:, chosen])


def _counted(expected: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return counts of independent events with these means."""
    return np.asarray(generator.poisson(np.maximum(np.nan_to_num(expected), 0.0)), dtype=float)


def _past(case: _Case, years: Sequence[int], part: int) -> growth.Rows:
    """Return the rows of past years whose rest is known."""
    each = [
        vars(rows(case.sums, case.sums.sums[:, year, part], year, part, case.group, case.settings))
        for year in years
    ]
    if not each:
        empty = rows(case.sums, case.seen[:, 0, part], 0, part, case.group, case.settings)
        return empty.of(np.zeros(len(case.seen), dtype=bool))
    whole = growth.Rows(*(np.concatenate([one[name] for one in each]) for name in each[0]))
    return whole.of(~np.isnan(whole.rest) & ~np.isnan(whole.base))


def _revised(
    case: _Case, year: int, part: int, generator: np.random.Generator
) -> tuple[np.ndarray, bool]:
    """Return draws of the part that is in as later releases will have it, and whether any differs.

    Past years say by how much their first figures were revised, or how far yearly figures are from
    the sum of all parts; without such a year it is the sum.
    """
    settings, sums, n_draws = case.settings, case.sums, len(case.shocks)
    newest = year == sums.sums.shape[1] - 1
    so_far = np.tile((case.seen if newest else sums.sums)[:, year, part], (n_draws, 1))
    if not part or not newest:
        return so_far, False
    final, first = sums.sums[:, :year, part].T, case.seen[:, :year, part].T
    changes = sums.scaled(final, part) - sums.scaled(first, part)
    if not (np.abs(np.nan_to_num(changes)) > 0).any():
        return so_far, False
    pull, spread = settings.prior.revision_years, settings.prior.revision
    count = (~np.isnan(changes)).sum(axis=0)
    # What places are revised by on average, and what each is by itself, drawn to it.
    overall = float(np.nansum(changes)) / (float(count.sum()) + pull)
    mean = (pull * overall + np.nansum(changes, axis=0)) / (pull + count)
    squares = np.nansum((changes - mean) ** 2, axis=0)
    scale = np.sqrt((pull * spread**2 + squares) / (pull + count))
    errors = growth.heavy(generator, settings.tails, so_far.shape)
    return sums.persons(sums.scaled(so_far, part) + mean + scale * errors, part), True
