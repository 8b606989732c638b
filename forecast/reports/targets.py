"""Targets of policy concepts, and thresholds of one's own: how likely each is reached."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from forecast import labels
from forecast.config import Settings
from forecast.errors import DataError
from forecast.language import Language, message
from forecast.reports.record import Record
from forecast.reports.sentences import likelihood
from forecast.reports.series_view import SeriesView
from forecast.reports.verdicts import in_cell
from forecast.scenarios.targets import (
    ABSENT,
    OBSERVED,
    PREDICTED,
    UNMEASURED,
    YARDSTICK,
    Target,
)

#: What targets are given as.
Given = str | Path | Sequence[Target]
HEADER = (
    message("Place"), message("Target"), message("Measure"), message("Year"),
    message("Threshold"), message("Last observed"), message("Chance"), message("Track record"),
    message("Source"),
)  # fmt: skip


def section(found: pd.DataFrame, record: Record | None, words: Language) -> dict[str, Any]:
    """Return what the page shows: rows with a chance, and targets that have none.

    Parameters
    ----------
    found : DataFrame
        As of `forecast.targets`, one row per target and year.
    record : Record or None
        What a backtest says of the model; without one nothing is said of trust.
    words : Language
        Language of names, numbers and sentences.

    Returns
    -------
    dict
        ``rows``, ``judged`` (whether any has a track record) and ``without``.
    """
    measured = found[found["status"].isin([PREDICTED, OBSERVED])]
    rows = [_row(row, record, words) for row in measured.to_dict("records")]
    for at, row in enumerate(rows):
        row["first"] = at == 0 or rows[at - 1]["target"] != row["target"]
        row["span"] = sum(other["target"] == row["target"] for other in rows)
    judged = any(row["record"] for row in rows)
    return {"rows": rows, "judged": judged, "without": _without(found, words)}


def sheet(
    found: pd.DataFrame, record: Record | None, words: Language
) -> tuple[list[str], list[list[str | int | float | None]]]:
    """Return header and rows for the workbook, every target a row.

    Parameters
    ----------
    found : DataFrame
        As of `forecast.targets`, one row per target and year.
    record : Record or None
        What a backtest says of the model.
    words : Language
        Language of header and texts.

    Returns
    -------
    header : list of str
    rows : list of list
        Persons as whole numbers, chances from 0 to 1; the reason stands in place of a chance that
        cannot be given.
    """
    rows: list[list[str | int | float | None]] = []
    for row in found.to_dict("records"):
        measured = row["status"] in (PREDICTED, OBSERVED)
        shown = _row(row, record, words)
        name = f"{shown['target']} ({shown['kind']})" if shown["kind"] else shown["target"]
        rows.append(
            [
                shown["place"], name, shown["series"], int(row["year"]),
                round(float(row["threshold"])) if measured else None,
                round(float(row["last"])) if measured else None,
                float(row["probability"])
                if measured
                else labels.reason({"reason": row["reason"]}, words),
                shown["record"], str(row["reference"]),
            ]
        )  # fmt: skip
    return [words.say(name) for name in HEADER], rows


def _row(row: dict[Any, Any], record: Record | None, words: Language) -> dict[str, Any]:
    source = labels.source(str(row["source"]), words) if row["source"] else ""
    measure = labels.measure(str(row["measure"]), words) if row["measure"] else ""
    place = str(row["location"] if row["location"] else row["concept"])
    return {
        "place": labels.place(place, words),
        "target": words.lookup(str(row["target"])),
        "kind": words.say("our yardstick") if row["kind"] == YARDSTICK else "",
        "series": ", ".join(filter(None, (measure, source))),
        "measure": measure,
        "source": source,
        "year": int(row["year"]),
        "threshold": _threshold(row, words),
        "last": _last(row, words),
        "chance": _chance(row, words),
        "record": _trust(row, record, words),
        "reference": str(row["reference"]),
    }


def _threshold(row: dict[Any, Any], words: Language) -> str:
    if pd.isna(row["threshold"]):
        return ""
    value = labels.figure(float(row["threshold"]), str(row["measure"]), words)
    if row["side"] == "at least":
        return words.say("at least {value}", value=value)
    return words.say("at most {value}", value=value)


def _last(row: dict[Any, Any], words: Language) -> str:
    if pd.isna(row["last"]):
        return ""
    value = labels.figure(float(row["last"]), str(row["measure"]), words)
    return words.say("{value} in {year}", value=value, year=int(row["last_year"]))


def _chance(row: dict[Any, Any], words: Language) -> str:
    """Return the probability with its Monte Carlo error, in points."""
    if row["status"] == OBSERVED:
        return words.say("reached") if row["probability"] else words.say("not reached")
    if row["status"] != PREDICTED:
        return ""
    points = words.decimal(max(round(100 * float(row["error"]), 1), 0.1))
    return words.say(
        "{chance} (±{points})", chance=words.percent(float(row["probability"])), points=points
    )


def _trust(row: dict[Any, Any], record: Record | None, words: Language) -> str:
    if record is None or row["status"] != PREDICTED:
        return ""
    key = (str(row["source"]), str(row["location"]), str(row["measure"]))
    return in_cell(record.nearest(key, int(row["year"]) - int(row["last_year"])), words)


def _without(found: pd.DataFrame, words: Language) -> list[dict[str, str]]:
    """Return the targets that have no probability, each once, with the reason."""
    listed: dict[tuple[str, str], dict[str, Any]] = {}
    for row in found[found["status"].isin([ABSENT, UNMEASURED])].to_dict("records"):
        source = str(row["source"])
        entry = listed.setdefault(
            (str(row["target"]), source),
            {
                "place": labels.place(str(row["concept"]), words),
                "target": words.lookup(str(row["target"])),
                "source": labels.source(source, words) if source else "",
                "years": [],
                "reason": labels.reason({"reason": row["reason"]}, words),
                "reference": str(row["reference"]),
            },
        )
        entry["years"].append(int(row["year"]))
    return [{**entry, "years": words.listed(entry["years"])} for entry in listed.values()]


_WRITTEN = re.compile(
    r"(?P<location>\S+)\s+(?P<measure>\w+)(?:\s+(?P<source>[^\s<>]+))?\s*"
    r"(?P<side>[<>])\s*(?P<number>[+-]?\d[\d,]*(?:\.\d+)?)"
)


class Threshold(Settings):
    """A number of persons whose crossing shall be given a probability.

    Attributes
    ----------
    location, measure : str
    source : str
        Empty for every source.
    above, below : float or None
        Persons per calendar year, one of the two: the chance is of more, or of fewer.
    """

    location: Annotated[str, AfterValidator(str.upper)]
    measure: str
    source: str = ""
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            both = "neither above nor below" if self.above is None else "above and below"
            raise ValueError(f"has {both}; give one.")
        return self

    @property
    def value(self) -> float:
        """Persons per calendar year."""
        return next(side for side in (self.above, self.below) if side is not None)

    def concerns(self, view: SeriesView) -> bool:
        """Whether this is about a series.

        Parameters
        ----------
        view : SeriesView
            A series of the report.

        Returns
        -------
        bool

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.reports.series_view import series_views
        >>> panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
        >>> view = series_views(fc.forecast(panel, "naive", (2027,), draws=200))[0]
        >>> parse("KAZ immigration > 40000").concerns(view)
        True
        """
        source, location, measure = view.key
        same = (self.location, self.measure) == (location, measure)
        return same and self.source in {"", source}


class ThresholdFile(Settings):
    """A file of thresholds, one table ``[[threshold]]`` each."""

    threshold: tuple[Threshold, ...] = Field(strict=False, min_length=1)


def read(path: str | Path) -> list[Threshold]:
    """Read thresholds from a TOML file with one table ``[[threshold]]`` each.

    Each names ``location``, ``measure``, perhaps ``source``, and ``above`` or ``below``.

    Raises
    ------
    DataError
        Naming the table, the value and the remedy.
    """
    return list(ThresholdFile.read(path, "Give a TOML file with thresholds.").threshold)


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
    return Threshold.of({**named, side: number}, f"threshold {text!r}")


def check(thresholds: Sequence[Threshold], views: Sequence[SeriesView]) -> None:
    """Refuse a threshold that is about no forecast series of the report.

    Parameters
    ----------
    thresholds : sequence of Threshold
        As given by the user.
    views : sequence of SeriesView
        The series of the report; only those that are forecast count.

    Raises
    ------
    DataError
        Naming the first one.
    """
    for threshold in thresholds:
        if not any(threshold.concerns(view) for view in views if view.forecast):
            raise DataError(
                f"the threshold on {threshold.measure} of {threshold.location}"
                f"{' from ' + threshold.source if threshold.source else ''} is about no series "
                "that was forecast. Correct its location, measure or source."
            )


def chance(view: SeriesView, year: int, threshold: Threshold, words: Language) -> str:
    """Say how likely it is that a series is above (or below) a threshold in a year.

    Parameters
    ----------
    view : SeriesView
        A series that the threshold is about.
    year : int
        A forecast year.
    threshold : Threshold
        Persons per calendar year; a draw on it counts for neither side.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    drawn = view.at(year)
    above = threshold.above is not None
    hits = drawn > threshold.value if above else drawn < threshold.value
    value = view.written(threshold.value, words)
    said = likelihood(float(hits.mean()), words)
    if above:
        return words.say("More than {value}: {likelihood}.", value=value, likelihood=said)
    return words.say("Less than {value}: {likelihood}.", value=value, likelihood=said)
