"""Names of places in seven spellings."""

from __future__ import annotations

import csv

import pytest

from forecast import locations
from forecast.data.tables.places import country_in, match, nearest, settle
from forecast.shelf import shelf

SPELLINGS = {"en", "ru", "ky", "kk", "kk-Latn", "uz", "uz-Cyrl"}


def rows() -> list[dict[str, str]]:
    with (shelf("data") / "place_names.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_name_leads_to_its_code_and_every_code_has_every_spelling() -> None:
    spellings: dict[str, set[str]] = {}
    for row in rows():
        assert match(row["name"]).code == row["code"], row
        assert match(row["name"].upper()).code == row["code"], row
        locations.find(row["code"])
        spellings.setdefault(row["code"], set()).add(row["language"] or "former")
    for code, known in spellings.items():
        assert known >= SPELLINGS, code
    for country in ("KAZ", "KGZ", "UZB", "TJK", "TKM"):
        assert country in spellings
        assert set(locations.regions(country)) <= set(spellings)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Туркестанская обл.¹", "KZ-61"),
        ("  Fargʻona   VILOYATI ", "UZ-FA"),
        ("Farg'ona", "UZ-FA"),
        ("Ысык-Көл облусу", "KG-Y"),
        ("Республика Каракалпакстан", "UZ-QR"),
        ("Российская Федерация", ""),
        ("Россия", "RUS"),
        ("Germaniya", "DEU"),
        ("kz-79 + KZ-61", "KZ-61+KZ-79"),
        ("KG", "KGZ"),
    ],
)
def test_usual_writings(name: str, code: str) -> None:
    assert match(name).code == code


def test_nearest_names_are_suggested_only() -> None:
    assert match("Алматинска область").code == ""
    assert nearest("Алматинска область")[0] == "Алматинская область (KZ-19)"


def test_cities_and_regions_of_one_name_go_by_elimination_or_not_at_all() -> None:
    assert match("Ош").candidates == ("KG-GO", "KG-O")
    assert settle(["Ош", "Ошская область"])["Ош"].code == "KG-GO"
    assert settle(["Алматы", "Алматы қаласы"])["Алматы"].code == "KZ-19"
    assert settle(["Ташкент"])["Ташкент"].code == ""


def test_a_title_names_one_country_in_any_case_ending() -> None:
    assert country_in("Миграция населения Кыргызской Республики") == "KGZ"
    assert country_in("Oʻzbekiston Respublikasida migratsiya") == "UZB"
    assert country_in("Из Казахстана в Узбекистан") is None
