"""Pages of a user's own data: nothing on them is only true of the bundled figures."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import forecast as fc
from forecast import labels
from forecast.accounts import reconcile
from forecast.cli.main import cli
from forecast.evaluate.backtest import backtest
from forecast.language import language
from forecast.models import run as run_module
from forecast.models.assembly import assemble
from forecast.models.run import forecast
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.horizon import report
from forecast.reports.manifest import shown
from forecast.reports.series_view import SeriesView, series_views

YEARS = range(2000, 2025)


def own(*series: tuple[str, str, str]) -> Panel:
    """Series by (source, location, measure)."""
    generator = np.random.default_rng(5)
    tables = [
        pd.DataFrame(
            {
                "source": source, "location": place, "measure": measure, "year": list(YEARS),
                "value": np.round(9_000 * np.exp(np.cumsum(generator.normal(0, 0.1, len(YEARS))))),
            }
        )
        for source, place, measure in series
    ]  # fmt: skip
    return Panel.from_frame(pd.concat(tables, ignore_index=True))


def page(panel: Panel, folder: Path, code: str = "en", **more: object) -> str:
    made = report(forecast(panel, "naive", draws=100), folder=folder, language=code, **more)  # type: ignore[arg-type]
    return html.unescape(made[0].read_text(encoding="utf-8"))


def annex(panel: Panel, folder: Path, code: str = "en", **more: object) -> str:
    made = report(forecast(panel, "naive", draws=100), folder=folder, language=code, **more)  # type: ignore[arg-type]
    return html.unescape(made[4].read_text(encoding="utf-8"))


def first_screen(text: str) -> str:
    return text[text.index(' class="first"') : text.index("</aside>")]


@pytest.mark.parametrize("code", ["en", "ru"])
@pytest.mark.parametrize("measures", [["immigration", "emigration"], ["emigration"]])
def test_counts_lead_where_there_is_no_net(tmp_path: Path, code: str, measures: list[str]) -> None:
    text = page(own(*(("own", "KGZ", measure) for measure in measures)), tmp_path, code)
    first, words = first_screen(text), language(code)
    assert re.findall(r' data-series="own KGZ (\w+)" data-year="(\d{4})"', first) == [
        (measures[0], "2025"),
        (measures[0], "2030"),
    ]
    assert f'<span class="what">, {labels.measure(measures[0], words)}</span>' in first
    assert f'<th scope="col">{words.say("Persons a year")}</th>' in first
    assert words.say("Chance that more leave than arrive") not in first


def test_net_leads_and_is_named_as_such(tmp_path: Path) -> None:
    text = page(own(("own", "KGZ", "immigration"), ("own", "KGZ", "net_migration")), tmp_path)
    assert "Net migration, persons a year" in first_screen(text)
    assert 'data-series="own KGZ net_migration"' in first_screen(text)
    assert "immigration" not in first_screen(text)


def test_a_page_of_regions_has_no_empty_heading(tmp_path: Path) -> None:
    text = page(own(("own", "KZ-11", "net_migration")), tmp_path)
    assert "What to expect" not in text
    assert ' aria-labelledby="caution" class="first"' in text


def test_only_joint_flows_of_regions_are_said_to_hold_internal_moves(tmp_path: Path) -> None:
    said = "includes moves inside the country"
    assert said not in annex(own(("own", "KZ-11", "net_migration")), tmp_path)
    assert said in annex(own(("own", "KZ-11", "net_all_flows")), tmp_path)


@pytest.mark.thorough
def test_the_un_s_smoothing_is_mentioned_with_its_series_only(
    tmp_path: Path, varied: Panel
) -> None:
    def told(panel: Panel) -> str:
        track = backtest(
            panel, ["naive", "mean"], range(2012, 2016), (1,), draws=100, jobs=1, joint=False
        )
        return annex(panel, tmp_path, track=track)

    text = told(own(("own", "KGZ", "immigration")))
    assert "It was given today’s figures" in text
    assert "smoothed UN series" not in text
    assert "smoothed UN series" in told(varied)


def test_each_region_is_listed_once(tmp_path: Path) -> None:
    panel = own(
        ("own", "KZ-11", "immigration"), ("own", "KZ-11", "emigration"),
        ("other", "KZ-11", "emigration"), ("own", "KZ-15", "immigration"),
    )  # fmt: skip
    text = annex(panel, tmp_path)
    picker = text[text.index('class="picker"') : text.index("</details>")]
    assert picker.count("Akmola") == 4  # once to be read, and in the labels of its links
    plain = re.sub(r"<[^>]*>", "", picker)
    assert "(Immigration; Emigration, other; Emigration, own), " in plain
    links = re.findall(r'<a href="#([^"]*)"(?: aria-label="([^"]*)")?>(.*?)</a>', picker)
    assert len({label or name for _, label, name in links}) == len(links) == 4
    assert all(f'id="{anchor}"' in text for anchor, _, _ in links)


def test_a_single_region_is_not_ranked(tmp_path: Path) -> None:
    """Its chart would be wider than a telephone, with the median outside."""
    one = own(("own", "KZ-11", "immigration"))
    assert 'class="scroll pan"' not in page(one, tmp_path)
    text = annex(one, tmp_path)
    assert 'class="scroll pan"' not in text
    assert 'class="charts small"' in text
    two = page(own(("own", "KZ-11", "immigration"), ("own", "KZ-15", "immigration")), tmp_path)
    assert 'class="scroll pan"' in two


def test_python_calls_make_the_page_again(tmp_path: Path) -> None:
    """The lines on the page are run, and give the same bytes."""
    panel = fc.load("central-asia-five-year")
    outlook = forecast(panel, "naive", horizons=(2025,), draws=100, seed=3)
    made = report(
        outlook, folder=tmp_path, name='a "b', title="Our <own> title", about='Of "us" & them.'
    )
    text = html.unescape(made[4].read_text(encoding="utf-8"))
    lines = re.findall(r"<p><code>(.*?)</code></p>", text)
    assert lines[0] == 'panel = fc.load("central-asia-five-year")'
    before = [path.read_bytes() for path in (made[0], made[4])]
    made[0].unlink()
    made[4].unlink()
    code = "\n".join(lines).replace("fc.report(", "fc.report(folder=folder, outlook=")
    exec(code, {"fc": fc, "folder": tmp_path})  # noqa: S102  the page's own lines
    assert [path.read_bytes() for path in (made[0], made[4])] == before


def test_what_was_handed_over_as_an_object_is_named(
    judged: Forecast, track: object, tmp_path: Path
) -> None:
    made = report(judged, track, folder=tmp_path, targets="concepts", language="ru")  # type: ignore[arg-type]
    lines = re.findall(r"<p><code>(.*?)</code></p>", html.unescape(made[4].read_text("utf-8")))
    assert lines == [
        'outlook = fc.forecast(panel, model="mean", horizons=(2025, 2027, 2030), '
        "draws=400, seed=1)",
        'fc.report(outlook, track, language="ru", targets="concepts")',
    ]


def test_absolute_paths_are_not_shown(tmp_path: Path) -> None:
    assert shown(tmp_path / "own.csv") == "own.csv"
    assert shown("tables/own.csv") == "tables/own.csv"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "my own.csv"
    own(("own", "KAZ", "immigration"), ("own", "KAZ", "net_migration")).to_frame()[
        ["source", "location", "measure", "year", "value"]
    ].to_csv(path, index=False)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.thorough
def test_the_command_on_the_page_makes_it_again(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    track = run(
        "backtest", "--data", table.name, "--models", "naive,mean", "--origins", "2012:2016",
        "--horizons", "1", "--out", "track",
    )  # fmt: skip
    assert track.exit_code == 0, track.output
    limits = '[[threshold]]\nlocation = "KAZ"\nmeasure = "immigration"\nabove = 9000\n'
    (tmp_path / "limits.toml").write_text(limits, encoding="utf-8")
    first = run("report", "--data", str(table), "--model", "mean", "--draws", "100")
    assert first.exit_code == 0, first.output
    asked = [
        "report", "--data", str(table), "--model", "mean", "--draws", "150", "--seed", "7",
        "--horizons", "2026,2028", "--language", "ru", "--track", str(tmp_path / "track"),
        "--thresholds", "limits.toml", "--threshold", "KAZ immigration > 12345",
        "--previous", str(tmp_path / "reports" / "my own.manifest.json"), "--targets", "concepts",
        "--name", "ours", "--title", "Our title", "--about", "Of us.",
    ]  # fmt: skip
    (tmp_path / "my own.manifest.json").write_bytes(
        (tmp_path / "reports" / "my own.manifest.json").read_bytes()
    )
    made = run(*asked)
    assert made.exit_code == 0, made.output
    text = (tmp_path / "reports" / "ours-annex.ru.html").read_text(encoding="utf-8")
    (line,) = re.findall(r"<p><code>(forecast .*?)</code></p>", html.unescape(text))
    assert str(tmp_path) not in text
    again = run(*shlex.split(line)[1:], "--out", "again")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "again" / "ours-annex.ru.html").read_text(encoding="utf-8") == text
    main = (tmp_path / "reports" / "ours.ru.html").read_text(encoding="utf-8")
    assert (tmp_path / "again" / "ours.ru.html").read_text(encoding="utf-8") == main


@pytest.mark.parametrize(
    "reason", ["a file", "a page that is a folder", "a hub of others", "track"]
)
def test_what_can_be_refused_is_refused_before_the_forecast(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the forecast was made")

    out, more = tmp_path / "out", []
    if reason == "a file":
        out.write_text("x", encoding="utf-8")
        out = out / "inside"
        said = "is a file, not a folder"
    elif reason == "a page that is a folder":
        (out / "my own.html").mkdir(parents=True)
        said = "is a folder, not a file"
    elif reason == "a hub of others":
        (out / "my own-hub").mkdir(parents=True)
        (out / "my own-hub" / "letter.txt").write_text("mine", encoding="utf-8")
        said = "not a folder written by forecast"
    else:
        other = own(("other", "KGZ", "immigration"))
        track = backtest(other, ["naive", "mean"], [2012], (1,), draws=100, jobs=1, joint=False)
        more = ["--track", str(track.save(tmp_path / "track"))]
        said = "is of other series (immigration of KGZ (other))"
    monkeypatch.setattr(run_module, "forecast", never)
    result = run("report", "--data", str(table), "--out", str(out), "--model", "mean", *more)
    assert result.exit_code != 0
    assert said in result.stderr
    assert not isinstance(result.exception, AssertionError)


def test_only_accounts_make_a_figure_follow_from_others() -> None:
    """Draws without spread are no consequence of other figures where no account says so."""

    def views(last: dict[str, int]) -> dict[str, SeriesView]:
        rows = [
            {"source": "own", "location": "KAZ", "measure": measure, "year": year, "value": 0.0}
            for measure, end in last.items()
            for year in range(2000, end + 1)
        ]
        panel = Panel.from_frame(pd.DataFrame(rows))
        drawn = {one.key: np.zeros((100, 2027 - one.origin)) for one in panel}
        outlook = assemble(panel, drawn, (2025, 2027), model="still", seed=1)
        return {one.key[2]: one for one in series_views(reconcile(outlook, "middle-out"))}

    alone = views({"immigration": 2024})["immigration"]
    assert (alone.follows, alone.years.tolist()) == ({}, [2025, 2026, 2027])
    joint = views({"immigration": 2025, "emigration": 2025, "net_migration": 2024})
    assert joint["net_migration"].follows[2025] == 0.0
    assert 2025 not in joint["net_migration"].years
