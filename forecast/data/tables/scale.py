"""Scale: the decimal mark and the unit of a whole table; as stated, else inferred with evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.data.checks.contradictions import bundled_figures
from forecast.data.tables import numbers, words
from forecast.data.tables.grid import MOST_PROBLEMS
from forecast.data.tables.labels import Context
from forecast.data.tables.numbers import Figure
from forecast.data.tables.reading import Observation
from forecast.data.tables.words import UNITS, unit_name
from forecast.errors import DataError

#: How near to a round factor the median ratio to known figures must be, and on how many years.
_NEAR, _LEAST = 2.0, 3
#: Below this, figures that all have decimals may be rates per 1,000 inhabitants.
_LARGEST_RATE = 50


def evidence(figures: Sequence[tuple[str, str, int, float]]) -> tuple[float | None, str]:
    """Compare figures with known ones of the same places, measures and years.

    Parameters
    ----------
    figures : sequence of (location, measure, year, value)

    Returns
    -------
    float or None
        1, 1,000 or 1,000,000 if the figures are that many times smaller than known ones.
    str
        The comparison in words.
    """
    known = bundled_figures()
    ratios = [
        known[place, measure, year] / abs(value)
        for place, measure, year, value in figures
        if value and known.get((place, measure, year), 0) > 0
    ]
    if len(ratios) < _LEAST:
        return None, ""
    middle = float(np.median(ratios))
    for factor in UNITS.values():
        if factor / _NEAR <= middle <= factor * _NEAR:
            return (
                factor,
                f"the bundled figures of the same {len(ratios)} years "
                + ("agree" if factor == 1 else f"are {middle:,.4g} times as large"),
            )
    return None, ""


def figures_of(context: Context, codes: Sequence[str], measures: Sequence[str]) -> list[Figure]:
    """Return each cell as a figure, by the decimal mark of the whole table."""
    texts = [cell for cell in (one.cell for one in context.observations) if isinstance(cell, str)]
    hint = "," if context.grid.delimiter == ";" else ""
    convention = numbers.convention(texts, context.options.decimal, hint)
    if convention.clash:
        context.problem(
            0,
            DataError(
                f"{convention.clash[0].strip()!r} and {convention.clash[1].strip()!r} have "
                "different decimal marks. Write all figures in one way, or say decimal=',' or '.'."
            ),
        )
        return []
    decimal, reason = convention.decimal, convention.reason
    if convention.unclear:
        decimal, reason = _unclear(context, convention, codes, measures)
    context.out.decimal = f"{decimal!r} ({reason})" if decimal else reason
    figures = []
    for observation in context.observations:
        figure = numbers.figure(observation.cell, decimal or ".")
        if figure.state == "unclear":
            context.problem(observation.line.number, _not_a_figure(context, observation))
            if len(context.out.problems) >= MOST_PROBLEMS:
                break
        figures.append(figure)
    marks = sum(bool(figure.marks) for figure in figures)
    if marks:
        context.out.notes[f"footnote marks behind {marks} figures were set aside"] = None
    return figures


def _not_a_figure(context: Context, observation: Observation) -> DataError:
    label = observation.column.label or f"{observation.column.at + 1}"
    cell = observation.cell
    if isinstance(cell, str):
        return DataError(
            f"{context.where(observation)}, column {label}: {words.spaced(cell)!r} is not a "
            "number. Write persons as digits with a point for decimals, and leave a missing "
            "figure empty."
        )
    return DataError(
        f"{context.where(observation)}, column {label}: {cell} is not a count of persons. "
        "Write digits, and leave a missing figure empty."
    )


def _unclear(
    context: Context, convention: numbers.Convention, codes: Sequence[str], measures: Sequence[str]
) -> tuple[str, str]:
    """Decide a mark that may group digits or stand before decimals, by the unit.

    Returns the decimal mark and how it is known; both empty if nothing decides.
    """
    mark = "," if "," in convention.unclear else "."
    other = "." if mark == "," else ","
    default = context.table_unit()
    stated = {default if one.unit is None else one.unit for one in context.observations}
    whole = stated == {1.0} or (stated == {None} and context.has_package_columns())
    if whole and mark == ",":
        context.out.notes[
            f"the comma of {convention.unclear!r} groups digits, as the figures are persons"
        ] = None
        return other, "the figures are persons"
    # Persons come in decimals only where somebody computed them, and then seldom with three
    # each; a spreadsheet that groups digits by points writes every figure so.
    grouped = whole and context.layout.style != "SDMX-CSV" and _all_could_group(context)
    if mark == "." and context.has_package_columns() and not grouped:
        return mark, "as the columns of the package mean it"
    if convention.decimal == mark and not whole:
        context.out.notes[
            f"the comma of {convention.unclear!r} stands before decimals, as cells are divided by "
            "semicolons"
        ] = None
        return mark, convention.reason
    agreeing = [sign for sign in (mark, other) if _agrees(context, sign, codes, measures)]
    if len(agreeing) == 1:
        does = "stands before decimals" if agreeing[0] == mark else "groups digits"
        context.out.notes[
            f"the {'comma' if mark == ',' else 'point'} of {convention.unclear!r} {does}: so read, "
            "the figures agree with the bundled ones"
        ] = None
        return agreeing[0], "so read, the figures agree with the bundled ones"
    context.problem(
        0,
        DataError(
            f"{convention.unclear!r} may be {convention.unclear.replace(mark, '')} or "
            f"{convention.unclear.replace(mark, '.')}: nothing says whether the "
            f"{'comma' if mark == ',' else 'point'} groups digits or stands before decimals. "
            "Say decimal='.' or decimal=','."
        ),
    )
    return "", ""


def _all_could_group(context: Context) -> bool:
    """Whether each figure is written with one mark that may group its digits."""
    texts = [cell for cell in (one.cell for one in context.observations) if isinstance(cell, str)]
    return all(numbers.could_group(text) for text in texts if numbers.written(text))


def _agrees(context: Context, decimal: str, codes: Sequence[str], measures: Sequence[str]) -> bool:
    """Whether figures read with a decimal mark are those known of the same years."""
    known = []
    for observation, code, measure in zip(context.observations, codes, measures):
        figure = numbers.figure(observation.cell, decimal)
        unit = observation.unit if observation.unit is not None else context.table_unit()
        if figure.state == "number":
            known.append((code, measure, observation.year, figure.value * (unit or 1.0)))
    return evidence(known)[0] == 1.0


def factors_of(
    context: Context, codes: Sequence[str], measures: Sequence[str], figures: Sequence[Figure]
) -> list[float]:
    """Return by what each figure is multiplied to be persons, and note how that is known.

    Raises
    ------
    DataError
        If no unit is stated and the figures leave it open, or if they are no counts.
    """
    observations, title, out = context.observations, context.title_unit, context.out
    given = context.options.units
    stated = sorted({one.unit for one in observations if one.unit is not None})
    if given is not None:
        factor = UNITS[given]
        others = {*stated, *([] if title is None else [title])} - {factor}
        out.units = [f"{given}, as told"]
        out.units += [f"the table itself says {unit_name(unit)}" for unit in sorted(others)]
        return [factor] * len(observations)
    out.units = [f"{unit_name(unit)}, stated beside the figures" for unit in stated]
    if title is not None and any(one.unit is None for one in observations):
        out.units.append(f"{unit_name(title)}, stated above the table")
    factors = [title if one.unit is None else one.unit for one in observations]
    _refuse_fractions(figures, [1.0 if factor is None else factor for factor in factors])
    unstated = [at for at, factor in enumerate(factors) if factor is None]
    if not unstated:
        return [float(factor or 1.0) for factor in factors]
    known = [(codes[at], measures[at], observations[at].year, figures[at].value) for at in unstated]
    inferred, reason = _infer(
        known, [figures[at].decimals for at in unstated], context.has_package_columns()
    )
    out.units.append(f"{unit_name(inferred)}, {reason}")
    return [inferred if factor is None else factor for factor in factors]


def _refuse_fractions(figures: Sequence[Figure], factors: Sequence[float]) -> None:
    """Refuse figures that are all less than one person: they are rates or shares."""
    persons = [
        abs(figure.value) * factor
        for figure, factor in zip(figures, factors)
        if figure.state == "number" and figure.value
    ]
    if len(persons) >= _LEAST and max(persons) < 1:
        shown = next(
            figure.value for figure in figures if figure.state == "number" and figure.value
        )
        raise DataError(
            f"all figures are smaller than one person, such as {shown:g}: these are rates or "
            "shares. Give counts of persons, or say units='thousands' if they count thousands."
        )


def _infer(
    figures: Sequence[tuple[str, str, int, float]], decimals: Sequence[int], contract: bool
) -> tuple[float, str]:
    broken = sum(places > 0 for places in decimals) > 0.3 * len(decimals)
    if contract:
        largest = max((abs(value) for *_, value in figures if value == value), default=0.0)
        if (
            len(figures) >= _LEAST
            and largest < _LARGEST_RATE
            and all(
                places > 0
                for (*_, value), places in zip(figures, decimals)
                if value and value == value
            )
            and any(places > 0 for places in decimals)
        ):
            raise DataError(
                f"no unit is stated, and all figures have decimals and are below {_LARGEST_RATE}, "
                "as rates per 1,000 are. Give counts of persons, or say units='persons' or "
                "units='thousands'."
            )
        return 1.0, "as the columns of the package mean it"
    factor, comparison = evidence(figures)
    if broken and factor is not None and factor > 1:
        return factor, f"inferred: {comparison}"
    if broken:
        shown = next(value for (*_, value), places in zip(figures, decimals) if places)
        raise DataError(
            f"no unit is stated and figures such as {shown:g} are not whole persons. "
            "Say units='thousands' or units='persons'."
        )
    if factor is not None and factor > 1:
        place, measure, year, value = next(row for row in figures if row[3])
        raise DataError(
            f"no unit is stated, and {comparison}: {measure} of {place} in {year} is {value:g} "
            "here. Say units='thousands' or units='persons'."
        )
    because = (
        f"inferred: {comparison}"
        if factor == 1
        else "inferred: no unit is stated and all are whole numbers"
    )
    return 1.0, because
