"""What a report says of the year that is not over, where a nowcast was put into the forecast."""

from __future__ import annotations

import pandas as pd

from forecast.language import Language, message
from forecast.models.nowcast.verb import WHAT
from forecast.reports.sentences import expectation
from forecast.reports.series_view import SeriesView
from forecast.series_key import rows_of

#: What is known, by the number of parts of a year.
_KNOWN = {
    12: message("{year} so far: {known} of 12 months are known."),
    4: message("{year} so far: {known} of 4 quarters are known."),
    2: message("{year} so far: {known} of 2 half-years are known."),
}


def year_so_far(
    view: SeriesView, explanation: pd.DataFrame | None, words: Language, said: int | None = None
) -> str:
    """Say of which year how much is known, and what its total is expected to be.

    Parameters
    ----------
    view : SeriesView
    explanation : DataFrame or None
        `Forecast.explanation`, with what nowcasts rest on.
    words : Language
    said : int, optional
        A year whose expectation stands beside it already.

    Returns
    -------
    str
        Empty if there is no nowcast of the series.
    """
    if explanation is None or not (explanation["what"] == WHAT).any():
        return ""
    rows = explanation[rows_of(explanation, view.key) & (explanation["what"] == WHAT).to_numpy()]
    told = dict(zip(rows["name"], rows["value"]))
    if not told or not told["parts_in"]:
        return ""
    year = int(rows["year"].iloc[0])
    known = words.say(_KNOWN[int(told["parts"])], year=year, known=int(told["parts_in"]))
    return known if year == said else f"{known} {expectation(view, year, words)}"
