"""Series as the report sees them: past, draws, notes, and the rows of its tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecast import labels, locations, measures, periods
from forecast.accounts.audit import trusted
from forecast.contract import FORECAST
from forecast.draw_tables import QUANTILE_LEVELS, TABLE_KEY, whole
from forecast.errors import DataError
from forecast.language import Language
from forecast.measures import Measure
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

#: First year shown: the exodus of the 1990s belongs to the story, what was before does not help.
FIRST_YEAR = 1990
#: Fewest figures in an earlier release for it to be worth a line in a chart.
RELEASE_YEARS = 5
#: Levels of the intervals that the page shows.
LEVELS = (0.5, 0.8, 0.95)


@dataclass(frozen=True, eq=False)
class SeriesView:
    """One series of a Forecast.

    Attributes
    ----------
    series : Series
        What was observed, as last released.
    note : mapping of str to object
        The row of `Forecast.notes`.
    horizons : tuple of int
        Target years.
    years : ndarray of int, shape (n_years,)
        Years after the origin; empty if the series could not be forecast.
    draws : ndarray of float, shape (n_draws, n_years)
        Persons per calendar year, net inflow positive.
    releases : tuple of Series of float by year
        Earlier releases of the same figures, oldest first.
    as_of : str
        Date of the newest release (YYYY-MM-DD), or an empty string.
    follows : mapping of int to float
        Figures of years after the origin that follow from others known already; they are no
        forecast, and not among `years`.
    sums : mapping of int to ndarray
        Draws of whole calendar years that the periods add up to; empty where figures are by year.
    """

    series: Series
    note: Mapping[str, object]
    horizons: tuple[int, ...]
    years: np.ndarray
    draws: np.ndarray
    releases: tuple[pd.Series, ...]
    as_of: str
    follows: Mapping[int, float] = field(default_factory=dict)
    sums: Mapping[int, np.ndarray] = field(default_factory=dict)

    @property
    def key(self) -> SeriesKey:
        """The triple (source, location, measure)."""
        return self.series.key

    @property
    def forecast(self) -> bool:
        """Whether there are draws."""
        return self.note["status"] == FORECAST

    @property
    def country(self) -> str:
        """Code of the country."""
        return locations.country_of(self.series.location)

    @property
    def national(self) -> bool:
        """Whether the series is of a country rather than of a region."""
        return self.series.location == self.country

    def at(self, year: int) -> np.ndarray:
        """Return the draws of a year.

        Parameters
        ----------
        year : int
            A forecast year.

        Returns
        -------
        ndarray, shape (n_draws,)
            Persons per calendar year.

        Raises
        ------
        DataError
            If the year was not forecast.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> view = series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0]
        >>> view.at(2027).shape
        (200,)
        """
        position = np.flatnonzero(self.years == year)
        if not position.size:
            raise DataError(
                f"{self.series.measure} of {self.series.location} was not forecast for {year}."
            )
        column: np.ndarray = self.draws[:, position[0]]
        return column

    def total(self, year: int) -> np.ndarray:
        """Return the sum over the years in each draw.

        Parameters
        ----------
        year : int
            The last of the years; the first is the first forecast one.

        Returns
        -------
        ndarray, shape (n_draws,)
            Persons.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> view = series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0]
        >>> bool((view.total(2027) >= view.at(2027)).all())
        True
        """
        total: np.ndarray = self.draws[:, self.years <= year].sum(axis=1)
        return total

    def observed(self, year: int) -> float | None:
        """Return the figure of a year that is known already.

        Parameters
        ----------
        year : int
            Any year.

        Returns
        -------
        float or None
            Persons per calendar year; None if it is not known.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0].observed(2024)
        29282.0
        """
        known = self.series.values[self.series.years == year]
        return float(known[0]) if known.size and not np.isnan(known[0]) else self.follows.get(year)

    def last(self) -> tuple[int, float]:
        """Return the last observed year and its figure.

        Returns
        -------
        year : int
            The last observed year.
        value : float
            Persons per calendar year.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0].last()
        (2025, 23761.0)
        """
        return self.named(self.series.origin), float(self.series.values[-1])

    def named(self, period: int) -> int:
        """Return a period as a number that reads as text.

        Parameters
        ----------
        period : int
            Its number, in which the series counts.

        Returns
        -------
        int

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0].named(2027)
        2027
        """
        return periods.named(period, self.series.frequency)

    def written(self, value: float, words: Language, digits: int = 0) -> str:
        """Return a figure of the series as the page writes it, see `labels.figure`.

        Parameters
        ----------
        value : float
            In the unit of the measure.
        words : Language
            How numbers are written.
        digits : int
            To how many it is rounded, 0 for none.

        Returns
        -------
        str

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.language import language
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> view = series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0]
        >>> view.written(23761.0, language("en")), view.written(23761.0, language("en"), 2)
        ('23,761', '24,000')
        """
        return labels.figure(value, self.series.measure, words, digits)

    @property
    def counted(self) -> Measure:
        """What is counted."""
        return measures.find(self.series.measure)

    def start(self, year: int = FIRST_YEAR) -> int:
        """Return the number of the first period of a calendar year.

        Parameters
        ----------
        year : int
            By default the first that is shown.

        Returns
        -------
        int

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0].start()
        1990
        """
        return periods.number(year, 1, self.series.frequency)

    def recent(self, n_years: int | None = None) -> np.ndarray:
        """Return the last observed figures.

        Parameters
        ----------
        n_years : int, optional
            How many at most; five years, or of months and quarters the last year of them.

        Returns
        -------
        ndarray, shape (n_years,)
            Persons per calendar year, oldest first; gaps left out.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0].recent(2).tolist()
        [29282.0, 23761.0]
        """
        values = self.series.values[~np.isnan(self.series.values)]
        most = (
            (5 if self.series.season == 1 else self.series.season) if n_years is None else n_years
        )
        return np.asarray(values[-most:])


def series_views(outlook: Forecast) -> list[SeriesView]:
    """Return every series of a forecast, also those that could not be forecast."""
    rows = {key: position for position, key in enumerate(outlook.keys)}
    drawn = outlook.paths.transpose("series", "draw", "year").to_numpy()
    grid = outlook.paths["year"].to_numpy()
    notes = {tuple(note[part] for part in KEY): note for note in outlook.notes.to_dict("records")}
    releases = _releases(outlook.history)
    sums = _year_sums(outlook)
    accounted: set[SeriesKey] = set()
    if "reconciled" in outlook.paths.attrs:
        used, _ = trusted(outlook.history, outlook.keys)
        accounted = {key for identity in used for key in identity.keys}
    found = []
    for series in outlook.history:
        if series.key not in notes:
            raise DataError(f"the forecast has no note on {' / '.join(series.key)}.")
        draws = drawn[rows[series.key]] if series.key in rows else np.empty((0, len(grid)))
        ahead = grid > series.origin if series.key in rows else np.zeros(len(grid), dtype=bool)
        # Accounts with figures that are known already leave no choice: that is no forecast.
        follows: dict[int, float] = {}
        if series.key in accounted:
            fixed = ahead & (np.ptp(draws, axis=0) == 0)
            follows = dict(zip(grid[fixed].tolist(), draws[0, fixed].tolist()))
            ahead = ahead & ~fixed
        earlier, as_of = releases[series.key]
        found.append(
            SeriesView(
                series,
                {str(name): value for name, value in notes[series.key].items()},
                tuple(periods.named(year, outlook.frequency) for year in outlook.horizons),
                grid[ahead],
                draws[:, ahead],
                earlier,
                as_of,
                follows,
                sums.get(series.key, {}),
            )
        )
    return found


def _year_sums(outlook: Forecast) -> dict[SeriesKey, dict[int, np.ndarray]]:
    """Return the draws of the calendar years that the periods of each series add up to."""
    if outlook.frequency == "year":
        return {}
    try:
        years = outlook.by("year")
    except DataError:
        # The forecast reaches the end of no year.
        return {}
    drawn = years.paths.transpose("series", "year", "draw").to_numpy()
    return {
        key: {
            year: drawn[row, at]
            for at, year in enumerate(years.paths["year"].to_numpy().tolist())
            if not np.isnan(drawn[row, at]).any()
        }
        for row, key in enumerate(years.keys)
        if measures.find(key[2]).adds_over_time
    }


def identity(*parts: object) -> str:
    """Return an id for a page: plain letters, digits and hyphens, different for different parts."""
    text = "-".join(map(str, parts))
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")
    if re.fullmatch(r"[A-Za-z0-9+_-]+", text):
        return plain
    return f"{plain[:40]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _releases(history: Panel) -> dict[SeriesKey, tuple[tuple[pd.Series, ...], str]]:
    """Return the earlier releases and the date of the newest one, by series."""
    found = {}
    for key, rows in history.figures.groupby(KEY, sort=False):
        dated = rows[rows["value"].notna() & rows["as_of"].notna()]
        dates = sorted(dated["as_of"].unique())
        # A release worth a line is a whole series; single first figures are in the data table.
        whole = [date for date in dates if (dated["as_of"] == date).sum() >= RELEASE_YEARS]
        lines = tuple(
            dated[dated["as_of"] == date].set_index("year")["value"] for date in whole[:-1]
        )
        newest = str(pd.Timestamp(dates[-1]).date()) if dates else ""
        found[tuple(map(str, key))] = lines, newest
    return found  # type: ignore[return-value]


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
    year: int | str
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
    when = "year" if outlook.frequency == "year" else "period"
    asked = [periods.label(one, outlook.frequency) for one in outlook.horizons]
    keys = pd.MultiIndex.from_frame(table[TABLE_KEY])
    return pd.DataFrame(
        {
            "location": table["location"],
            "name": [labels.place(code, words) for code in table["location"]],
            "measure": table["measure"],
            "source": table["source"],
            "model": outlook.model,
            "origin": periods.texts(origins.reindex(keys).to_numpy(), outlook.frequency),
            when: table[when],
            "target": table[when].astype(str).isin(asked),
            "quantile": table["quantile"],
            "value": whole(table["value"], table["measure"]),
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
        Target years of one series follow each other, of months and quarters the sums of whole
        years come after them; the first row names the series.
    """
    rows = []
    for view in shown:
        for position, year in enumerate(view.horizons):
            drawn = view.at(year) if year in view.years else None
            rows.append(_row(view, year, drawn, words, first=position == 0))
        for year, drawn in view.sums.items():
            rows.append(_row(view, words.say("{year} in all", year=year), drawn, words))
    return rows


def _row(
    view: SeriesView,
    year: int | str,
    drawn: np.ndarray | None,
    words: Language,
    *,
    first: bool = False,
) -> IntervalRow:
    source, place, measure = view.key
    known = view.observed(year) if isinstance(year, int) else None
    median, bands = "", []
    if drawn is not None:
        median = view.written(float(np.median(drawn)), words, 3)
        for level in LEVELS:
            ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
            low, high = (view.written(float(end), words, 3) for end in ends)
            bands.append((low, high))
    return IntervalRow(
        labels.place(place, words), labels.measure(measure, words), labels.source(source, words),
        year, "" if known is None else view.written(known, words), median, tuple(bands),
        first, len(view.horizons) + len(view.sums),
    )  # fmt: skip
