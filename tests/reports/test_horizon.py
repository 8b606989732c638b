"""The page and the CSV: complete, well-formed, self-contained, whole or untouched."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.draw_tables import QUANTILE_LEVELS
from forecast.errors import DataError, ForecastError, UnknownNameError
from forecast.outlook import Forecast
from forecast.reports import charts
from forecast.reports.horizon import report

HOSTILE = "<script>alert('$x^2$')</script> \"مصدر\" & " + "very-long-name-" * 12
VOID = {"meta", "link", "br", "path", "use", "line", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects what a page is made of; refuses tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def attributes(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


@pytest.fixture(scope="module")
def written(plain_report: Callable[[str], list[Path]]) -> list[Path]:
    return plain_report("en")


@pytest.fixture(scope="module")
def main(written: list[Path]) -> Page:
    return Page(written[0].read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def annex(written: list[Path]) -> Page:
    return Page(written[4].read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=["main", "annex"])
def page(request: pytest.FixtureRequest, main: Page, annex: Page) -> Page:
    return {"main": main, "annex": annex}[request.param]


def test_the_files_are_written_and_nothing_is_left_beside_them(written: list[Path]) -> None:
    assert sorted(path.name for path in written[0].parent.iterdir()) == [
        "own-annex.html", "own-explorer.html", "own-hub", "own.csv", "own.html",
        "own.manifest.json", "own.xlsx",
    ]  # fmt: skip


def test_each_page_is_whole_and_points_only_into_the_edition(
    page: Page, main: Page, annex: Page, written: list[Path]
) -> None:
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    anchors = {"own.html": main.attributes("id"), "own-annex.html": annex.attributes("id")}
    for target in [*page.attributes("href"), *page.attributes("xlink:href")]:
        name, _, anchor = target.partition("#")
        inside = anchor in anchors.get(name, ids)
        file = not anchor and name in {path.name for path in written}
        assert inside or file or target.startswith(("https://", "data:,")), target
    for name in ("aria-labelledby", "aria-describedby"):
        assert all(part in ids for value in page.attributes(name) for part in value.split())
    assert not page.attributes("src")
    assert page.count("script") == 0
    links = [tag for tag, attrs in page.tags if (attrs.get("href") or "").startswith("https://")]
    assert set(links) <= {"a"}


def test_the_pages_lead_to_each_other(main: Page, annex: Page) -> None:
    there = {href.partition("#")[2] for href in main.attributes("href") if "own-annex" in href}
    assert {"", "limits", "KAZ", "TKM"} <= there
    assert "own.html" in annex.attributes("href")
    assert {"own.xlsx", "own.csv"} <= set(main.attributes("href"))


@pytest.mark.parametrize("at", [0, 4])
def test_style_fetches_nothing(written: list[Path], at: int) -> None:
    text = written[at].read_text(encoding="utf-8")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_every_series_has_a_figure_or_a_reason(main: Page, annex: Page, outlook: Forecast) -> None:
    regional = outlook.series["location"].str.contains("-")
    moves, contrasts = 1, 1
    assert annex.count("svg") == len(outlook.series) + moves + contrasts
    assert regional.sum() == 3
    # Countries large and, where there is more of the past, small; regions in one ranked chart.
    assert main.count("svg") == 2 * (~regional).sum() + 1
    unfit = outlook.notes[outlook.notes["status"] == "not forecast"]
    text = " ".join(annex.text)
    assert text.count("Not forecast:") >= len(unfit) > 0


def test_targets_of_the_policy_concept_have_their_anchor(main: Page, annex: Page) -> None:
    assert {"KAZ", "TKM"} <= set(main.attributes("id"))
    ids = annex.attributes("id")
    assert "KAZ-2027" in ids
    assert "KAZ-2030" not in ids
    assert {"TKM-2025", "TKM-2027", "TKM-2030"} <= set(ids)


def test_tables_hold_the_quantiles_of_the_draws(annex: Page, outlook: Forecast) -> None:
    from forecast.language import rounded

    text = " ".join(" ".join(annex.text).split())
    for level in (0.5, 0.8, 0.95):
        table = outlook.intervals(level)
        for row in table.itertuples():
            sign = row.measure.startswith("net")
            for value in (row.median, row.lower, row.upper):
                shown = rounded(value, 3)
                mark = "−" if shown < 0 else "+" if sign and shown > 0 else ""
                assert f"{mark}{abs(shown):,}" in text


def test_the_pages_say_what_they_do_not_contain(main: Page, annex: Page) -> None:
    text = " ".join(" ".join(main.text).split())
    assert "seasonal and irregular labour migration, many times larger, is not in them" in text
    assert "No method foresees a shock" in text
    assert "UN and registers measure different things" in text
    assert "No track record" in text
    text = " ".join(" ".join(annex.text).split())
    assert "its intervals do not allow for later revisions" in text


def test_the_page_says_so_where_intervals_allow_for_revisions(
    outlook: Forecast, tmp_path: Path
) -> None:
    row = {**outlook.series.iloc[0][["source", "location", "measure"]], "year": 2030}
    told = pd.DataFrame([{**row, "what": "variance share", "name": "revisions", "value": 0.4}])
    written = report(dataclasses.replace(outlook, explanation=told), folder=tmp_path, name="own")
    text = " ".join(" ".join(Page(written[4].read_text(encoding="utf-8")).text).split())
    assert "the intervals allow for revisions as large as those" in text
    assert "do not allow for later revisions" not in text


def test_hostile_names_are_text(page: Page, written: list[Path]) -> None:
    assert any(HOSTILE in piece for piece in page.text)
    assert not any("<script" in written[at].read_text(encoding="utf-8") for at in (0, 4))


def test_headings_step_by_one(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))


def test_csv_is_tidy_and_agrees_with_the_draws(written: list[Path], outlook: Forecast) -> None:
    table = pd.read_csv(written[1])
    assert list(table.columns) == [
        "location", "name", "measure", "source", "model", "origin", "year", "target",
        "quantile", "value",
    ]  # fmt: skip
    assert set(table["quantile"]) == set(QUANTILE_LEVELS)
    assert set(table.loc[table["target"], "year"]) == {2025, 2027, 2030}
    key = ["location", "measure", "source", "year"]
    assert (table.groupby(key)["value"].diff().dropna() >= 0).all()
    chosen = table[
        (table["source"] == "kz-bns")
        & (table["measure"] == "immigration")
        & (table["year"] == 2027)
    ]
    drawn = outlook.sample(location="KAZ", measure="immigration", source="kz-bns", year=2027)
    expected = np.quantile(drawn, QUANTILE_LEVELS).round()
    assert chosen.sort_values("quantile")["value"].tolist() == expected.tolist()


def test_the_same_forecast_gives_the_same_bytes(
    outlook: Forecast, written: list[Path], tmp_path: Path
) -> None:
    for first, second in zip(written[:5], report(outlook, folder=tmp_path, name="own")):
        assert first.read_bytes() == second.read_bytes()


def test_the_user_s_matplotlib_settings_do_not_change_the_page(
    outlook: Forecast, written: list[Path], tmp_path: Path
) -> None:
    import matplotlib

    with matplotlib.rc_context({"lines.linewidth": 9, "axes.xmargin": 0.4, "font.size": 30}):
        second = report(outlook, folder=tmp_path, name="own")
        assert matplotlib.rcParams["lines.linewidth"] == 9
    for at in (0, 4):
        assert second[at].read_bytes() == written[at].read_bytes()


def test_a_failed_figure_fails_the_report_and_leaves_files_alone(
    outlook: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ending in ("html", "csv"):
        (tmp_path / f"own.{ending}").write_text("before")

    def broken(*_: object, **__: object) -> str:
        raise ForecastError("chart fan-x is empty; nothing was drawn.")

    monkeypatch.setattr(charts, "ranking", broken)
    with pytest.raises(ForecastError, match="is empty"):
        report(outlook, folder=tmp_path, name="own")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "own.html": "before",
        "own.csv": "before",
    }


def test_a_full_disk_leaves_files_alone(
    outlook: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.html").write_text("before")
    original = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.suffix == ".csv":
            raise OSError(28, "No space left on device")
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        report(outlook, folder=tmp_path, name="own")
    assert [path.name for path in tmp_path.iterdir()] == ["own.html"]
    assert (tmp_path / "own.html").read_text() == "before"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_names_are_plain(outlook: Forecast, tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="not a plain file name"):
        report(outlook, folder=tmp_path, name=name)


def test_languages_are_known(outlook: Forecast, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown language 'xx'"):
        report(outlook, folder=tmp_path, language="xx")


def test_a_series_without_a_note_is_an_error(outlook: Forecast, tmp_path: Path) -> None:
    broken = dataclasses.replace(outlook, notes=outlook.notes.iloc[1:])
    with pytest.raises(DataError, match="has no note on"):
        report(broken, folder=tmp_path)


@pytest.mark.thorough
def test_the_bundled_report_is_light_and_quick(tmp_path: Path) -> None:
    import time

    import forecast as fc

    outlook = fc.forecast(fc.load("central-asia"), model="naive", draws=200)
    # Processor seconds, which other work on the machine does not change.
    started = time.process_time()
    made, _ = (report(outlook, folder=tmp_path, language=code) for code in ("en", "ru"))
    assert time.process_time() - started < 20
    sizes = {made.name: made.stat().st_size for made in tmp_path.glob("*.html")}
    explorers = [sizes.pop(name) for name in list(sizes) if "explorer" in name]
    assert sum(sizes.values()) < 2_000_000
    assert max(explorers) < 2_000_000
    hub = [made.stat().st_size for made in tmp_path.rglob("central-asia-hub/**/*.*")]
    assert 200_000 < sum(hub) < 2_000_000
    main, page = (Page(made[at].read_text(encoding="utf-8")) for at in (0, 4))
    assert {"KAZ", "KGZ", "UZB", "TJK", "TKM"} <= set(main.attributes("id"))
    anchors = {"KGZ-2025", "KGZ-2030", "KAZ-2027", "UZB-2030", "unfit", "data", "methods", "limits"}
    assert anchors <= set(page.attributes("id"))
    assert page.count("svg") >= len(outlook.series) + 2
    national = outlook.series[~outlook.series["location"].str.contains("-")]
    # A chart per national series; regions of two countries ranked and on a map.
    assert main.count("svg") >= len(national) + 4
