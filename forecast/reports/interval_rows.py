"""Tables of quantiles and intervals, as the page and the files of a report have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast import labels
from forecast.draw_tables import QUANTILE_LEVELS, TABLE_KEY
from forecast.language import Language, rounded
from forecast.outlook import Forecast
from forecast.reports.series_view import SeriesView

#: Levels of the intervals that the page shows.
LEVELS = (0.5, 0.8, 0.95)


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One series and year as the page's tables show it.

    Attributes
    ----------
    place, measure, source : str
        As written for readers.
    observed : str
        The figure, if the year is already observed.
    median : str
        Rounded to three digits; empty if there is no forecast for the year.
    bands : tuple of (str, str)
        Lower and upper end of each of `LEVELS`.
    first : bool
        Whether a new series starts here.
    span : int
        Rows of this series.
    """

    place: str
    measure: str
    source: str
    year: int
    observed: str
    median: str
    bands: tuple[tuple[str, str], ...]
    first: bool
    span: int


def all_quantiles(outlook: Forecast, words: Language) -> pd.DataFrame:
    """Return every quantile of every forecast year, tidy, in whole persons.

    Parameters
    ----------
    outlook : Forecast
        Every year after the origins counts, also those that were not asked for.
    words : Language
        Language of the column ``name``.

    Returns
    -------
    DataFrame
        ``location, name, measure, source, model, origin, year, target, quantile, value``;
        ``target`` says whether the year is one that was asked for.
    """
    table = outlook.quantiles(QUANTILE_LEVELS, years=outlook.paths["year"].to_numpy().tolist())
    origins = outlook.series.set_index(TABLE_KEY)["origin"]
    keys = pd.MultiIndex.from_frame(table[TABLE_KEY])
    return pd.DataFrame(
        {
            "location": table["location"],
            "name": [labels.place(code, words) for code in table["location"]],
            "measure": table["measure"],
            "source": table["source"],
            "model": outlook.model,
            "origin": origins.reindex(keys).to_numpy(),
            "year": table["year"],
            "target": table["year"].isin(outlook.horizons),
            "quantile": table["quantile"],
            "value": table["value"].round().astype(int),
        }
    )


def intervals(shown: Sequence[SeriesView], words: Language) -> list[IntervalRow]:
    """Return one row per series and target year.

    Parameters
    ----------
    shown : sequence of SeriesView
        In the order in which the table shall have them.
    words : Language
        Language of names and numbers.

    Returns
    -------
    list of IntervalRow
        Target years of one series follow each other; the first row names the series.
    """
    return [
        _row(view, year, words, first=position == 0)
        for view in shown
        for position, year in enumerate(view.horizons)
    ]


def _row(view: SeriesView, year: int, words: Language, *, first: bool) -> IntervalRow:
    source, place, measure = view.key
    signed = view.series.signed
    known = view.observed(year)
    median, bands = "", []
    if year in view.years:
        drawn = view.at(year)
        median = words.persons(rounded(float(np.median(drawn)), 3), sign=signed)
        for level in LEVELS:
            ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
            low, high = (words.persons(rounded(float(end), 3), sign=signed) for end in ends)
            bands.append((low, high))
    return IntervalRow(
        labels.place(place, words), labels.measure(measure, words), labels.source(source, words),
        year, "" if known is None else words.persons(known, sign=signed), median, tuple(bands),
        first, len(view.horizons),
    )  # fmt: skip
