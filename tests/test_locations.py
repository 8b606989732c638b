"""Codes and names of countries and regions, and units that cover the same area."""

from __future__ import annotations

import pytest

import forecast as fc
from forecast import horizons, locations
from forecast.errors import UnknownNameError


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("kaz", "KAZ"),
        (" KZ-75 ", "KZ-75"),
        ("kz-79+KZ-61", "KZ-61+KZ-79"),
        ("Kazakhstan", "KAZ"),
        ("казахстан", "KAZ"),
        ("germany", "DEU"),
        ("Viet Nam", "VNM"),
        ("Vietnam", "VNM"),
        ("Atlantis", "ATLANTIS"),
    ],
)
def test_codes_and_names_have_one_spelling(given: str, code: str) -> None:
    assert locations.canonical(given) == code


def test_a_name_selects_as_its_code_does() -> None:
    panel = fc.load("central-asia")
    named = panel.select(location="Kazakhstan", measure="net_migration")
    assert named.hash == panel.select(location="KAZ", measure="net_migration").hash
    assert horizons.concept("Kyrgyzstan") is horizons.CONCEPTS["KGZ"]
    with pytest.raises(UnknownNameError, match="Atlantis"):
        panel.select(location="Atlantis")
    # Where figures are stored only the code stands for a place.
    with pytest.raises(UnknownNameError, match="Write its code, KAZ"):
        locations.find("Kazakhstan")


def test_numbers_of_the_united_nations() -> None:
    assert [locations.un_area(number) for number in (398, 412, 736, 900, 947)] == [
        *("KAZ", "XKX", "SDN+SSD"),
        *(None, None),
    ]
