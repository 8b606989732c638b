"""The main report is read in five minutes: how many words it has, what it leaves to the annex."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

import forecast as fc
from forecast.language import language
from forecast.reports.horizon import report

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "central-asia.html"
MOST, FRONT = 2_500, 350


def words(text: str) -> int:
    """Count the words that a reader sees: what has a letter, in tables and charts too."""
    text = re.sub(r"<(style|title|desc)\b.*?</\1>", " ", text, flags=re.DOTALL)
    shown = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return sum(any(letter.isalpha() for letter in word) for word in shown.split())


def front(text: str) -> str:
    return text[text.index("<header>") : text.index("</aside>")].replace(
        text[text.index("<nav") : text.index("</nav>")], ""
    )


def test_the_count_sees_words_not_numbers_and_what_is_drawn() -> None:
    drawn = "<svg><title>not seen</title><desc>nor this</desc><text>Since 1990</text></svg>"
    assert words(f"<style>p {{}}</style><p>Two words, 7 % and +1,200.</p>{drawn}") == 4
    assert words("80&nbsp;% – … ") == 0


@pytest.fixture(scope="module", params=["en", "ru"])
def pages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The bundled report with everything that `make report` gives it, by a quick model."""
    folder = tmp_path_factory.mktemp("length")
    panel = fc.load("central-asia")
    track = fc.backtest(
        panel, ["naive", "mean"], range(2014, 2018), (1, 3), draws=100, jobs=1, joint=False
    )
    earlier = report(fc.forecast(panel, model="naive", draws=100), folder=folder, name="earlier")
    made = report(
        fc.forecast(panel, model="mean", draws=200), track, folder=folder,
        language=request.param, previous=earlier[3], targets="concepts",
        scenarios=["russia-kazakhstan", "labour-return", "afghanistan"],
    )  # fmt: skip
    return [request.param, *(made[at].read_text(encoding="utf-8") for at in (0, 4))]


@pytest.mark.thorough
def test_the_main_report_is_short_and_the_annex_has_the_rest(pages: list[str]) -> None:
    code, main, annex = pages
    assert 500 < words(main) <= MOST
    assert words(front(main)) <= FRONT
    assert words(annex) > 3 * words(main)
    said = language(code).say
    for heading in ("Data", "Methods", "Limits", "Not forecast", "Track record", "Surprises"):
        assert f">{html.escape(said(heading), quote=False)}</h" in annex
    for anchor in ("targets", "what-if", "changes", "KAZ", "KGZ", "UZB", "TJK", "TKM"):
        assert f'id="{anchor}"' in main
        assert f'id="{anchor}"' in annex


@pytest.mark.thorough
def test_countries_of_the_bundled_report_have_their_regions_on_a_map(pages: list[str]) -> None:
    main = pages[1]
    assert main.count('<svg class="map"') == 2
    assert main.count('id="regions-') == 2


def test_the_published_report_is_short() -> None:
    text = PUBLISHED.read_text(encoding="utf-8")
    assert words(text) <= MOST
    assert words(front(text)) <= FRONT
