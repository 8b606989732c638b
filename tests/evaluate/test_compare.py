"""Diebold–Mariano against published and hand-worked examples, and the panel version."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from forecast.errors import UnknownNameError
from forecast.evaluate.compare import block_bootstrap, diebold_mariano, holm, overlap_of

# Published: the test examples of the Python package dieboldmariano 1.1 (E. Annunziata,
# MIT licence), which follows R's forecast::dm.test.
PUBLISHED_FIRST = [
    0.3675225224615024, 0.5450608127223211, 0.22044990720021074, 0.8688743471040006,
    0.6072512228948467, 0.8582283746501538, 0.41662295816718187, 0.3812100211114714,
    0.7185133356116706, 0.30827323290318875, 0.4297093624074402, 0.8615974488577858,
    0.7240514514808826, 0.3450839595261038, 0.19675301374013598,
]  # fmt: skip
PUBLISHED_SECOND = [
    0.12794132529988733, 0.3679643204341153, 0.768715420996091, 0.09972248964114683,
    0.27197653636654284, 0.28797629010039505, 0.9160213458582482, 0.6112628048698798,
    0.5452873235576241, 0.06785907231746158, 0.6072666485541124, 0.6241575753989782,
    0.39998026828867217, 0.19895665605941748, 0.8094941215215619,
]  # fmt: skip


def test_published_example_one_step_ahead() -> None:
    first, second = np.array([0, 1, 2, 3, 4, 5]), np.array([0, 2, 3, 3, 5, 6])
    test = diebold_mariano((first**2 - second**2).astype(float))
    assert test.statistic == pytest.approx(-2.4905, abs=5e-5)
    assert test.p_value == pytest.approx(0.05513, abs=5e-5)


def test_published_example_three_steps_ahead() -> None:
    difference = np.array(PUBLISHED_FIRST) - np.array(PUBLISHED_SECOND)
    test = diebold_mariano(difference, 3, "less")
    assert test.statistic == pytest.approx(1.2109, abs=5e-5)
    assert test.p_value == pytest.approx(0.877, abs=5e-4)


def test_formula_of_harvey_leybourne_and_newbold_by_hand() -> None:
    d = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0, 3.0, 4.0])
    # mean 3.5; autocovariances: lag 0: 18/8 = 2.25, lag 1: 4.25/8 = 0.53125
    centred = d - 3.5
    lag_0, lag_1 = (centred**2).sum() / 8, (centred[1:] * centred[:-1]).sum() / 8
    plain = 3.5 / np.sqrt((lag_0 + 2 * lag_1) / 8)
    corrected = plain * np.sqrt((8 + 1 - 4 + 2 / 8) / 8)
    test = diebold_mariano(d, 2)
    assert test.statistic == pytest.approx(corrected)
    assert test.p_value == pytest.approx(2 * student.sf(corrected, 7))
    cautious = diebold_mariano(d, 2, cautious=True)
    assert cautious.p_value == pytest.approx(2 * student.sf(cautious.statistic, 3))


def test_sides_agree() -> None:
    d = np.random.default_rng(3).normal(0.4, 1, 20)
    less, greater = (diebold_mariano(d, 2, side) for side in ("less", "greater"))
    assert less.p_value + greater.p_value == pytest.approx(1.0)
    assert diebold_mariano(-d, 2, "less").p_value == pytest.approx(greater.p_value)
    with pytest.raises(UnknownNameError, match="two-sided"):
        diebold_mariano(d, 2, "both")  # type: ignore[arg-type]


def test_too_few_or_identical_losses_decide_nothing() -> None:
    assert np.isnan(diebold_mariano(np.array([1.0, 2.0, 3.0])).p_value)
    assert np.isnan(diebold_mariano(np.arange(6.0), 6).p_value)
    assert diebold_mariano(np.zeros(10)).p_value == 1.0


def test_negative_variance_falls_back_to_the_bartlett_kernel() -> None:
    d = np.tile([2.0, -1.0], 6)
    test = diebold_mariano(d, 2)
    centred = d - d.mean()
    lag_0, lag_1 = (centred**2).sum() / 12, (centred[1:] * centred[:-1]).sum() / 12
    assert lag_0 + 2 * lag_1 <= 0
    expected = 0.5 / np.sqrt((lag_0 + lag_1) / 12) * np.sqrt((12 + 1 - 4 + 2 / 12) / 12)
    assert test.statistic == pytest.approx(expected)


def test_holm_by_hand() -> None:
    adjusted = holm(np.array([0.04, np.nan, 0.01, 0.03]))
    np.testing.assert_allclose(adjusted, [0.06, np.nan, 0.03, 0.06])


def test_overlap_counts_in_origins() -> None:
    assert overlap_of(5, np.arange(2000, 2010)) == 5
    assert overlap_of(5, np.array([2000, 2005, 2010])) == 1
    assert overlap_of(7, np.array([2000, 2005, 2010])) == 2
    assert overlap_of(5, np.array([2005, 2005, 2010])) == 2


def test_the_panel_version_respects_a_shock_that_all_series_share() -> None:
    """A hundred countries with one shock a year are hardly more evidence than one country."""
    rejected = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        shared = generator.normal(size=(24, 1)) + 0.1 * generator.normal(size=(24, 100))
        rejected += block_bootstrap(shared, 1, generator)[2] < 0.05
    # Were the 2,400 differences taken as independent, more than four in five would be
    # rejected. A plain bootstrap of 24 origins is a little liberal.
    assert rejected / 200 < 0.12


def test_the_panel_version_finds_a_difference() -> None:
    generator = np.random.default_rng(1)
    differences = generator.normal(0.5, 0.3, size=(16, 20))
    differences[3, 4] = np.nan
    lower, upper, p_value = block_bootstrap(differences, 2, generator)
    assert 0 < lower < 0.5 < upper + 0.1
    assert p_value < 0.01
    assert np.isnan(block_bootstrap(differences[:3], 1, generator)[0])


@pytest.mark.slow
@pytest.mark.parametrize(("size", "overlap"), [(8, 1), (10, 3), (16, 3), (16, 5), (16, 7), (24, 5)])
def test_the_cautious_test_holds_its_level(size: int, overlap: int) -> None:
    """Two forecasts, equally far off to either side of a random walk."""
    generator = np.random.default_rng(11)
    rejected = np.zeros(2)
    for _ in range(2000):
        walk = np.cumsum(generator.normal(size=size + overlap + 1))
        error = walk[overlap : overlap + size] - walk[:size]
        difference = np.abs(error - 1) - np.abs(error + 1)
        for position, cautious in enumerate((False, True)):
            test = diebold_mariano(difference, overlap, "less", cautious=cautious)
            rejected[position] += test.p_value < 0.05
    published, ours = rejected / 2000
    assert ours <= 0.085
    if overlap >= 5:
        assert published > 0.08  # the reason for the cautious one
