"""Do draws, or figures, obey the identities? Tables that a report can print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from forecast.accounts.identities import Identity, matrix, stated
from forecast.contract import FORECAST
from forecast.draw_tables import TABLE_KEY
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.series_key import KEY, SeriesKey

#: Largest share of the figures' own size that counts as rounding of the arithmetic.
TOLERANCE = 1e-9
_CHECKED = ["identity", "location", "years", "draws_off", "largest", "relative", "holds"]
_BROKEN = ["identity", "location", "year", "expected", "found", "difference", "rounding"]
#: Key, draws of shape (n_draws, n_years) and origin of one series of a forecast.
Piece = tuple[SeriesKey, np.ndarray, int]


def keys_of(outlook: Forecast) -> list[SeriesKey]:
    """Return the (source, location, measure) of every series, in order."""
    return outlook.keys


def table_of(panel: Panel, keys: Sequence[SeriesKey], years: Sequence[int]) -> np.ndarray:
    """Return observed figures, shape (n_years, n_keys); NaN where there are none.

    Parameters
    ----------
    panel : Panel
        The figures.
    keys : sequence of (source, location, measure)
        A column each.
    years : sequence of int
        A row each.
    """
    values = np.full((len(years), len(keys)), np.nan)
    for position, series in enumerate(map(panel.find, keys)):
        if series is not None:
            values[:, position] = pd.Series(series.values, series.years).reindex(list(years))
    return values


def complete(outlook: Forecast) -> np.ndarray:
    """Return draws with figures already observed in place, shape (n_draws, n_series, n_years).

    A series whose data end later than others' has observed years among the forecast ones.
    """
    paths = outlook.paths.transpose("draw", "series", "year").to_numpy()
    years = outlook.paths["year"].to_numpy().tolist()
    observed = table_of(outlook.history, outlook.keys, years).T
    return np.where(np.isnan(paths), observed, paths)


def about(keys: Sequence[SeriesKey], identities: Sequence[Identity]) -> list[Identity]:
    """Return the identities all of whose series are among the keys.

    Parameters
    ----------
    keys : sequence of (source, location, measure)
        Series that are there.
    identities : sequence of Identity
        Those to choose from.
    """
    there = set(keys)
    return [identity for identity in identities if set(identity.keys) <= there]


def check(outlook: Forecast, identities: Sequence[Identity] | None = None) -> pd.DataFrame:
    """Test every identity in every draw and year of a forecast.

    Parameters
    ----------
    outlook : Forecast
    identities : sequence of Identity, optional
        By default those that series of these names have to obey.

    Returns
    -------
    DataFrame
        One row per identity: ``identity, location, years, draws_off, largest, relative,
        holds``. ``draws_off`` is the share of draws (and years) that are off by more than
        rounding, or missing where there should be one, ``largest`` the largest difference
        in persons, ``relative`` the same as a share of the figures added. An identity with
        no year in which all its series are known holds: there is nothing that breaks it.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> check(fc.forecast(panel, "naive", draws=200))["holds"].tolist()
    [False]
    """
    keys = outlook.keys
    tested = about(keys, stated(keys) if identities is None else identities)
    values = complete(outlook)
    years = outlook.paths["year"].to_numpy()
    forecast = years > outlook.series["origin"].to_numpy()[:, None]
    rows = []
    for identity, coefficients in zip(tested, matrix(tested, keys)):
        used = np.flatnonzero(coefficients)
        terms = values[:, used] * coefficients[used, None]
        # Years in which everything is observed are the figures' business; see `broken`. A gap in
        # what is observed leaves nothing to test, a gap in the draws is an error.
        there = ~np.isnan(terms).any(axis=0) | forecast[used]
        known = there.all(axis=0) & forecast[used].any(axis=0)
        off = np.abs(terms.sum(axis=1))[:, known]
        size = np.abs(terms).sum(axis=1)[:, known]
        beyond = ~(off <= TOLERANCE * (1.0 + size))
        share = float(beyond.mean()) if beyond.size else np.nan
        largest, relative = (
            float(np.nan_to_num(gap).max(initial=0.0)) for gap in (off, off / (1.0 + size))
        )
        rows.append(
            (identity.name, identity.location, int(known.sum()), share, largest, relative,
             not beyond.any())
        )  # fmt: skip
    return pd.DataFrame(rows, columns=_CHECKED)


def broken(panel: Panel, identities: Sequence[Identity] | None = None) -> pd.DataFrame:
    """Return where the figures themselves break an identity; nothing is adjusted.

    Parameters
    ----------
    panel : Panel
    identities : sequence of Identity, optional
        By default those that series of these names have to obey.

    Returns
    -------
    DataFrame
        One row per identity and year in which all figures are known and do not fit:
        ``identity, location, year, expected, found, difference, rounding``, in persons.
        ``expected`` is what the other figures make of the first one (zero where parts have
        to cancel out), ``rounding`` what their precision explains.

    Examples
    --------
    >>> import forecast as fc
    >>> broken(fc.load("central-asia").select(location="KAZ", source="kz-bns")).empty
    True
    """
    keys = panel.keys
    tested = about(keys, stated(keys) if identities is None else identities)
    years = sorted({int(year) for series in panel for year in series.years})
    values = table_of(panel, keys, years)
    precision = _precision(panel, keys)
    rows = []
    for identity, coefficients in zip(tested, matrix(tested, keys)):
        used = np.flatnonzero(coefficients)
        gaps = values[:, used] @ coefficients[used]
        rounding = float(precision[used].sum() / 2)
        first = keys.index(identity.terms[0][0])
        for position in np.flatnonzero(np.abs(np.nan_to_num(gaps)) > 0.5):
            gap = float(gaps[position])
            zero = identity.kind in ("zero", "balance")
            found = gap if zero else float(values[position, first])
            name, year = (identity.name, identity.location), years[position]
            rows.append((*name, year, found - gap, found, gap, rounding))
    return pd.DataFrame(rows, columns=_BROKEN)


def trusted(panel: Panel, keys: Sequence[SeriesKey]) -> tuple[list[Identity], pd.DataFrame]:
    """Return the identities that the figures obey, and those they do not.

    An identity is trusted if the figures, where all are known, break it by no more than
    rounding in more than half of the years; two offices that count differently, or a net
    that holds a correction, are not forced to agree. Where no year is known in full, those
    inside one source hold by definition, those between two do not.

    Parameters
    ----------
    panel : Panel
        The figures.
    keys : sequence of (source, location, measure)
        Series whose identities are asked for.

    Returns
    -------
    identities : list of Identity
        Those that the figures obey.
    refused : DataFrame
        ``identity, location, years, years_off, largest`` (persons) of the others.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> kept, refused = trusted(panel, panel.keys)
    >>> len(kept), len(refused)
    (1, 0)
    """
    candidates = stated(keys)
    gaps = broken(panel, candidates)
    kept, refused = [], []
    for identity in candidates:
        across = len({source for source, _, _ in identity.keys}) > 1
        theirs = gaps[(gaps["identity"] == identity.name) & (gaps["location"] == identity.location)]
        off = theirs[theirs["difference"].abs() > theirs["rounding"]]
        years = _common_years(panel, identity)
        if (across and years == 0) or len(off) >= max(years, 1) / 2:
            largest = float(theirs["difference"].abs().max()) if len(theirs) else np.nan
            refused.append((identity.name, identity.location, years, len(off), largest))
        else:
            kept.append(identity)
    columns = ["identity", "location", "years", "years_off", "largest"]
    return kept, pd.DataFrame(refused, columns=columns)


def _common_years(panel: Panel, identity: Identity) -> int:
    if not about(panel.keys, [identity]):
        return 0
    years = list(range(min(int(s.years[0]) for s in panel), panel.origin + 1))
    values = table_of(panel, identity.keys, years)
    return int((~np.isnan(values).any(axis=1)).sum())


def _precision(panel: Panel, keys: Sequence[SeriesKey]) -> np.ndarray:
    known = {s.key: float(np.nanmax(np.append(s.precision, 0.0))) or 1.0 for s in panel}
    return np.array([known.get(key, 1.0) for key in keys])


def pieces_of(outlook: Forecast) -> list[Piece]:
    """Return every series of a forecast as a piece, in order; see `rebuilt`."""
    values = outlook.paths.transpose("draw", "series", "year").to_numpy()
    origins = outlook.series["origin"].tolist()
    return [(key, values[:, at], origins[at]) for at, key in enumerate(outlook.keys)]


def rebuilt(
    outlook: Forecast,
    pieces: Sequence[Piece],
    notes: Sequence[Mapping[str, object]],
    history: Panel | None = None,
) -> Forecast:
    """Put a forecast together again from series of its own and from new ones.

    Parameters
    ----------
    outlook : Forecast
        Whose notes go on, but for those of series that are no longer there.
    pieces : sequence of (key, ndarray of shape (n_draws, n_years), origin)
    notes : sequence of mapping
        Of the new series, see `new_note`.
    history : Panel, optional
        By default that of the forecast.
    """
    gone = set(outlook.keys) - {key for key, _, _ in pieces}
    kept = outlook.notes[~pd.MultiIndex.from_frame(outlook.notes[KEY]).isin(list(gone))]
    names = {name: ("series", [key[at] for key, _, _ in pieces]) for at, name in enumerate(KEY)}
    paths = xr.DataArray(
        np.stack([drawn for _, drawn, _ in pieces], axis=1),
        dims=("draw", "series", "year"),
        coords={
            "draw": outlook.paths["draw"].to_numpy(),
            "year": outlook.paths["year"].to_numpy(),
            **{name: names[name] for name in TABLE_KEY},
            "origin": ("series", np.array([origin for _, _, origin in pieces])),
        },
        name="draws",
        attrs=dict(outlook.paths.attrs),
    )
    return Forecast(
        paths,
        outlook.horizons,
        pd.concat([kept, pd.DataFrame(notes)], ignore_index=True),
        outlook.history if history is None else history,
    )


def new_note(key: SeriesKey, origin: int, reason: str, **about: object) -> dict[str, object]:
    """Return the row of `Forecast.notes` of a new series; what is not given is zero or empty.

    Parameters
    ----------
    key : (source, location, measure)
        Of a series that the history may not hold.
    origin : int
        Year of its last figure.
    reason : str
        The rule that makes the series, a sentence; empty for a plain forecast.
    **about : object
        Columns of the notes that are known: ``observations``, ``scale``, ``population``, ``flags``,
        or another ``status``.

    Returns
    -------
    dict
        By column.
    """
    row = dict(zip(KEY, key)) | {"origin": origin, "observations": 0, "status": FORECAST}
    return row | {"reason": reason, "scale": "", "population": "", "flags": ""} | about
