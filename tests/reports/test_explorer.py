"""The explorer's file: the forecast's own draws, nothing let in, nothing let out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast import periods
from forecast.cli.main import cli
from forecast.errors import DataError, UnknownNameError
from forecast.evaluate.track import Track
from forecast.language import language
from forecast.models.corridors.model import Corridors
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.explorer import explore
from forecast.reports.explorer_data import STEPS
from forecast.reports.horizon import report
from forecast.scenarios.conditions import Condition


class Parts(HTMLParser):
    """The texts of scripts and styles, and all attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._open = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.inside:
            self.inside[self._open][-1] += data


def held(path: Path) -> dict[str, Any]:
    """Return the data of a page, its numbers decoded."""
    shown: dict[str, Any] = json.loads(Parts(path.read_text("utf-8")).inside["script"][0])
    shown["numbers"] = np.frombuffer(base64.b64decode(shown["numbers"]), dtype="<i4")
    return shown


def block(shown: dict[str, Any], world: int, position: int) -> np.ndarray:
    """Return quantiles and joint draws of a series, shape (n_years, 201 + kept)."""
    described = shown["worlds"][world]
    years = len(shown["series"][position]["ahead"])
    width = STEPS + described["kept"]
    start = described["blocks"][str(position)]
    numbers: np.ndarray = shown["numbers"][start : start + years * width].reshape(years, width)
    return numbers


@pytest.fixture(scope="module")
def page(outlook: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return explore(outlook, folder=tmp_path_factory.mktemp("explorer"), name="own", draws=150)


@pytest.fixture(scope="module")
def shown(page: Path) -> dict[str, Any]:
    return held(page)


def forecast_series(shown: dict[str, Any]) -> list[int]:
    return [at for at, series in enumerate(shown["series"]) if series["ahead"]]


def test_quantiles_are_those_of_all_draws(shown: dict[str, Any], outlook: Forecast) -> None:
    positions = forecast_series(shown)
    assert len(positions) == len(outlook.keys)
    for at in positions:
        series = shown["series"][at]
        key = series["source"], series["location"], series["measure"]
        # The name of a source may hold signs that no page is given.
        row = [tuple(one) for one in outlook.keys].index(key)
        for year, numbers in zip(series["ahead"], block(shown, 0, at)):
            drawn = outlook.paths.isel(series=row).sel(year=year).to_numpy()
            assert not np.isnan(drawn).any()
            levels = np.linspace(0, 1, STEPS)
            assert np.abs(numbers[:STEPS] - np.quantile(drawn, levels)).max() <= 0.5


def test_joint_draws_are_the_same_worlds_in_every_series(
    shown: dict[str, Any], outlook: Forecast
) -> None:
    kept = shown["worlds"][0]["kept"]
    assert (kept, shown["worlds"][0]["all"]) == (150, 400)
    chosen = (np.arange(kept) * 400) // kept
    assert len(set(chosen)) == kept
    assert set(np.diff(chosen)) == {2, 3}
    for at in forecast_series(shown):
        series = shown["series"][at]
        row = outlook.keys.index((series["source"], series["location"], series["measure"]))
        drawn = outlook.paths.isel(series=row).sel(year=series["ahead"]).transpose("year", "draw")
        expected = drawn.to_numpy()[:, chosen]
        assert np.abs(block(shown, 0, at)[:, STEPS:] - expected).max() <= 0.5


def test_figures_and_flags_are_those_of_the_panel(shown: dict[str, Any], varied: Panel) -> None:
    for series in shown["series"]:
        known = varied.find((series["source"], series["location"], series["measure"]))
        assert known is not None
        seen = dict(zip(known.years.tolist(), known.values.tolist()))
        for year, value in zip(series["years"], series["values"]):
            assert np.isnan(seen[year]) if value is None else value == round(seen[year])
    flags = next(one["flags"] for one in shown["series"] if one["location"] == "KZ-11")
    assert flags == {"2010": ["break"], "2016": ["outlier"], "2021": ["census_rebasing"]}
    late = next(one for one in shown["series"] if one["location"] == "KGZ")
    assert late["ahead"] == []
    assert late["note"].startswith("Not forecast: ")


def test_hostile_names_stay_texts(page: Path, shown: dict[str, Any]) -> None:
    text = page.read_text(encoding="utf-8")
    hostile = next(name for name in shown["sources"] if "alert" in name)
    assert hostile.startswith("<script>")
    assert "<script>alert" not in text
    parts = Parts(text)
    assert len(parts.inside["script"]) == 2
    assert "alert" not in parts.inside["script"][1]
    assert not [name for _, name, _ in parts.attributes if name.startswith("on")]
    assert not [value for _, name, value in parts.attributes if name == "style"]


def test_what_ends_a_script_or_begins_a_comment_does_not(outlook: Forecast, tmp_path: Path) -> None:
    table = outlook.history.to_frame().assign(source="</script><!--<script>&amp;\u202e")
    panel = Panel.from_frame(table.drop_duplicates(["location", "measure", "year"]))
    path = explore(fc.forecast(panel, "naive", draws=100), folder=tmp_path)
    parts = Parts(path.read_text(encoding="utf-8"))
    assert len(parts.inside["script"]) == 2
    assert list(json.loads(parts.inside["script"][0])["sources"]) == ["</script><!--<script>&amp;"]


def test_the_policy_names_the_program_and_the_style(page: Path) -> None:
    parts = Parts(page.read_text(encoding="utf-8"))
    policy = next(value for tag, name, value in parts.attributes if "default-src" in str(value))
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules.pop("default-src") == "'none'"
    for kind, content in (
        ("script", parts.inside["script"][1]),
        ("style", parts.inside["style"][0]),
    ):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(f"{kind}-src") == f"'sha256-{digest}'"
    assert rules == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    program = parts.inside["script"][1]
    assert "'use strict'" in program
    for word in ("eval(", "new Function", "innerHTML", "document.write", "fetch(", "http:"):
        assert word not in program.replace("http://www.w3.org/2000/svg", "")
    loaded = [value for _, name, value in parts.attributes if name in ("src", "srcset", "action")]
    assert loaded == []


def test_the_bundled_explorer_is_small_enough(tmp_path: Path) -> None:
    outlook = fc.forecast(fc.load("central-asia"), "naive")
    path = explore(
        outlook, folder=tmp_path, scenarios=["russia-kazakhstan", "labour-return", "afghanistan"]
    )
    assert 500_000 < path.stat().st_size < 4_000_000
    worlds = held(path)["worlds"]
    assert [world["kept"] for world in worlds] == [500] * 4
    assert 0 < len(worlds[1]["blocks"]) < len(worlds[0]["blocks"]) == len(outlook.keys)


def test_sums_follow_the_accounts_as_the_draws_do(tmp_path: Path) -> None:
    outlook = fc.forecast(fc.load("kazakhstan"), "naive", draws=1000)
    shown = held(explore(outlook, folder=tmp_path))
    at = {one["measure"]: position for position, one in enumerate(shown["series"])
          if one["location"] == "KAZ" and one["source"] == "kz-bns"}  # fmt: skip
    arrivals, departures = (block(shown, 0, at[name])[:, STEPS:] for name in
                            ("immigration", "emigration"))  # fmt: skip
    drawn = [
        outlook.paths.isel(series=outlook.keys.index(("kz-bns", "KAZ", name))).sel(
            year=shown["series"][at[name]]["ahead"]).transpose("year", "draw").to_numpy()
        for name in ("immigration", "emigration")
    ]  # fmt: skip
    total, expected = arrivals - departures, drawn[0] - drawn[1]
    for limit in (0, 10_000):
        shares = (total < limit).mean(axis=1) - (expected < limit).mean(axis=1)
        assert np.abs(shares).max() < 3 * np.sqrt(0.25 / 500)


def test_scenarios_and_conditions_have_draws_of_their_own(tmp_path: Path) -> None:
    outlook = fc.forecast(fc.load("kazakhstan"), "naive", draws=1000)
    stated = fc.condition(outlook, "KAZ net_migration kz-bns 2027 >= 0")
    made = fc.scenario(outlook, "russia-kazakhstan")
    path = explore(outlook, folder=tmp_path, language="ru", scenarios=[made], conditions=[stated])
    shown = held(path)
    _, shock, given = shown["worlds"]
    assert (shock["kind"], given["kind"]) == ("scenario", "condition")
    assert shock["title"] == language("ru").lookup(made.shock.title) != made.shock.title
    assert given["title"] == "Казахстан, Сальдо миграции, национальный регистр, 2027 ≥ 0"
    key = ("kz-bns", "KAZ", "net_migration")
    at = next(position for position, one in enumerate(shown["series"])
              if (one["source"], one["location"], one["measure"]) == key)  # fmt: skip
    year = shown["series"][at]["ahead"].index(2027)
    assert block(shown, 2, at)[year].min() >= 0
    assert given["all"] == stated.forecast.paths.sizes["draw"]
    moved = made.what_if.sample(location="KAZ", measure="net_migration", source="kz-bns", year=2027)
    middle = block(shown, 1, at)[year, (STEPS - 1) // 2]
    assert middle == pytest.approx(np.median(moved), abs=0.5)
    other = fc.forecast(fc.load("kazakhstan"), "naive", draws=1000, seed=2)
    with pytest.raises(DataError, match="stands on another forecast than the explorer's"):
        explore(other, folder=tmp_path, conditions=[stated])
    with pytest.raises(DataError, match="they are no forecast, and an explorer would give them"):
        explore(made.what_if, folder=tmp_path)


def test_past_forecasts_and_editions_are_there(
    judged: Forecast, track: Track, tmp_path: Path
) -> None:
    earlier = report(judged, folder=tmp_path, name="earlier")[3]
    shown = held(explore(judged, track, tmp_path, previous=earlier))
    rows = track.table[(track.table["model"] == "mean") & (track.table["status"] == "scored")]
    assert sum(map(len, shown["past"].values())) == len(rows)
    at = next(position for position, one in enumerate(shown["series"])
              if (one["source"], one["location"], one["measure"])
              == ("kz-bns", "KAZ", "immigration"))  # fmt: skip
    ours = rows[(rows["measure"] == "immigration") & (rows["location"] == "KAZ")]
    row = ours.sort_values(["origin", "year"]).iloc[0]
    assert shown["past"][str(at)][0] == [
        row["origin"], row["year"], *row[["median", "lower_80", "upper_80"]].astype(float).round()
    ]  # fmt: skip
    marks = {year: rest for year, *rest in shown["editions"][0]["rows"][str(at)]}
    quantiles = judged.quantiles([0.5, 0.1, 0.9])
    expected = quantiles[
        (quantiles["measure"] == "immigration") & (quantiles["location"] == "KAZ")
        & (quantiles["year"] == 2027)
    ]["value"].round()  # fmt: skip
    assert marks[2027] == expected.tolist()
    assert shown["series"][at]["trust"]["2027"].startswith("Track record ")


def test_the_same_forecast_gives_the_same_bytes(
    outlook: Forecast, page: Path, tmp_path: Path
) -> None:
    again = explore(outlook, folder=tmp_path, name="own", draws=150)
    assert again.read_bytes() == page.read_bytes()


@pytest.mark.parametrize("code", ["en", pytest.param("ru", marks=pytest.mark.thorough)])
def test_the_report_and_the_explorer_name_each_other(
    outlook: Forecast, tmp_path: Path, code: str
) -> None:
    made = report(outlook, folder=tmp_path, name='a "b', language=code)
    ending = "" if code == "en" else f".{code}"
    assert made[-1].name == f'a "b-explorer{ending}.html'
    assert f'href="a%20%22b-explorer{ending}.html"' in made[0].read_text(encoding="utf-8")
    assert f'<a href="a%20%22b{ending}.html">' in made[-1].read_text(encoding="utf-8")
    vouched = json.loads(made[3].read_text(encoding="utf-8"))["sha256"]
    assert made[-1].name not in vouched


def test_every_word_is_in_the_language_of_the_page(outlook: Forecast, tmp_path: Path) -> None:
    path = explore(outlook, folder=tmp_path, language="ru")
    assert path.name == "migration-explorer.ru.html"
    said = held(path)["words"]
    texts = json.dumps(said, ensure_ascii=False)
    words = set(re.findall(r"[A-Za-z]{2,}", re.sub(r"\{\w+\}", "", texts)))
    names = {name for name in [*said, *said["claims"], *said["flags"]] for name in name.split("_")}
    assert words <= names
    visible = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", path.read_text("utf-8"), flags=re.S)
    assert set(re.findall(r"[A-Za-z]{2,}", visible)) <= {"CSV", "PNG", "JavaScript", "naive"}
    assert language("ru").say("Year") == said["year"]


def test_five_year_periods_are_shown_too(tmp_path: Path) -> None:
    panel = fc.load("central-asia-five-year")
    shown = held(explore(fc.forecast(panel, "naive", (2025,), draws=100), folder=tmp_path))
    assert shown["step"] == 5
    assert all(np.diff(one["years"]).tolist() == [5] * (len(one["years"]) - 1)
               for one in shown["series"])  # fmt: skip


@pytest.mark.parametrize(
    ("options", "problem", "kind"),
    [
        ({"draws": 99}, "99 draws are too few for sums. Keep at least 100.", DataError),
        ({"name": "a/b"}, "explorer name 'a/b' is not a plain file name.", DataError),
        ({"language": "fr"}, "unknown language 'fr'", UnknownNameError),
        ({"scenarios": ["nothing"]}, "unknown scenario 'nothing'", UnknownNameError),
    ],
)
def test_what_cannot_be_is_refused(
    outlook: Forecast, tmp_path: Path, options: dict[str, Any], problem: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=re.escape(problem)):
        explore(outlook, folder=tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["explore", *arguments], prog_name="forecast")
    return done.exit_code, done.output


def test_the_shell_writes_it_and_opens_it(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.to_csv(tmp_path / "own.csv", index=False)
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", lambda address: opened.append(address))
    code, said = run(
        "--data", str(tmp_path / "own.csv"), "--model", "naive", "--draws", "200",
        "--out", str(tmp_path / "made"), "--open",
    )  # fmt: skip
    path = tmp_path / "made" / "own-explorer.html"
    assert code == 0, said
    assert said.endswith(f"{path}\n")
    assert opened == [path.as_uri()]
    assert held(path)["model"] == "naive"


def test_the_shell_takes_a_saved_forecast(tmp_path: Path) -> None:
    outlook = fc.forecast(fc.load("kazakhstan"), "naive", draws=1000)
    saved = outlook.save(tmp_path / "saved")
    code, said = run(
        "--forecast", str(saved), "--out", str(tmp_path), "--scenario", "russia-kazakhstan",
        "--condition", "KAZ net_migration kz-bns 2027 >= 0", "--language", "ru",
    )  # fmt: skip
    assert code == 0, said
    shown = held(tmp_path / "saved-explorer.ru.html")
    assert [world["kind"] for world in shown["worlds"]] == ["forecast", "scenario", "condition"]


def test_the_shell_refuses_before_it_works(tmp_path: Path) -> None:
    (tmp_path / "kazakhstan-explorer.html").mkdir()
    code, said = run("--data", "kazakhstan", "--out", str(tmp_path))
    assert code == 1
    assert "kazakhstan-explorer.html" in said
    code, said = run("--data", "kazakhstan", "--out", str(tmp_path / "b"), "--scenario", "nothing")
    assert code == 1
    assert "unknown scenario 'nothing'" in said


@pytest.mark.parametrize("verb", ["explore", "report"])
def test_a_broken_manifest_is_refused_before_anything_is_forecast(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forecast(*_: object) -> None:
        raise AssertionError("a forecast was made first")

    monkeypatch.setattr("forecast.cli.request.Request.outlook", forecast)
    monkeypatch.setattr("forecast.cli.request.Request.of", forecast)
    broken = tmp_path / "old.manifest.json"
    broken.write_text('{"format": "migration-fore', encoding="utf-8")
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, [verb, "--previous", str(broken), "--out", str(out)])
    assert done.exit_code == 1
    assert "is not the manifest of a report" in done.output
    assert not out.exists()


def test_corridors_are_listed_by_their_ends_and_say_what_they_rest_on(tmp_path: Path) -> None:
    rows = [
        (code, "flow", year, 1_000.0 + 37 * (year * len(code) % 11))
        for code in ("UZB:RUS", "UZB:KAZ", "KAZ:RUS") for year in range(2012, 2024)
        if code != "UZB:KAZ" or year > 2021
    ]  # fmt: skip
    panel = Panel.from_frame(pd.DataFrame(rows, columns=["location", "measure", "year", "value"]))
    small = {"chains": 2, "warm_up": 20, "kept": 20, "most": 20, "paths": 20}
    model = Corridors(sampler=small, on_failure="mark")
    made = fc.forecast(panel, model, horizons=(2025,), draws=150)
    shown = held(explore(made, folder=tmp_path, name="own", draws=120))
    assert shown["places"] == {
        "KAZ:RUS": "Kazakhstan → Russia", "UZB:KAZ": "Uzbekistan → Kazakhstan",
        "UZB:RUS": "Uzbekistan → Russia",
    }  # fmt: skip
    notes = {one["location"]: one["note"] for one in shown["series"]}
    assert notes["UZB:KAZ"].startswith("Rests on the model: usable figures: 2")
    assert notes["KAZ:RUS"] == ""
    drawn = made.sample(location="UZB:RUS", measure="flow", year=2025)
    at = [one["location"] for one in shown["series"]].index("UZB:RUS")
    assert abs(block(shown, 0, at)[-1, STEPS // 2] - np.median(drawn)) <= 1


CODES = {"month": "M", "quarter": "Q", "half-year": "Q", "year": "Y"}


def by(frequency: str, first: str = "2018-01", last: str = "2024-12") -> Panel:
    """Two places, two measures, with a break and a gap, by month, quarter or half-year."""
    spans = pd.period_range(first, last, freq=CODES[frequency])
    texts = [str(one) if frequency == "month" else f"{one.year}-Q{one.quarter}" for one in spans]
    season = np.sin(np.arange(len(spans)) * 2 * np.pi / periods.PER_YEAR[frequency])
    flags = pd.Series("", index=range(len(spans)))
    flags[[8, 12]] = ["break", "census_rebasing"]
    random = np.random.default_rng(3)
    rows = [
        {"location": place, "measure": measure, "period": text, "value": value, "flag": flag}
        for place in ("KAZ", "UZB") for measure in ("immigration", "emigration")
        for text, value, flag in zip(texts, random.poisson(1000 * np.exp(0.3 * season)), flags)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table["value"] = table["value"].where(table["flag"] != "census_rebasing")
    panel = Panel.from_frame(table)
    return panel.by("half-year") if frequency == "half-year" else panel


@pytest.fixture(scope="module")
def months() -> Forecast:
    return fc.forecast(by("month"), "seasonal-naive", draws=300)


@pytest.mark.parametrize(
    ("frequency", "first", "asked", "unit"),
    [("month", 24216, "2025-01", "a month"), ("quarter", 8072, "2025-Q1", "a quarter"),
     ("half-year", 4036, "2025-H1", "a half-year")],
)  # fmt: skip
def test_draws_of_periods_are_those_of_the_forecast(
    tmp_path: Path, frequency: str, first: int, asked: str, unit: str
) -> None:
    outlook = fc.forecast(by(frequency), "seasonal-naive", draws=150)
    shown = held(explore(outlook, folder=tmp_path, draws=120))
    assert (shown["frequency"], shown["step"]) == (frequency, 1)
    assert shown["first"] == periods.number(1990, 1, frequency)
    assert shown["words"]["year"] == "Period"
    assert {one["unit"] for one in shown["series"]} == {f"persons {unit}"}
    assert shown["words"]["flags"]["break"] == "new level from this period"
    grid = outlook.paths["year"].to_numpy().tolist()
    chosen = (np.arange(120) * 150) // 120
    for at, series in enumerate(shown["series"]):
        key = series["source"], series["location"], series["measure"]
        known = outlook.history.find(key)
        assert known is not None
        assert series["years"] == known.years.tolist()
        assert series["years"][0] == first
        assert series["ahead"] == grid
        assert periods.label(series["asked"], frequency) == asked
        assert series["unit"] == f"persons {unit}"
        row = outlook.keys.index(key)
        drawn = outlook.paths.isel(series=row).transpose("year", "draw").to_numpy()
        numbers = block(shown, 0, at)
        expected = np.quantile(drawn, np.linspace(0, 1, STEPS), axis=1).T
        assert np.abs(numbers[:, :STEPS] - expected).max() <= 0.5
        assert np.abs(numbers[:, STEPS:] - drawn[:, chosen]).max() <= 0.5


def test_a_page_of_years_has_nothing_of_periods(shown: dict[str, Any], page: Path) -> None:
    assert not {"frequency", "unit"} & {*shown, *(name for one in shown["series"] for name in one)}
    said = page.read_text("utf-8")
    assert "<option>1990</option><option>2000</option><option>2010</option></select>" in said
    assert "Choose a year by a click" in said
    assert "eriod" not in json.dumps(shown["words"])


@pytest.mark.parametrize(
    ("first", "last", "choices"),
    [("1985-01", "2024-12", [1990, 2000, 2010, 2020]), ("2018-01", "2024-12", [2018, 2020]),
     ("2021-05", "2024-06", [2021])],
)  # fmt: skip
def test_figures_of_months_begin_in_years_that_leave_some(
    tmp_path: Path, first: str, last: str, choices: list[int]
) -> None:
    outlook = fc.forecast(by("month", first, last), "persistence", ("2025-06",), draws=100)
    path = explore(outlook, folder=tmp_path, draws=100)
    text = path.read_text("utf-8")
    assert re.findall(r"<option>(\d+)</option>", text) == [str(year) for year in choices]
    assert ("<label hidden>Figures since" in text) is (len(choices) == 1)
    assert min(held(path)["series"][0]["years"]) == max(
        periods.read("1990-01", "month"), periods.read(first, "month")
    )


@pytest.mark.parametrize("code", ["ru", "kk", "ky", "uz"])
def test_no_language_puts_a_word_for_year_behind_a_month(
    months: Forecast, tmp_path: Path, code: str
) -> None:
    path = explore(months, folder=tmp_path, language=code)
    shown = held(path)
    english = held(explore(months, folder=tmp_path))["words"]
    words = shown["words"]
    claims = [one for texts in words["claims"].values() for one in texts]
    said = json.dumps(words, ensure_ascii=False)
    assert not re.search(r"\{(?:year|origin)\}.?(?:год|г\.|жыл|yil)", said)
    for name in ("year", "year_slider", "unit", "no_answer"):
        assert words[name] != english[name]
    assert words["flags"]["break"] != english["flags"]["break"]
    assert set(re.findall("[A-Za-z]{2,}", shown["series"][0]["unit"])) <= {"kishi", "oyiga"}
    within = {"ru": "в {year} ", "kk": "{year} кезеңінде ", "ky": "{year} мезгилинде ",
              "uz": "{year} davrida "}  # fmt: skip
    assert all(within[code] in one for one in claims)
    if code == "ru":
        assert "С вероятностью {chance} в {year} прибудет более {limit} чел." in claims
        assert "Новый уровень с 2018-09." in shown["series"][0]["note"]


@pytest.mark.thorough
def test_a_report_of_months_gives_its_track_and_editions_to_the_explorer(tmp_path: Path) -> None:
    panel = by("month", "2010-01")
    old = fc.forecast(panel.until("2024-06"), "seasonal-naive", draws=100)
    earlier = report(old, folder=tmp_path, name="old")[3]
    years = fc.forecast(panel.by("year"), "persistence", (2026,), draws=100)
    other = report(years, folder=tmp_path, name="years")[3]
    track = fc.backtest(panel, ["seasonal-naive", "persistence"], ["2022-06", "2023-06"], (1, 6),
                        draws=100, jobs=1, joint=False)  # fmt: skip
    outlook = fc.forecast(panel, "persistence", draws=100)
    made = report(outlook, track, tmp_path, name="m", previous=earlier)[-1]
    shown = held(made)
    assert '<a href="m.html">' in made.read_text("utf-8")
    (edition,) = shown["editions"]
    # An edition of years has no place among months.
    with pytest.raises(DataError, match=r"is by year, and this report by month\. Leave it out"):
        report(outlook, track, tmp_path / "none", name="m", previous=[earlier, other])
    alone = held(explore(outlook, track, tmp_path / "alone", previous=[earlier, other]))
    assert alone["editions"] == [edition]
    assert edition["day"] == "2024-06"
    quantiles = old.quantiles([0.5], years=["2025-03"])
    series = shown["series"][0]
    mine = quantiles[(quantiles["measure"] == series["measure"])
                     & (quantiles["location"] == series["location"])]  # fmt: skip
    marks = {year: rest for year, *rest in edition["rows"]["0"]}
    assert marks[periods.read("2025-03", "month")][0] == round(mine["value"].iloc[0])
    origin, target = (periods.read(text, "month") for text in ("2022-06", "2022-12"))
    assert [row[:2] for row in shown["past"]["0"]][:2] == [[origin, origin + 1], [origin, target]]
    assert "month" in series["trust"][str(series["ahead"][0])]


def test_what_is_of_years_alone_is_refused_for_months(
    months: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="a scenario asks for calendar years; the data are by mon"):
        explore(months, folder=tmp_path / "new", scenarios=["russia-kazakhstan"])
    assert not (tmp_path / "new").exists()
    months.history.to_frame().to_csv(tmp_path / "m.csv", index=False)
    shell = ("--data", str(tmp_path / "m.csv"), "--model", "seasonal-naive", "--draws", "100",
             "--out", str(tmp_path / "made"))  # fmt: skip
    code, said = run(*shell)
    assert code == 0, said
    assert held(tmp_path / "made" / "m-explorer.html")["frequency"] == "month"
    code, said = run(*shell, "--condition", "KAZ immigration 2025-03 >= 900")
    assert code == 0, said
    assert held(tmp_path / "made" / "m-explorer.html")["worlds"][1]["kind"] == "condition"
    monkeypatch.setattr("forecast.cli.request.Request.of", lambda *_: pytest.fail("it was made"))
    code, said = run(*shell, "--scenario", "russia-kazakhstan")
    assert code == 1
    assert said.count("a scenario asks for calendar years") == 1
    code, said = run(*shell, "--condition", "KAZ immigration 2025-13 >= 900")
    assert code == 1
    assert "year is '2025-13'; give a calendar year, or a period such as 2027-06" in said


def test_a_condition_on_a_month_is_called_by_it(months: Forecast, tmp_path: Path) -> None:
    march = Condition("KAZ", "immigration", periods.read("2025-03", "month"), lower=900.0)
    stated = fc.condition(months, march)
    (_, given) = held(explore(months, folder=tmp_path, conditions=[stated]))["worlds"]
    assert given["name"] == "KAZ immigration 2025-03 >= 900"
    assert given["title"] == "Kazakhstan, Immigration, 2025-03 ≥ 900"


def test_a_threshold_of_permits_is_of_permits(tmp_path: Path) -> None:
    table = by("quarter").to_frame().assign(measure="permit_quota")
    panel = Panel.from_frame(table.drop_duplicates(["location", "period"]))
    outlook = fc.forecast(panel, "seasonal-naive", draws=100)
    text = explore(outlook, folder=tmp_path, language="ru").read_text("utf-8")
    assert ">Порог, разрешений<" in text
    assert "разрешений в квартал" in text
