"""Languages: complete catalogues, forms that fit the number, the same numbers everywhere."""

from __future__ import annotations

import html
import re
import string
from collections import Counter
from pathlib import Path

import catalogues as catalogue
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from forecast.errors import UnknownNameError
from forecast.evaluate.track import Track
from forecast.language import LANGUAGES, Language, language, read_catalogue
from forecast.outlook import Forecast
from forecast.reports import content
from forecast.reports.horizon import render, report
from forecast.reports.series_view import series_views

ENGLISH, RUSSIAN = language("en"), language("ru")


def translated(code: str) -> Catalog:
    with catalogue.catalogues()[code].open("rb") as file:
        return read_po(file, locale=code)


def forms(entry: Message) -> list[str]:
    return [entry.string] if isinstance(entry.string, str) else list(entry.string)


def placeholders(text: str) -> set[str]:
    named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return named | set(re.findall(r"%\((\w+)\)s", text))


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_catalogues_are_complete(code: str) -> None:
    known = translated(code)
    wanted = {entry.id for entry in catalogue.messages() if entry.id}
    assert wanted == {entry.id for entry in known if entry.id}, (
        "run `python data/compile/catalogues.py` and translate what is new"
    )
    empty = [entry.id for entry in known if entry.id and not all(forms(entry))]
    assert empty == []
    assert not any(entry.fuzzy for entry in known if entry.id)


@pytest.mark.parametrize("code", list(catalogue.catalogues()))
def test_translations_keep_every_placeholder_and_mark(code: str) -> None:
    for entry in translated(code):
        if not entry.id:
            continue
        original = entry.id[-1] if isinstance(entry.id, tuple) else entry.id
        for form in filter(None, forms(entry)):
            # Only a form that stands for one number may leave the number out.
            assert placeholders(form) <= placeholders(original), entry.id
            assert placeholders(original) - placeholders(form) <= {"n"}, entry.id
            assert re.findall(r"</?\w+[^>]*>", form) == re.findall(r"</?\w+[^>]*>", original)


def test_the_template_is_up_to_date() -> None:
    template = Path(content.__file__).parent / "locale" / "forecast.pot"
    assert template.read_bytes() == catalogue.as_po(catalogue.messages()), (
        "run `python data/compile/catalogues.py`"
    )


def test_numbers_take_the_language_s_form() -> None:
    assert ENGLISH.persons(-12_345) == "−12,345"
    assert RUSSIAN.persons(-12_345) == "−12\u00a0345"
    assert RUSSIAN.persons(1_200, sign=True) == "+1\u00a0200"
    assert ENGLISH.decimal(-2.5) == "−2.5"
    assert RUSSIAN.decimal(-2.5) == "−2,5"
    assert (ENGLISH.percent(0.123), RUSSIAN.percent(0.123)) == ("12\u202f%", "12\u202f%")
    assert (ENGLISH.percent(0.001), RUSSIAN.percent(0.999)) == (
        "under 1\u202f%",
        "более 99\u202f%",
    )


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "X; знак сменился в 1 году."),
        (3, "X; знак сменился в 3 годах."),
        (11, "X; знак сменился в 11 годах."),
        (21, "X; знак сменился в 21 году."),
    ],
)
def test_russian_plurals_fit_the_number(n: int, said: str) -> None:
    one, many = "{moved}; the sign changed in {n} year.", "{moved}; the sign changed in {n} years."
    assert RUSSIAN.count(one, many, n, moved="X") == said


def test_lists_are_joined_as_sentences_do() -> None:
    assert ENGLISH.listed([2025]) == "2025"
    assert ENGLISH.listed([2025, 2027, 2030]) == "2025, 2027 and 2030"
    assert RUSSIAN.listed([2025, 2030]) == "2025 и 2030"


def test_texts_from_data_are_never_formatted() -> None:
    assert RUSSIAN.lookup("{odd} %s") == "{odd} %s"
    assert ENGLISH.lookup("") == RUSSIAN.lookup("") == ""


def test_unknown_languages_are_named() -> None:
    with pytest.raises(UnknownNameError, match="Known are: en, ru"):
        language("xx")


def figures(path: Path) -> Counter[str]:
    """Every number that the page shows, without marks for thousands."""
    text = path.read_text(encoding="utf-8").split("</style>", 1)[1]
    text = re.sub(r"<svg.*?</svg>", " ", text, flags=re.DOTALL)
    text = re.sub(r"<code>.*?</code>|<[^>]*>", " ", text, flags=re.DOTALL)
    found = re.findall(r"[−+]?\d[\d,\u00a0]*", html.unescape(text))
    return Counter(re.sub(r"[,\u00a0]", "", number).rstrip(",") for number in found)


def test_both_languages_carry_the_same_numbers(
    judged: Forecast, track: Track, tmp_path: Path
) -> None:
    english = report(judged, track, folder=tmp_path, language="en")
    russian = report(judged, track, folder=tmp_path, language="ru")
    assert [path.name for path in russian] == [
        *(f"central-asia.ru.{ending}" for ending in ("html", "csv", "xlsx", "manifest.json")),
        "central-asia-hub",
        "central-asia-explorer.ru.html",
    ]
    one, two = figures(english[0]), figures(russian[0])
    assert one == two
    assert sum(one.values()) > 300


def test_a_russian_page_says_so(outlook: Forecast, tmp_path: Path) -> None:
    text = report(outlook, folder=tmp_path, language="ru")[0].read_text(encoding="utf-8")
    assert '<html lang="ru">' in text
    assert "сезонная и нерегулируемая трудовая миграция" in text
    apart = r"<(style|code|bdi|desc|title)\b.*?</\1>|<(\w+)[^>]* lang=\"en\">.*?</\2>|<[^>]*>"
    words = re.sub(apart, " ", text, flags=re.DOTALL)
    assert not re.search(r"\b(the|and|people|of)\b", words)


@pytest.mark.parametrize("code", ["kk", "ky", "uz"])
def test_a_language_is_added_by_one_catalogue(outlook: Forecast, tmp_path: Path, code: str) -> None:
    draft = Language(code, read_catalogue(code))
    shown = content.page(outlook, series_views(outlook), content.Supplements(draft))
    text = render(shown, draft)
    assert f'<html lang="{code}">' in text
    for heading in ("Horizon report", "What to expect", "Limits"):
        assert draft.catalogue.gettext(heading) != heading
        assert html.escape(draft.say(heading)).replace("&#x27;", "&#39;") in text
    # Not offered to readers before the catalogue is complete.
    with pytest.raises(UnknownNameError):
        report(outlook, folder=tmp_path, language=code)
