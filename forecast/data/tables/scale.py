"""Units of a whole table: as stated, else inferred with evidence, else asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from forecast.data.tables.observations import Observation
from forecast.data.tables.units import UNITS, called
from forecast.errors import DataError

#: How near to a round factor the median ratio to known figures must be, and on how many years.
_NEAR, _LEAST = 2.0, 3


@cache
def _known() -> dict[tuple[str, str, int], float]:
    """Return bundled figures by (location, measure, year): the median over sources."""
    from forecast.data.package import load

    values: dict[tuple[str, str, int], list[float]] = {}
    for name in ("central-asia", "population", "kazakhstan-internal", "kazakhstan-split"):
        rows = load(name).latest.dropna(subset=["value"])
        for place, measure, year, value in zip(
            rows["location"], rows["measure"], rows["year"].tolist(), rows["value"]
        ):
            values.setdefault((place, measure, year), []).append(abs(float(value)))
    return {key: float(np.median(found)) for key, found in values.items()}


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
    known = _known()
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


def resolve(
    observations: Sequence[Observation],
    figures: Sequence[tuple[str, str, int, float]],
    decimals: Sequence[int],
    given: str | None,
    title: float | None,
    contract: bool,
) -> tuple[list[float], list[str]]:
    """Return the factor of each observation, and how units are known.

    Parameters
    ----------
    observations : sequence of Observation
    figures : sequence of (location, measure, year, value)
        The same figures as numbers.
    decimals : sequence of int
        Decimals of each.
    given : {"persons", "thousands", "millions"}, optional
        What the reader was told; it has the last word.
    title : float, optional
        What stands above the table.
    contract : bool
        Whether the columns bear the names of the package, which mean persons.

    Raises
    ------
    DataError
        If no unit is stated and the figures leave it open.
    """
    if given is not None:
        factor = UNITS[given]
        stated = [title, *(one.unit for one in observations)]
        said = sorted({unit for unit in stated if unit is not None})
        told = [f"{given}, as told"]
        told += [f"the table itself says {called(unit)}" for unit in said if unit != factor]
        return [factor] * len(observations), told
    factors = [one.unit if one.unit is not None else title for one in observations]
    told = []
    for unit in sorted({one.unit for one in observations if one.unit is not None}):
        told.append(f"{called(unit)}, stated beside the figures")
    if title is not None and any(one.unit is None for one in observations):
        told.append(f"{called(title)}, stated above the table")
    open_ = [at for at, factor in enumerate(factors) if factor is None]
    if not open_:
        return [float(factor or 1.0) for factor in factors], told
    inferred, reason = _infer(
        [figures[at] for at in open_], [decimals[at] for at in open_], contract
    )
    told.append(f"{called(inferred)}, {reason}")
    return [float(inferred if factor is None else factor) for factor in factors], told


def _infer(
    figures: Sequence[tuple[str, str, int, float]], decimals: Sequence[int], contract: bool
) -> tuple[float, str]:
    if contract:
        return 1.0, "as the columns of the package mean it"
    broken = sum(places > 0 for places in decimals) > 0.3 * len(decimals)
    seen, said = evidence(figures)
    if broken and seen is not None and seen > 1:
        return seen, f"inferred: {said}"
    if broken:
        shown = next(value for (*_, value), places in zip(figures, decimals) if places)
        raise DataError(
            f"no unit is stated and figures such as {shown:g} are not whole persons. "
            "Say units='thousands' or units='persons'."
        )
    if seen is not None and seen > 1:
        place, measure, year, value = next(one for one in figures if one[3])
        raise DataError(
            f"no unit is stated, and {said}: {measure} of {place} in {year} is {value:g} here. "
            "Say units='thousands' or units='persons'."
        )
    because = (
        f"inferred: {said}"
        if seen == 1
        else "inferred: no unit is stated and all are whole numbers"
    )
    return 1.0, because
