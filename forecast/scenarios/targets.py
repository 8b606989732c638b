"""Targets of policy concepts: how likely each is reached by its year, as a table to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from forecast import locations
from forecast.config import Settings, Text
from forecast.errors import unknown_name
from forecast.horizons import concept
from forecast.outlook import Forecast
from forecast.panel import Series
from forecast.scenarios.unusual import monte_carlo_error
from forecast.series_key import SeriesKey, rows_of
from forecast.shelf import shelf
from forecast.validation import MEASURES

if TYPE_CHECKING:
    from forecast.evaluate.track import Track

#: Name of the targets that the package ships, ``models/targets/concepts.toml``.
SHIPPED = "concepts"
STATED, YARDSTICK = "stated", "yardstick"
#: Whether a row has a probability, and if not, why.
PREDICTED, OBSERVED, ABSENT, UNMEASURED = (
    "forecast", "observed", "not in this forecast", "not measurable with these series",
)  # fmt: skip
COLUMNS = [
    "concept", "target", "kind", "location", "measure", "source", "year", "side", "threshold",
    "probability", "error", "last_year", "last", "record", "status", "reason", "reference",
]  # fmt: skip
#: Columns that are empty where nothing is known.
_NUMBERS = ("threshold", "probability", "error", "last")
_SIDES = ("at_least", "at_most", "at_least_of", "at_most_of")


class Target(Settings):
    """What a concept wants by a year.

    Attributes
    ----------
    concept : str
        Country of the concept.
    text : str
        The target in words.
    kind : {"stated", "yardstick"}
        Whether the document has the aim in these terms, or the threshold is ours.
    by : tuple of int
        Years by which it is to be reached.
    location : str
        By default the country of the concept.
    measure : str
        Empty: no series measures it, see `why`.
    at_least, at_most : float or None
        The threshold, persons per calendar year.
    at_least_of, at_most_of : int or None
        Year whose figure is the threshold.
    why, reference : str
    """

    concept: Annotated[str, AfterValidator(lambda given: concept(given.upper()).location)]
    text: Text
    kind: Literal["stated", "yardstick"]
    by: Annotated[
        tuple[int, ...],
        BeforeValidator(lambda given: (given,) if isinstance(given, int) else given),
        Field(strict=False, min_length=1),
    ]
    location: Annotated[str, AfterValidator(lambda given: locations.find(given).code)] = Field(
        default_factory=lambda given: given["concept"]
    )
    measure: str = ""
    at_least: float | None = None
    at_most: float | None = None
    at_least_of: int | None = None
    at_most_of: int | None = None
    why: str = ""
    reference: Text

    @model_validator(mode="after")
    def _whole(self) -> Self:
        sides = [side for side in _SIDES if getattr(self, side) is not None]
        if bool(self.measure) == bool(self.why) or len(sides) != bool(self.measure):
            raise ValueError(
                f"needs a measure with one of {', '.join(_SIDES)}, or why: the reason why "
                "no series measures it."
            )
        if self.measure and self.measure not in MEASURES:
            raise ValueError(f"has an {unknown_name('measure', self.measure, MEASURES)}")
        return self

    @property
    def from_below(self) -> bool:
        """Whether the threshold is to be reached from below."""
        return (self.at_least, self.at_least_of) != (None, None)

    @property
    def threshold(self) -> float | None:
        """Persons per calendar year; None for the figure of a year."""
        return self.at_most if self.at_least is None else self.at_least

    @property
    def figure_of(self) -> int | None:
        """Year whose figure is the threshold."""
        return self.at_most_of if self.at_least_of is None else self.at_least_of


class TargetFile(Settings):
    """A file of targets, one table ``[[target]]`` each."""

    target: tuple[Target, ...] = Field(strict=False, min_length=1)


def read(path: str | Path | None = None) -> list[Target]:
    """Read targets from a TOML file with one table ``[[target]]`` each.

    Parameters
    ----------
    path : str or Path, optional
        By default ``"concepts"``, the file that the package ships.

    Raises
    ------
    DataError, UnknownNameError
        Naming the table, the value and the remedy.
    """
    path = Path(SHIPPED if path is None else path)
    if str(path) == SHIPPED and not path.is_file():
        path = shelf("models") / "targets" / f"{SHIPPED}.toml"
    return list(TargetFile.read(path, "Give a TOML file with targets.").target)


def targets(
    outlook: Forecast,
    track: Track | None = None,
    *,
    given: str | Path | Sequence[Target] | None = None,
) -> pd.DataFrame:
    """Return how likely each target is reached, one row per target, series and year.

    Parameters
    ----------
    outlook : Forecast
        Not a scenario and not conditional.
    track : Track, optional
        The record of past forecasts; the verdict on the model at the nearest horizon then
        stands beside each probability.
    given : str, Path or sequence of Target, optional
        A TOML file or targets of your own; by default those of the concepts, as shipped.

    Returns
    -------
    DataFrame
        ``concept, target, kind, location, measure, source, year, side`` (at least, at most),
        ``threshold`` (persons per year), ``probability`` with its Monte Carlo standard
        ``error`` (at least one draw's worth), ``last_year, last``: the newest figure,
        ``record``: the verdict of the backtest, ``status, reason, reference``. A target that
        no series measures, or whose series were not forecast, is a row with the reason. Months,
        quarters and half-years are added up to years first, draw by draw; no backtest of years
        stands beside them.

    Raises
    ------
    DataError
        If the file is not what it should be, the forecast is a scenario or conditional, or one of
        months that reaches no whole year.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> outlook = fc.forecast(panel, "naive", (2027, 2030), draws=200)
    >>> own = {"concept": "KAZ", "text": "At least 15,000 come", "kind": "yardstick", "by": 2030,
    ...        "measure": "immigration", "at_least": 15000.0, "reference": "ours"}
    >>> fc.targets(outlook, given=[Target.of(own, "mine")])["status"].tolist()
    ['forecast']
    """
    outlook.require_unconditional("a table of targets")
    wanted = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else None
    if wanted is None:
        wanted = read(given)  # type: ignore[arg-type]
    judged = _verdicts(track, outlook.model) if outlook.frequency == "year" else {}
    outlook = outlook if outlook.frequency == "year" else outlook.by("year")
    rows = [row for target in wanted for row in _rows(target, outlook, judged)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(
    target: Target, outlook: Forecast, judged: Mapping[SeriesKey, list[tuple[int, str]]]
) -> list[dict[str, Any]]:
    side = "at least" if target.from_below else "at most"
    empty: dict[str, Any] = (
        dict.fromkeys(COLUMNS, "") | dict.fromkeys(_NUMBERS, np.nan) | {"last_year": pd.NA}
    )
    head = empty | {"concept": target.concept, "target": target.text, "kind": target.kind}
    head |= {"location": target.location, "measure": target.measure, "side": side}
    head |= {"threshold": target.threshold, "reference": target.reference}
    if not target.measure:
        unmeasured = {"location": target.concept, "side": "", "threshold": np.nan}
        unmeasured |= {"status": UNMEASURED, "reason": target.why}
        return [head | unmeasured | {"year": year} for year in target.by]
    series = [
        one for one in outlook.history
        if (one.location, one.measure) == (target.location, target.measure)
    ]  # fmt: skip
    missing = {"status": ABSENT, "reason": "the data hold no such series"}
    rows = [] if series else [head | missing | {"year": year} for year in target.by]
    for year in target.by:
        for one in series:
            threshold, chance, error, status, why = _chance(target, one, year, outlook)
            record = _nearest(judged.get(one.key, []), year - one.origin)
            row = head | {"source": one.source, "year": year, "threshold": threshold}
            row |= {"probability": chance, "error": error, "status": status, "reason": why}
            row |= {"last_year": one.origin, "last": float(one.values[-1])}
            rows.append(row | {"record": record if status == PREDICTED else ""})
    return rows


def _chance(
    target: Target, series: Series, year: int, outlook: Forecast
) -> tuple[float, float, float, str, str]:
    """Return threshold, probability, error, status and reason of one series and year."""
    threshold = target.threshold if target.figure_of is None else _figure(series, target.figure_of)
    if threshold is None:
        why = f"there is no figure of {target.figure_of} to compare with"
        return np.nan, np.nan, np.nan, ABSENT, why
    seen = _figure(series, year)
    if seen is not None:
        reached = seen >= threshold if target.from_below else seen <= threshold
        return threshold, float(reached), 0.0, OBSERVED, "this year is observed already"
    position = outlook.position(series.key)
    if position is None:
        mine = outlook.notes[rows_of(outlook.notes, series.key)]
        why = str(mine["reason"].iloc[0]) if len(mine) else "the series was not forecast"
        return threshold, np.nan, np.nan, ABSENT, why
    if year not in outlook.paths["year"] or year <= series.origin:
        return threshold, np.nan, np.nan, ABSENT, f"{year} was not forecast"
    drawn = outlook.paths.isel(series=position).sel(year=year).to_numpy()
    chance = float((drawn >= threshold if target.from_below else drawn <= threshold).mean())
    return threshold, chance, monte_carlo_error(chance, len(drawn)), PREDICTED, ""


def _figure(series: Series, year: int) -> float | None:
    known = series.values[series.years == year]
    return float(known[0]) if known.size and not np.isnan(known[0]) else None


def _verdicts(track: Track | None, model: str) -> dict[SeriesKey, list[tuple[int, str]]]:
    """Return horizon and verdict of each series, as far as the record judges the model."""
    if track is None or model not in track.models or track.reference in ("", model):
        return {}
    judged = track.verdicts()
    found: dict[SeriesKey, list[tuple[int, str]]] = {}
    for row in judged[judged["model"] == model].itertuples():
        key = (str(row.source), str(row.location), str(row.measure))
        found.setdefault(key, []).append((int(str(row.horizon)), str(row.verdict)))
    return found


def _nearest(rows: Sequence[tuple[int, str]], horizon: int) -> str:
    """Return the verdict at the horizon closest to the one asked for, the longer of two."""
    ranked = min(rows, key=lambda row: (abs(row[0] - horizon), -row[0]), default=None)
    if ranked is None:
        return ""
    from forecast.evaluate.verdicts import says_nothing

    tried, verdict = ranked
    return (
        f"not tried beyond {tried} ahead"
        if says_nothing(tried, horizon)
        else f"{verdict} ({tried} ahead)"
    )
