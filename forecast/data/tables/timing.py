"""Timing: of which periods the figures are, settled for a table as a whole."""

from __future__ import annotations

from collections import Counter

from forecast import measures, periods
from forecast.data.tables import dates
from forecast.data.tables.labels import Context
from forecast.data.tables.reading import Observation
from forecast.errors import DataError

#: Sums since January, beside the frequencies of a Panel.
TO_DATE = "year to date"


def settle_periods(context: Context) -> None:
    """Find the frequency of the figures; note a problem where there are several.

    Dates are years unless one year has several of them; sums since January that end with the
    first quarter or half-year are that, where the others are quarters or half-years.
    """
    observations = context.observations
    _dates(context)
    kinds = Counter(_kind(one) for one in observations)
    others = [kind for kind in kinds if kind not in (TO_DATE, "year")]
    if len(others) == 1 and TO_DATE in kinds:
        months = 12 // periods.PER_YEAR[others[0]]
        for one in observations:
            if one.stated.through and periods.part_of(one.stated.year, "month") == months:
                year = periods.year_of(one.stated.year, "month")
                first = periods.number(year, 1, others[0])
                one.stated = one.stated._replace(year=first, frequency=others[0], through=False)
        kinds = Counter(_kind(one) for one in observations)
    if kinds.keys() <= {"month"} and all(map(dates.is_ambiguous, _written(context))):
        error = DataError(
            f"{_written(context)[0]!r} may be a month or two years, and so may all others. Write "
            "months as 2024-03 with January among them, or years as 2011/12."
        )
        context.problem(0, error)
    wanted = context.options.frequency
    if wanted is not None and wanted not in kinds and not (TO_DATE in kinds and wanted != "year"):
        error = DataError(
            f"the table has no figures by {wanted}; it has them by {', '.join(sorted(kinds))}."
        )
        context.problem(0, error)
    elif wanted is not None:
        _keep(context, wanted if wanted in kinds else TO_DATE)
    elif len(kinds) > 1 and not _ends_of_sums(observations):
        _refuse(context, kinds)
    taken = {_kind(one) for one in context.observations}
    sums = TO_DATE in taken
    for one in context.observations:
        one.year = one.stated.year
    context.out.frequency = "" if sums else next(iter(taken), "year")
    if sums:
        note = "sums since January were taken apart into the figures of their periods"
        context.out.notes[note] = None


def period_text(observation: Observation) -> str:
    """Return the period of a figure as a Panel reads it; a sum since January as its span.

    Parameters
    ----------
    observation : Observation
        Whose period is settled.
    """
    stated = observation.stated
    text = periods.label(stated.year, stated.frequency)
    return f"{text[:4]}-01/{text}" if stated.through else text


def _kind(observation: Observation) -> str:
    return TO_DATE if observation.stated.through else observation.stated.frequency


def _written(context: Context) -> list[object]:
    """Return the cells in which the periods are written."""
    column = next(iter(context.layout.of("year", "ds")), None)
    return [
        one.column.label if column is None else one.line.cell(column.at)
        for one in context.observations
    ]


def _dates(context: Context) -> None:
    """Take dates for the months, quarters or half-years that they stand for."""
    dated = [one for one in context.observations if one.stated.month]
    found: dict[tuple[object, ...], set[int]] = {}
    for one in dated:
        beside = (one.attributes.get(name) for name in ("source", "as_of", "unique_id"))
        key = (one.place, one.measure, one.scope, one.column.place, one.stated.year, *beside)
        found.setdefault(key, set()).add(one.stated.month)
    if not any(len(months) > 1 for months in found.values()):
        return
    months = {month for some in found.values() for month in some}
    frequency = periods.frequency_of(months)
    length = 12 // periods.PER_YEAR[frequency]
    for one in dated:
        part = (one.stated.month - 1) // length + 1
        number = periods.number(one.stated.year, part, frequency)
        one.stated = one.stated._replace(year=number, frequency=frequency)


def _keep(context: Context, kind: str) -> None:
    """Leave out the figures of other periods, with an account of it."""
    kinds = {TO_DATE, "year"} if kind == TO_DATE else {kind}
    left = [one for one in context.observations if _kind(one) not in kinds]
    if left:
        counted = Counter(_kind(one) for one in left)
        listed = ", ".join(f"{n:,} by {name}" for name, n in sorted(counted.items()))
        context.out.notes[f"figures of other periods were left out, as told: {listed}"] = None
        context.observations[:] = [one for one in context.observations if _kind(one) in kinds]
        kept = {one.line.number for one in context.observations}
        context.out.aside |= {one.line.number for one in left} - kept


def _ends_of_sums(observations: list[Observation]) -> bool:
    """Whether years stand beside sums since January of the same year, and nothing else does."""
    if {_kind(one) for one in observations} != {TO_DATE, "year"}:
        return False
    summed = {(one.place, one.stated.year // 12) for one in observations if one.stated.through}
    return all(one.stated.through or (one.place, one.stated.year) in summed for one in observations)


def _refuse(context: Context, kinds: Counter[str]) -> None:
    listed = " and ".join(
        f"{n:,} figures {'since January' if name == TO_DATE else f'by {name}'}"
        for name, n in sorted(kinds.items())
    )
    choices = [name for name in periods.PER_YEAR if name in kinds]
    context.problem(
        0,
        DataError(
            f"the table has {listed}; a panel has one frequency. Say which to take, such as "
            f"frequency={choices[-1]!r}; the others are then left out."
        ),
    )


def refuse_stocks(context: Context) -> None:
    """Note a problem where sums since January are of a measure that does not add up over time."""
    for one in context.observations:
        found = measures.known().get(one.kept) if one.stated.through else None
        if found is not None and not found.adds_over_time:
            where = context.grid.where(one.line)
            error = DataError(
                f"{where}: {one.kept} is a {found.kind}, which is not summed since January. "
                "Write the period at whose end it was."
            )
            context.problem(one.line.number, error)
            return
