"""Languages: complete catalogues, forms that fit the number, the same numbers everywhere."""

from __future__ import annotations

import html
import re
import string
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import catalogues as catalogue
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from openpyxl import load_workbook

from forecast import labels, locations
from forecast.errors import UnknownNameError
from forecast.evaluate.track import Track
from forecast.horizons import CONCEPTS
from forecast.impacts.event import event
from forecast.impacts.event import names as events
from forecast.language import LANGUAGES, REVIEWED, Language, language, read_catalogue
from forecast.outlook import Forecast
from forecast.reports import content
from forecast.reports.horizon import report

ENGLISH, RUSSIAN, KAZAKH = language("en"), language("ru"), language("kk")
Written = Callable[[str], list[Path]]
#: Words that no other language on offer has.
ENGLISH_WORDS = r"\b(?:the|and|people|of|to|from|in|year|years|interval|median)\b"
#: What is not said in the language of the page, and tags.
APART = r"<(style|code)\b.*?</\1>|<(\w+)[^>]* lang=\"en\">.*?</\2>|<[^>]*>"
OTHERS = [code for code in LANGUAGES if code != "en"]


def translated(code: str) -> Catalog:
    with catalogue.catalogues()[code].open("rb") as file:
        return read_po(file, locale=code)


def drafts() -> list[Language]:
    """Languages that have a catalogue, on offer or not, but Russian."""
    return [Language(code, read_catalogue(code)) for code in catalogue.catalogues() if code != "ru"]


def forms(entry: Message) -> list[str]:
    return [entry.string] if isinstance(entry.string, str) else list(entry.string)


def placeholders(text: str) -> set[str]:
    named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return named | set(re.findall(r"%\((\w+)\)s", text))


def untranslated(code: str) -> list[object]:
    known = {entry.id: entry for entry in translated(code) if entry.id}
    wanted = [entry.id for entry in catalogue.messages() if entry.id]
    return [one for one in wanted if one not in known or not all(forms(known[one]))]


@pytest.mark.parametrize("code", OTHERS)
def test_catalogues_of_languages_on_offer_are_complete(code: str) -> None:
    known = [entry for entry in translated(code) if entry.id]
    assert untranslated(code) == [], (
        "run `python data/compile/catalogues.py` and translate what is new"
    )
    assert {entry.id for entry in known} == {one.id for one in catalogue.messages() if one.id}
    assert not any(entry.fuzzy for entry in known)


def test_a_language_whose_catalogue_is_complete_is_on_offer() -> None:
    complete = {code for code in catalogue.catalogues() if not untranslated(code)}
    assert complete == set(OTHERS), "add it to `LANGUAGES` in forecast/language.py"


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
    for words in (RUSSIAN, *drafts()):
        assert words.decimal(-12_345.5) == "−12\u00a0345,5"
        assert words.persons(12_345) == "12\u00a0345"
    assert (ENGLISH.percent(0.123), RUSSIAN.percent(0.123)) == ("12\u202f%", "12\u202f%")
    assert (ENGLISH.percent(0.001), RUSSIAN.percent(0.999)) == (
        "under 1\u202f%",
        "более 99\u202f%",
    )
    assert KAZAKH.percent(0.999) == "99\u202f%-дан көп"


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


def test_kazakh_nouns_stay_as_they_are_after_any_number() -> None:
    one, many = "{n} other model says the same.", "{n} other models say the same."
    assert [KAZAKH.count(one, many, n) for n in (1, 12)] == [
        "Тағы 1 модель соны айтады.",
        "Тағы 12 модель соны айтады.",
    ]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("kk", ["Ақмола облысы", "Алматы облысы", "Әндіжан облысы", "Батыс", "Карта", "Қостанай"]),
        ("ky", ["Нарын облусу", "Ноокат", "Өзгөн", "Ысык-Көл облусу"]),
        ("uz", ["Andijon", "Gulobod", "Olot", "Samarqand", "Oʻsh", "Gʻijduvon", "Shofirkon"]),
        ("en", ["Abai", "Zhem", "astana"]),
    ],
)
def test_names_are_sorted_by_the_alphabet_of_the_language(code: str, names: list[str]) -> None:
    upside_down = [*names[::2], *names[1::2]]
    assert sorted(upside_down, key=Language(code, ENGLISH.catalogue).order) == names


def test_places_concepts_and_events_have_names_in_every_language() -> None:
    english = {code: locations.name(code) for code in ("KAZ", "UZ-FA", "KG-GO+KG-O", "DEU")}
    for words in (RUSSIAN, *drafts()):
        names = {code: labels.place(code, words) for code in english}
        assert not any(names[code] == english[code] for code in english), words.code
    assert locations.name("KZ-11+KZ-71", "kk") == "Ақмола облысы + Астана"
    assert locations.name("US-CA", "kk") == locations.name("US-CA") == "California"
    assert locations.canonical("Сырдария облысы") == "UZ-SI"
    for words in map(language, OTHERS):
        for known in CONCEPTS.values():
            assert words.lookup(known.title) != known.title
        for known_event in map(event, events()):
            assert known_event.called(words) != known_event.title
            assert known_event.limited(words) != known_event.limit


def test_a_page_says_where_no_office_has_reviewed_its_words(plain_report: Written) -> None:
    assert set(REVIEWED) <= set(LANGUAGES)
    assert ENGLISH.unreviewed == RUSSIAN.unreviewed == ""
    assert "тексермеген" in KAZAKH.unreviewed
    for code, said in (("ru", False), ("kk", True)):
        made = plain_report(code)
        assert (KAZAKH.unreviewed in made[0].read_text(encoding="utf-8")) == said
        book = next(path for path in made if path.suffix == ".xlsx")
        cells = [cell for sheet in load_workbook(book) for row in sheet.values for cell in row]
        assert (KAZAKH.unreviewed in cells) == said


def test_lists_are_joined_as_sentences_do() -> None:
    assert ENGLISH.listed([2025]) == "2025"
    assert ENGLISH.listed([2025, 2027, 2030]) == "2025, 2027 and 2030"
    assert RUSSIAN.listed([2025, 2030]) == "2025 и 2030"


def test_texts_from_data_are_never_formatted() -> None:
    assert RUSSIAN.lookup("{odd} %s") == "{odd} %s"
    assert ENGLISH.lookup("") == RUSSIAN.lookup("") == ""


def test_unknown_languages_are_named() -> None:
    with pytest.raises(UnknownNameError, match=f"Known are: {', '.join(sorted(LANGUAGES))}"):
        language("xx")


def figures(path: Path, decimal: str = ".,") -> Counter[str]:
    """Every number that the page shows, without marks for thousands, with a decimal point."""
    text = path.read_text(encoding="utf-8").split("</style>", 1)[1]
    text = re.sub(r"<svg.*?</svg>", " ", text, flags=re.DOTALL)
    text = re.sub(APART, " ", text, flags=re.DOTALL)
    text = re.sub(rf"(?<=\d)[{decimal}](?=\d)", "_", html.unescape(text))
    found = re.findall(r"[−+]?\d(?:[\d_,\u00a0]*\d)?", text)
    return Counter(re.sub(r"[,\u00a0]", "", number) for number in found)


@pytest.fixture(scope="module")
def pages(judged: Forecast, track: Track, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A report with its record, targets and a what-if, made once in each language asked for."""
    folder = tmp_path_factory.mktemp("languages")

    @cache
    def written(code: str) -> list[Path]:
        return report(
            judged, track, folder=folder, language=code, targets="concepts",
            scenarios=["russia-kazakhstan"],
        )  # fmt: skip

    return written


def test_all_languages_carry_the_same_numbers(pages: Written, foreign: Language) -> None:
    code = foreign.code
    assert [path.name for path in pages(code)] == [
        *(f"migration.{code}.{ending}" for ending in ("html", "csv", "xlsx", "manifest.json")),
        f"migration-annex.{code}.html",
        "migration-hub",
        f"migration-explorer.{code}.html",
    ]
    for at, least in ((0, 100), (4, 300)):
        one, two = figures(pages("en")[at], "."), figures(pages(code)[at])
        assert one == two
        assert sum(one.values()) > least


def test_nothing_english_is_left_on_a_page(pages: Written, foreign: Language) -> None:
    code = foreign.code
    for at in (0, 4):
        text = pages(code)[at].read_text(encoding="utf-8")
        assert f'<html lang="{code}">' in text
        words = html.unescape(re.sub(APART, " ", text, flags=re.DOTALL))
        spoken = r"aria-label=\"([^\"]*)\"|data-label=\"([^\"]*)\""
        words += " ".join(one or two for one, two in re.findall(spoken, text))
        assert not re.search(ENGLISH_WORDS, words), re.findall(f".*{ENGLISH_WORDS}.*", words)[:5]
        assert re.search(ENGLISH_WORDS, pages("en")[at].read_text(encoding="utf-8"))
    main = html.unescape(pages(code)[0].read_text(encoding="utf-8"))
    assert language(code).say("Labour migration is not included") in main
    for path in (pages(code)[1], pages(code)[2]):
        assert path.stat().st_size > 1000
