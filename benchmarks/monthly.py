"""Months: the seasonal models on Germany's arrivals and departures by partner.

    python benchmarks/monthly.py --shared FOLDER [--only speed,choose,report,surges]
        [--store FOLDER] [--export FOLDER] [--peers FOLDER]

`FOLDER` holds ``data/corridors/deu_monthly_migration_by_partner_2008_2019.csv.gz`` (Destatis). The
models' variants were chosen on `CHOOSE` alone; `REPORT` is reported (docs/studies/months.md).

statsforecast's models run in an environment of their own, since their pandas is not ours. Write the
series for them with ``--export FOLDER``, run ``python benchmarks/monthly_peers.py FOLDER`` there,
and give the folder as ``--peers``; without it they are left out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import babel
import numpy as np
import pandas as pd
from joblib.externals.loky import get_reusable_executor

import forecast as fc
from forecast import periods, scores
from forecast.artifacts.places import CACHE
from forecast.evaluate.surges import surges
from forecast.evaluate.track import Track
from forecast.panel import Panel

FILE = "data/corridors/deu_monthly_migration_by_partner_2008_2019.csv.gz"
FIRST, LAST = "2012-01", "2019-12"
#: No choice uses a figure after 2015; every fourth month of the years that are reported.
CHOOSE = ("2014-06", "2014-09", "2014-12", "2015-03", "2015-06", "2015-09")
REPORT = (
    "2015-12", "2016-04", "2016-08", "2016-12", "2017-04",
    "2017-08", "2017-12", "2018-04", "2018-08", "2018-12",
)  # fmt: skip
CHOOSE_UNTIL = "2015-12"
HORIZONS = (1, 3, 6, 12)
#: Partners that the table names otherwise than CLDR; all other names that CLDR lacks are sums.
NAMES = {
    "Côte d'Ivoire": "CIV", "Kongo, Dem. Republik": "COD", "Mazedonien": "MKD",
    "Russische Föderation": "RUS", "Tschechische Republik": "CZE", "Weißrussland": "BLR",
    "Vereinigte Staaten, auch USA": "USA", "Korea, Republik": "KOR", "Kosovo": "XKX",
}  # fmt: skip


def germany(shared: Path) -> Panel:
    """Arrivals and departures of every partner that is complete in all 96 months."""
    import pycountry

    table = pd.read_csv(shared / FILE)
    table = table[table["year"] >= int(FIRST[:4])]
    names = babel.Locale("de").territories
    codes = {text: code for code, text in names.items() if len(code) == 2 and code.isalpha()}
    iso3 = {country.alpha_2: country.alpha_3 for country in pycountry.countries}
    known = {text: iso3[code] for text, code in codes.items() if code in iso3} | NAMES
    table["location"] = table["partner_de"].map(known)
    table = table.dropna(subset=["location"])
    table["period"] = [f"{year}-{month:02d}" for year, month in zip(table["year"], table["month"])]
    long = table.melt(["location", "period"], ["arrivals", "departures"], "measure").dropna()
    long["measure"] = long["measure"].map({"arrivals": "immigration", "departures": "emigration"})
    whole = long.groupby(["location", "measure"])["value"].transform("count") == 96
    return Panel.from_frame(long[whole].assign(source="destatis").reset_index(drop=True))


def export(panel: Panel, folder: Path) -> None:
    """Write the series and the origins for other programs."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (one.location, one.measure, one.label(year), value)
        for one in panel
        for year, value in zip(one.years, one.values)
    ]
    columns = ["location", "measure", "period", "value"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "series.csv", index=False)
    (folder / "origins.txt").write_text("\n".join(REPORT))


MODELS = (
    "seasonal-naive", "seasonal-ets", "seasonal-components", "seasonal-arima", "seasonal-theta",
    "seasonal-pooled", "ensemble",
)  # fmt: skip


def replay(panel: Panel, origins: tuple[str, ...], store: Path | None) -> Track:
    """Run all models from some origins; the processors' time is printed."""
    numbers = [periods.read(origin, "month") for origin in origins]
    started, used = time.time(), sum(os.times()[:4])
    track = fc.backtest(panel, MODELS, numbers, HORIZONS, draws=500, store=store, jobs=2)
    print(f"{len(panel)} series, {len(origins)} origins: {time.time() - started:.0f} s")
    # Of workers that are still there nothing is counted.
    get_reusable_executor().shutdown(wait=True)
    print(f"processors' time: {sum(os.times()[:4]) - used:.0f} s", flush=True)
    return track


def show(title: str, table: pd.DataFrame) -> None:
    print(f"\n## {title}\n\n{table.round(3).to_string()}", flush=True)


def tables(rows: pd.DataFrame, beside: str = "") -> None:
    """Print mean CRPS by model and horizon, and all scores by model."""
    rows = rows[rows["status"] == "scored"].assign(relative=lambda t: t["crps"] / t["scale"])
    by = rows.pivot_table(index="model", columns="horizon", values="crps", sort=False)
    show(f"CRPS, persons{beside}", by)
    by = rows.pivot_table(index="model", columns="horizon", values="relative", sort=False)
    show("CRPS over the usual change from a year before", by)
    names = ["crps", "relative", "scaled_error", "inside_50", "inside_80", "inside_95"]
    mean = rows.groupby("model", sort=False)[names].mean()
    show("All horizons", mean.rename(columns={"scaled_error": "MASE"}))
    show("Over the reference", mean[names[:3]] / mean.loc[MODELS[0], names[:3]])
    by = rows.pivot_table(index="horizon", values=names[3:], columns="model", sort=False).xs(
        "ensemble", axis=1, level=1
    )
    show("Coverage of the ensemble", by)


def of_peers(folder: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Return scores of the exchanged forecasts at the horizons, in columns of the score table."""
    scored = []
    wanted = rows[rows["model"] == MODELS[0]]
    wanted = wanted.assign(origin=[periods.label(one, "month") for one in wanted["origin"]])
    key = ["location", "measure", "origin", "horizon"]
    for name in ("AutoETS", "AutoTheta", "AutoARIMA"):
        path = folder / f"{name}.csv"
        if not path.exists():
            continue
        table = pd.read_csv(path).rename(columns={"step": "horizon"})
        table = table[table["horizon"].isin(HORIZONS)].drop_duplicates([*key, "quantile"])
        wide = table.pivot(index=key, columns="quantile", values="value").sort_index(axis=1)
        wide = wide[wide.notna().all(axis=1)]
        known = wanted.merge(wide.reset_index()[key], on=key)
        values = wide.loc[list(zip(*(known[one] for one in key)))].to_numpy()
        # Draws at even probabilities, straight lines between the quantiles that are stated.
        at = (np.arange(400) + 0.5) / 400
        draws = np.stack([np.interp(at, wide.columns, np.sort(row)) for row in values], axis=1)
        made = scores.score(draws, known["observed"].to_numpy())
        columns = ["crps", "absolute_error", "inside_50", "inside_80", "inside_95"]
        known = known.assign(model=name, **{column: made[column] for column in columns})
        known["scaled_error"] = known["absolute_error"] / known["scale"]
        known["origin"] = [periods.read(one, "month") for one in known["origin"]]
        scored.append(known)
    return pd.concat(scored, ignore_index=True) if scored else rows.iloc[:0]


def against_peers(rows: pd.DataFrame, folder: Path) -> None:
    """Print each peer beside the ensemble, on the forecasts that both made."""
    theirs = of_peers(folder, rows)
    key = ["location", "measure", "origin", "horizon"]
    ours = rows[rows["model"].isin(["ensemble", MODELS[0]])]
    for name, made in theirs.groupby("model", sort=False):
        both = pd.concat([ours.merge(made[key], on=key), made], ignore_index=True)
        tables(both, f" beside {name}, {len(made.drop_duplicates(key[:2]))} series")


def warned(panel: Panel) -> None:
    """Print how chances of surges did: the reference, single models and the ensemble."""
    names = [MODELS[0], "seasonal-ets", "seasonal-pooled", "ensemble"]
    table = surges(panel, names, REPORT, HORIZONS, draws=500, jobs=2)
    columns = ["surge", "probability", "brier", "tail_crps"]
    table["surge"] = table["surge"].astype(float)
    by = table.groupby(["model", "horizon"], sort=False)[columns].mean()
    show("Surges", by)
    show("Surges, all horizons", table.groupby("model", sort=False)[columns].mean())
    own = table[table["model"] == "ensemble"]
    bins = pd.cut(own["probability"], [-0.01, 0.02, 0.1, 0.25, 0.5, 1.0])
    groups = own.groupby(bins, observed=True)
    show("Chances given and what came", groups[["probability", "surge"]].agg(["mean", "size"]))


def speed(panel: Panel) -> None:
    """Time 130 series, all models, ten origins."""
    table = panel.to_frame()
    keys = pd.MultiIndex.from_frame(table[["source", "location", "measure"]])
    some = Panel.from_frame(table[keys.isin(panel.keys[:130])].reset_index(drop=True))
    # Nothing of earlier runs helps; what the ensemble's origins have in common is kept.
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE] = folder
        replay(some, REPORT, None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--export", type=Path)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--only", default="choose,report,surges")
    given = parser.parse_args()
    panel = germany(given.shared)
    print(panel)
    if given.export:
        export(panel, given.export)
    if "speed" in given.only:
        speed(panel)
    if "choose" in given.only:
        tables(replay(panel.until(CHOOSE_UNTIL), CHOOSE, given.store).table)
    if "report" in given.only:
        track = replay(panel, REPORT, given.store)
        tables(track.table)
        if given.peers:
            against_peers(track.table[track.table["status"] == "scored"], given.peers)
    if "surges" in given.only:
        warned(panel)
