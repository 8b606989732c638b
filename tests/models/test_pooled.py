"""Pooled reversion: what it learns, and what it must not see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import forecast as fc
from forecast.errors import TooShortError
from forecast.models.registry import model
from forecast.models.series.pooled import PooledReversion
from forecast.models.series.reversion import GAPS, median_regression, past, spread_regression
from forecast.panel import Panel

CODES = ("KAZ", "KGZ", "TJK", "TKM", "UZB", "RUS", "AFG", "MNG", "CHN", "IRN")


def many(persistence: float, n_years: int = 40, seed: int = 1, population: bool = True) -> Panel:
    """Autoregressions of ten countries whose scales differ a hundredfold."""
    generator = np.random.default_rng(seed)
    pieces = []
    for position, code in enumerate(CODES):
        spread = 1000.0 * 10.0 ** generator.uniform(0, 2)
        path = np.zeros(n_years + 50)
        for year in range(1, len(path)):
            path[year] = persistence * path[year - 1] + generator.normal()
        table = {
            "source": "test",
            "location": code,
            "measure": "net_migration",
            "year": np.arange(2025 - n_years, 2025),
            "value": np.round(spread * (path[50:] + position)),
        }
        if population:
            table["population"] = 1e7 * (1 + position)
        pieces.append(pd.DataFrame(table))
    return Panel.from_frame(pd.concat(pieces, ignore_index=True))


def closed(panel: Panel, horizon: int) -> float:
    """Share of the gap to the mean of all past that is closed, all gaps taken together."""
    pool = model("pooled").fit(panel, 1).pools["rate"]  # type: ignore[attr-defined]
    return float(pool.step(horizon)[0].coefficients[:2].sum())


def test_the_way_back_is_recovered() -> None:
    for persistence in (0.3, 0.8):
        for horizon in (1, 4):
            found = np.mean([closed(many(persistence, 60, seed), horizon) for seed in range(4)])
            # The edge of the usual range takes its part, and ten series hold a pull.
            assert found == pytest.approx(1 - persistence**horizon, abs=0.3)


@pytest.mark.parametrize("population", [True, pytest.param(False, marks=pytest.mark.thorough)])
def test_intervals_cover(population: bool) -> None:
    inside, total = np.zeros(2), 0
    for seed in range(12):
        whole = many(0.6, 47, seed, population)
        outlook = model("pooled").fit(whole.until(2017), seed).forecast((2018, 2020, 2024), 400)
        for position, level in enumerate((0.8, 0.95)):
            table = outlook.intervals(level).merge(whole.latest, on=["location", "year"])
            inside[position] += table["value"].between(table["lower"], table["upper"]).sum()
        total += len(table)
    assert inside[0] / total == pytest.approx(0.8, abs=0.06)
    assert inside[1] / total == pytest.approx(0.95, abs=0.04)


def test_nothing_after_the_origin_is_seen() -> None:
    table = many(0.7).to_frame()
    altered = table.copy()
    later = altered["year"] > 2015
    altered.loc[later, "value"] = altered.loc[later, "value"] * 3 + 1000
    altered.loc[later, "population"] *= 2
    made = [
        fc.forecast(Panel.from_frame(t).until(2015), model="pooled", horizons=(2022,), draws=200)
        for t in (table, altered)
    ]
    np.testing.assert_array_equal(made[0].paths.to_numpy(), made[1].paths.to_numpy())


def test_scale_and_shift_carry_over() -> None:
    table = many(0.7, population=False).to_frame().assign(precision=1.0)
    plain = fc.forecast(Panel.from_frame(table), model="pooled", draws=200)
    changed = table.assign(value=table["value"] * 100 + 5e6, precision=100.0)
    moved = fc.forecast(Panel.from_frame(changed), model="pooled", draws=200)
    np.testing.assert_allclose(moved.paths, plain.paths * 100 + 5e6, rtol=1e-6, atol=1.0)


def test_a_shock_goes_back_faster_than_a_level() -> None:
    """Rare shocks that last a year, on levels that stay: only an excursion reverts."""
    generator = np.random.default_rng(3)
    pieces = []
    for code in CODES:
        level = np.cumsum(generator.normal(0, 0.2, 60))
        shock = np.where(generator.uniform(size=60) < 0.06, generator.normal(0, 15, 60), 0)
        values = np.round(1e4 * (level + shock + generator.normal(0, 0.1, 60)))
        pieces.append(
            pd.DataFrame(
                {"location": code, "measure": "net_migration", "year": range(1965, 2025),
                 "value": values, "population": 1e7}
            )
        )  # fmt: skip
    fitted = PooledReversion().fit(Panel.from_frame(pd.concat(pieces)), 1)
    first = fitted.pools["rate"].step(1)[0]
    assert first.coefficients[GAPS.index("excursion")] > 0.6
    assert abs(first.coefficients[GAPS.index("all_past")]) < 0.25


def test_few_series_are_declined_with_a_reason(panel: Panel) -> None:
    with pytest.raises(TooShortError, match="are too few or too short: 3 series and 40"):
        PooledReversion().fit(panel.select(measure="net_migration"), 1)


def test_breaks_gaps_and_outliers() -> None:
    table = many(0.7).to_frame()
    first = table["location"] == "KAZ"
    table.loc[first & (table["year"] == 2024), "flag"] = "outlier"
    table.loc[first & (table["year"] == 2024), "value"] = 9e8
    table.loc[first & table["year"].between(2000, 2002), "value"] = np.nan
    table.loc[(table["location"] == "KGZ") & (table["year"] == 2010), "flag"] = "break"
    outlook = fc.forecast(Panel.from_frame(table), model="pooled", draws=200)
    assert np.isfinite(outlook.paths).all()
    # An outlier in the last year does not become the level that is forecast from.
    assert abs(outlook.sample(location="KAZ", measure="net_migration", year=2025)).max() < 9e7


def test_a_year_is_described_by_its_past_only() -> None:
    values = np.random.default_rng(4).normal(size=30).cumsum()
    breaks = np.zeros(30, dtype=bool)
    breaks[12] = True
    whole = past(values, breaks, 5)
    part = past(values[:20], breaks[:20], 5)
    kept = whole.where < 20
    np.testing.assert_array_equal(whole.gaps[kept], part.gaps)
    np.testing.assert_array_equal(whole.spreads[kept], part.spreads)
    assert 15 not in whole.where, "five years after the break are needed"
    at = int(np.flatnonzero(whole.where == 18)[0])
    assert whole.gaps[at, 0] == pytest.approx(values[12:19].mean() - values[18])


def test_median_regression_is_that() -> None:
    generator = np.random.default_rng(5)
    design = generator.normal(size=(4000, 2))
    response = design @ [0.5, -1.0] + generator.standard_t(2, 4000)
    found, covariance = median_regression(
        design, response, np.ones(4000), 0.0, np.arange(4000), 0.01
    )
    np.testing.assert_allclose(found, [0.5, -1.0], atol=0.08)
    # Asymptotic variance of least absolute deviations: 1 / (4 n f(0)²).
    density = stats.t(2).pdf(0)
    assert np.sqrt(covariance[0, 0]) == pytest.approx(0.5 / density / np.sqrt(4000), rel=0.25)
    pulled, _ = median_regression(design, response, np.ones(4000), 1e9, np.arange(4000), 0.01)
    np.testing.assert_allclose(pulled, 0.0, atol=1e-3)


def test_spread_regression_is_that() -> None:
    generator = np.random.default_rng(6)
    design = np.column_stack([np.ones(5000), generator.normal(size=5000)])
    size = np.abs(generator.laplace(0, np.exp(design @ [0.3, 0.8])))
    found = spread_regression(design, size, 0.0, np.zeros(2))
    np.testing.assert_allclose(found, [0.3, 0.8], atol=0.05)
