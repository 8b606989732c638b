"""A map of a country's regions, where their boundaries are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forecast.language import Language
from forecast.reports.series_view import SeriesView


def region_map(
    ranked: Sequence[SeriesView], country: str, year: int, words: Language
) -> dict[str, Any] | None:
    """Return the map, None where boundaries are not known."""
    return None
