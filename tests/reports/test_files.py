"""Workbook, manifest and thresholds."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import forecast as fc
from forecast import artifacts
from forecast.errors import DataError, UnknownNameError
from forecast.evaluate.editions import read_manifest
from forecast.exports.check import check_hub
from forecast.language import language
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports import manifest, targets
from forecast.reports.horizon import check_place, report
from forecast.reports.series_view import SeriesView

ENGLISH = language("en")
Written = Callable[[str], list[Path]]
Known = dict[tuple[str, str, str], SeriesView]


@pytest.fixture(scope="module")
def written(plain_report: Written) -> dict[str, Path]:
    return {path.name: path for path in plain_report("en")}


@pytest.fixture(scope="module")
def book(written: dict[str, Path]) -> openpyxl.Workbook:
    return openpyxl.load_workbook(written["own.xlsx"])


def test_a_summary_one_long_table_and_notes(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == ["Summary", "Forecast", "Series", "Notes"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions


def rows(book: openpyxl.Workbook, sheet: str) -> list[dict[str, Any]]:
    header, *rows = list(book[sheet].iter_rows(values_only=True))
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_numbers_are_numbers_and_those_of_the_draws(
    book: openpyxl.Workbook, outlook: Forecast
) -> None:
    drawn = outlook.sample(location="KAZ", measure="net_migration", source="un-wpp", year=2027)
    for sheet in ("Summary", "Forecast"):
        (row,) = (
            row
            for row in rows(book, sheet)
            if row["Measure"] == "Net migration"
            and (row["Place"], row["Source"], row["Year"]) == ("Kazakhstan", "UN estimate", 2027)
        )
        assert row["Median"] == round(float(np.median(drawn)))
        assert row["80\u202f% interval, from"] == round(float(np.quantile(drawn, 0.1)))
        assert row["Chance of a net loss"] == pytest.approx((drawn < 0).mean())
    assert row["95\u202f% interval, to"] == round(float(np.quantile(drawn, 0.975)))


def test_observed_and_forecast_years_stand_in_one_table(
    book: openpyxl.Workbook, outlook: Forecast
) -> None:
    table = pd.DataFrame(rows(book, "Forecast"))
    key = ["Code", "Measure", "Source"]
    assert not table.duplicated([*key, "Year"]).any()
    for _, part in table.groupby(key):
        assert part["Year"].is_monotonic_increasing
        assert part.index.to_list() == list(range(part.index[0], part.index[-1] + 1))
    drawn = table[table["Median"].notna()]
    assert set(outlook.paths["year"].values) == set(drawn["Year"])
    assert drawn["Observed"].isna().all()
    for series in outlook.history.series:
        mine = table[(table["Code"] == series.location) & table["Observed"].notna()]
        assert set(series.years[~np.isnan(series.values)]) <= set(mine["Year"])


def test_the_format_of_a_cell_is_that_of_its_column(book: openpyxl.Workbook) -> None:
    """A count of 1,886 persons is no year, whatever its size."""
    for sheet in ("Summary", "Forecast"):
        header, *below = book[sheet].iter_rows()
        for name, cells in zip(header, zip(*below, strict=True), strict=True):
            formats = {cell.number_format for cell in cells if isinstance(cell.value, int | float)}
            expected = "0" if name.value in ("Year", "Last year") else "#,##0;\u2212#,##0"
            assert formats <= {"0%" if str(name.value).startswith("Chance") else expected}


def test_charts_draw_the_rows_of_their_series(book: openpyxl.Workbook) -> None:
    charts = book["Summary"]._charts
    national = {(row["Place"], row["Measure"], row["Source"]) for row in rows(book, "Summary")}
    assert len(charts) == len(national) > 1
    for chart in charts:
        title = "".join(run.t for run in chart.title.tx.rich.p[0].r)
        years = chart.series[0].cat.numRef.f
        first, last = map(int, re.findall(r"\$E\$(\d+)", years))
        drawn = [row[1:4] for row in book["Forecast"].iter_rows(first, last, values_only=True)]
        assert {", ".join(names) for names in drawn} == {title}
        assert [line.val.numRef.f.split("$")[1] for line in chart.series] == ["F", "G", "J", "K"]


@pytest.mark.thorough
def test_the_workbook_is_the_same_with_lxml_and_without() -> None:
    code = (
        "import sys, openpyxl; from forecast.reports.workbook import _steady; "
        "book = openpyxl.Workbook(); book.active.append(['a & b', 1, 0.5, None]); "
        "sys.stdout.buffer.write(_steady(book))"
    )
    made = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OPENPYXL_LXML": wanted},
            capture_output=True,
            check=True,
        ).stdout
        for wanted in ("True", "False")
    ]
    assert made[0] == made[1]
    assert openpyxl.load_workbook(io.BytesIO(made[0])).active["A1"].value == "a & b"


@pytest.mark.thorough
def test_a_russian_workbook_has_russian_headers(plain_report: Written) -> None:
    path = next(path for path in plain_report("ru") if path.suffix == ".xlsx")
    for sheet in openpyxl.load_workbook(path):
        for name in next(sheet.iter_rows(max_row=1, values_only=True)):
            assert any("а" <= letter <= "я" for letter in str(name).lower()), (sheet.title, name)


def test_no_text_is_taken_for_a_formula(book: openpyxl.Workbook) -> None:
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if isinstance(cell.value, str):
                    assert not cell.value.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.fixture(scope="module")
def active(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report whose source is a formula, and whose command turns the direction of writing."""
    table = pd.DataFrame(
        {
            "location": "KAZ",
            "measure": "net_migration",
            "source": '=HYPERLINK("http://x")',
            "flag": "-2+3",
            "year": range(2005, 2024),
            "value": range(100, 119),
        }
    )
    outlook = fc.forecast(fc.Panel.from_frame(table), model="naive", draws=100)
    folder = tmp_path_factory.mktemp("active")
    command = ["forecast", "report", "--out", "a\x1b[31m\u202eb\u2066c\u2069"]
    return {path.name: path for path in report(outlook, folder=folder, name="own", command=command)}


def test_no_cell_of_a_csv_file_is_taken_for_a_formula(active: dict[str, Path]) -> None:
    hub = active["own-hub"]
    tables = [active["own.csv"], *hub.rglob("*.csv")]
    assert len(tables) == 3
    for path in tables:
        table = pd.read_csv(path, keep_default_na=False)
        assert set(table["source"]) == {'\'=HYPERLINK("http://x")'}
        for column in table.select_dtypes(["object", "string"]):
            texts = [text for text in table[column] if isinstance(text, str)]
            assert not [t for t in texts if t.startswith(("=", "+", "-", "@"))], (path, column)
    assert check_hub(hub).empty


def test_nothing_on_the_page_steers_a_terminal_or_the_direction_of_writing(
    active: dict[str, Path],
) -> None:
    page = active["own.html"].read_text(encoding="utf-8")
    page += active["own-annex.html"].read_text(encoding="utf-8")
    assert "a[31mbc" in page
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


def test_every_file_is_the_same_the_next_time(
    outlook: Forecast, written: dict[str, Path], tmp_path: Path
) -> None:
    report(outlook, folder=tmp_path, name="own")
    first = written["own.html"].parent
    made = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert made == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert all((tmp_path / name).read_bytes() == (first / name).read_bytes() for name in made)


def test_the_manifest_vouches_for_the_files(written: dict[str, Path], outlook: Forecast) -> None:
    stated = json.loads(written["own.manifest.json"].read_text(encoding="utf-8"))
    folder = written["own.html"].parent
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert stated["sha256"] == {
        name: artifacts.sha256(folder / name)
        for name in made - {"own.manifest.json", "own-explorer.html"}
    }
    assert "own-hub/hub-config/tasks.json" in made
    assert stated["data_hash"] == outlook.history.hash
    assert stated["horizons"] == [2025, 2027, 2030]
    table = outlook.intervals(0.8)
    assert len(stated["expected"]) == len(table)
    medians = {round(value) for value in table["median"]}
    assert {row["median"] for row in stated["expected"]} == medians


def test_the_hub_of_the_edition_is_valid_and_small(written: dict[str, Path]) -> None:
    hub = written["own-hub"]
    assert check_hub(hub).to_dict("records") == []
    assert sum(path.stat().st_size for path in hub.rglob("*") if path.is_file()) < 500_000


@pytest.mark.thorough
def test_a_report_adds_to_the_hub_that_is_there(
    outlook: Forecast, judged: Forecast, tmp_path: Path
) -> None:
    """Forecasts of other teams and models stay; a second run changes no byte."""
    hub = judged.to_hub(tmp_path / "own-hub", team="Other team", samples=50)
    theirs = {
        path: path.read_bytes()
        for path in (hub / "model-output" / "Other_team-mean").iterdir()
    }  # fmt: skip
    assert theirs
    report(outlook, folder=tmp_path, name="own")
    assert {path: path.read_bytes() for path in theirs} == theirs
    assert {path.name for path in (hub / "model-output").iterdir()} == {
        "Other_team-mean", "forecast-naive",
    }  # fmt: skip
    assert check_hub(hub).to_dict("records") == []
    first = everything(tmp_path)
    report(outlook, folder=tmp_path, name="own")
    assert everything(tmp_path) == first


def test_a_second_run_changes_no_byte(
    outlook: Forecast, written: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(written["own.html"].parent, tmp_path, dirs_exist_ok=True)
    first = everything(tmp_path)
    report(outlook, folder=tmp_path, name="own")
    assert everything(tmp_path) == first


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", ["a hub of others", "a broken move"])
def test_a_hub_that_cannot_take_the_report_stays_whole(
    outlook: Forecast,
    judged: Forecast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    hub = judged.to_hub(tmp_path / "own-hub")
    if way == "a hub of others":
        (hub / "hub-config" / "tasks.json").write_text("{}", encoding="utf-8")
    before = everything(tmp_path)
    if way == "a broken move":
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", refuse)
            with pytest.raises(OSError, match="no space"):
                report(outlook, folder=tmp_path, name="own")
    else:
        with pytest.raises(DataError, match="a hub with other tasks than ours"):
            report(outlook, folder=tmp_path, name="own")
    assert everything(tmp_path) == before


def test_figures_with_days_do_not_join_those_without_and_it_is_known_at_once(
    outlook: Forecast, written: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(written["own.html"].parent, tmp_path, dirs_exist_ok=True)
    before = everything(tmp_path)
    assert outlook.history.to_frame()["as_of"].isna().any()
    day = f"{outlook.history.origin + 1}-06-01"
    days = Panel.from_frame(outlook.history.latest.assign(as_of=day))
    with pytest.raises(DataError, match="cannot be joined: only one of them has days"):
        check_place(tmp_path, "own", "en", days)
    check_place(tmp_path, "own", "en", outlook.history)
    assert everything(tmp_path) == before


def refuse(path: Path, data: bytes) -> int:
    raise OSError(28, "no space", str(path))


def test_a_folder_that_refuses_is_named_first(
    outlook: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(artifacts.files.tempfile, "TemporaryFile", closed)
    with pytest.raises(DataError, match=r"new cannot be written to \(Read-only file system\)"):
        report(outlook, folder=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_periods_of_five_years_have_no_hub(tmp_path: Path) -> None:
    panel = fc.load("central-asia-five-year")
    made = report(fc.forecast(panel, "naive", (2025,), draws=100), folder=tmp_path, name="own")
    assert [path.name for path in made] == [
        "own.html", "own.csv", "own.xlsx", "own.manifest.json", "own-annex.html",
        "own-explorer.html",
    ]  # fmt: skip


def test_a_folder_of_others_in_the_hubs_place_stops_everything(
    outlook: Forecast, tmp_path: Path
) -> None:
    (tmp_path / "own-hub").mkdir()
    (tmp_path / "own-hub" / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="own-hub exists and is not a folder written by forecast"):
        report(outlook, folder=tmp_path, name="own")
    assert [path.name for path in tmp_path.iterdir()] == ["own-hub"]


def test_a_page_says_what_changed(
    outlook: Forecast, judged: Forecast, written: dict[str, Path], tmp_path: Path, known: Known
) -> None:
    earlier = written["own.manifest.json"]
    for code in ("en", "ru"):
        for made in report(judged, folder=tmp_path, language=code, previous=earlier):
            if made.suffix == ".html" and "explorer" not in made.name:
                assert 'id="changes"' in made.read_text(encoding="utf-8")
    said = manifest.changes(read_manifest(earlier), judged, list(known.values()), ENGLISH)
    assert said["causes"] == ["The model was naive, now it is mean."]
    national = [s for s in known.values() if s.national and s.forecast]
    assert len(said["rows"]) == sum(year in s.years for s in national for year in s.horizons)
    assert all(row["then"] == row["now"] for row in said["rows"])
    same = manifest.changes(read_manifest(earlier), outlook, [], ENGLISH)
    assert same == {"causes": ["Data, model and program are the same."], "rows": []}


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', "\x00"])
def test_other_files_are_no_manifest(outlook: Forecast, tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(DataError, match="is not the manifest of a report"):
        report(outlook, folder=tmp_path, previous=path)
    with pytest.raises(DataError, match="does not exist"):
        report(outlook, folder=tmp_path, previous=tmp_path / "none.json")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def write(folder: Path, text: str) -> Path:
    path = folder / "targets.toml"
    path.write_text(text)
    return path


def test_thresholds_get_their_probability(outlook: Forecast, known: Known, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[[threshold]]\nlocation = "kaz"\nmeasure = "immigration"\nabove = 9000\n'
        '[[threshold]]\nlocation = "KAZ"\nmeasure = "net_migration"\nsource = "kz-bns"\n'
        "below = -1500.0\n",
    )
    first, second = targets.read(path)
    arrivals = known["kz-bns", "KAZ", "immigration"]
    share = (outlook.sample(location="KAZ", measure="immigration", year=2027) > 9000).mean()
    said = targets.chance(arrivals, 2027, first, ENGLISH)
    assert said.startswith("More than 9,000: ")
    assert f"({ENGLISH.percent(share)})" in said
    register = known["kz-bns", "KAZ", "net_migration"]
    assert second.concerns(register)
    assert not second.concerns(known["un-wpp", "KAZ", "net_migration"])
    text = report(outlook, folder=tmp_path, thresholds=path)[4].read_text(encoding="utf-8")
    assert said in text
    assert "Less than −1,500: " in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks threshold. It needs threshold"),
        ("a = [", "is not TOML"),
        ("threshold = [1]", "entry 1 of threshold in .* is 1; write a table"),
        (
            '[[threshold]]\nmeasure = "immigration"\nabove = 1',
            "lacks location. It needs location, measure",
        ),
        ('[[threshold]]\nlocation = "KAZ"\nmeasure = "immigration"', "neither above nor below"),
        (
            '[[threshold]]\nlocation = "KAZ"\nmeasure = "immigration"\nabove = "many"',
            "above in .* is 'many'; give a number",
        ),
        (
            '[[threshold]]\nlocation = "UZB"\nmeasure = "immigration"\nabove = 1',
            "immigration of UZB is about no series",
        ),
    ],
)
def test_bad_thresholds_are_named(
    outlook: Forecast, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        report(outlook, folder=tmp_path, thresholds=write(tmp_path, text))


def test_unknown_keys_are_named(tmp_path: Path) -> None:
    text = '[[threshold]]\nlocation = "KAZ"\nmeasure = "immigration"\nabowe = 1'
    with pytest.raises(UnknownNameError, match="Did you mean: above"):
        targets.read(write(tmp_path, text))
