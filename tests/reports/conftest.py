"""One forecast with everything a report has to cope with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from forecast.evaluate.backtest import backtest
from forecast.evaluate.track import Track
from forecast.language import LANGUAGES, Language, language
from forecast.models.run import forecast
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.horizon import report
from forecast.reports.series_view import SeriesView, series_views


@pytest.fixture(scope="session")
def known(outlook: Forecast) -> dict[tuple[str, str, str], SeriesView]:
    return {view.key: view for view in series_views(outlook)}


#: Whose whole pages are looked at by `make test`; those of all others by `make test-all`.
QUICK = ("en", "ru")


SPOKEN = [
    code if code in QUICK else pytest.param(code, marks=pytest.mark.thorough) for code in LANGUAGES
]


@pytest.fixture(params=SPOKEN)
def spoken(request: pytest.FixtureRequest) -> Language:
    """A language of whole pages, which take a second each to write and to read."""
    return language(request.param)


@pytest.fixture(params=[code for code in SPOKEN if code != "en"])
def foreign(request: pytest.FixtureRequest) -> Language:
    """A language of whole pages other than English."""
    return language(request.param)


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


@pytest.fixture(scope="session")
def plain_report(
    outlook: Forecast, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[Path]]:
    """The report called `own` of a forecast alone, written once in each language asked for."""

    @cache
    def written(code: str) -> list[Path]:
        folder = tmp_path_factory.mktemp("plain")
        return report(outlook, folder=folder, name="own", language=code)

    return written


@pytest.fixture(scope="session")
def judged_report(
    judged: Forecast, track: Track, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[Path]]:
    """The report of a forecast with its track, written once in each language asked for."""

    @cache
    def written(code: str) -> list[Path]:
        return report(judged, track, folder=tmp_path_factory.mktemp("judged"), language=code)

    return written
