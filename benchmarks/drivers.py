"""Where drivers help and where not: the table of docs/studies/drivers.md, as CSV.

    python benchmarks/drivers.py [--first 2005] [--last 2021] [--horizons 1 3 5]

Each row is a series and a horizon: skill (CRPS) of the regression wherever there are drivers, and
of the one that is offered (drivers only where an inner backtest says so), against the structural
model without drivers and against no change; the one-sided Diebold–Mariano p-value (cautious form)
that drivers do not help, adjusted over all rows (Holm); and how often the drivers were let in.
"""

from __future__ import annotations

import argparse
import sys

import pandas as pd

import forecast as fc
from forecast.errors import TooShortError
from forecast.evaluate.compare import holm
from forecast.models.series.drivers import Driven
from forecast.models.series.regression import Regression
from forecast.models.series.univariate import prepare
from forecast.panel import Panel
from forecast.series_key import KEY

ALWAYS, OFFERED = "regression-always", "regression"


def panel() -> Panel:
    """Return the series that are long enough and whose place has drivers."""
    known = fc.load("central-asia")
    always = Regression(gated=False)
    fit = []
    for series in known:
        try:
            posterior = always.posterior(prepare(series))
        except TooShortError:
            continue
        if isinstance(posterior, Driven) and len(series.years) >= 20:
            fit.append(series.key)
    return known.without([key for key in known.keys if key not in fit])


def opened(known: Panel, origins: range, offered: Regression) -> pd.Series:
    """Return at which share of the origins each series let the drivers in."""
    found: dict[tuple[str, str, str], list[bool]] = {}
    for origin in origins:
        fitted = offered.fit(known.until(origin), 1)
        for key, (_, posterior) in fitted.fits.items():
            found.setdefault(key, []).append(isinstance(posterior, Driven))
    return pd.Series({key: sum(flags) / len(flags) for key, flags in found.items()})


def table(known: Panel, origins: range, horizons: list[int]) -> pd.DataFrame:
    """Return one row per series and horizon."""
    offered = Regression()
    models = ["naive", "structural", offered, Regression(gated=False)]
    track = fc.backtest(known, models, origins, horizons, jobs=1, joint=False)
    by = [*KEY, "horizon"]
    rows = None
    for name, short in ((ALWAYS, "always"), (OFFERED, "offered")):
        compared = track.compare(name, "structural", by=by)
        half = compared["p_value_cautious"] / 2
        better = compared["mean_difference"] < 0
        part = compared[[*by, "forecasts"]].assign(
            **{f"p_{short}": half.where(better, 1 - half), f"gain_{short}": better}
        )
        for versus in ("structural", "naive"):
            skill = track.skill(versus=versus, by=["model", *by])
            own = skill[skill["model"] == name].set_index(by)["skill"]
            part[f"{short}_vs_{versus}"] = own.reindex(part.set_index(by).index).to_numpy()
        rows = part if rows is None else rows.merge(part.drop(columns="forecasts"), on=by)
    rows["p_holm"] = holm(rows["p_always"].to_numpy())
    share = opened(known, origins, offered)
    rows["let_in"] = [share[tuple(row)] for row in rows[KEY].itertuples(index=False)]
    return rows.drop(columns=["gain_always", "gain_offered"]).round(3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=2005)
    parser.add_argument("--last", type=int, default=2021)
    parser.add_argument("--horizons", type=int, nargs="+", default=[1, 3, 5])
    given = parser.parse_args()
    made = table(panel(), range(given.first, given.last + 1), given.horizons)
    made.to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    main()
