"""Hindcasts as one labelled array: members' quantiles at earlier origins, and outcomes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from forecast.hindcast.occasions import Occasion
from forecast.hindcast.vintages import Outcomes, usual_change
from forecast.panel import Series
from forecast.series_key import KEY, SeriesKey


@dataclass(frozen=True, eq=False)
class Hindcasts:
    """Past forecasts of series, on the scale of their models.

    Attributes
    ----------
    data : Dataset
        Dimensions ``member``, ``level`` (equally spaced probabilities) and ``hindcast``, one per
        series, origin and horizon. Variables: ``quantiles`` (member, level, hindcast), rate per
        1,000, log(1 + persons) or persons, NaN where a member made no forecast; ``observed``, what
        came; ``size``, the usual yearly change of the series up to the origin. Coordinates of
        ``hindcast``: ``source, location, measure``; ``origin``, the last year that the forecast
        saw of the series; ``horizon``, steps ahead of it.
    """

    data: xr.Dataset

    @classmethod
    def of(
        cls,
        quantiles: np.ndarray,
        observed: np.ndarray,
        size: np.ndarray,
        origin: np.ndarray,
        keys: Sequence[SeriesKey],
        horizon: int | np.ndarray = 1,
    ) -> Hindcasts:
        """Label arrays: quantiles of shape (n_members, n_levels, n), the others of shape (n,)."""
        parts = zip(*keys) if keys else [[], [], []]
        labels = {name: np.array(part, dtype=str) for name, part in zip(KEY, parts)}
        steps = np.broadcast_to(np.asarray(horizon, dtype=int), len(keys))
        coordinates = {**labels, "origin": origin, "horizon": steps}
        return cls(
            xr.Dataset(
                {
                    "quantiles": (("member", "level", "hindcast"), quantiles),
                    "observed": ("hindcast", observed),
                    "size": ("hindcast", size),
                },
                coords={name: ("hindcast", values) for name, values in coordinates.items()},
            )
        )

    def __len__(self) -> int:
        return int(self.data.sizes["hindcast"])

    @property
    def quantiles(self) -> np.ndarray:
        """Quantiles, shape (n_members, n_levels, n)."""
        return self.data["quantiles"].to_numpy()

    @property
    def observed(self) -> np.ndarray:
        """What came, shape (n,)."""
        return self.data["observed"].to_numpy()

    @property
    def size(self) -> np.ndarray:
        """Usual yearly change of the series up to the origin, shape (n,)."""
        return self.data["size"].to_numpy()

    @property
    def origin(self) -> np.ndarray:
        """Last year that the forecast saw of the series, shape (n,)."""
        return self.data["origin"].to_numpy()

    @property
    def keys(self) -> list[SeriesKey]:
        """The series of each forecast."""
        source, location, measure = (self.data[name].to_numpy().tolist() for name in KEY)
        return list(zip(source, location, measure))

    def where(self, chosen: np.ndarray) -> Hindcasts:
        """Return some of the forecasts, chosen by booleans of shape (n,)."""
        return Hindcasts(self.data.isel(hindcast=chosen))

    def by_horizon(self, keys: Collection[SeriesKey], steps: int) -> list[Hindcasts]:
        """Return the forecasts of some series, one entry per number of steps ahead."""
        wanted = np.array([key in keys for key in self.keys], dtype=bool)
        horizon = self.data["horizon"].to_numpy()
        return [self._at(wanted & (horizon == step + 1)) for step in range(steps)]

    def _at(self, chosen: np.ndarray) -> Hindcasts:
        part = self.data.isel(hindcast=chosen)
        # The order in memory decides how sums are rounded.
        quantiles = np.ascontiguousarray(part["quantiles"].to_numpy())
        return Hindcasts(part.assign(quantiles=(("member", "level", "hindcast"), quantiles)))

    def independent(self, years: float, shared: float, share: np.ndarray) -> float:
        """Return about how many separate forecasts these are.

        Origins closer than the horizon share years; series share shocks, with correlation
        `shared`: S series are worth S / (1 + (S − 1) shared) independent ones; unequal weights
        `share` leave (Σ w)² / Σ w² of them (Kish 1965, Survey Sampling).

        Parameters
        ----------
        years : float
            From the origin to the target.
        share : ndarray, shape (n,)
        """
        if not len(self):
            return 0.0
        span = float(self.origin.max() - self.origin.min())
        between = np.diff(np.unique(self.origin))
        spacing = max(float(years), float(between.min()) if len(between) else 1.0)
        series = len(set(self.keys))
        effective = float(share.sum() ** 2 / (share**2).sum()) / len(self)
        return effective * (1.0 + span / spacing) * series / (1.0 + (series - 1) * shared)

    def with_size(self, size: np.ndarray) -> Hindcasts:
        """Return the forecasts with other usual changes, shape (n,)."""
        return Hindcasts(self.data.assign(size=("hindcast", size)))


def collect(
    outcomes: Outcomes, occasions: Sequence[Occasion], steps: int, points: int
) -> Hindcasts:
    """Compare the members' forecasts from earlier occasions with outcomes.

    A forecast that the same last figure of a series had brought forth at another origin
    already is left out; not so where the figures were those of another day. Figures beyond a
    break and interpolated ones do not count.

    Parameters
    ----------
    occasions : sequence of Occasion
    steps : int
        How many steps ahead.
    points : int
        Quantiles of each forecast.
    """
    members = max((len(occasion.forecasts) for occasion in occasions), default=0)
    ordered = sorted(occasions, key=lambda occasion: occasion.origin)
    rows: list[tuple[np.ndarray, float, float, int, SeriesKey, int]] = []
    for series in outcomes.panel:
        key, values = series.key, outcomes.values[series.key]
        for occasion, last in _usable(ordered, series):
            size = usual_change(values[: last + 1])
            ahead = [
                None if made is None or key not in made else made.of(key)
                for made in occasion.forecasts
            ]
            for position in _judged(series, values, last, steps):
                step = position - last
                persons = np.full((members, points), np.nan)
                for member, forecast in enumerate(ahead):
                    if forecast is not None and step <= forecast.shape[1]:
                        persons[member] = forecast[:, step - 1]
                scaled = outcomes.on_scale(key, persons, position)
                came = float(values[position])
                rows.append((scaled, came, size, int(series.years[last]), key, step))
    rows.sort(key=lambda row: row[-1])
    if not rows:
        none = np.empty(0)
        return Hindcasts.of(np.empty((members, points, 0)), none, none, none.astype(int), [])
    quantiles, observed, size_of, origin, keys, horizon = zip(*rows)
    return Hindcasts.of(
        np.stack(quantiles, axis=2), np.array(observed), np.array(size_of),
        np.array(origin, dtype=int), list(keys), np.array(horizon),
    )  # fmt: skip


def _usable(occasions: Sequence[Occasion], series: Series) -> Iterator[tuple[Occasion, int]]:
    """Yield the occasions on which a series was forecast, with the position of its last figure."""
    observed = np.flatnonzero(~np.isnan(series.values))
    done: set[int] = set()
    for occasion in occasions:
        end = occasion.origin if occasion.ends is None else occasion.ends.get(series.key)
        before = observed[series.years[observed] <= end] if end is not None else observed[:0]
        if not len(before) or (occasion.ends is None and before[-1] in done):
            continue
        last = int(before[-1])
        if occasion.ends is not None and series.years[last] != end:
            # Withdrawn since: steps ahead would be counted from another year.
            continue
        if not any(made is not None and series.key in made for made in occasion.forecasts):
            continue
        if occasion.ends is None:
            done.add(last)
        yield occasion, last


def _judged(series: Series, values: np.ndarray, last: int, steps: int) -> list[int]:
    """Return the positions of the figures that can judge a forecast, up to the next break."""
    beyond = np.flatnonzero(series.flagged("break"))
    beyond = beyond[beyond > last]
    stop = min(len(values), int(beyond[0]) if len(beyond) else len(values), last + 1 + steps)
    return [position for position in range(last + 1, stop) if not np.isnan(values[position])]
