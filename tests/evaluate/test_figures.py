"""Figures are functions of tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import forecast as fc
from forecast.errors import DataError
from forecast.evaluate import figures
from forecast.panel import Panel


@pytest.fixture(scope="module")
def _tracks() -> dict[str, object]:
    return {}


@pytest.fixture
def track(walks: Callable[..., Panel], _tracks: dict[str, object]) -> fc.Track:
    if "track" not in _tracks:
        _tracks["track"] = fc.backtest(
            walks(), ["naive", "mean"], range(2006, 2016), (1, 3), draws=100
        )
    return _tracks["track"]  # type: ignore[return-value]


def test_the_same_table_gives_the_same_picture(track: fc.Track) -> None:
    makers = {
        "skill": lambda: figures.skill_by_horizon(track.skill()),
        "pit": lambda: figures.pit_histogram(track.pit()),
        "reliability": lambda: figures.reliability(track.calibration()),
    }
    for name, make in makers.items():
        text = figures.svg(make())
        assert text.startswith("<?xml"), name
        assert text == figures.svg(make()), name
        assert "http" not in text.split("</metadata>")[-1].replace("http://www.w3.org", "")
    assert "promised, %" in figures.svg(makers["reliability"]())


def test_what_cannot_be_drawn_is_said(track: fc.Track) -> None:
    with pytest.raises(DataError, match="no column 'skill'"):
        figures.skill_by_horizon(track.summary())
    with pytest.raises(DataError, match="no rows"):
        figures.pit_histogram(track.pit().iloc[:0])
