"""What a forecast of gross flows says of each series: what it borrows, or why there is none."""

from __future__ import annotations

import pandas as pd

from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS
from forecast.models.assembly import note
from forecast.models.gross_flows.data import DIRECTIONS, NET, Gross, Place
from forecast.models.series.univariate import MINIMUM_YEARS
from forecast.panel import Panel, Series
from forecast.scales import is_rate


def notes(panel: Panel, gross: Gross, failure: str) -> pd.DataFrame:
    """Return the notes of a forecast; see `forecast.outlook.Forecast`.

    Parameters
    ----------
    panel : Panel
        All series.
    gross : Gross
        The flows among them.
    failure : str
        What the gate refuses; empty for a sound fit.
    """
    known = {(place.source, place.location): place for place in gross.places}
    rows = []
    for series in panel:
        place = known.get((series.source, series.location))
        used = place is not None and series.key in {s.key for s in place.series}
        reason = _why_not(series)
        if place is not None and used:
            marked = f"The fit is marked: {failure}" if failure else ""
            parts = (_borrowed(place, series, len(known) > 1), _net_is_ahead(place, series), marked)
            reason = " ".join(filter(None, parts))
        scale = ("difference" if series.measure == NET else "log rate") if used else ""
        status = FORECAST if used else NOT_FORECAST
        rows.append(note(series, status, reason, scale, used and is_rate(series)))
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))


def _borrowed(place: Place, series: Series, others: bool) -> str:
    """Say what a short series takes from the others, or from priors where there are none."""
    counted = (
        min(place.usable)
        if series.measure == NET
        else place.usable[DIRECTIONS.index(series.measure)]
    )
    if counted >= MINIMUM_YEARS:
        return ""
    return (
        f"Borrowed: {counted} usable years since the last break say where the flow is, "
        f"{'the other countries' if others else 'priors'} how far it may move."
    )


def _net_is_ahead(place: Place, series: Series) -> str:
    """Say that a net known for later years than its flows says nothing of them here."""
    if series.measure == NET or place.net is None or place.net.origin <= series.origin:
        return ""
    return (
        f"The net is known to {place.net.origin}, and not looked at; model='coherent' makes "
        "the flows of these years agree with it."
    )


def _why_not(series: Series) -> str:
    if series.measure in DIRECTIONS:
        return "No usable year since the last break of arrivals or departures."
    if series.measure == NET:
        return "The source has no arrivals and departures of this place to derive its net from."
    return f"{series.measure} is no flow across the border. Use model='internal' or 'coherent'."
