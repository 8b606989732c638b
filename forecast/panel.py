"""Panel: what was observed, checked once and never changed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forecast import drawing, flags, locations, plots, validation
from forecast.errors import DataError, listed, unknown_name
from forecast.series import Series, series_of
from forecast.series_key import KEY, SeriesKey
from forecast.validation import COLUMNS


@dataclass(frozen=True, eq=False)
class Panel:
    """Annual (or five-year) series of countries and regions, with every release known.

    Make one with `from_frame`, `forecast.load` or `forecast.read`. Selecting returns
    new panels; nothing changes in place and nothing is filled in.
    """

    _table: pd.DataFrame
    step: int

    plot = plots.observed

    @classmethod
    def from_frame(
        cls,
        table: pd.DataFrame,
        *,
        step: int | None = None,
        rows: Sequence[str] | None = None,
    ) -> Panel:
        """Check a table and make a Panel of it.

        Parameters
        ----------
        table : DataFrame
            Columns ``location, measure, year, value`` and optionally ``source,
            population, as_of, flag, precision``; or Nixtla's ``unique_id, ds, y``
            with ``unique_id`` as location, location/measure or source/location/measure.
            Values are persons per calendar year, net inflow positive.
        step : {1, 5}, optional
            Years per row. By default five if every series has only gaps of whole
            five years and at least three rows, else one.
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
        tidied = validation.tidy(table, rows)
        if step not in (None, 1, 5) or isinstance(step, bool):
            raise DataError(f"step is {step!r}; a panel steps by 1 or 5 years.")
        if step == 5:
            _check_grid(tidied)
        return cls(tidied, step or _infer_step(tidied))

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the tidy table, every release a row."""
        return self._table.copy()

    def until(self, year: int) -> Panel:
        """Return what the figures say up to and including a year, with flags known at its end.

        See `forecast.flags.known`: a flag that only later figures could suggest is not there.
        """
        if not hasattr(year, "__index__"):
            raise DataError(f"until({year!r}): give a calendar year, such as 2015.")
        rows = (self._table["year"] <= int(year)).to_numpy()
        return self._keep(rows, f"up to {year}", pd.Timestamp(int(year), 12, 31))

    def since(self, year: int) -> Panel:
        """Return what the figures say from a year on."""
        return self._keep((self._table["year"] >= year).to_numpy(), f"from {year} on")

    def as_of(self, date: str | dt.date) -> Panel:
        """Return what had been released by a date.

        Parameters
        ----------
        date : str (YYYY-MM-DD) or date
            Figures released later are left out; figures without a date count as known.
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
    ) -> Panel:
        """Return the series of some locations, measures or sources.

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
        for column, wanted in (("location", location), ("measure", measure), ("source", source)):
            if wanted is None:
                continue
            given = [wanted] if isinstance(wanted, str) else list(wanted)
            place = column == "location"
            names = [locations.canonical(name) for name in given] if place else given
            present = set(self._table[column])
            for name, spelled in zip(names, given):
                if name not in present:
                    also = {locations.name(code) for code in present} if place else set()
                    error = unknown_name(f"{column} in this panel", spelled, present | also)
                    raise type(error)(f"{error} It has {listed(present)}.")
            keep &= self._table[column].isin(names).to_numpy()
            fits = keep.copy() if fits is None else fits
        if not keep.any():
            nearest = self._table[fits][KEY].drop_duplicates().to_numpy(str)
            there = listed(f"{measure} of {place} ({office})" for office, place, measure in nearest)
            raise DataError(f"no series fits the whole selection. There are {there}.")
        return self._keep(keep, "that fit the selection")

    def without(self, keys: Sequence[SeriesKey]) -> Panel:
        """Return the panel without some (source, location, measure) series."""
        drop = pd.MultiIndex.from_frame(self._table[KEY]).isin(list(keys))
        return self._keep(~drop, "left")

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
        return max(series.origin for series in self.series)

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
        return series_of(self.latest, self.step)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the table's content, the same for any order of the rows given."""
        text = self._table.to_csv(index=False, float_format="%.12g", lineterminator="\n")
        return hashlib.sha256(f"{self.step}\n{text}".encode()).hexdigest()

    def find(self, key: SeriesKey) -> Series | None:
        """Return one series; None if the panel has no observed value of it."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> dict[SeriesKey, Series]:
        return {one.key: one for one in self.series}

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Iterator[Series]:
        return iter(self.series)

    def __repr__(self) -> str:
        years = self._table["year"]
        return (
            f"<Panel: {len(self)} series, {self._places}, "
            f"{', '.join(self.measures)}, {years.min()}–{years.max()}>"
        )

    @property
    def _places(self) -> str:
        return "1 location" if len(self.locations) == 1 else f"{len(self.locations)} locations"

    def _repr_html_(self) -> str:
        rows = [
            {"place": locations.name(one.location), **dict(zip(KEY, one.key)),
             "years": f"{one.years[0]}–{one.origin}",
             "last figure": f"{one.values[-1]:,.0f}".replace("-", "−")}
            for one in self.series[: drawing.MOST]
        ]  # fmt: skip
        facts = f"{len(self)} series, {self._places}; {drawing.unit(self.step)}"
        return drawing.html("Panel", facts, rows, len(self))

    def _keep(self, rows: np.ndarray, description: str, day: pd.Timestamp | None = None) -> Panel:
        kept = self._table[rows].reset_index(drop=True)
        if kept["value"].notna().sum() == 0:
            raise DataError(f"no figures {description}. Choose a wider selection.")
        return Panel(kept if day is None else flags.known(kept, self._table, day), self.step)


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
