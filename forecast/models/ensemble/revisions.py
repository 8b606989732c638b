"""Figures change after they are published: how much, and what that does to a forecast.

A forecast is held against figures that will be published later, and those differ from what
one release says of the same years: the estimate of the present is corrected, and the years to
come will be estimated as uncertainly as the last ones were. None of that shows in the history
of a single release, which looks smoother than the figures turn out to be. So draws are moved
by revisions as large as past ones of the same source (Croushore 2011,
doi:10.1257/jel.49.1.72; for the UN's estimates see docs/ensemble.md).

Only years that the release could not contain yet are moved: what a release says of earlier
years is, in a backtest on that release, the truth itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from forecast import scales
from forecast.hindcast.vintages import usual_change
from forecast.panel import Panel, Series
from forecast.series_key import KEY, SeriesKey

#: Source, and scale of its figures.
Kind = tuple[str, str]
#: Levels at which the sizes of standardised revisions are kept.
LEVELS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.995])
#: Added to the usual change of a series before its logarithm is taken, by scale.
SMALL = {"rate": 0.1, "log": 0.02, "persons": 1.0}


@dataclass(frozen=True)
class Law:
    """How large revisions of one source are.

    A revision of the newest figure of a series is ± exp(intercept) (c + `SMALL`)^exponent
    p^inhabitants × own × z, with c the usual change of the series between steps, p the
    population in millions, `own` how large the revisions of this place have been beside that,
    shrunk to one, and z the size of a standardised revision.

    Attributes
    ----------
    kind : {"rate", "log", "persons"}
        Scale of the figures: net migrants per 1,000 and year, log(1 + persons), or persons.
    step : int
        Years per step of the figures that it was learned from.
    sizes : ndarray, shape (len(LEVELS),)
        Quantiles of z at `LEVELS`.
    correlation : float
        Between the revisions of neighbouring steps.
    pairs : int
        How many revisions it rests on.
    until : str
        Day of the newest release it was learned from (YYYY-MM-DD).
    inhabitants : float
        Exponent of the population.
    own : mapping of location to float
        Places without an entry have one.
    """

    kind: str
    step: int
    intercept: float
    exponent: float
    sizes: np.ndarray
    correlation: float
    pairs: int
    until: str
    inhabitants: float = 0.0
    own: Mapping[str, float] = field(default_factory=dict)

    def for_step(self, step: int) -> Law:
        """Return the law for figures of another step.

        Revisions of years are taken for a first-order autoregression. Its persistence is the one
        that gives means over `self.step` years the correlation found, and a year's revision is
        larger than that of a mean in the ratio that follows.
        """
        if step == self.step:
            return self
        if step != 1:
            raise ValueError("a law of single years says nothing of periods")
        persistence, ratio = _of_years(self.correlation, self.step)
        return replace(
            self, step=1, correlation=persistence, intercept=self.intercept + np.log(ratio)
        )

    def scale(self, change: float, location: str = "", population: float = np.nan) -> float:
        """Return the size that standardised revisions are multiplied by.

        Parameters
        ----------
        change : float
            Usual one of the series, on the law's scale.
        population : float
            Persons; not known: a place of one million.
        """
        size = self.exponent * np.log(change + SMALL[self.kind])
        size += self.inhabitants * millions(population)
        return float(np.exp(self.intercept + size) * self.own.get(location, 1.0))

    def draw(self, draws: int, ahead: int, generator: np.random.Generator) -> np.ndarray:
        """Draw standardised revisions of the steps to come, shape (draws, ahead)."""
        normal = np.empty((draws, ahead))
        # Stratified, so that the first step carries no Monte Carlo noise of its own.
        first = (generator.permutation(draws) + generator.uniform(size=draws)) / draws
        normal[:, :1] = ndtri(first)[:, None]
        rest = np.sqrt(1.0 - self.correlation**2)
        for step in range(1, ahead):
            shock = generator.standard_normal(draws)
            normal[:, step] = self.correlation * normal[:, step - 1] + rest * shock
        level = ndtr(normal)
        size = np.interp(
            np.abs(2.0 * level - 1.0), np.append(0.0, LEVELS), np.append(0.0, self.sizes)
        )
        return np.asarray(np.where(level < 0.5, -size, size))


def millions(population: float | np.ndarray) -> float | np.ndarray:
    """Return the logarithm of a population in millions; zero where it is not known."""
    return np.nan_to_num(np.log(np.maximum(population, 1.0) / 1e6))


def means(values: np.ndarray, width: int) -> np.ndarray:
    """Return the known figures of a series as means over so many, the newest last.

    Parameters
    ----------
    values : ndarray, shape (n_years,)
        Figures; NaN is a gap.
    width : int
        Figures in each mean; the oldest that fill no mean are left out.
    """
    known = values[np.isfinite(values)]
    blocks = len(known) // width
    return np.asarray(known[len(known) - blocks * width :].reshape(blocks, width).mean(axis=1))


def awaited(panel: Panel, ahead: Mapping[SeriesKey, int]) -> dict[SeriesKey, np.ndarray]:
    """Return which steps the newest release could not hold yet, by series.

    Parameters
    ----------
    ahead : mapping of (source, location, measure) to int
        Steps after each series' own last one.

    Returns
    -------
    dict of key to ndarray of bool, shape (n_ahead,)
        Only of dated series that have such steps.
    """
    rows = panel.latest.dropna(subset=["as_of", "value"])
    newest = rows.groupby(KEY)["as_of"].max()
    released = {key: int(pd.Timestamp(day).year) for key, day in zip(newest.index, newest)}
    found = {}
    for one in panel:
        if one.key in ahead and one.key in released:
            # A step is open until its last year is over.
            ends = one.origin + one.step * np.arange(1, ahead[one.key] + 1) + one.step - 1
            if (ends >= released[one.key]).any():
                found[one.key] = ends >= released[one.key]
    return found


def revised(
    paths: Mapping[SeriesKey, np.ndarray],
    panel: Panel,
    open_steps: Mapping[SeriesKey, np.ndarray],
    laws: Mapping[Kind, Law],
    seed: np.random.SeedSequence,
) -> dict[SeriesKey, np.ndarray]:
    """Move draws by revisions to come.

    Parameters
    ----------
    paths : mapping of (source, location, measure) to ndarray, shape (n_draws, n_ahead)
        Draws in persons, of the steps after each series' own last one.
    panel : Panel
        What the forecast was made from.
    open_steps : mapping of key to ndarray of bool, shape (n_ahead,)
        See `awaited`.
    laws : mapping of (source, scale) to Law
    seed : numpy.random.SeedSequence
        Series are drawn apart: two countries are rarely revised together.

    Returns
    -------
    dict of key to ndarray
        Only the series that are moved.
    """
    series = [one for one in panel if one.key in paths]
    moved = {}
    for one, own in zip(series, seed.spawn(len(series))):
        law = laws.get((one.source, scales.choose(one).kind))
        if law is not None and one.key in open_steps:
            generator = np.random.default_rng(own)
            moved[one.key] = _moved(one, paths[one.key], law, open_steps[one.key], generator)
    return moved


def _moved(
    series: Series,
    drawn: np.ndarray,
    law: Law,
    open_steps: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    scale = scales.choose(series)
    change = usual_change(means(scale.values, law.step // series.step))
    people = series.population[np.isfinite(series.population)]
    population = float(people[-1]) if len(people) else np.nan
    size = law.scale(float(np.nan_to_num(change)), series.location, population)
    revisions = law.for_step(series.step)
    # The usual change is that of the law's own step, the size that of the series'.
    size *= float(np.exp(revisions.intercept - law.intercept))
    shift = np.where(open_steps, size * revisions.draw(len(drawn), drawn.shape[1], generator), 0.0)
    if scale.kind == "log":
        return scale.to_persons(scale.logs(drawn) + shift)
    return np.asarray(drawn + scale.to_persons(shift))


def _of_years(correlation: float, years: int) -> tuple[float, float]:
    """Return persistence of yearly values, and their spread over that of means of `years`."""
    from scipy.optimize import brentq

    lags = np.abs(np.subtract.outer(np.arange(years), np.arange(years)))
    later = years + np.subtract.outer(np.arange(years), np.arange(years))

    def between(persistence: float) -> float:
        return float((persistence**later).sum() / (persistence**lags).sum())

    wanted = min(max(correlation, 0.0), 0.95)
    persistence = float(brentq(lambda chosen: between(chosen) - wanted, 0.0, 0.999))
    return persistence, float(np.sqrt(years**2 / (persistence**lags).sum()))
