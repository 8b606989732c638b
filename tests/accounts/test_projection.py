"""Draws made coherent: random hierarchies, random identities, real names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forecast.accounts.identities import Identity, matrix
from forecast.accounts.projection import _least_distance, project
from forecast.accounts.reconciliation import (
    bottom_up,
    of_draws,
    of_errors,
    shrunk_correlation,
    top_down,
)
from forecast.errors import DataError, FitError
from forecast.series_key import SeriesKey


def key(number: int, measure: str = "immigration") -> SeriesKey:
    return "office", f"place {number}", measure


@st.composite
def hierarchies(draw: st.DrawFn) -> tuple[list[SeriesKey], list[Identity]]:
    """A tree of places of random depth and width, each with arrivals, departures and net."""
    size = draw(st.integers(3, 12))
    return of_parents([-1, *(draw(st.integers(0, number - 1)) for number in range(1, size))])


def of_parents(parents: list[int]) -> tuple[list[SeriesKey], list[Identity]]:
    """The tree in which place number i is a part of place number parents[i]."""
    children: dict[int, list[int]] = {}
    for number, parent in enumerate(parents):
        children.setdefault(parent, []).append(number)
    # A place with a single part would be that part.
    flows = ("immigration", "emigration")
    identities = []
    for parent, parts in children.items():
        if parent < 0 or len(parts) < 2:
            continue
        for flow in flows:
            terms = [(key(parent, flow), 1.0), *((key(part, flow), -1.0) for part in parts)]
            identities.append(Identity("sum", "sum", "", tuple(terms)))
    for number in range(len(parents)):
        terms = [(key(number, "net_migration"), 1.0)]
        terms += [(key(number, "immigration"), -1.0), (key(number, "emigration"), 1.0)]
        identities.append(Identity("net", "net", "", tuple(terms)))
    keys = sorted({k for identity in identities for k in identity.keys})
    return keys, identities


def simulated(keys: list[SeriesKey], seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    counts = np.array([measure != "net_migration" for _, _, measure in keys])
    size = 10.0 ** generator.uniform(0, 5, len(keys))
    draws = size * generator.standard_t(3, (n, len(keys)))
    return np.where(counts, np.abs(draws), draws), counts


@pytest.mark.thorough
@settings(deadline=None, max_examples=60)
@given(hierarchies(), st.integers(0, 10_000))
# Draws of a million that have to shrink to one person leave their rounding behind.
@example(of_parents([-1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]), 126)
def test_every_draw_of_a_random_hierarchy(
    tree: tuple[list[SeriesKey], list[Identity]], seed: int
) -> None:
    keys, identities = tree
    draws, counts = simulated(keys, seed)
    rows = matrix(identities, keys)
    made = project(draws, rows, np.zeros(len(rows)), of_draws(draws), counts)
    size = np.abs(made) @ np.abs(rows).T
    assert (np.abs(made @ rows.T) <= 1e-9 * (1 + size)).all()
    assert (made[:, counts] >= 0).all()
    again = project(made, rows, np.zeros(len(rows)), of_draws(draws), counts)
    np.testing.assert_allclose(again, made, rtol=1e-7, atol=1e-7 * np.abs(made).max())
    upward = bottom_up(draws, keys, identities)
    size = np.abs(upward) @ np.abs(rows).T
    assert (np.abs(upward @ rows.T) <= 1e-9 * (1 + size)).all()
    assert (upward[:, counts] >= 0).all()
    down = top_down(draws, keys, identities, counts, of_draws(draws))
    size = np.abs(down) @ np.abs(rows).T
    assert (np.abs(down @ rows.T) <= 1e-9 * (1 + size)).all()
    assert (down[:, counts] >= 0).all()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(4, 9))
# Two counts whose sum has to be zero, and a metric that is nearly singular.
@example(420, 3, 6)
# All counts of the identities at zero beside a series that they leave alone.
@example(92, 2, 6)
def test_nothing_coherent_is_nearer(seed: int, n_rows: int, size: int) -> None:
    """The variational inequality that the nearest point of a convex set fulfils."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(-1, 2, (n_rows, size)).astype(float)
    root = generator.standard_normal((size, size)) + 2 * np.eye(size)
    # The check divides by the metric, so a singular one would magnify rounding a million times.
    metric = root @ root.T + 1e-3 * np.eye(size)
    counts = generator.random(size) < 0.6
    draws = generator.standard_normal((40, size)) * 100
    made = project(draws, rows, np.zeros(n_rows), metric, counts)
    others = project(
        generator.standard_normal((200, size)) * 100, rows, np.zeros(n_rows), np.eye(size), counts
    )
    pull = np.linalg.solve(metric, (made - draws).T).T
    inner = pull @ others.T - (pull * made).sum(axis=1)[:, None]
    scale = np.abs(pull).max() * 100 * size
    assert inner.min() >= -1e-7 * scale
    assert (made[:, counts] >= 0).all()


def test_minimum_trace_in_the_form_of_the_paper() -> None:
    """y = S (S' W⁻¹ S)⁻¹ S' W⁻¹ ŷ for a country of three regions."""
    generator = np.random.default_rng(4)
    summing = np.vstack([np.ones(3), np.eye(3)])
    errors = generator.standard_normal((12, 4)) * [5, 1, 2, 3]
    metric = of_errors(errors)
    draws = 100 + generator.standard_normal((50, 4))
    inverse = np.linalg.inv(metric)
    theirs = summing @ np.linalg.solve(summing.T @ inverse @ summing, summing.T @ inverse)
    ours = project(
        draws, np.array([[1.0, -1, -1, -1]]), np.zeros(1), metric, np.zeros(4, dtype=bool)
    )
    np.testing.assert_allclose(ours, draws @ theirs.T, rtol=1e-9)


def test_what_is_fixed_stays_and_observed_figures_bind() -> None:
    rows = np.array([[1.0, -1.0, -1.0]])
    metric = np.diag([0.0, 1.0, 3.0])
    draws = np.array([[10.0, 3.0, 3.0], [10.0, 9.0, -8.0]])
    made = project(draws, rows, np.zeros(1), metric, np.array([False, True, True]))
    np.testing.assert_allclose(made, [[10, 4, 6], [10, 10, 0]])
    with pytest.raises(FitError, match="contradict"):
        project(draws, rows, np.zeros(1), np.zeros((3, 3)), np.zeros(3, dtype=bool))
    shifted = project(draws, rows, np.array([1.0]), metric, np.zeros(3, dtype=bool))
    np.testing.assert_allclose(shifted @ rows[0], 1.0)


def test_the_fallback_finds_the_same_point() -> None:
    generator = np.random.default_rng(9)
    rows = np.array([[1.0, -1, -1, -1, -1]])
    root = generator.standard_normal((5, 5))
    metric = root @ root.T + 0.1 * np.eye(5)
    counts = np.ones(5, dtype=bool)
    draws = 3 * generator.standard_normal((200, 5))
    made = project(draws, rows, np.zeros(1), metric, counts)
    gain = metric @ rows.T / (rows @ metric @ rows.T)
    flat = draws - (draws @ rows.T) @ gain.T
    below = (flat < 0).any(axis=1)
    assert below.sum() > 100
    alone = _least_distance(flat[below], np.arange(5), metric - gain @ rows @ metric)
    np.testing.assert_allclose(alone, made[below], atol=1e-7)


def test_shrinkage_knows_independence_from_dependence() -> None:
    generator = np.random.default_rng(2)
    common = generator.standard_normal((400, 1))
    together, little = shrunk_correlation(common + 0.3 * generator.standard_normal((400, 3)))
    _, much = shrunk_correlation(generator.standard_normal((8, 6)))
    assert little < 0.05 < 0.4 < much
    assert together[0, 1] == pytest.approx(1 / 1.09, abs=0.05)
    assert (np.linalg.eigvalsh(together) > 0).all()
    constant = np.column_stack([common[:, 0], np.ones(400)])
    assert shrunk_correlation(constant)[0][0, 1] == 0
    with pytest.raises(DataError, match="three rows"):
        shrunk_correlation(np.zeros((2, 2)))


def test_wild_tails_do_not_rule_the_metric() -> None:
    generator = np.random.default_rng(3)
    tame = generator.standard_normal((2000, 2))
    wild = tame.copy()
    wild[:5] *= 1e6
    np.testing.assert_allclose(of_draws(wild), of_draws(tame), rtol=0.1, atol=0.02)


def test_what_cannot_be_handed_up_or_down_is_refused() -> None:
    zero = Identity("nets cancel", "zero", "KAZ", ((key(1), 1.0), (key(2), 1.0)))
    keys = [key(1), key(2)]
    with pytest.raises(DataError, match=r"bottom-up cannot.*Use method='mint'"):
        bottom_up(np.ones((3, 2)), keys, [zero])
    cancelled = top_down(
        np.array([[3.0, 1.0]]), keys, [zero], np.zeros(2, dtype=bool), np.diag([1.0, 3.0])
    )
    np.testing.assert_allclose(cancelled, [[2.0, -2.0]])
