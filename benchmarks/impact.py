"""Do impacts keep what they promise? Simulated events of known size, as one table.

    python benchmarks/impact.py [--panels 0 1 2 3] [--years 34 18] [--window 2]

Every five series of a panel share a part of their shocks, as neighbours do; each in turn is
the one that an event hits. Printed for each process and length, once with earlier dates of the
series itself as placebos and once with those, the other four at the same date and at earlier
ones: the share of events without effect that are called unusual at 5 %, the share of effects
inside 50, 80 and 95 % intervals (calibrated by placebos, and of the model alone), and the share
of events found whose size is the one that is said to be found four times in five.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
import pycountry

from forecast.impacts.counterfactual import Window, windows
from forecast.impacts.placebo import half_width, rank, smallest_effect
from forecast.models.registry import model
from forecast.panel import Panel

LAST, GROUP, SHARED, DRAWS = 2024, 5, 0.3, 400
CODES = [country.alpha_3 for country in pycountry.countries][:200]
Shocks = Callable[[np.random.Generator, int], np.ndarray]


def normal(generator: np.random.Generator, n: int) -> np.ndarray:
    return generator.normal(size=n)


def heavy(generator: np.random.Generator, n: int) -> np.ndarray:
    return generator.standard_t(3, size=n)


def walk(shocks: np.ndarray) -> np.ndarray:
    return shocks.cumsum()


def autoregression(shocks: np.ndarray) -> np.ndarray:
    values = np.empty(len(shocks))
    values[0] = shocks[0] / np.sqrt(1 - 0.7**2)
    for year in range(1, len(shocks)):
        values[year] = 0.7 * values[year - 1] + shocks[year]
    return values


PROCESSES: dict[str, tuple[Shocks, Callable[[np.ndarray], np.ndarray]]] = {
    "random walk": (normal, walk),
    "AR(1), 0.7": (normal, autoregression),
    "random walk, t(3)": (heavy, walk),
}


def simulated(process: str, n_years: int, seed: int) -> Panel:
    """200 places in groups of five with shared shocks."""
    draw, path = PROCESSES[process]
    rows = []
    for number, code in enumerate(CODES):
        own = draw(np.random.default_rng([seed, 0, number]), n_years)
        common = draw(np.random.default_rng([seed, 1, number // GROUP]), n_years)
        values = 1000 * path(np.sqrt(1 - SHARED) * own + np.sqrt(SHARED) * common)
        years = np.arange(LAST - n_years + 1, LAST + 1)
        rows.append(
            pd.DataFrame(
                {
                    "location": code,
                    "measure": "net_migration",
                    "source": "simulated",
                    "year": years,
                    "value": values,
                }
            )
        )
    return Panel.from_frame(pd.concat(rows, ignore_index=True))


def study(process: str, n_years: int, length: int, seeds: list[int]) -> list[dict[str, object]]:
    """Judge every series of some panels, with each set of placebos."""
    structural, steps = model("structural"), range(1, length + 1)
    found: dict[str, list[list[float]]] = {"dates": [], "dates, places, others": []}
    generator = np.random.default_rng(1)
    for seed in seeds:
        panel = simulated(process, n_years, seed)
        made: dict[str, dict[int, Window]] = {code: {} for code in CODES}
        event = LAST - length
        for origin in [*range(LAST - n_years + 8, event - length + 1), event]:
            for window in windows(structural, panel, origin, steps, DRAWS, seed):
                made[window.key[1]][origin] = window
        for number, code in enumerate(CODES):
            first = number - number % GROUP
            others = [made[other] for other in CODES[first : first + GROUP] if other != code]
            own = made[code]
            dates = [own[origin] for origin in own if origin != event]
            places = [other[event] for other in others]
            earlier = range(event - length, LAST - n_years, -length)
            elsewhere = [other[o] for other in others for o in earlier if o in other]
            for name, placebos in (
                ("dates", dates),
                ("dates, places, others", [*dates, *places, *elsewhere]),
            ):
                gaps = np.array([window.gaps[-1] for window in placebos])
                found[name].append(judged(own[event], gaps, float(generator.uniform())))
    columns = ["placebos", "false alarms", "randomised", "inside 50", "inside 80", "inside 95",
               "model 50", "model 80", "model 95", "found"]  # fmt: skip
    return [
        {
            "process": process,
            "years": n_years,
            "window": length,
            "set": name,
            "series": len(rows),
            **dict(zip(columns, _means(np.array(rows)))),
        }
        for name, rows in found.items()
    ]


def _means(rows: np.ndarray) -> list[float]:
    """Return the mean of each column over what is known, NaN where nothing is."""
    known = ~np.isnan(rows)
    total = np.where(known, rows, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    return [round(t / c, 3) if c else np.nan for t, c in zip(total.tolist(), count.tolist())]


def judged(window: Window, gaps: np.ndarray, uniform: float) -> list[float]:
    """What is said of one event without effect, and of one of the size said to be found."""
    gap = float(window.gaps[-1])
    found = rank(gap, gaps, uniform)
    inside = [abs(gap) <= half_width(gaps, level) for level in (0.5, 0.8, 0.95)]
    observed, draws = window.columns
    ends = np.quantile(draws[:, -1], [0.25, 0.75, 0.1, 0.9, 0.025, 0.975])
    model_inside = [ends[i] <= observed[-1] <= ends[i + 1] for i in (0, 2, 4)]
    effect = smallest_effect(window.ruler, gaps, "rise")
    seen = np.nan
    if not np.isnan(effect):
        moved = window.ruler.measure(observed + effect)[-1]
        seen = float(rank(float(moved), gaps, uniform).p_value <= 0.05)
    return [
        found.placebos, found.p_value <= 0.05, found.p_randomised <= 0.05,
        *inside, *model_inside, seen,
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--years", type=int, nargs="+", default=[34, 18])
    parser.add_argument("--window", type=int, default=2)
    given = parser.parse_args()
    for n_years in given.years:
        for process in PROCESSES:
            for row in study(process, n_years, given.window, given.panels):
                print(",".join(map(str, row.values())), flush=True)


if __name__ == "__main__":
    main()
