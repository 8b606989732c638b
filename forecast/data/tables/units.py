"""Units of tables: persons, thousands, and what is no count of persons at all."""

from __future__ import annotations

import re
from functools import lru_cache

from forecast.data.tables.words import folded, meanings_inside

UNITS = {"persons": 1.0, "thousands": 1000.0, "millions": 1_000_000.0}
_RATE = re.compile(
    r"\b(?:на|per|for every) ?1 ?000\b|\bper (?:thousand|cent)\b|на тысячу|‰|%|\bпромилле\b"
    r"|\bпроцент|\bкоэффициент|\bpermille\b|\bpercent|1000 (?:адамга|адамға|kishiga|aholiga|кишига)"
)


@lru_cache(maxsize=4096)
def stated(text: str) -> float | None:
    """Return by what figures must be multiplied to be persons, if a text says it.

    Examples
    --------
    >>> stated("Прибыло, тыс. человек"), stated("мың адам"), stated("persons"), stated("2020")
    (1000.0, 1000.0, 1.0, None)
    """
    said = meanings_inside("unit", text)
    if re.search(r"['’]000|\b000s\b", text):
        said |= {"1000"}
    return max((float(size) for size in said), default=None)


@lru_cache(maxsize=4096)
def is_rate(text: str) -> bool:
    """Whether a text says that figures are rates or shares, not counts."""
    return bool(_RATE.search(folded(text.replace(",", ""))) or _RATE.search(text.casefold()))


def called(factor: float) -> str:
    """Return the name of a unit."""
    return next((name for name, size in UNITS.items() if size == factor), f"{factor:g} persons")
