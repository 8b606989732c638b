"""The explorer in headless Chromium: choose, drag, add up, share, save; on every screen."""

from __future__ import annotations

import csv
import html
import importlib.util
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import measures, periods
from forecast.language import NARROW
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.explorer import explore
from forecast.reports.horizon import report

_SPEC = importlib.util.spec_from_file_location("chromium", Path(__file__).with_name("chromium.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
chromium = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(chromium)
AXE, CHROMIUM, Browser = chromium.AXE, chromium.CHROMIUM, chromium.Browser

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]
KAZ, KGZ, UZB = (f"un-wpp|{code}|net_migration" for code in ("KAZ", "KGZ", "UZB"))


@pytest.fixture(scope="module")
def outlook() -> Forecast:
    return fc.forecast(fc.load("central-asia"), "mean", draws=1000)


@pytest.fixture(scope="module")
def folder(outlook: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Explorers with everything that they can hold, in both languages."""
    folder = tmp_path_factory.mktemp("explorer")
    panel = fc.load("central-asia")
    earlier = report(fc.forecast(panel, "naive", draws=100), folder=folder, name="earlier")[3]
    track = fc.backtest(
        panel, ["naive", "mean"], range(2014, 2018), (1, 3), draws=100, jobs=1, joint=False
    )
    for code in ("en", "ru"):
        explore(
            outlook, track, folder, code, previous=earlier,
            scenarios=["russia-kazakhstan", "afghanistan"],
            conditions=[fc.condition(outlook, "KAZ net_migration kz-bns 2027 >= 0")],
        )  # fmt: skip
    return folder


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    with Browser(tmp_path / "profile") as driven:
        yield driven
        assert driven.faults() == []


def visit(
    browser: Any, folder: Path, view: str = "", width: int = 1200, *,
    code: str = "en", dark: bool = False,
) -> None:  # fmt: skip
    ending = "" if code == "en" else f".{code}"
    address = (folder / f"central-asia-explorer{ending}.html").as_uri()
    browser.open(f"{address}{'#' if view else ''}{view}", width, dark=dark)
    browser.wait("document.documentElement.dataset.ready")


def view(*terms: str, **options: object) -> str:
    """Return the address of a view; a term that starts with a minus is taken away."""
    said = [f"{'minus' if one[0] == '-' else 'plus'}={quote(one.lstrip('-'))}" for one in terms]
    return "&".join([*said, *(f"{name}={quote(str(value))}" for name, value in options.items())])


def answer(browser: Any) -> str:
    return str(browser.look("document.getElementById('answer').textContent"))


def saved(
    browser: Any, folder: Path, named: Callable[[str], Any] = int
) -> tuple[list[str], dict[Any, list[str]]]:
    """Save the numbers; return the header and the rows by year."""
    place = folder / f"saved-{len(list(folder.iterdir()))}"
    place.mkdir()
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(place))
    browser.click("#csv")
    path = waited(lambda: set(place.glob("*.csv")))
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    return head, {named(row[1]): row for row in rows}


def waited(look: Any, seconds: float = 10) -> Path:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found and not any(path.suffix == ".crdownload" for path in found):
            return Path(next(iter(found)))
        time.sleep(0.05)
    raise AssertionError("nothing was saved")


def chances(browser: Any, folder: Path) -> dict[int, float]:
    head, rows = saved(browser, folder)
    column = next(at for at, name in enumerate(head) if name.startswith("Chance "))
    return {year: float(row[column]) for year, row in rows.items() if row[column]}


def test_one_chooses_place_measure_source_and_year(browser: Any, folder: Path) -> None:
    visit(browser, folder)
    first = "document.querySelectorAll('.term select')"
    assert browser.look(f"{first}.length") == 3
    browser.choose(".term label:nth-child(1) select", "UZB")
    browser.choose(".term label:nth-child(2) select", "emigration")
    browser.choose("#year", 2030)
    assert browser.look("document.getElementById('subject').textContent") == (
        "Uzbekistan: Emigration, national register"
    )
    assert "people leave in 2030" in answer(browser)
    browser.choose(".term label:nth-child(1) select", "TKM")
    assert "Turkmenistan: Net migration" in browser.look("document.body.textContent")
    assert browser.look("document.activeElement.tagName") in ("SELECT", "BODY")


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_the_threshold_is_dragged_and_its_chance_is_that_of_the_forecast(
    browser: Any, folder: Path, outlook: Forecast, tmp_path: Path, touch: bool
) -> None:
    visit(browser, folder, view("kz-bns|KAZ|immigration", year=2027))
    if touch:
        browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
    x, y = browser.middle("#threshold .pill")
    before = int(browser.look("document.getElementById('limit').value"))
    browser.drag([(x, y), (x, y - 20), (x, y - 60), (x, y - 45)], touch=touch)
    limit = int(browser.wait(f"Number(document.getElementById('limit').value) > {before} "
                             "&& document.getElementById('limit').value"))  # fmt: skip
    browser.wait(f"location.hash.includes('below={limit}')")
    found = chances(browser, tmp_path)
    where = {"location": "KAZ", "measure": "immigration", "source": "kz-bns"}
    assert set(found) == {2026, 2027, 2028, 2029, 2030}
    for year, chance in found.items():
        assert chance == pytest.approx(
            outlook.probability(below=limit, year=year, **where), abs=0.004
        )
    exact = outlook.probability(below=limit, year=2027, **where)
    said = int(re.findall(rf"(\d+){NARROW}%", answer(browser))[0])
    assert abs(said - 100 * exact) <= 1
    assert f"that fewer than {limit:,} people arrive in 2027" in answer(browser)
    spoken = browser.look("document.getElementById('live').textContent")
    assert spoken == answer(browser)


def test_keys_move_the_threshold_and_read_the_years(browser: Any, folder: Path) -> None:
    visit(browser, folder, view("kz-bns|KAZ|net_migration", year=2027, below=0))
    value = "Number(document.getElementById('limit').value)"
    browser.look("document.getElementById('threshold').focus()")
    browser.press("ArrowUp", "ArrowUp", "ArrowUp")
    three = browser.wait(f"{value} > 0 && {value}")
    browser.press("PageDown")
    browser.wait(f"{value} < 0")
    browser.press("PageUp", "ArrowDown", "ArrowDown", "ArrowDown")
    browser.wait(f"{value} === 0")
    assert three > 0
    slider = "document.getElementById('threshold')"
    browser.press("End")
    browser.wait(f"{value} > {three}")
    assert browser.look(f"{slider}.getAttribute('aria-valuetext')") == answer(browser)
    browser.look("document.getElementById('cursor').focus()")
    browser.press("ArrowRight")
    told = browser.look("document.getElementById('readout').textContent")
    assert told.startswith("2028Middle ")
    assert browser.look("document.getElementById('cursor').getAttribute('aria-valuenow')") == "2028"
    browser.press("Enter")
    browser.wait("location.hash.includes('year=2028')")
    assert browser.look("document.activeElement.id") == "cursor"
    browser.press("Home")
    told = browser.look("document.getElementById('readout').textContent")
    assert told.startswith("2000Observed")


def test_the_number_field_takes_any_number(browser: Any, folder: Path) -> None:
    visit(browser, folder, view("kz-bns|KAZ|immigration", year=2027))
    write = "(() => { const field = document.getElementById('limit'); field.value = '{}';"
    write += "field.focus(); field.dispatchEvent(new Event('input')); }})()"
    browser.look(write.replace("{}", "12345").replace("}}", "}"))
    browser.wait("document.getElementById('answer').textContent.includes('12,345')")
    browser.look(write.replace("{}", "").replace("}}", "}"))
    assert "12,345" in answer(browser)


def test_rates_have_decimals_and_billions_are_exact(browser: Any, tmp_path: Path) -> None:
    years = [*range(2005, 2025)]
    noise = np.random.default_rng(4).normal(0, 1, len(years))
    fc.measure("refusal_rate", kind="rate", unit="share")
    parts = [
        pd.DataFrame({"location": place, "measure": measure, "year": years, "value": values})
        for place in ("KAZ", "KGZ")
        for measure, values in (
            ("refusal_rate", np.round(0.04 + 0.004 * noise, 4)),
            ("remittances", np.round(3e9 * np.exp(0.1 * noise))),
        )
    ]
    outlook = fc.forecast(Panel.from_frame(pd.concat(parts)), "mean", (2027,), draws=1000)
    page = explore(outlook, folder=tmp_path, name="rates")
    measures._declared.clear()
    for measure, at in (("refusal_rate", 0.0412), ("remittances", 3_100_000_000)):
        drawn = outlook.sample(location="KAZ", measure=measure, year=2027)
        asked = view(f"user|KAZ|{measure}", year=2027, above=at)
        browser.open(f"{page.as_uri()}#{asked}", 1200)
        browser.wait("document.documentElement.dataset.ready")
        assert f"{at:,}" in answer(browser)
        assert browser.look("document.getElementById('limit').value") == str(at)
        assert quote(str(at)) in browser.look("location.hash")
        folder = tmp_path / measure
        folder.mkdir()
        head, rows = saved(browser, folder)
        assert float(rows[2024][2]) == pytest.approx(
            parts[measure == "remittances"]["value"].iloc[-1]
        )
        assert float(rows[2027][3]) == pytest.approx(np.median(drawn), rel=1e-3)
        chance = next(n for n, name in enumerate(head) if name.startswith("Chance "))
        assert float(rows[2027][chance]) == pytest.approx((drawn > at).mean(), abs=0.006)
    # Rates are set against each other, whatever the address says.
    both = view("user|KAZ|refusal_rate", "user|KGZ|refusal_rate", year=2027, above=0.001)
    browser.open(f"{page.as_uri()}#{both}", 1200)
    browser.wait("document.documentElement.dataset.ready")
    one, other = (
        outlook.sample(location=place, measure="refusal_rate", year=2027)
        for place in ("KAZ", "KGZ")
    )
    shown = browser.look("document.querySelector('#answer strong').textContent")
    assert abs(int(shown.rstrip("%\u202f")) - 100 * (one - other > 0.001).mean()) < 4


def test_a_sum_and_a_difference_are_those_of_the_joint_draws(
    browser: Any, folder: Path, outlook: Forecast, tmp_path: Path
) -> None:
    visit(browser, folder, view(KAZ, year=2027, below=0))
    browser.click("#add")
    browser.choose(".term:nth-child(2) .sign + label select", "UZB")
    said = browser.look("document.getElementById('subject').textContent")
    assert said == "Kazakhstan + Uzbekistan: Net migration, UN estimate"
    drawn = {
        code: outlook.sample(location=code, measure="net_migration", source="un-wpp", year=2027)
        for code in ("KAZ", "UZB")
    }
    for sign, total in ((1, drawn["KAZ"] + drawn["UZB"]), (-1, drawn["KAZ"] - drawn["UZB"])):
        browser.choose(".term:nth-child(2) .sign select", sign)
        head, rows = saved(browser, tmp_path)
        row = rows[2027]
        names = ("Middle", f"80{NARROW}% interval: from", f"80{NARROW}% interval: to")
        middle, low, high = (float(row[head.index(name)]) for name in names)
        share = float(row[next(at for at, name in enumerate(head) if name.startswith("Chance"))])
        exact = float((total < 0).mean())
        # 500 of 1,000 draws: the finite population makes the error smaller by the root of a half.
        assert share == pytest.approx(exact, abs=3 * np.sqrt(exact * (1 - exact) / 1000) + 0.001)
        spread = np.std(total)
        ends = np.quantile(total, [0.5, 0.1, 0.9])
        assert np.abs(np.array([middle, low, high]) - ends).max() < 0.15 * spread
    precision = browser.look("document.getElementById('precision').textContent")
    assert "from 500 of 1,000 simulated futures" in precision
    browser.click(".remove")
    assert browser.look("document.querySelectorAll('.term').length") == 1
    assert browser.look("document.getElementById('subject').textContent").startswith("Uzbekistan")


def test_a_view_is_shared_and_comes_back(browser: Any, folder: Path) -> None:
    said = view(KAZ, f"-{KGZ}", year=2030, above=-15000, since=1990, **{"if": "afghanistan"})
    visit(browser, folder, said)
    shown = browser.look("[location.hash, document.querySelector('main').innerText]")
    assert "0\u2212" not in shown[1]
    assert "that the difference is above \u221215,000 in 2030" in shown[1]
    assert "What if, not a forecast: Arrivals from Afghanistan" in shown[1]
    visit(browser, folder)
    assert browser.look("document.querySelector('main').innerText") != shown[1]
    visit(browser, folder, shown[0].lstrip("#"))
    assert browser.look("[location.hash, document.querySelector('main').innerText]") == shown
    browser.look("location.hash = '#plus=un-wpp%7CTKM%7Cnet_migration'")
    browser.wait("document.getElementById('subject').textContent.startsWith('Turkmenistan')")


def test_an_address_with_unknown_names_says_so(browser: Any, folder: Path) -> None:
    visit(browser, folder, "plus=no%7Csuch%7Cseries&year=1&below=x&if=%3Cb%3E&since=3")
    status = browser.look("document.getElementById('status').textContent")
    assert status.startswith("The address names figures that are not here")
    assert "chance" in browser.look("document.body.textContent")
    visit(browser, folder, "%%%&plus=%E0%A4%A")
    assert answer(browser)


def test_past_forecasts_editions_scenarios_and_conditions_are_shown(
    browser: Any, folder: Path
) -> None:
    visit(browser, folder, view("kz-bns|KAZ|immigration", year=2027, below=20000))
    marks = "document.querySelectorAll('#chart .past, #chart .edition').length"
    assert browser.look(marks) == 0
    browser.click("#past")
    browser.click("#editions")
    assert browser.look("document.querySelectorAll('#chart .past').length") == 4
    assert browser.look("document.querySelectorAll('#chart .edition').length") >= 5
    for position, words in ((1, "What if, not a forecast: "), (3, "Given that: Kazakhstan, Net")):
        browser.choose("#beside", position)
        assert browser.look("document.getElementById('if-name').textContent").startswith(words)
        assert browser.look("document.querySelectorAll('#chart .if-line').length") == 1
        assert "people arrive in 2027" in browser.look(
            "document.getElementById('if-text').textContent"
        )
    browser.click("#add")
    assert browser.look(marks) == 0


def test_the_picture_is_saved(browser: Any, folder: Path, tmp_path: Path) -> None:
    visit(browser, folder, view(KAZ))
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.click("#png")
    path = waited(lambda: set(tmp_path.glob("*.png")))
    content = path.read_bytes()
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert content.startswith(b"\x89PNG")
    assert width > 1200
    assert height > 800
    assert len(content) > 20_000
    assert path.name == "KAZ-net_migration-un-wpp-2027.png"


@pytest.mark.parametrize("code", ["en", "ru"])
@pytest.mark.parametrize("width", [1200, 768, 390])
def test_nothing_spills_over(browser: Any, folder: Path, width: int, code: str) -> None:
    for said in ("", view(KAZ, f"-{KGZ}", UZB, **{"if": "afghanistan"}),
                 view("kz-bns|KAZ|immigration", past=1, editions=1)):  # fmt: skip
        visit(browser, folder, said, width, code=code)
        wide = browser.look(
            "[...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect()"
            f".right > {width} + 1 && !node.closest('.scroll, #chart, .unseen'))"
            ".map((node) => node.outerHTML.slice(0, 80))"
        )
        assert wide == []
        assert browser.look("document.documentElement.scrollWidth") == width
        assert browser.look("document.querySelector('#chart svg').getBoundingClientRect().right"
                            ) <= width  # fmt: skip


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_serious(
    browser: Any, folder: Path, by_period: Path, width: int, dark: bool
) -> None:
    if not AXE.is_file():
        pytest.skip(f"no axe-core on this machine (npm install --prefix build axe-core): {AXE}")
    for page in ("years", "months"):
        if page == "years":
            visit(browser, folder, view(KAZ, UZB, **{"if": "afghanistan"}), width, dark=dark)
        else:
            look_at(browser, by_period, "", width=width)
        browser.look(f"{AXE.read_text(encoding='utf-8')}; 0")
        found = browser.look(
            "axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations"
            ".filter((rule) => ['serious', 'critical'].includes(rule.impact))"
            ".map((rule) => rule.id + ': ' + rule.nodes[0].html))"
        )
        assert found == []


def test_a_series_without_a_forecast_says_why(browser: Any, folder: Path) -> None:
    alone = "kg-nsc-balance|KGZ|net_all_flows"
    visit(browser, folder, view(alone))
    assert answer(browser).startswith("Not forecast: ")
    assert browser.look("document.querySelectorAll('#threshold, #chart .median').length") == 0
    assert browser.look("document.querySelectorAll('#rows tr').length") > 5
    visit(browser, folder, view(alone, KAZ, year=2027))
    assert answer(browser).startswith("No answer for 2027: a series chosen has neither")


def test_hostile_names_are_read_as_texts(browser: Any, tmp_path: Path) -> None:
    table = fc.load("kazakhstan").to_frame()
    name = "<img src=x onerror=document.title='hit'>|&\"'=cmd()"
    table = table[table["source"] == "kz-bns"].assign(source=name)
    outlook = fc.forecast(fc.panel.Panel.from_frame(table), "naive", draws=200)
    path = explore(outlook, folder=tmp_path)
    browser.open(path.as_uri())
    browser.wait("document.documentElement.dataset.ready")
    assert browser.look("document.querySelectorAll('img').length") == 0
    assert name in browser.look("document.getElementById('subject').textContent")
    address = browser.look("location.href")
    browser.open(address)
    browser.wait("document.documentElement.dataset.ready")
    assert browser.look("[location.href, document.title]") == [address, "Explore the forecast"]


def test_the_driver_sees_errors_and_requests(folder: Path, tmp_path: Path) -> None:
    """What must not happen is seen when it does."""
    text = (folder / "central-asia-explorer.html").read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(text.replace("<main", '<img src="https://example.org/a.png" alt=""><main'))
    with Browser(tmp_path / "profile") as browser:
        browser.open(spoilt.as_uri())
        browser.wait("document.documentElement.dataset.ready")
        assert any("example.org" in fault for fault in browser.faults())
    changed = text.replace("'use strict';", "'use strict'; /* changed */", 1)
    spoilt.write_text(changed)
    with Browser(tmp_path / "other") as browser:
        browser.open(spoilt.as_uri())
        time.sleep(0.5)
        assert any("Content Security Policy" in html.unescape(one) for one in browser.faults())
        assert browser.look("document.documentElement.dataset.ready ?? null") is None
    assert json.dumps(view(KAZ))


def by(frequency: str) -> Forecast:
    """Two places by month or quarter, with a season."""
    code, per = {"month": ("M", 12), "quarter": ("Q", 4)}[frequency]
    spans = pd.period_range("2012-01", "2024-12", freq=code)
    texts = [str(one) if code == "M" else f"{one.year}-Q{one.quarter}" for one in spans]
    season = np.exp(0.4 * np.sin(np.arange(len(spans)) * 2 * np.pi / per))
    random = np.random.default_rng(5)
    tables = [
        pd.DataFrame({"location": place, "measure": "immigration", "period": texts,
                      "source": "own", "value": random.poisson(1000 * season)})
        for place in ("KAZ", "UZB")
    ]  # fmt: skip
    return fc.forecast(fc.Panel.from_frame(pd.concat(tables)), "seasonal-naive", draws=400)


MONTHS = "own|KAZ|immigration"


@pytest.fixture(scope="module")
def months() -> Forecast:
    return by("month")


@pytest.fixture(scope="module")
def by_period(months: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Explorers of months in two languages, and of quarters."""
    folder = tmp_path_factory.mktemp("periods")
    for code in ("en", "ru"):
        explore(months, folder=folder, language=code, name="month")
    explore(by("quarter"), folder=folder, name="quarter")
    return folder


def look_at(
    browser: Any, folder: Path, view: str, name: str = "month-explorer", width: int = 1200
) -> None:
    browser.open(f"{(folder / name).as_uri()}.html{'#' if view else ''}{view}", width)
    browser.wait("document.documentElement.dataset.ready")


def test_months_are_asked_for_by_their_names(
    browser: Any, by_period: Path, months: Forecast, tmp_path: Path
) -> None:
    look_at(browser, by_period, "")
    assert "people arrive in 2025-01" in answer(browser)
    # What the same month of the year before had is what one asks of a month.
    known = {"location": "KAZ", "measure": "immigration"}
    series = next(iter(months.history.select(**known)))
    last = series.values[series.years == periods.read("2024-01", "month")][0]
    shown = int(browser.look("document.getElementById('limit').value"))
    assert abs(shown - last) <= 50
    browser.choose("#year", periods.read("2026-07", "month"))
    assert "people arrive in 2026-07" in answer(browser)
    assert "year=2026-07&" in browser.look("location.hash")
    assert browser.look("document.getElementById('year').selectedOptions[0].text") == "2026-07"
    look_at(browser, by_period, view(MONTHS, year="2025-11", above=1200, since=2020))
    assert browser.look("document.getElementById('status').textContent") == ""
    exact = months.probability(above=1200, year="2025-11", **known)
    said = re.findall(rf"(\d+){NARROW}%", answer(browser))[0]
    assert abs(int(said) - 100 * exact) <= 1
    assert answer(browser).endswith("that more than 1,200 people arrive in 2025-11")
    # It does not break at its hyphen.
    assert browser.look("document.querySelector('#answer .n').textContent") == "2025-11"
    head, rows = saved(browser, tmp_path, str)
    assert head[1] == "Period"
    assert next(iter(rows)) == "2020-01"
    assert list(rows)[-1] == "2026-12"
    assert len(rows) == 84
    column = next(at for at, name in enumerate(head) if name.startswith("Chance "))
    for period in ("2025-01", "2025-11", "2026-12"):
        chance = months.probability(above=1200, year=period, **known)
        assert float(rows[period][column]) == pytest.approx(chance, abs=0.004)
    assert browser.look("document.getElementById('status').textContent").endswith(
        "KAZ-immigration-own-2025-11.csv."
    )
    heads = browser.look("[...document.querySelectorAll('#rows th')].map((th) => th.textContent)")
    assert heads == list(rows)[::-1]
    assert browser.look("document.querySelector('#chart text:not(.pill-text)').textContent")


@pytest.mark.parametrize("wrong", ["2027-13", "2027", "2025-1", "2025-Q1", "24300"])
def test_a_month_that_is_none_is_said_to_be_unknown(
    browser: Any, by_period: Path, wrong: str
) -> None:
    look_at(browser, by_period, view(MONTHS, year=wrong, above=1200))
    status = browser.look("document.getElementById('status').textContent")
    assert status.startswith("The address names figures that are not here")
    assert "arrive in 2025-01" in answer(browser)


def test_months_and_quarters_are_read_by_keys_and_pointer(browser: Any, by_period: Path) -> None:
    look_at(browser, by_period, view(MONTHS, year="2025-03"))
    told = "document.querySelector('#readout strong').textContent"
    browser.look("document.getElementById('cursor').focus()")
    for key, period in (("ArrowRight", "2025-04"), ("PageUp", "2026-04"), ("PageDown", "2025-04"),
                        ("Home", "2012-01"), ("PageUp", "2013-01"), ("End", "2026-12"),
                        ("ArrowLeft", "2026-11")):  # fmt: skip
        browser.press(key)
        assert browser.look(told) == period
        spoken = browser.look("document.getElementById('cursor').getAttribute('aria-valuetext')")
        assert spoken.startswith(f"{period}: ")
    browser.press("Enter")
    browser.wait("location.hash.includes('year=2026-11')")
    look_at(browser, by_period, view(MONTHS, year="2025-Q2"), "quarter-explorer")
    assert "arrive in 2025-Q2" in answer(browser)
    x, y, wide = browser.look(
        "(() => { const box = document.querySelector('#cursor rect').getBoundingClientRect();"
        "return [box.right, box.y + 20, box.width]; })()"
    )
    browser.drag([(x - wide / 200, y)])
    browser.wait("location.hash.includes('year=2026-Q4')")
    assert "arrive in 2026-Q4" in answer(browser)


def test_a_sum_of_months_is_that_of_the_joint_draws(
    browser: Any, by_period: Path, months: Forecast, tmp_path: Path
) -> None:
    look_at(browser, by_period, view(MONTHS, "own|UZB|immigration", year="2025-06", below=2000))
    drawn = sum(
        months.sample(location=code, measure="immigration", year="2025-06")
        for code in ("KAZ", "UZB")
    )
    head, rows = saved(browser, tmp_path, str)
    low, high = np.quantile(drawn, [0.1, 0.9])
    assert abs(int(rows["2025-06"][head.index("Middle")]) - np.median(drawn)) <= 1
    assert abs(int(rows["2025-06"][head.index(f"80{NARROW}% interval: from")]) - low) <= 1
    assert abs(int(rows["2025-06"][head.index(f"80{NARROW}% interval: to")]) - high) <= 1
    assert "that fewer than 2,000 people arrive in 2025-06" in answer(browser)


def test_a_page_of_months_in_russian(browser: Any, by_period: Path) -> None:
    look_at(browser, by_period, view(MONTHS, year="2025-11", above=1200), "month-explorer.ru")
    assert answer(browser).endswith(" в 2025-11 прибудет более 1\xa0200 чел.")
    assert "год" not in browser.look("document.querySelector('.showing').innerText").lower()
    assert browser.look("document.querySelector('#head th').textContent") == "Период"
    assert (
        browser.look("document.querySelector('#chart').textContent").count("человек в месяц") == 1
    )


@pytest.mark.parametrize("name", ["month-explorer", "month-explorer.ru", "quarter-explorer"])
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("since", [2012, 2020])
def test_periods_do_not_collide_nor_spill_over(
    browser: Any, by_period: Path, width: int, name: str, since: int
) -> None:
    look_at(browser, by_period, view(MONTHS, since=since), name, width)
    ticks = browser.look(
        "[...document.querySelectorAll('#chart text.label')].filter((node) => "
        "/^\\d{4}(-|$)/.test(node.textContent) && node.getAttribute('text-anchor') === 'middle')"
        ".map((node) => { const box = node.getBoundingClientRect(); "
        "return [node.textContent, box.left, box.right]; })"
    )
    assert len(ticks) >= 3
    for (_, _, right), (_, left, _) in itertools.pairwise(ticks):
        assert left >= right + 4
    beyond = browser.look(
        "(() => { const all = document.querySelector('#chart').getBoundingClientRect();"
        "return [...document.querySelectorAll('#chart text')].filter((node) => {"
        "const box = node.getBoundingClientRect();"
        "return box.right > all.right + 0.5 || box.left < all.left - 0.5; })"
        ".map((node) => node.textContent); })()"
    )
    assert beyond == []
    assert browser.look("document.documentElement.scrollWidth") == width
