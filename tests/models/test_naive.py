"""The random walk, the reference of all skill, against statsforecast's naive."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from scipy.stats import t as student

import forecast as fc
from forecast.models.series.structural import RandomWalk
from forecast.panel import Panel

VALUES = np.array([120.0, 180, 90, 260, 310, 280, 400, 350, 420, 390, 500, 460, 610, 580, 640])
LEVELS = (0.1, 0.5, 0.9)


def panel(values: np.ndarray = VALUES) -> Panel:
    """One series whose figures are exact, so that no rounding enters the variance."""
    years = np.arange(2000, 2000 + len(values))
    table = {"location": "KAZ", "measure": "net_migration", "year": years, "value": values}
    return Panel.from_frame(pd.DataFrame(table | {"precision": 1e-9}))


@pytest.mark.parametrize("horizon", [1, 4])
def test_quantiles_are_those_of_student(horizon: int) -> None:
    """With the variance integrated out: Student-t, one degree of freedom per change."""
    outlook = fc.forecast(panel(), "naive", (2014 + horizon,), draws=200_000)
    drawn = outlook.quantiles(LEVELS)["value"].to_numpy()
    scale = np.sqrt((np.diff(VALUES) ** 2).mean() * horizon)
    expected = VALUES[-1] + scale * student.ppf(LEVELS, len(VALUES) - 1)
    np.testing.assert_allclose(drawn, expected, atol=0.015 * scale)


@pytest.mark.parametrize("horizon", [1, 4])
def test_point_and_interval_equal_statsforecast(horizon: int) -> None:
    """The same centre and scale; theirs takes the variance as known, hence a normal quantile.

    Ours leaves it unknown, hence Student's quantile and wider intervals: 5 % wider at the
    80 % level with fourteen changes. Both tend to the same with more data.
    """
    models = pytest.importorskip("statsforecast.models", reason="statsforecast is not installed")
    theirs = models.Naive().forecast(y=VALUES, h=horizon, level=[80])
    fitted = RandomWalk().fit(panel(), seed=1)
    posterior = fitted.fits["user", "KAZ", "net_migration"][1]
    centre = float(posterior.state[0, 0] + posterior.shift)
    scale = posterior.spread * np.sqrt(horizon)
    assert centre == pytest.approx(theirs["mean"][-1], rel=1e-9)
    assert centre + scale * norm.ppf(0.9) == pytest.approx(theirs["hi-80"][-1], rel=1e-9)
    assert centre - scale * norm.ppf(0.9) == pytest.approx(theirs["lo-80"][-1], rel=1e-9)
    assert student.ppf(0.9, posterior.degrees[0]) / norm.ppf(0.9) == pytest.approx(1.05, abs=0.01)
