"""Thresholds of one's own: the chance of more (or fewer) than so many people."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.errors import DataError, unknown_name
from forecast.language import Language
from forecast.reports.sentences import likelihood
from forecast.reports.series_view import Subject

_WRITTEN = re.compile(
    r"(?P<location>\S+)\s+(?P<measure>\w+)(?:\s+(?P<source>[^\s<>]+))?\s*"
    r"(?P<side>[<>])\s*(?P<number>[+-]?\d[\d,]*(?:\.\d+)?)"
)
_NAMES = ("location", "measure", "source", "above", "below")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of persons whose crossing shall be given a probability.

    Attributes
    ----------
    location, measure : str
    source : str
        Empty for every source.
    value : float
        Persons per calendar year.
    above : bool
        Whether the chance is of more than the value, or of fewer.
    """

    location: str
    measure: str
    source: str
    value: float
    above: bool

    def concerns(self, subject: Subject) -> bool:
        """Whether this is about a series."""
        source, location, measure = subject.key
        same = (self.location, self.measure) == (location, measure)
        return same and self.source in {"", source}


def read(path: str | Path) -> list[Threshold]:
    """Read thresholds from a TOML file with one table ``[[threshold]]`` each.

    Each names ``location``, ``measure``, perhaps ``source``, and ``above`` or ``below``.

    Raises
    ------
    DataError
        Naming the table, the value and the remedy.
    """
    try:
        with Path(path).open("rb") as file:
            content = tomllib.load(file)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Give a TOML file with thresholds.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not TOML: {error}.") from None
    tables = content.get("threshold")
    if not isinstance(tables, list) or not tables:
        raise DataError(f"{path} holds no table [[threshold]]. Write at least one.")
    return [_made(entry, f"threshold {number} of {path}") for number, entry in enumerate(tables, 1)]


def parse(text: str) -> Threshold:
    """Read one threshold as it is written on the command line.

    Parameters
    ----------
    text : str
        ``"KAZ immigration > 40000"``, with a source ``"KAZ net_migration kz-bns < 0"``.

    Raises
    ------
    DataError
        If it is not of this form.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise DataError(
            f"threshold {text!r} is not understood. Write LOCATION MEASURE [SOURCE] > NUMBER, "
            "such as 'KAZ immigration > 40000', or < for fewer."
        )
    named = {name: part for name, part in found.groupdict().items() if part is not None}
    side = "above" if named.pop("side") == ">" else "below"
    number = float(named.pop("number").replace(",", ""))
    return _made({**named, side: number}, f"threshold {text!r}")


def check(thresholds: Sequence[Threshold], known: Sequence[Subject]) -> None:
    """Refuse a threshold that is about no forecast series of the report.

    Raises
    ------
    DataError
        Naming the first one.
    """
    for threshold in thresholds:
        if not any(threshold.concerns(subject) for subject in known if subject.forecast):
            raise DataError(
                f"the threshold on {threshold.measure} of {threshold.location}"
                f"{' from ' + threshold.source if threshold.source else ''} is about no series "
                "that was forecast. Correct its location, measure or source."
            )


def chance(subject: Subject, year: int, threshold: Threshold, words: Language) -> str:
    """Say how likely it is that a series is above (or below) a threshold in a year."""
    drawn = subject.at(year)
    hits = drawn > threshold.value if threshold.above else drawn < threshold.value
    value = words.persons(threshold.value, sign=subject.series.signed)
    said = likelihood(float(hits.mean()), words)
    if threshold.above:
        return words.say("More than {value}: {likelihood}.", value=value, likelihood=said)
    return words.say("Less than {value}: {likelihood}.", value=value, likelihood=said)


def _made(entry: object, where: str) -> Threshold:
    if not isinstance(entry, Mapping):
        raise DataError(f"{where} is {entry!r}; write a table [[threshold]].")
    given: dict[str, Any] = dict(entry)
    for name in given:
        if name not in _NAMES:
            raise unknown_name(f"key in {where}", name, _NAMES)
    for name in ("location", "measure"):
        if not isinstance(given.get(name), str):
            raise DataError(f'{where} names no {name}. Add {name} = "...".')
    sides = [side for side in ("above", "below") if side in given]
    if len(sides) != 1:
        raise DataError(
            f"{where} has {' and '.join(sides) or 'neither above nor below'}; give one."
        )
    value = given[sides[0]]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{where} has {sides[0]} = {value!r}; give a number of persons.")
    return Threshold(
        given["location"].upper(),
        given["measure"],
        str(given.get("source", "")),
        float(value),
        sides[0] == "above",
    )
