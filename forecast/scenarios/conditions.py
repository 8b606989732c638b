"""What a conditional forecast takes for given: values of one series in one year."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast import locations, periods
from forecast.errors import DataError, unknown_name
from forecast.language import plain
from forecast.outlook import Forecast
from forecast.series_key import find_series

_NUMBER = r"[+-]?\d[\d,_]*(?:\.\d+)?"
_WRITTEN = re.compile(
    r"(?P<location>\S+)\s+(?P<measure>[a-z_]+)(?:\s+(?P<source>[^\s<>=~\d][^\s<>=~]*))?"
    r"\s+(?P<year>\d{4}(?:-?[MQHS]?\d{1,2})?)\s*"
    rf"(?P<side>>=|<=|=|~)\s*(?P<value>{_NUMBER})"
    rf"(?:\s+(?P<word>within|sd)\s+(?P<spread>{_NUMBER}))?"
)
_SERIES = ("location", "measure", "source")
_VALUES = ("at_least", "at_most", "equal", "near")
_KEYS = (*_SERIES, "year", "path", *_VALUES, "within", "sd")
_FORM = (
    "Write LOCATION MEASURE [SOURCE] YEAR and >= NUMBER, <= NUMBER, = NUMBER within NUMBER, or "
    "~ NUMBER sd NUMBER, such as 'KAZ net_migration 2027 >= 0'; of months 2027-06 for the year."
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One series in one year, and what it is taken to be.

    Attributes
    ----------
    location, measure : str
    year : int
        A calendar year, or the number of another period (`forecast.periods`).
    lower, upper : float
        Bounds in persons, both included; infinite where there is none.
    near, sd : float
        A value known with a normal error of this standard deviation; None if bounds are given.
    source : str or None
        None where only one source has the series, as in `Forecast.probability`.
    """

    location: str
    measure: str
    year: int
    lower: float = -math.inf
    upper: float = math.inf
    near: float | None = None
    sd: float | None = None
    source: str | None = None

    @property
    def exact(self) -> bool:
        """Whether a draw either meets it or does not."""
        return self.near is None

    def __str__(self) -> str:
        series = " ".join(filter(None, (self.location, self.measure, self.source)))
        if self.near is not None and self.sd is not None:
            return f"{series} {self.year} ~ {plain(self.near)} sd {plain(self.sd)}"
        if math.isinf(self.upper):
            return f"{series} {self.year} >= {plain(self.lower)}"
        if math.isinf(self.lower):
            return f"{series} {self.year} <= {plain(self.upper)}"
        return f"{series} {self.year} from {plain(self.lower)} to {plain(self.upper)}"

    def values(self, outlook: Forecast) -> np.ndarray:
        """Return the values of the series in that year.

        A year that is observed already has the observed figure in every draw.

        Parameters
        ----------
        outlook : Forecast
            Whose draws are taken.

        Returns
        -------
        ndarray, shape (n_draws,)
            Persons per calendar year, net inflow positive.

        Raises
        ------
        DataError, UnknownNameError
            If the forecast has no such series or year.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> outlook = fc.forecast(panel, "naive", (2027,), draws=200)
        >>> Condition("KAZ", "immigration", 2027, lower=20000.0).values(outlook).shape
        (200,)
        """
        # A number alone may count months; below 3000 it is a year.
        of_years = "year" if self.year < 3000 else outlook.frequency
        if (named := getattr(self.year, "frequency", of_years)) != outlook.frequency:
            raise DataError(
                f"the condition {str(self)!r} names a {named}, and this forecast is by "
                f"{outlook.frequency}. Write it as {periods.EXAMPLES[outlook.frequency]}."
            )
        written = f"'{self.location} {self.measure} {{source}} {self.year} ...'"
        position = find_series(
            outlook.series, self.location, self.measure, self.source, "this forecast", written
        )
        if self.year <= outlook.series["origin"].iloc[position]:
            series = outlook.history.find(outlook.keys[position])
            seen = np.empty(0) if series is None else series.values[series.years == self.year]
            if not seen.size or np.isnan(seen[0]):
                raise DataError(f"the condition {str(self)!r} is about a year without a figure.")
            return np.full(outlook.paths.sizes["draw"], float(seen[0]))
        return outlook.sample(
            location=self.location, measure=self.measure, year=self.year, source=self.source
        )

    def log_weights(self, values: np.ndarray) -> np.ndarray:
        """Return the logarithm of the weight of each draw.

        Parameters
        ----------
        values : ndarray, shape (n_draws,)
            Of the series in that year, in persons.

        Returns
        -------
        ndarray, shape (n_draws,)
            Zero or less; minus infinity where a bound is not met.

        Examples
        --------
        >>> bound = Condition("KAZ", "immigration", 2027, lower=20000.0)
        >>> bound.log_weights(np.array([10000.0, 30000.0])).tolist()
        [-inf, 0.0]
        """
        if self.near is not None and self.sd is not None:
            return -0.5 * ((values - self.near) / self.sd) ** 2
        return np.where((values >= self.lower) & (values <= self.upper), 0.0, -np.inf)


Given = Condition | str | Mapping[str, Any]


def conditions(given: Given | Iterable[Given]) -> list[Condition]:
    """Read conditions.

    Parameters
    ----------
    given : Condition, str, mapping, or several of them
        A text such as ``"KAZ net_migration kz-bns 2027 >= 0"``, ``"... = 40000 within 2000"``
        or ``"... ~ 5000 sd 1000"``; a mapping with ``location, measure``, perhaps ``source``,
        ``year`` (one or several) and ``at_least``, ``at_most`` (or both), ``equal`` with
        ``within``, or ``near`` with ``sd``; or ``path``, values by year, with ``within`` or
        ``sd``. Where figures are not by year, ``year`` is a text such as ``"2027-06"``.

    Returns
    -------
    list of Condition
        At least one.

    Raises
    ------
    DataError, UnknownNameError
        Naming the condition, the value and the remedy.
    """
    single = isinstance(given, Condition | str | Mapping)
    every: Sequence[Given] = [given] if single else list(given)  # type: ignore[list-item, arg-type]
    found = [condition for one in every for condition in _read(one)]
    if not found:
        raise DataError(f"no condition is given. {_FORM}")
    return found


def _read(given: Given) -> list[Condition]:
    if isinstance(given, Condition):
        return [given]
    if isinstance(given, str):
        return [_parsed(given)]
    if not isinstance(given, Mapping):
        raise DataError(f"a condition is {given!r}; give a text or a mapping. {_FORM}")
    return _mapped(given)


def _parsed(text: str) -> Condition:
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise DataError(f"condition {text!r} is not understood. {_FORM}")
    named = {">=": "at_least", "<=": "at_most", "=": "equal", "~": "near"}
    content: dict[str, Any] = {name: found[name] for name in _SERIES if found[name]}
    content["year"] = int(found["year"]) if len(found["year"]) == 4 else found["year"]
    for name, number in ((named[found["side"]], "value"), (found["word"], "spread")):
        if name:
            content[name] = float(re.sub("[,_]", "", found[number]))
    return _mapped(content, repr(text))[0]


def _mapped(given: Mapping[str, Any], where: str = "") -> list[Condition]:
    where = where or f"{dict(given)!r}"
    for key in given:
        if key not in _KEYS:
            raise unknown_name(f"key in the condition {where}", key, _KEYS)
    for name in ("location", "measure"):
        if not isinstance(given.get(name), str):
            raise DataError(f"condition {where} names no {name}. {_FORM}")
    series = {
        "location": locations.find(given["location"]).code,
        "measure": given["measure"],
        "source": given.get("source"),
    }
    if "path" in given:
        path = given["path"]
        if not isinstance(path, Mapping) or not path or {"year", *_VALUES} & set(given):
            raise DataError(
                f"condition {where}: a path is a mapping of years to values, without year and "
                f"{', '.join(_VALUES)}."
            )
        how = "near" if "sd" in given else "equal"
        spread = {key: given[key] for key in ("within", "sd") if key in given}
        return [
            _one(series, _year(year, where), {how: value, **spread}, where)
            for year, value in path.items()
        ]
    years = given.get("year")
    wanted = years if isinstance(years, list | tuple | range) else [years]
    stated = {key: given[key] for key in (*_VALUES, "within", "sd") if key in given}
    return [_one(series, _year(year, where), stated, where) for year in wanted]


def _one(series: Mapping[str, Any], year: int, stated: Mapping[str, Any], where: str) -> Condition:
    given = {key: _number(value, key, where) for key, value in stated.items()}
    kinds = set(given)
    if kinds == {"near", "sd"} and given["sd"] > 0:
        return Condition(**series, year=year, near=given["near"], sd=given["sd"])
    if kinds == {"equal", "within"} and given["within"] > 0:
        value, within = given["equal"], given["within"]
        return Condition(**series, year=year, lower=value - within, upper=value + within)
    if kinds and kinds <= {"at_least", "at_most"}:
        lower, upper = given.get("at_least", -math.inf), given.get("at_most", math.inf)
        if lower <= upper:
            return Condition(**series, year=year, lower=lower, upper=upper)
        raise DataError(
            f"condition {where} asks for at least {plain(lower)} and at most {plain(upper)}."
        )
    if "equal" in kinds:
        raise DataError(
            f"condition {where} asks for one exact value, which no draw of a continuous quantity "
            "has. Say within how many persons (above 0), or give near and sd."
        )
    raise DataError(
        f"condition {where} needs at_least, at_most, both of them, equal with within, or near with "
        f"sd (both above 0). {_FORM}"
    )


def _number(value: Any, key: str, where: str) -> float:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise DataError(f"condition {where}: {key} is {value!r}; give a number of persons.")
    return float(value)


def _year(value: object, where: str) -> int:
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        return operator.index(value)
    found = periods.parse(value) if isinstance(value, str) else None
    if found is not None and found[0] != "year":
        return periods.named(found[1], found[0])
    raise DataError(
        f"condition {where}: year is {value!r}; give a calendar year, or a period such as 2027-06."
    )
