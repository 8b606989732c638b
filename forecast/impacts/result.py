"""Impact: outcome, counterfactual, and how unusual the difference is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from forecast import drawing, plots
from forecast.errors import DataError
from forecast.impacts.counterfactual import Window
from forecast.impacts.event import Event
from forecast.impacts.placebo import LEVEL, SETS, Placebos, Rank, half_width, rank, smallest_effect
from forecast.language import language
from forecast.series_key import KEY

Verdict = Literal["stands out", "depends on the model", "cannot be told apart", "cannot be decided"]
STANDS_OUT: Verdict = "stands out"
DEPENDS: Verdict = "depends on the model"
ORDINARY: Verdict = "cannot be told apart"
UNDECIDED: Verdict = "cannot be decided"


@dataclass(frozen=True, eq=False)
class Impact:
    """An event's window against its counterfactual and its placebos.

    Attributes
    ----------
    event : Event
    model : str
    seed : int
    as_of : str
        The day whose figures were used, or an empty string for the newest.
    window : Window
        The event's own forecast from before it, and the figures.
    placebos : Placebos
    history : DataFrame
        ``year, value``: the series as it stands, in persons per calendar year.
    checks : mapping of str to float
        Model and p-value of the same event with other models; empty unless the sum is unusual.
    """

    event: Event
    model: str
    seed: int
    as_of: str
    window: Window
    placebos: Placebos
    history: pd.DataFrame
    checks: Mapping[str, float] = field(default_factory=dict)

    plot = plots.impact

    @property
    def origin(self) -> int:
        """The last year that the counterfactual was shown."""
        return self.window.origin

    @property
    def years(self) -> tuple[int, ...]:
        """The years of the window."""
        return tuple(self.window.years.tolist())

    def effects(self, level: float = 0.80) -> pd.DataFrame:
        """Return the effect in each year of the window, and in all of them together.

        Parameters
        ----------
        level : float in (0, 1)
            Probability inside the intervals.

        Returns
        -------
        DataFrame
            ``year`` (the last row is ``"sum"``), ``observed``, ``expected`` (median of the
            counterfactual), ``effect``, ``lower, upper`` (from the counterfactual's draws),
            ``lower_calibrated, upper_calibrated`` (as wide as the placebos' gaps say; NaN
            where they are too few to say), ``tail`` (two-sided share of draws as far out) and
            ``p_value`` (rank among all placebos; of single years for orientation, the
            verdict follows the sum). Persons per calendar year, sums over the window.

        Raises
        ------
        DataError
            If the level is no number between 0 and 1.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia")
        >>> result = fc.impact(panel, "kz-arrivals-2022", model="naive", draws=200)
        >>> result.effects()["year"].tolist()
        ['2022', 'sum']
        """
        if not 0 < level < 1:
            raise DataError(f"interval level is {level!r}; give a number between 0 and 1.")
        observed, drawn = self.window.columns
        low, middle, high = np.quantile(drawn, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0)
        below, above = self._calibrated(level)
        return pd.DataFrame(
            {
                "year": [*map(str, self.years), "sum"],
                "observed": observed,
                "expected": middle,
                "effect": observed - middle,
                "lower": observed - high,
                "upper": observed - low,
                "lower_calibrated": observed - above,
                "upper_calibrated": observed - below,
                "tail": _tail(observed, drawn),
                "p_value": [self._rank("all", column).p_value for column in range(len(observed))],
            }
        )

    @property
    def total(self) -> dict[str, float]:
        """The effect over the whole window, with 80 % intervals: the last row of `effects`."""
        row = self.effects().iloc[-1]
        return {str(name): float(row[name]) for name in row.index if name != "year"}

    @cached_property
    def tests(self) -> pd.DataFrame:
        """How unusual the sum is among each set of placebos, and among all.

        ``placebos`` (set), ``windows``, ``as_far``, ``p_value`` (conservative),
        ``p_randomised`` and ``smallest_p``.
        """
        names = (*SETS, "all")
        table = pd.DataFrame([self._rank(name, -1) for name in names])
        table.insert(0, "set", names)
        renamed = {"set": "placebos", "placebos": "windows", "smallest": "smallest_p"}
        return table.rename(columns=renamed)

    @cached_property
    def overall(self) -> Rank:
        """The rank of the sum among all placebos; the verdict follows it."""
        return self._rank("all", -1)

    @cached_property
    def power(self) -> dict[str, float]:
        """The smallest rise and fall that would have been seen, in persons over the window.

        At 5 % with 80 % power, see `forecast.impacts.placebo`; NaN where none would have been.
        """
        gaps = self._gaps("all", -1)
        ruler = self.window.ruler
        return {
            "rise": smallest_effect(ruler, gaps, "rise"),
            "fall": smallest_effect(ruler, gaps, "fall"),
        }

    @property
    def verdict(self) -> Verdict:
        """What the placebos allow to say of the sum over the window.

        It stands out only if it does so with every model tried.
        """
        if self.overall.smallest > LEVEL:
            return UNDECIDED
        if self.overall.p_value > LEVEL:
            return ORDINARY
        return DEPENDS if any(p > LEVEL for p in self.checks.values()) else STANDS_OUT

    def sentence(self, language: str = "en") -> str:
        """Say in words what effect was found, how sure that is, and the power of the test.

        Parameters
        ----------
        language : str
            Language of the sentence.

        Returns
        -------
        str

        Raises
        ------
        UnknownNameError
            If there is no such language.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia")
        >>> "2022" in fc.impact(panel, "kz-arrivals-2022", model="naive", draws=200).sentence()
        True
        """
        from forecast.impacts.sentences import sentence
        from forecast.language import language as find_language

        return sentence(self, find_language(language))

    def to_frame(self) -> pd.DataFrame:
        """Return the effects with 80 and 95 % intervals as one tidy table.

        Returns
        -------
        DataFrame
            ``event, source, location, measure, origin, model, level`` and the columns of `effects`,
            in persons per calendar year, sums over the window.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia")
        >>> result = fc.impact(panel, "kz-arrivals-2022", model="naive", draws=200)
        >>> result.to_frame()["level"].tolist()
        [0.8, 0.8, 0.95, 0.95]
        """
        about = {
            "event": self.event.name,
            **{name: getattr(self.event, name) for name in KEY},
            "origin": self.origin,
            "model": self.model,
        }
        tables = [
            pd.DataFrame({**about, "level": level, **self.effects(level)}) for level in (0.80, 0.95)
        ]
        return pd.concat(tables, ignore_index=True)

    def __repr__(self) -> str:
        return (
            f"<Impact: {self.event.name or 'event'}, {self.event.measure} of "
            f"{self.event.location} {self.years[0]}–{self.years[-1]}, "
            f"{len(self.placebos.table)} placebos, p = {self.overall.p_value:.3f}: {self.verdict}>"
        )

    def _repr_html_(self) -> str:
        table = self.effects(0.80)
        known, counted = bool(table["lower_calibrated"].notna().all()), self.event.measure
        ends = [f"{end}_calibrated" if known else end for end in ("lower", "upper")]
        rows = [
            {
                "year": row["year"],
                "came": drawing.amount(counted, row["observed"]),
                "expected": drawing.amount(counted, row["expected"]),
                "difference (80 % range)": drawing.between(counted, *row[["effect", *ends]]),
            }
            for _, row in table.iterrows()
        ]
        facts = (
            f"{self.event.called(language('en'))}: {self.verdict} (p = {self.overall.p_value:.2f}, "
        )
        facts += f"{len(self.placebos.table)} placebos); persons, ranges by the "
        facts += "errors of the placebos" if known else "draws of the model alone"
        return drawing.html("Impact", facts, rows, len(rows))

    def _gaps(self, name: str, column: int) -> np.ndarray:
        chosen = self.placebos.members(name)
        return self.placebos.gaps[chosen][:, column] if chosen.any() else np.empty(0)

    def _rank(self, name: str, column: int) -> Rank:
        gaps = self._gaps(name, column)
        seed = np.random.SeedSequence([self.seed, self.origin, len(gaps)])
        uniform = float(np.random.default_rng(seed).uniform())
        return rank(float(self.window.gaps[column]), gaps, uniform)

    def _calibrated(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return what would have come without the event, as wide as the placebos say."""
        columns = range(len(self.window.gaps))
        wide = np.array([half_width(self._gaps("all", column), level) for column in columns])
        ruler = self.window.ruler
        known = np.isfinite(wide)
        reach = np.where(known, wide, 0.0)
        below, above = ruler.persons(-reach), ruler.persons(reach)
        return np.where(known, below, np.nan), np.where(known, above, np.nan)


def _tail(observed: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the two-sided share of draws as far out as the figures; never 0."""
    size = len(drawn)
    lower = (1 + (drawn <= observed).sum(axis=0)) / (size + 1)
    upper = (1 + (drawn >= observed).sum(axis=0)) / (size + 1)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(lower, upper)))
