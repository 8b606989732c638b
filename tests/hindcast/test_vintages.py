"""What was known when, and revision error kept apart from forecast error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.data import wpp
from forecast.errors import DataError
from forecast.hindcast.vintages import Origin, origins_as_published, seen
from forecast.models.published import Published
from forecast.panel import Panel


@pytest.fixture
def revised() -> Panel:
    """Three releases, each a year longer; the second adds 1,000 to every figure before it."""
    generator = np.random.default_rng(3)
    first = np.round(np.cumsum(generator.normal(0, 500, 23)))
    pieces = []
    for number, day in enumerate(["2020-06-01", "2021-06-01", "2023-06-01"]):
        years = np.arange(2000, 2020 + number)
        shift = 1000.0 * (number >= 1)
        pieces.append(
            pd.DataFrame(
                {
                    "location": "KGZ",
                    "measure": "net_migration",
                    "year": years,
                    "value": first[: len(years)] + shift,
                    "population": 6e6,
                    "as_of": day,
                }
            )
        )
    return Panel.from_frame(pd.concat(pieces, ignore_index=True))


def test_origins_are_the_last_years_of_releases(revised: Panel) -> None:
    every = [Origin(2019, "2020-06-01"), Origin(2020, "2021-06-01")]
    assert origins_as_published(revised, None) == every
    assert origins_as_published(revised, [2020]) == every[1:]
    assert origins_as_published(revised, ["2022-12-31"]) == [Origin(2020, "2022-12-31")]
    assert origins_as_published(revised, "2022-12-31") == [Origin(2020, "2022-12-31")]
    with pytest.raises(DataError, match="no release of this panel ends in 2015"):
        origins_as_published(revised, [2015])


def test_a_fold_sees_only_what_was_out(revised: Panel) -> None:
    known = seen(revised, Origin(2019, "2020-06-01"), None)
    assert known.last_release == "2020-06-01"
    assert known.origin == 2019
    latest = seen(revised, Origin(2019), None)
    shift = latest.series[0].values - known.series[0].values
    np.testing.assert_array_equal(shift, 1000.0)


def test_revision_error_is_apart_from_forecast_error(revised: Panel) -> None:
    track = fc.backtest(revised, ["naive"], None, (1, 2), vintage="as_published", draws=200)
    table = track.table.set_index(["as_of", "year"])
    row = table.loc[("2020-06-01", 2020)]
    assert row["origin"] == 2019
    assert row["information_horizon"] == 1
    assert row["calendar_horizon"] == 0  # forecast in the year that it is about
    # 2020 was first reported after the revision, so first and latest figure agree ...
    assert row["revision"] == 0
    # ... and the forecast, made before it, carries the whole revision.
    assert row["absolute_error"] == row["absolute_error_first"]
    hindsight = fc.backtest(revised, ["naive"], [2019], (1,), draws=200).table.iloc[0]
    assert abs(row["median"] - hindsight["median"]) == pytest.approx(1000, abs=250)
    assert np.isnan(hindsight["revision"])
    assert hindsight["as_of"] == ""


def test_figures_out_later_change_no_forecast(revised: Panel) -> None:
    table = revised.to_frame()
    altered = table.copy()
    altered.loc[altered["as_of"] > "2020-12-31", "value"] *= 9
    tracks = [
        fc.backtest(
            Panel.from_frame(figures),
            ["naive", "ets"],
            ["2020-06-01"],
            (1, 2),
            vintage="as_published",
            draws=100,
        )
        for figures in (table, altered)
    ]
    for column in ("median", "lower_95", "upper_95"):
        np.testing.assert_array_equal(tracks[0].table[column], tracks[1].table[column])


def test_the_un_and_the_published_bayesian_projection_take_part(shared: Path) -> None:
    folder = shared / "wpp"
    panel = wpp.world(folder, step=5).select(location=["KAZ", "KGZ", "UZB", "TJK", "TKM"])
    models = [
        "naive",
        Published("un-wpp", wpp.projections(folder, step=5)),
        Published("bayesmig", wpp.bayesian_projection(folder)),
    ]
    track = fc.backtest(panel, models, horizons=(5, 10), vintage="as_published", draws=200)
    assert set(track.table["as_of"]) == {
        "2009-03-31",
        "2011-05-31",
        "2013-06-13",
        "2015-07-29",
        "2017-06-21",
    }
    un = track.select(model="un-wpp", location="KGZ").table.set_index(["as_of", "year"])
    # WPP 2015 projected -115 thousand for 2015–20; WPP 2019 estimated -20, WPP 2024 +84.
    row = un.loc[("2015-07-29", 2015)]
    assert row["observed_first"] == pytest.approx(-20_000, abs=500)
    assert row["observed"] == pytest.approx(84_000, abs=1000)
    assert row["crps"] == pytest.approx(row["absolute_error"])
    assert np.isnan(row["inside_80"])
    bayes = track.select(model="bayesmig", location="KGZ").table
    scored = bayes[bayes["status"] == "scored"]
    assert scored["as_of"].tolist() == ["2015-07-29"]
    assert scored["inside_80"].notna().all()
    assert bayes["reason"].str.contains("published no forecast").sum() == len(bayes) - 1


def test_annual_projections_are_scored_in_the_year_after(shared: Path) -> None:
    folder = shared / "wpp"
    panel = wpp.world(folder).select(location=["KAZ", "KGZ"])
    models = ["naive", Published("un-wpp", wpp.projections(folder))]
    track = fc.backtest(panel, models, horizons=(1, 2), vintage="as_published", draws=200)
    assert set(track.table["origin"]) == {2021}
    assert set(track.table["as_of"]) == {"2022-07-11"}
    un = track.select(model="un-wpp", location="KAZ").table
    assert un["median"].tolist() == [0.0, 0.0]  # WPP 2022 assumed zero for Kazakhstan
