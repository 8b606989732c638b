"""How often the screen for breaks is wrong, and how often it finds what is there.

    python benchmarks/breaks.py [DRAWS]

Prints a table of false alarms per series at level 0.05, by length and kind of series without a
break (kinds outside the family of the screen included), and of planted breaks found.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from forecast.data.breaks.statistics import (
    LEVEL,
    OUTLIER,
    combine,
    correlation,
    profiles,
    reference,
    simulate,
)

LENGTHS = (8, 12, 20, 34, 74)
#: (persistence, degrees of freedom); the last three are not in the screen's family.
KINDS = {
    "independent, t3": (0.0, 3.0),
    "autocorrelation 0.5, t3": (0.5, 3.0),
    "autocorrelation 0.8, t3": (0.8, 3.0),
    "random walk, t5": (1.0, 5.0),
    "random walk, normal": (1.0, np.inf),
    "independent, normal": (0.0, np.inf),
    "random walk, t3": (1.0, 3.0),
    "independent, t2": (0.0, 2.0),
}


def smallest(series: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the probability of each series' strongest evidence, and the years, by kind."""
    expected = reference(series.shape[-1])
    found = profiles(series)
    chances = {
        kind: np.array(
            [expected.probability(kind, float(np.log1p(p.max()))) for p in np.abs(profile)]
        )
        for kind, profile in found.items()
    }
    return np.minimum(chances[LEVEL], chances[OUTLIER]), chances


def alarms(series: np.ndarray) -> float:
    """Return the share of series that are proposed anything."""
    return float((smallest(series)[0] <= 0.05).mean())


def storms(draws: int, years: int, generator: np.random.Generator) -> np.ndarray:
    """Return random walks whose volatility wanders by 20 % a year."""
    wide = np.exp(np.cumsum(0.2 * generator.standard_normal((draws, years)), axis=1))
    return np.cumsum(wide * generator.standard_t(3, (draws, years)), axis=1)


def main(draws: int) -> None:
    """Print false alarms and what is found."""
    rows = []
    for years in LENGTHS:
        generator = np.random.default_rng([7, years])
        for name, (persistence, degrees) in KINDS.items():
            series = simulate((draws, years), persistence, degrees, generator)
            rows.append((name, years, float((smallest(series)[0] <= 0.05).mean())))
        wild = storms(draws, years, generator)
        rows.append(
            (
                "random walk, t3, wandering volatility",
                years,
                float((smallest(wild)[0] <= 0.05).mean()),
            )
        )
    table = pd.DataFrame(rows, columns=["series without a break", "years", "false alarms"])
    print(
        table.pivot(index="series without a break", columns="years", values="false alarms")
        .round(3)
        .to_string()
    )

    rows = []
    for years in LENGTHS:
        generator = np.random.default_rng([8, years])
        for size in (5, 10, 20):
            for kind in (LEVEL, OUTLIER):
                series = simulate((draws // 4, years), 0.5, 5.0, generator)
                at = years // 2
                if kind == LEVEL:
                    series[:, at:] += size
                else:
                    series[:, at] += size
                expected, found = reference(years), profiles(series)[kind]
                chance = np.array(
                    [expected.probability(kind, float(np.log1p(p.max()))) for p in np.abs(found)]
                )
                right = np.abs(found).argmax(axis=1) == at
                rows.append(
                    (
                        f"{kind}, {size} innovation units",
                        years,
                        float(((chance <= 0.05) & right).mean()),
                    )
                )
    table = pd.DataFrame(rows, columns=["planted", "years", "found"])
    print(table.pivot(index="planted", columns="years", values="found").round(2).to_string())

    rows = []
    for members, together in (
        (2, 0.5),
        (2, 0.8),
        (9, 0.0),
        (9, 0.3),
        (9, 0.6),
        (16, 0.0),
        (16, 0.3),
        (16, 0.6),
    ):
        for years in (12, 23):
            generator = np.random.default_rng([9, years, members, round(100 * together)])
            hits = 0
            for persistence, degrees in ((0.0, 3.0), (0.5, 3.0), (1.0, 5.0)):
                groups = simulate(
                    (draws // 20, members, years), persistence, degrees, generator, together
                )
                for group in groups:
                    expected = reference(years, members, correlation(group))
                    hits += (
                        min(
                            expected.probability(kind, float(combine(profile).max()))
                            for kind, profile in profiles(group).items()
                        )
                        <= 0.05
                    )
            rows.append((members, together, years, hits / (3 * (draws // 20))))
    print(
        pd.DataFrame(rows, columns=["members", "correlation", "years", "false alarms"])
        .round(3)
        .to_string(index=False)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
