"""One forecast with everything a report has to cope with."""

from __future__ import annotations

import pytest

from forecast.evaluate.backtest import backtest
from forecast.evaluate.track import Track
from forecast.language import LANGUAGES, Language, language
from forecast.models.run import forecast
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.series_view import SeriesView, series_views


@pytest.fixture(scope="session")
def known(outlook: Forecast) -> dict[tuple[str, str, str], SeriesView]:
    return {view.key: view for view in series_views(outlook)}


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Language:
    return language(request.param)


@pytest.fixture(scope="session")
def track(varied: Panel) -> Track:
    return backtest(
        varied, ["naive", "mean"], range(2006, 2020), (1, 3), draws=100, jobs=1, joint=False
    )


@pytest.fixture(scope="session")
def judged(varied: Panel) -> Forecast:
    """The forecast of a model that the track covers and judges."""
    return forecast(varied, model="mean", draws=400)
