"""What the main report leaves out, and that what it keeps is the annex's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.evaluate.editions import read_manifest
from forecast.language import language, rounded
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports import front, manifest
from forecast.reports.horizon import report
from forecast.reports.series_view import SeriesView, series_views

ENGLISH = language("en")
Written = Callable[[str], list[Path]]
Known = dict[tuple[str, str, str], SeriesView]


def test_changes_keep_the_net_in_the_last_year(
    judged: Forecast, known: Known, plain_report: Written
) -> None:
    earlier = read_manifest(plain_report("en")[3])
    views = list(known.values())
    whole = manifest.changes(earlier, judged, views, ENGLISH)
    kept = front.changes(whole)
    assert kept is not None
    assert kept["causes"] == whole["causes"]
    net = [s.key for s in views if s.national and s.forecast and s.key[2] == "net_migration"]
    assert [row["key"] for row in kept["rows"]] == net
    assert {row["year"] for row in kept["rows"]} == {2030}
    assert all(row in whole["rows"] for row in kept["rows"])
    said = {(e["source"], e["location"], e["measure"], e["year"]): e for e in earlier["expected"]}
    for row in kept["rows"]:
        then = said[*row["key"], row["year"]]
        ends = [rounded(float(then[n]), 3) for n in ("median", "lower_80", "upper_80")]
        assert row["then"] == [ENGLISH.persons(end, sign=True) for end in ends]
    counts = [row for row in whole["rows"] if row["key"][2] == "immigration"]
    alone = front.changes({**whole, "rows": counts})
    assert alone is not None
    assert {row["year"] for row in alone["rows"]} == {2030}
    assert front.changes(None) is None


def test_the_outturn_keeps_countries() -> None:
    rows = [{"national": True, "place": "a"}, {"national": False, "place": "b"}]
    kept = front.outturn({"text": "said", "rows": rows})
    assert kept == {"text": "said", "rows": rows[:1]}
    assert front.outturn(None) is None
    assert front.what_ifs(None) is None


def test_the_small_chart_is_there_where_the_large_one_leaves_years_out(
    varied: Panel, outlook: Forecast
) -> None:
    views = [view for view in series_views(outlook) if view.national and view.forecast]
    long = front.measures_of(views, 2030, ENGLISH)
    assert all(one["small"] for one in long)
    drawn = "".join(one["small"] for one in long)
    assert 'id="past-un-wpp-KAZ-net_migration-t"' in drawn
    from forecast.models.run import forecast

    table = varied.select(source="kz-bns").latest
    late = Panel.from_frame(table[table["year"] > 2012])
    views = [view for view in series_views(forecast(late, "naive", draws=100)) if view.forecast]
    recent = front.measures_of(views, 2030, ENGLISH)
    assert recent
    assert not any(one["small"] for one in recent)


@pytest.mark.parametrize(
    ("location", "name"),
    [("KAZ", "kazakhstan"), (["KAZ", "TKM"], "migration")],
)
def test_files_are_called_by_what_they_hold(
    varied: Panel, location: str | list[str], name: str
) -> None:
    assert manifest.default_name(varied.select(location=location)) == name


def test_a_title_and_a_paragraph_are_text(
    outlook: Forecast, plain_report: Written, tmp_path: Path
) -> None:
    title, about = "<b>Ours & theirs</b>", "For the ministry. <script>alert(1)</script>"
    made = report(outlook, folder=tmp_path, name="own", title=title, about=about)
    main, annex = (made[at].read_text(encoding="utf-8") for at in (0, 4))
    for page in (main, annex):
        assert "<h1>&lt;b&gt;Ours &amp; theirs&lt;/b&gt;</h1>" in page
        assert "<script" not in page
    assert '<p class="about">For the ministry. &lt;script&gt;' in main
    assert "<title>&lt;b&gt;Ours &amp; theirs&lt;/b&gt;</title>" in main
    plain = plain_report("en")[0].read_text(encoding="utf-8")
    assert 'class="about"' not in plain
