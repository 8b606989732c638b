"""The page about events: sentences that follow the placebos, charts, both languages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.impacts.counterfactual import Window
from forecast.impacts.event import Event
from forecast.impacts.placebo import Placebos
from forecast.impacts.result import Impact
from forecast.impacts.sentences import difference, finding, power
from forecast.language import Language, language
from forecast.outlook import Forecast
from forecast.reports.horizon import report
from forecast.reports.impact import fan, section, strip

ENGLISH, RUSSIAN = language("en"), language("ru")


def made(observed: float, gaps: np.ndarray, signed: bool = True, **about: object) -> Impact:
    """An impact of one year on a forecast of 1,000 with a spread of 100."""
    draws = np.random.default_rng(1).normal(1000, 100, size=(4000, 1))
    measure = "net_migration" if signed else "immigration"
    key = ("un", "KAZ", measure)
    window = Window(key, signed, 2021, np.array([2022]), np.array([observed]), draws)
    table = pd.DataFrame({"set": "dates", "gap": gaps, "origin": 2000})
    history = pd.DataFrame({"year": range(2000, 2023), "value": [*[1000.0] * 22, observed]})
    event = Event("", "KAZ", measure, "un", 2022, **about)  # type: ignore[arg-type]
    both = np.column_stack([gaps, gaps])
    return Impact(event, "naive", 1, "", window, Placebos(table, both), history)


ORDINARY_GAPS = np.linspace(-2, 2, 41)


def test_the_sentences_follow_the_placebos() -> None:
    far, near = made(1900, ORDINARY_GAPS), made(1050, ORDINARY_GAPS)
    said = finding(far, ENGLISH)
    assert said.startswith("It stands out: of 41 placebos none was as far from its forecast")
    assert "(p = 0.02)" in said
    assert "the figures cannot say" in said
    far_out = int((np.abs(ORDINARY_GAPS) >= abs(near.window.gaps[-1])).sum())
    assert finding(near, ENGLISH).startswith(
        f"It cannot be told apart from an ordinary error: of 41 placebos, {far_out} were as far"
    )
    few = made(1900, ORDINARY_GAPS[:18])
    assert "cannot be decided: with 18 placebos, p cannot fall below 0.05" in finding(few, ENGLISH)
    assert finding(few, RUSSIAN).startswith("Решить, было ли влияние, нельзя: при 18 плацебо")


def test_the_difference_is_said_with_its_interval() -> None:
    said = difference(made(1900, ORDINARY_GAPS), ENGLISH)
    assert said == (
        "Net migration, Kazakhstan, 2022: +1,900 came; from the years up to 2021, +1,000 were to "
        "be expected. The difference is +900, four chances in five +730 to +1,100."
    )
    few = difference(made(1900, ORDINARY_GAPS[:3]), ENGLISH)
    assert few.endswith("as the model alone says.")


def test_the_finding_says_when_the_forecast_itself_was_unsure() -> None:
    """Small placebo gaps make a small gap stand out; the model's own interval holds it."""
    found = made(1110, ORDINARY_GAPS / 4)
    assert found.verdict == "stands out"
    assert "rests on the placebos alone" in finding(found, ENGLISH)
    assert "rests on the placebos alone" not in finding(made(1900, ORDINARY_GAPS), ENGLISH)


def test_power_is_said_for_both_sides() -> None:
    said = power(made(1000, ORDINARY_GAPS), ENGLISH)
    rise, fall = (int(x.replace(",", "")) for x in re.findall(r"(\d[\d,]*) or more", said))
    assert rise == pytest.approx(fall, rel=0.15)
    assert "No effect" in power(made(1000, ORDINARY_GAPS[:10]), ENGLISH)


def test_titles_and_limits_come_in_the_language_of_the_page() -> None:
    about = {"title": "Decree", "title_ru": "Указ", "limit": "War.", "limit_ru": "Война."}
    found = made(1900, ORDINARY_GAPS, **about)
    assert found.sentence().endswith("War.")
    assert found.sentence("ru").endswith("Война.")
    entry = section([found], RUSSIAN)[0]
    assert (entry["title"], entry["limit"]) == ("Указ", "Война.")
    assert section([made(1900, ORDINARY_GAPS)], ENGLISH)[0]["title"] == "Kazakhstan, 2022"


@pytest.mark.parametrize("words", [ENGLISH, RUSSIAN])
def test_charts_are_drawn_the_same_each_time(words: Language) -> None:
    found = made(1900, ORDINARY_GAPS, signed=False)
    for draw in (fan, strip):
        assert draw(found, "x", words) == draw(found, "x", words)
        assert "<title" in draw(found, "x", words)
    assert "<script" not in fan(
        replace(found, event=replace(found.event, title="<script>")), "x", words
    )


@pytest.fixture(scope="module")
def bundled() -> Impact:
    return fc.impact(fc.load("central-asia"), "kz-arrivals-2022", model="naive", draws=200)


def test_a_page_without_events_has_no_section_of_them(
    plain_report: Callable[[str], list[Path]],
) -> None:
    assert 'id="impacts"' not in plain_report("en")[4].read_text(encoding="utf-8")


def test_the_page_holds_the_events_it_is_given(
    outlook: Forecast, bundled: Impact, spoken: Language, tmp_path: Path
) -> None:
    hostile = made(1900, ORDINARY_GAPS, title="<script>alert(1)</script>", announced="A & B")
    given = [bundled, hostile]
    pages = report(outlook, folder=tmp_path, language=spoken.code, impacts=given)
    text = pages[4].read_text(encoding="utf-8")
    assert 'href="#impacts"' in text
    part = text[text.index('<section id="impacts"') : text.index('<section id="unfit"')]
    assert part.count("<svg") == 4
    assert "<script" not in text
    assert "A &amp; B" in part
    assert html.escape(bundled.event.limited(spoken)).split()[3] in part
    identities = re.findall(r' id="([^"]+)"', text)
    assert len(identities) == len(set(identities))
