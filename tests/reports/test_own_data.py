"""Pages of a user's own data: nothing on them is only true of the bundled figures."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.backtests.run import backtest
from forecast.models.run import forecast
from forecast.panel import Panel
from forecast.reports.horizon import report
from forecast.reports.language import language

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


def first_screen(text: str) -> str:
    return text[text.index(' class="first"') : text.index('id="how"')]


@pytest.mark.parametrize("code", ["en", "ru"])
@pytest.mark.parametrize("measures", [["immigration", "emigration"], ["emigration"]])
def test_counts_lead_where_there_is_no_net(tmp_path: Path, code: str, measures: list[str]) -> None:
    text = page(own(*(("own", "KGZ", measure) for measure in measures)), tmp_path, code)
    first, words = first_screen(text), language(code)
    assert re.findall(r"<dt>(\d{4})</dt>", first) == ["2025", "2027", "2030"]
    name = {"immigration": "Immigration", "emigration": "Emigration"}[measures[0]]
    assert f"<dd>{words.say(name)}, <bdi>own</bdi>." in first
    start = {"en": "What is expected in each target year", "ru": "Чего ожидать в каждом"}
    assert start[code] in first


def test_net_leads_and_is_named_as_such(tmp_path: Path) -> None:
    text = page(own(("own", "KGZ", "immigration"), ("own", "KGZ", "net_migration")), tmp_path)
    assert "Net migration in each target year." in first_screen(text)
    assert "<dd>Net migration, <bdi>own</bdi>." in first_screen(text)


def test_a_page_of_regions_has_no_empty_heading(tmp_path: Path) -> None:
    text = page(own(("own", "KZ-11", "net_migration")), tmp_path)
    assert "What to expect" not in text
    assert ' aria-labelledby="caution" class="first"' in text


def test_only_joint_flows_of_regions_are_said_to_hold_internal_moves(tmp_path: Path) -> None:
    said = "includes moves inside the country"
    assert said not in page(own(("own", "KZ-11", "net_migration")), tmp_path)
    assert said in page(own(("own", "KZ-11", "net_all_flows")), tmp_path)


def test_the_un_s_smoothing_is_mentioned_with_its_series_only(
    tmp_path: Path, varied: Panel
) -> None:
    def told(panel: Panel) -> str:
        track = backtest(
            panel, ["naive", "mean"], range(2012, 2016), (1,), draws=100, jobs=1, joint=False
        )
        return page(panel, tmp_path, track=track)

    text = told(own(("own", "KGZ", "immigration")))
    assert "It was given today’s figures" in text
    assert "smoothed UN series" not in text
    assert "smoothed UN series" in told(varied)


def test_each_region_is_listed_once(tmp_path: Path) -> None:
    panel = own(
        ("own", "KZ-11", "immigration"), ("own", "KZ-11", "emigration"),
        ("other", "KZ-11", "emigration"), ("own", "KZ-15", "immigration"),
    )  # fmt: skip
    text = page(panel, tmp_path)
    picker = text[text.index('class="picker"') : text.index("</details>")]
    assert picker.count("Akmola") == 4  # once to be read, and in the labels of its links
    plain = re.sub(r"<[^>]*>", "", picker)
    assert "(Immigration; Emigration, other; Emigration, own), " in plain
    links = re.findall(r'<a href="#([^"]*)"(?: aria-label="([^"]*)")?>(.*?)</a>', picker)
    assert len({label or name for _, label, name in links}) == len(links) == 4
    assert all(f'id="{anchor}"' in text for anchor, _, _ in links)


def test_a_single_region_is_not_ranked(tmp_path: Path) -> None:
    """Its chart would be wider than a telephone, with the median outside."""
    text = page(own(("own", "KZ-11", "immigration")), tmp_path)
    assert 'class="scroll pan"' not in text
    assert 'class="charts small"' in text
    two = page(own(("own", "KZ-11", "immigration"), ("own", "KZ-15", "immigration")), tmp_path)
    assert 'class="scroll pan"' in two
