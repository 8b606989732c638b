"""A track record is of the same figures, and of the series of the report only."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.evaluate.backtest import backtest
from forecast.evaluate.track import Track
from forecast.language import language
from forecast.models.run import forecast
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.horizon import report
from forecast.reports.record import record, section
from forecast.reports.series_view import series_views
from forecast.reports.verdicts import covered

KEY = ["source", "location", "measure"]


def other(panel: Panel, change: float = 1_000.0) -> Panel:
    """The same series with other figures."""
    table = panel.to_frame()
    return Panel.from_frame(table.assign(value=table["value"] + change))


def test_a_backtest_of_other_figures_is_refused(
    varied: Panel, track: Track, judged: Forecast, tmp_path: Path
) -> None:
    strange = forecast(other(varied), model="mean", draws=100)
    row = track.table.iloc[0]
    seen = f"{row['observed']:,.10g} there and {row['observed'] + 1_000:,.10g} in the data"
    with pytest.raises(DataError, match="is of other figures") as refused:
        report(strange, track, folder=tmp_path)
    assert seen in str(refused.value)
    assert f"{row['measure']} of {row['location']}" in str(refused.value)
    assert f" in {row['year']} is " in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_backtest_of_other_series_is_refused(varied: Panel, track: Track, tmp_path: Path) -> None:
    renamed = Panel.from_frame(varied.to_frame().assign(source="own"))
    with pytest.raises(DataError, match=r"is of other series .* than this report"):
        report(forecast(renamed, model="mean", draws=100), track, folder=tmp_path)
    with pytest.raises(DataError, match="is of other series"):
        report(
            forecast(renamed, model="mean", draws=100),
            track.select(model="naive"),
            folder=tmp_path,
        )
    assert list(tmp_path.iterdir()) == []


def test_series_that_are_not_in_the_report_do_not_count(varied: Panel, track: Track) -> None:
    part = varied.select(source="kz-bns")
    outlook = forecast(part, model="mean", draws=100)
    found = record(covered(track, part), "mean")
    shown = section(found, series_views(outlook), language("en"))
    assert found is not None
    assert shown is not None
    ours = track.select(source="kz-bns")
    assert set(found.track.table["source"]) == set(ours.table["source"])
    scored = ours.table[(ours.table["status"] == "scored") & (ours.table["model"] == "mean")]
    assert shown["forecasts"] == f"{len(scored):,}"
    assert shown["outside"] == len(ours.surprises("mean").drop_duplicates([*KEY, "year"]))
    assert set(found.verdicts) == {key for key in part.keys if key in set(found.verdicts)}
    assert shown["outside"] < len(track.surprises("mean").drop_duplicates([*KEY, "year"]))
    # Not a word on the regions and the UN's figures, which the backtest had too.
    assert not any("region" in line for line in shown["surprises"])
    assert not shown["smoothed"]


def test_the_same_figures_may_be_cut_and_have_earlier_releases(varied: Panel, track: Track) -> None:
    assert covered(track, varied) is track
    assert covered(track, varied.until(2021)) is track
    # The day's figures of the UN, which the backtest knows as the first ones.
    early = varied.as_of("2022-12-31")
    assert set(covered(track, early).table["source"]) >= {"un-wpp", "kz-bns"}
    # A table that has the newer release only.
    table = varied.to_frame()
    newest = Panel.from_frame(table[table["as_of"] != pd.Timestamp("2022-07-11")])
    assert covered(track, newest) is track


def test_series_without_a_common_year_are_left_out(varied: Panel, track: Track) -> None:
    table = varied.to_frame()
    early = (table["source"] != "kz-bns") | (table["year"] < 2000)
    kept = covered(track, Panel.from_frame(table[early]))
    assert "kz-bns" not in set(kept.table["source"])
    assert len(kept.table) < len(track.table)


def test_a_record_without_a_score_is_none(varied: Panel) -> None:
    track = backtest(
        varied, ["naive", "mean"], range(2018, 2021), (1,), draws=100, jobs=1, joint=False
    )
    short = covered(track, varied.select(source="kg-nsc"))
    assert len(short.table)
    assert record(short, "mean") is None


@pytest.mark.thorough
def test_a_saved_track_goes_by_its_folder(
    judged: Forecast, track: Track, judged_report: Callable[[str], list[Path]], tmp_path: Path
) -> None:
    saved = track.save(tmp_path / "track")
    given, opened = (
        made[4].read_text(encoding="utf-8")
        for made in (judged_report("en"), report(judged, str(saved), folder=tmp_path / "path"))
    )
    code = r"<code>fc\.report.*?</code>"
    assert re.sub(code, "", given) == re.sub(code, "", opened)
    with pytest.raises(DataError, match="holds no saved backtest"):
        report(judged, tmp_path / "none", folder=tmp_path)
    with pytest.raises(DataError, match=r"track is of the type DataFrame\. Give what"):
        report(judged, track.table, folder=tmp_path)  # type: ignore[arg-type]
