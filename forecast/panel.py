"""Panel: what was observed, checked once and never changed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forecast import (
    corridors,
    drawing,
    flags,
    locations,
    measures,
    period_columns,
    periods,
    plots,
    validation,
)
from forecast.errors import DataError, listed, unknown_name
from forecast.language import plain
from forecast.series import Series, series_of
from forecast.series_key import KEY, SeriesKey
from forecast.validation import COLUMNS


@dataclass(frozen=True, eq=False)
class Panel:
    """Annual (or five-year) series of countries and regions, with every release known.

    Make one with `from_frame`, `forecast.load` or `forecast.read`. Selecting returns
    new panels; nothing changes in place and nothing is filled in.

    Attributes
    ----------
    step : int
        Periods per row: 5 for five-year periods, else 1.
    frequency : str
        What a period is: ``"year"``, ``"half-year"``, ``"quarter"`` or ``"month"``. The column
        ``year`` holds its number (`forecast.periods`), which is the calendar year for years.
    """

    _table: pd.DataFrame
    step: int
    frequency: str = "year"

    plot = plots.observed

    @classmethod
    def from_frame(
        cls,
        table: pd.DataFrame,
        *,
        step: int | None = None,
        frequency: str | None = None,
        rows: Sequence[str] | None = None,
    ) -> Panel:
        """Check a table and make a Panel of it.

        Parameters
        ----------
        table : DataFrame
            Columns ``location, measure, year, value`` and optionally ``source,
            population, as_of, flag, precision``; ``period`` in place of ``year`` for months,
            quarters and half-years (``2024-03``, ``2024-Q1``, ``2024-H1``), and
            ``2024-01/2024-06`` for a sum since January (`forecast.to_date`); ``origin,
            destination`` in place of ``location`` for corridors; or Nixtla's ``unique_id, ds, y``
            with ``unique_id`` as location, location/measure or source/location/measure. Values are
            persons per calendar year, net inflow positive.
        step : {1, 5}, optional
            Years per row. By default five if every series has only gaps of whole
            five years and at least three rows, else one.
        frequency : {"year", "half-year", "quarter", "month"}, optional
            What a period is; by default as the periods are written.
        rows : sequence of str, optional
            How each row is called in messages; its index label by default.

        Returns
        -------
        Panel

        Raises
        ------
        DataError, UnknownNameError
            Naming the row, the offending value and the remedy.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame(
        ...     {"location": "KAZ", "measure": "immigration", "year": [2022, 2023, 2024],
        ...      "value": [17425, 25387, 29282]}
        ... )
        >>> Panel.from_frame(table).locations
        ['KAZ']
        """
        if frequency is not None:
            periods.check_frequency(frequency)
        if isinstance(table, pd.DataFrame):
            table, frequency = period_columns.with_period_numbers(table, frequency, rows)
        frequency = frequency or "year"
        tidied = validation.tidy(table, rows, frequency)
        if step not in (None, 1, 5) or isinstance(step, bool):
            raise DataError(f"step is {step!r}; a panel steps by 1 or 5 years.")
        if frequency != "year":
            if step == 5:
                raise DataError(f"step=5 is for years; these are figures by {frequency}.")
            return cls(tidied, 1, frequency)
        if step == 5:
            _check_grid(tidied)
        return cls(tidied, step or _infer_step(tidied))

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the tidy table, every release a row.

        Returns
        -------
        DataFrame
            ``source, location, measure, year, value`` (persons per calendar year, or per period),
            ``population`` (persons at mid-year), ``as_of``, ``flag``, ``precision``; months,
            quarters and half-years have ``period`` (text) in place of ``year``, corridors also
            ``origin, destination``.

        Examples
        --------
        >>> import forecast as fc
        >>> len(fc.load("merged-units").to_frame().columns)
        9
        """
        return corridors.with_ends(periods.labelled(self.figures, self.frequency))

    @property
    def figures(self) -> pd.DataFrame:
        """The tidy table with numbers of periods as ``year``, every release a row; a copy."""
        return self._table.copy()

    @property
    def locations(self) -> list[str]:
        """Codes of the locations, sorted."""
        return sorted(set(self._table["location"]))

    @property
    def measures(self) -> list[str]:
        """Measures that occur, sorted."""
        return sorted(set(self._table["measure"]))

    @property
    def keys(self) -> list[SeriesKey]:
        """The (source, location, measure) of every series, sorted."""
        return [series.key for series in self.series]

    @property
    def origin(self) -> int:
        """The last year in which any series is observed."""
        # Of sums since January alone there is no series.
        last = int(self._table["year"].max())
        return max((series.origin for series in self.series), default=last)

    @property
    def latest(self) -> pd.DataFrame:
        """The tidy table with only the last release of each figure.

        A figure that a later release leaves empty was withdrawn, and is missing.
        """
        return self._table.drop_duplicates([*KEY, "year"], keep="last").reset_index(drop=True)

    @property
    def last_release(self) -> str:
        """The date of the newest release used (YYYY-MM-DD), or an empty string."""
        newest = self._table["as_of"].max()
        return "" if pd.isna(newest) else str(newest.date())

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """Every series that has an observed value, sorted by key, last release only."""
        return series_of(self.latest, self.step, self.frequency)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the table's content, the same for any order of the rows given."""
        text = self._table.to_csv(index=False, float_format="%.12g", lineterminator="\n")
        what = self.step if self.frequency == "year" else self.frequency
        return hashlib.sha256(f"{what}\n{text}".encode()).hexdigest()

    def find(self, key: SeriesKey) -> Series | None:
        """Return one series.

        Parameters
        ----------
        key : (source, location, measure)
            Of the series, the location by its code.

        Returns
        -------
        Series or None
            None if the panel has no observed value of it.

        Examples
        --------
        >>> import forecast as fc
        >>> fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")).origin
        2025
        """
        return self._by_key.get(key)

    def by(self, frequency: str) -> Panel:
        """Return the figures added up to a longer period, whole ones only.

        Parameters
        ----------
        frequency : {"quarter", "half-year", "year"}
            Longer than that of the panel.

        Returns
        -------
        Panel
            Flows are sums; of a population the last period is taken.

        Raises
        ------
        DataError
            If the period is not longer, or no series has a whole one.

        Examples
        --------
        >>> import pandas as pd
        >>> months = [str(one) for one in pd.period_range("2024-01", periods=12, freq="M")]
        >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration", "period": months,
        ...                       "value": 100.0})
        >>> Panel.from_frame(table).by("year").series[0].values.tolist()
        [1200.0]
        """
        from forecast.aggregation import panel_by

        return panel_by(self, frequency)

    def until(self, year: int | str) -> Panel:
        """Return what the figures say up to and including a year, with flags known at its end.

        See `forecast.flags.known`: a flag that only later figures could suggest is not there.

        Parameters
        ----------
        year : int or str
            The last calendar year (first year of the last period) that is kept; a period such
            as ``"2024-06"`` of months, quarters and half-years, by text or number.

        Returns
        -------
        Panel

        Raises
        ------
        DataError
            If it is no year, or no figure is left.

        Examples
        --------
        >>> import forecast as fc
        >>> fc.load("central-asia").until(2015).origin
        2015
        """
        if not hasattr(year, "__index__") and self.frequency == "year":
            raise DataError(f"until({year!r}): give a calendar year, such as 2015.")
        last = self._period(year)
        rows = (self._table["year"] <= last).to_numpy()
        return self._keep(rows, f"up to {year}", periods.end(last, self.frequency))

    def since(self, year: int | str) -> Panel:
        """Return what the figures say from a year on.

        Parameters
        ----------
        year : int or str
            The first calendar year (first year of the first period) that is kept; a period such
            as ``"2024-06"`` of months, quarters and half-years, by text or number.

        Returns
        -------
        Panel

        Raises
        ------
        DataError
            If no figure is left.

        Examples
        --------
        >>> import forecast as fc
        >>> int(fc.load("central-asia").since(2015).to_frame()["year"].min())
        2015
        """
        return self._keep((self._table["year"] >= self._period(year)).to_numpy(), f"from {year} on")

    def _period(self, period: int | str) -> int:
        return periods.read(period, self.frequency) if isinstance(period, str) else int(period)

    def as_of(self, date: str | dt.date) -> Panel:
        """Return what had been released by a date.

        Parameters
        ----------
        date : str (YYYY-MM-DD) or date
            Figures released later are left out; figures without a date count as known.

        Returns
        -------
        Panel
            With the flags that were known on the day.

        Raises
        ------
        DataError
            If it is no day, or nothing had been released by then.

        Examples
        --------
        >>> import forecast as fc
        >>> fc.load("central-asia").select(source="un-wpp").as_of("2023-01-01").origin
        2021
        """
        try:
            day = pd.to_datetime(str(date)[:10], format="%Y-%m-%d")
        except ValueError:
            raise DataError(f"as_of is {date!r}; write a day as YYYY-MM-DD.") from None
        known = self._table["as_of"].isna() | (self._table["as_of"] <= day)
        return self._keep(known.to_numpy(), f"released by {day.date()}", day)

    def select(
        self,
        *,
        location: str | Sequence[str] | None = None,
        measure: str | Sequence[str] | None = None,
        source: str | Sequence[str] | None = None,
        origin: str | Sequence[str] | None = None,
        destination: str | Sequence[str] | None = None,
    ) -> Panel:
        """Return the series of some locations, measures, sources or ends of corridors.

        Parameters
        ----------
        location : str or sequence of str, optional
            Codes or names of places; all by default, as of the others.
        measure : str or sequence of str, optional
            Such as ``"immigration"``.
        source : str or sequence of str, optional
            Such as ``"un-wpp"``.
        origin, destination : str or sequence of str, optional
            Codes or names of places that corridors leave, and to which they lead.

        Returns
        -------
        Panel

        Raises
        ------
        UnknownNameError
            If a name is not in the panel; the message has the nearest and lists those that are.
        DataError
            If each name is in the panel, but no series has them together.

        Examples
        --------
        >>> import forecast as fc
        >>> net = fc.load("central-asia").select(location="KAZ", measure="net_migration")
        >>> [series.source for series in net]
        ['kz-bns', 'un-wpp']
        >>> fc.forecast(net, model="naive", draws=100).series["location"].tolist()
        ['KAZ', 'KAZ']
        """
        keep = np.ones(len(self._table), dtype=bool)
        fits: np.ndarray | None = None
        asked = {"location": location, "measure": measure, "source": source}
        ends = {"origin": origin, "destination": destination}
        for column, wanted in (asked | ends).items():
            if wanted is None:
                continue
            given = [wanted] if isinstance(wanted, str) else list(wanted)
            place = column not in ("measure", "source")
            names = [locations.canonical(name) for name in given] if place else given
            held = self._column(column)
            present = set(held.dropna())
            for name, spelled in zip(names, given):
                if name not in present:
                    also = {locations.name(code) for code in present} if place else set()
                    error = unknown_name(f"{column} in this panel", spelled, present | also)
                    raise type(error)(f"{error} It has {listed(present)}.")
            keep &= held.isin(names).to_numpy()
            fits = keep.copy() if fits is None else fits
        if not keep.any():
            nearest = self._table[fits][KEY].drop_duplicates().to_numpy(str)
            there = listed(f"{measure} of {place} ({office})" for office, place, measure in nearest)
            raise DataError(f"no series fits the whole selection. There are {there}.")
        return self._keep(keep, "that fit the selection")

    def _column(self, name: str) -> pd.Series:
        """Return a column of the table, or one end of each row's location."""
        if name in self._table:
            return self._table[name]
        places = self._table["location"]
        if not places.str.contains(":", regex=False).any():
            raise DataError(f"{name}= chooses among corridors, and this panel has none.")
        return places.map(lambda code: locations.ends(code)[name == "destination"])

    def without(self, keys: Sequence[SeriesKey]) -> Panel:
        """Return the panel without some series.

        Parameters
        ----------
        keys : iterable of (source, location, measure)
            Of the series to leave out; those that are not there do no harm.

        Returns
        -------
        Panel

        Raises
        ------
        DataError
            If no figure is left.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> panel.without([("kz-bns", "KAZ", "net_migration")]).measures
        ['emigration', 'immigration']
        """
        drop = pd.MultiIndex.from_frame(self._table[KEY]).isin(list(keys))
        return self._keep(~drop, "left")

    @cached_property
    def _by_key(self) -> dict[SeriesKey, Series]:
        return {one.key: one for one in self.series}

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Iterator[Series]:
        return iter(self.series)

    def __repr__(self) -> str:
        first, last = (
            periods.label(period, self.frequency)
            for period in (self._table["year"].min(), self._table["year"].max())
        )
        return (
            f"<Panel: {len(self)} series, {self._places}, "
            f"{', '.join(self.measures)}, {first}–{last}>"
        )

    @property
    def _places(self) -> str:
        return "1 location" if len(self.locations) == 1 else f"{len(self.locations)} locations"

    def _repr_html_(self) -> str:
        rows = [
            {"place": locations.name(one.location), **dict(zip(KEY, one.key)),
             "years": f"{one.label(one.years[0])}–{one.label(one.origin)}",
             "last figure": plain(float(one.values[-1])).replace("-", "−")}
            for one in self.series[: drawing.MOST]
        ]  # fmt: skip
        unit = drawing.unit(self.step, self.measures, self.frequency)
        facts = f"{len(self)} series, {self._places}; {unit}"
        return drawing.html("Panel", facts, rows, len(self))

    def require_years(self, purpose: str) -> None:
        """Refuse figures of months, quarters or half-years for what is of calendar years.

        Parameters
        ----------
        purpose : str
            What asks for years, in the words of the message, such as ``"a hub"``.

        Raises
        ------
        DataError
            Naming the purpose and the frequency.

        Examples
        --------
        >>> import forecast as fc
        >>> fc.load("merged-units").require_years("a hub")
        """
        if self.frequency != "year":
            raise DataError(
                f"{purpose} asks for calendar years; the data are by {self.frequency}. Add the "
                "periods up first, by('year') of the forecast or of the panel."
            )

    def __getstate__(self) -> dict[str, object]:
        """Take measures of one's own along to another process."""
        return {**self.__dict__, "_own": measures.own(self.measures)}

    def __setstate__(self, state: dict[str, object]) -> None:
        measures.carry(state.pop("_own"))  # type: ignore[arg-type]
        self.__dict__.update(state)

    def _keep(self, rows: np.ndarray, description: str, day: pd.Timestamp | None = None) -> Panel:
        kept = self._table[rows].reset_index(drop=True)
        if kept["value"].notna().sum() == 0:
            raise DataError(f"no figures {description}. Choose a wider selection.")
        table = kept if day is None else flags.known(kept, self._table, day)
        return Panel(table, self.step, self.frequency)


def _check_grid(table: pd.DataFrame) -> None:
    """Refuse years between the first years of five-year periods; they would be lost."""
    first = table.groupby(KEY)["year"].transform("min")
    off = table[(table["year"] - first) % 5 != 0]
    if len(off):
        row = off.iloc[0]
        raise DataError(
            f"{row['measure']} of {row['location']} has the year {row['year']}, which starts no "
            "five-year period of the series. Give one row per period, or step=1."
        )


def _infer_step(table: pd.DataFrame) -> int:
    """Five if every series moves by whole five years only and one has three rows or more."""
    years = table.drop_duplicates([*KEY, "year"]).groupby(KEY)["year"]
    gaps = years.diff().dropna()
    long_enough = (years.count() >= 3).any()
    return 5 if long_enough and len(gaps) and (gaps % 5 == 0).all() else 1


__all__ = ["COLUMNS", "KEY", "Panel", "Series"]
