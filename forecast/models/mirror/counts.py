"""Counts of corridors as the mirror model sees them: who counts, where, and by which meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from forecast import locations
from forecast.corridors import ENDS, FLOW, with_ends
from forecast.errors import DataError, listed
from forecast.models.corridors_settings import CountingSource, MirrorSettings
from forecast.panel import Panel

#: Added before logs are taken, so that a count of zero has one.
HALF = 0.5
#: Who counts: source, kind (a field of `CountingKinds`), and the country of the office, or "".
COUNTER = ["source", "kind", "country"]
#: What shares an accuracy: source and kind.
BOOK = ["source", "kind"]


def positions(rows: pd.DataFrame, among: pd.DataFrame) -> np.ndarray:
    """Return which row of `among` each row is, by the columns of `among`; -1 where it is none.

    Parameters
    ----------
    rows : DataFrame
        With those columns, and perhaps others.
    among : DataFrame
        Rows that differ from each other.

    Returns
    -------
    ndarray of int, shape (n_rows,)

    Examples
    --------
    >>> among = pd.DataFrame({"source": ["a", "b"]})
    >>> positions(pd.DataFrame({"source": ["b", "c"], "value": [1.0, 2.0]}), among).tolist()
    [1, -1]
    """
    index = pd.MultiIndex.from_frame(among)
    return np.asarray(index.get_indexer(pd.MultiIndex.from_frame(rows[[*among]])))


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of one or many corridors, with numbers for the entries of each dimension.

    Attributes
    ----------
    table : DataFrame
        One row per count: ``source, kind, country, location, origin, destination, year, value,
        precision``, in persons per period.
    meanings : mapping of str to CountingSource
        What is known of each source.
    step : int
        Periods from one row of a series to the next.
    """

    table: pd.DataFrame
    meanings: Mapping[str, CountingSource]
    step: int = 1

    @cached_property
    def counters(self) -> pd.DataFrame:
        """Who counts, sorted: columns `COUNTER`."""
        return self.table[COUNTER].drop_duplicates().sort_values(COUNTER, ignore_index=True)

    @cached_property
    def books(self) -> pd.DataFrame:
        """Sources by the side on which they count, sorted: columns `BOOK`."""
        return self.table[BOOK].drop_duplicates().sort_values(BOOK, ignore_index=True)

    @cached_property
    def series(self) -> pd.DataFrame:
        """Counts of one corridor by one source: ``source, kind, country, location``, sorted."""
        keys = [*COUNTER, "location"]
        return self.table[keys].drop_duplicates().sort_values(keys, ignore_index=True)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Each corridor in each period from its first count to its last: ``location, year``."""
        ends = self.table.groupby("location")["year"].agg(["min", "max"])
        pairs = ends.to_numpy(dtype=int)
        years = [np.arange(first, last + 1, self.step) for first, last in pairs]
        lengths = [len(one) for one in years]
        return pd.DataFrame(
            {"location": np.repeat(ends.index.to_numpy(), lengths), "year": np.concatenate(years)}
        )

    @cached_property
    def log_values(self) -> np.ndarray:
        """Logs of the counts, shape (n_counts,)."""
        return np.asarray(np.log(self.table["value"].to_numpy(dtype=float) + HALF))

    @cached_property
    def rounding(self) -> np.ndarray:
        """Standard deviation of what rounding took, in persons, shape (n_counts,)."""
        precision = self.table["precision"].fillna(1.0).to_numpy(dtype=float)
        return np.asarray(np.maximum(precision, 1.0) / np.sqrt(12.0))

    def place(self, dimension: pd.DataFrame) -> np.ndarray:
        """Return which row of `counters`, `books`, `series` or `flows` each count belongs to.

        Parameters
        ----------
        dimension : DataFrame
            One of those four.

        Returns
        -------
        ndarray of int, shape (n_counts,)
            Positions from 0.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import settings
        >>> panel = fc.load("corridors").select(location="KAZ:DEU")
        >>> counts = counts_of(panel, settings("mirror"))
        >>> len(counts.place(counts.counters)) == len(counts.table)
        True
        """
        return positions(self.table, dimension)

    def book_of(self, dimension: pd.DataFrame) -> np.ndarray:
        """Return which of the `books` each row of `counters` or `series` belongs to.

        Parameters
        ----------
        dimension : DataFrame
            One of those two.

        Returns
        -------
        ndarray of int, shape (n_rows,)
            Positions from 0.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import settings
        >>> panel = fc.load("corridors").select(location="KAZ:DEU")
        >>> counts = counts_of(panel, settings("mirror"))
        >>> counts.book_of(counts.series).tolist()
        [0, 1, 2]
        """
        return positions(dimension, self.books)

    def counter_of(self, dimension: pd.DataFrame) -> np.ndarray:
        """Return which of the `counters` each row of `series` belongs to.

        Parameters
        ----------
        dimension : DataFrame
            `series`.

        Returns
        -------
        ndarray of int, shape (n_rows,)
            Positions from 0.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import settings
        >>> panel = fc.load("corridors").select(location="KAZ:DEU")
        >>> counts = counts_of(panel, settings("mirror"))
        >>> counts.counter_of(counts.series).tolist()
        [0, 1, 2]
        """
        return positions(dimension, self.counters)

    def part(self, rows: np.ndarray) -> Counts:
        """Return some of the counts.

        Parameters
        ----------
        rows : ndarray of bool, shape (n_counts,)
            Those to keep.

        Returns
        -------
        Counts

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import settings
        >>> panel = fc.load("corridors").select(location="KAZ:DEU")
        >>> counts = counts_of(panel, settings("mirror"))
        >>> len(counts.part((counts.table["year"] == 2020).to_numpy()).table)
        1
        """
        return replace(self, table=self.table[rows].reset_index(drop=True))

    @cached_property
    def shared(self) -> np.ndarray:
        """Which counts are of corridors that two or more tell of, shape (n_counts,)."""
        sources = self.series.groupby("location").size()
        return (self.table["location"].map(sources) > 1).to_numpy()


def counts_of(
    panel: Panel,
    settings: MirrorSettings,
    sources: Sequence[CountingSource] = (),
) -> Counts:
    """Return the counts of a panel's corridors; a source of which nothing is known is marked so.

    Parameters
    ----------
    panel : Panel
        With the measure ``flow``; the newest release of every figure is used.
    settings : MirrorSettings
        ``models/mirror.toml``.
    sources : sequence of CountingSource
        What is known of sources, before what the settings say.

    Raises
    ------
    DataError
        If the panel has no corridors, or a source counts moves of a country that a corridor does
        not touch.
    """
    table = panel.latest
    table = table[(table["measure"] == FLOW) & table["value"].notna()].reset_index(drop=True)
    if table.empty:
        raise DataError(
            f"mirror() compares counts of corridors (measure {FLOW}, such as UZB:RUS), and the "
            f"panel has {', '.join(panel.measures)}. Give tables with origin and destination."
        )
    table = with_ends(table)
    known = {one.name: one for one in (*settings.source, *sources)}
    meanings = {
        name: known.get(name, CountingSource(name=name, counts="unknown"))
        for name in sorted(set(table["source"]))
    }
    parts = [sided(table[table["source"] == name], one) for name, one in meanings.items()]
    columns = [*COUNTER, "location", *ENDS, "year", "value", "precision"]
    ordered = pd.concat(parts)[columns].sort_values(["location", "year", *COUNTER])
    return Counts(ordered.reset_index(drop=True), meanings, panel.step)


def sided(rows: pd.DataFrame, source: CountingSource, strict: bool = True) -> pd.DataFrame:
    """Add to rows of one source on which side of a corridor it stands, and for which country.

    Parameters
    ----------
    rows : DataFrame
        ``location, origin, destination``.
    source : CountingSource
        Who counts.
    strict : bool
        Whether corridors that it cannot see are refused, or left out.

    Raises
    ------
    DataError, UnknownNameError
        If it counts for a country that a corridor does not touch, or for none that exists.
    """
    counts = source.counts
    if counts in ("estimate", "unknown"):
        return rows.assign(kind=counts, country="")
    if counts in ("destination", "origin"):
        return rows.assign(kind=counts, country=rows[counts])
    country = locations.find(counts).code
    arrives, leaves = rows["destination"] == country, rows["origin"] == country
    away = ~(arrives | leaves)
    if strict and away.any():
        raise DataError(
            f"{source.name} counts moves of {locations.name(country)}, and it has figures of "
            f"{listed(set(rows['location'][away]))}. Say in sources= what it counts: a country, "
            "destination, origin, estimate or unknown."
        )
    seen = rows.assign(kind=np.where(arrives, "destination", "origin"), country=country)
    return seen[~away]
