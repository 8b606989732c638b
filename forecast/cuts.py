"""Parts of a panel: by year, by day of release, by place, measure and source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd

from forecast import locations, periods
from forecast.errors import DataError, listed, unknown_name
from forecast.series_key import KEY, SeriesKey


class Cuts:
    """Panels that are cut out of a panel; the panel itself stays as it is.

    Attributes
    ----------
    step : int
        Periods per row, 1 or 5.
    frequency : str
        What a period is: ``"year"``, ``"half-year"``, ``"quarter"`` or ``"month"``.
    """

    _table: pd.DataFrame
    step: int
    frequency: str

    def until(self, year: int | str) -> Self:
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

    def since(self, year: int | str) -> Self:
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

    def as_of(self, date: str | dt.date) -> Self:
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
    ) -> Self:
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

    def without(self, keys: Sequence[SeriesKey]) -> Self:
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

    def _keep(self, rows: np.ndarray, description: str, day: pd.Timestamp | None = None) -> Self:
        raise NotImplementedError
