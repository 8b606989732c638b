"""What-ifs and targets in the report: apart from the forecast, recomputed, in both languages."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError
from forecast.evaluate.track import Track
from forecast.language import language, rounded
from forecast.outlook import Forecast
from forecast.reports import scenario as section
from forecast.reports import targets as target_section
from forecast.reports.horizon import report
from forecast.scenarios.scenario import scenario
from forecast.scenarios.targets import targets

ENGLISH, RUSSIAN = language("en"), language("ru")
HOSTILE = "<script>alert(1)</script> {0} %s"


@pytest.fixture(scope="module")
def written(judged: Forecast, track: Track, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of both languages with a what-if and targets, and one without."""
    folder = tmp_path_factory.mktemp("what-if")
    for code in ("en", "ru"):
        report(
            judged, track, folder=folder, name="with", language=code, targets="concepts",
            scenarios=["russia-kazakhstan"],
        )  # fmt: skip
    report(judged, track, folder=folder, name="without")
    return folder


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def part(page: str, identity: str) -> str:
    found = re.search(rf'<section id="{identity}".*?</section>', page, flags=re.DOTALL)
    assert found is not None
    return found[0]


def plain(page: str) -> str:
    page = re.sub(r"<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize("page", ["", "-annex"])
def test_nothing_outside_its_section_holds_any_of_it(written: Path, page: str) -> None:
    with_, without = text(written / f"with{page}.html"), text(written / f"without{page}.html")
    names = r'href="with(?:out)?(?:-annex)?\.'
    with_, without = (re.sub(names, 'href="x.', made) for made in (with_, without))
    for identity in ("what-if", "targets"):
        assert f'id="{identity}"' not in without
        with_ = with_.replace(part(with_, identity), "")
    with_ = re.sub(r'<li><a href="#(?:what-if|targets)">.*?</li>', "", with_)
    limit = r"<li>(?:A policy concept’s targets|The chance of reaching).*?</li>"
    command = r"<code>fc\.report.*?</code>"

    def rest(page: str) -> list[str]:
        page = re.sub(command, "", re.sub(limit, "", page, flags=re.DOTALL))
        page = re.sub(r'href="with(?:out)?-explorer', 'href="explorer', page)
        return [line.strip() for line in page.splitlines() if line.strip()]

    assert rest(with_) == rest(without)
    assert (written / "with.csv").read_bytes() == (written / "without.csv").read_bytes()


def test_what_is_said_is_what_the_draws_say(judged: Forecast, written: Path) -> None:
    made = scenario(judged, "russia-kazakhstan", seed=1)
    short = plain(part(text(written / "with.html"), "what-if"))
    said = plain(part(text(written / "with-annex.html"), "what-if"))
    assert short.count("Not a forecast") == 1
    assert said.count("Not a forecast") == 1
    found = made.unusual()
    row = found[(found["measure"] == "immigration") & (found["window"] == 1)].iloc[0]
    first = made.movements[0].start
    into = judged.paths.sel(series=judged.paths["measure"] == "immigration").isel(series=0)
    chosen = into.to_numpy()[np.arange(400), np.searchsorted(into["year"], first)]
    assert f"the baseline {ENGLISH.persons(rounded(float(np.median(chosen))))} (medians)" in said
    beyond = (chosen >= row["what_if"]).mean()
    share = ENGLISH.percent(beyond) if beyond else "less than 1 in 400"
    assert share in said
    low, high = np.quantile(made.movements[0].people, [0.1, 0.9])
    people = f"{ENGLISH.persons(rounded(low))} to {ENGLISH.persons(rounded(high))} people"
    assert people in said
    assert people in short
    strongest = [section.position(line, ENGLISH) for line in found.to_dict("records")]
    caption = next(line for line in strongest if line in short)
    assert caption in said
    table = made.table(years=[2027])
    line = table[(table["source"] == "un-wpp") & (table["measure"] == "net_migration")].iloc[0]
    for name in ("baseline", "what_if", "what_if_upper"):
        assert ENGLISH.persons(rounded(line[name], 3), sign=True) in said


def test_a_scenario_that_no_draw_reaches_says_less_than_one() -> None:
    row = {"measure": "immigration", "what_if": 1e6, "baseline": 1e4, "draws": 2000, "beyond": 0}
    assert section.position(row, ENGLISH).endswith("goes as far: less than 1 in 2,000.")
    event = pd.DataFrame(
        [{"location": "KAZ", "rate": 400.0, "world_share": 0.0, "world_counted": 9}]
    )
    assert "In none of 9 years" in section.history(event, ENGLISH)[0]


def numbers(page: str) -> Counter[str]:
    found = re.findall(r"[−+±]?\d(?:[\d,.\u00a0]*\d)?", plain(page))
    return Counter(re.sub(r"[,.\u00a0]", "", number) for number in found)


def test_both_languages_carry_the_same_numbers(written: Path) -> None:
    for page, least in (("", 10), ("-annex", 20)):
        english, russian = text(written / f"with{page}.html"), text(written / f"with{page}.ru.html")
        for identity in ("what-if", "targets"):
            one, two = (numbers(part(page, identity)) for page in (english, russian))
            assert one == two
            assert sum(one.values()) > least
    said = re.sub(
        r"<(\w+)[^>]* lang=\"en\">.*?</\1>", "", part(russian, "what-if"), flags=re.DOTALL
    )
    said = re.sub(r"<(title|desc|bdi)\b.*?</\1>|<[^>]*>", " ", said, flags=re.DOTALL)
    assert not re.search(r"\b(the|and|people|of)\b", said)


def test_targets_with_chance_error_and_record(
    judged: Forecast, track: Track, written: Path
) -> None:
    table = targets(judged, track)
    short = plain(part(text(written / "with.html"), "targets"))
    said = plain(part(text(written / "with-annex.html"), "targets"))
    for row in table[table["status"] == "forecast"].itertuples():
        points = ENGLISH.decimal(max(round(100 * row.error, 1), 0.1))
        assert f"{ENGLISH.percent(row.probability)} (±{points})" in said
        assert f"{ENGLISH.percent(row.probability)} (±{points})" in short
    for row in table[table["status"] == "not measurable with these series"].itertuples():
        assert str(row.reason) in said
    assert "our yardstick" in said
    assert "Track record" in said


def test_observed_targets_are_reached_or_not(outlook: Forecast) -> None:
    row = {"status": "observed", "probability": 1.0}
    assert target_section._chance(row, ENGLISH) == "reached"
    assert target_section._chance({**row, "probability": 0.0}, RUSSIAN) == "не достигнута"


def test_the_workbook_keeps_the_targets(judged: Forecast, written: Path) -> None:
    sheet = openpyxl.load_workbook(written / "with.xlsx")["Targets"]
    header, *rows = list(sheet.iter_rows(values_only=True))
    table = targets(judged)
    assert len(rows) == len(table)
    column = header.index("Chance")
    chances = [row[column] for row in rows if isinstance(row[column], float)]
    assert chances == table.loc[table["status"] == "forecast", "probability"].tolist()
    assert "Targets" not in openpyxl.load_workbook(written / "without.xlsx").sheetnames


def test_manifest_and_command_name_them(written: Path) -> None:
    manifest = json.loads(text(written / "with.manifest.json"))
    assert manifest["scenarios"] == ["russia-kazakhstan"]
    assert "scenarios" not in json.loads(text(written / "without.manifest.json"))
    asked = 'scenarios=["russia-kazakhstan"], targets="concepts")'
    assert asked in html.unescape(text(written / "with-annex.html"))


def test_own_scenarios_are_escaped(outlook: Forecast, tmp_path: Path) -> None:
    own: dict[str, Any] = {
        "name": "mine", "title": HOSTILE, "summary": HOSTILE, "judgement": HOSTILE,
        "when": {"first": 2026, "last": 2026}, "fading": {"half_life": 1},
        "place": [
            {
                "location": "KAZ", "direction": "departures", "people": 1_000,
                "counted": [{"share": 1.0, "because": HOSTILE}],
            }
        ],
        "source": [{"title": HOSTILE, "figure": HOSTILE}],
    }  # fmt: skip
    made = report(outlook, folder=tmp_path, scenarios=[own], language="ru")
    assert "<script" not in text(made[0])
    assert text(made[0]).count("&lt;script&gt;") >= 2
    page = text(made[4])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5
    assert "scenarios=scenarios)" in page
    assert "всего уезжает от 1" in page


def test_a_scenario_on_another_forecast_is_refused(
    outlook: Forecast, judged: Forecast, tmp_path: Path
) -> None:
    made = scenario(outlook, "russia-kazakhstan")
    with pytest.raises(DataError, match="stands on another forecast than the report's"):
        report(judged, folder=tmp_path, scenarios=[made])
    with pytest.raises(DataError, match="a scenario is given twice"):
        report(outlook, folder=tmp_path, scenarios=[made, "russia-kazakhstan"])
    assert list(tmp_path.iterdir()) == []
    assert "what-if" in text(report(outlook, folder=tmp_path, scenarios=[made])[4])


def test_the_chart_keeps_to_the_style_sheet(outlook: Forecast, known: Any) -> None:
    made = fc.scenario(outlook, "russia-kazakhstan")
    for one in section.section([made], list(known.values()), ENGLISH):
        assert {figure["title"] for figure in one["figures"]} == {
            "Kazakhstan: Net migration", "Kazakhstan: Immigration",
        }  # fmt: skip
        for figure in one["figures"]:
            assert "var(--what-if)" in figure["svg"]
            assert not re.search(r"#[0-9a-f]{6}\b", figure["svg"])
