"""The ensemble against its peers: every table of docs/studies/ensemble.md.

    python benchmarks/ensemble.py --shared FOLDER [--only world,asia,...] [--store FOLDER]

`FOLDER` holds ``data/wpp`` (tidy WPP vintages) and ``anchors/bayesmig`` (the peer's
published run). Finished folds are kept in the store; the same command goes on from them.
statsforecast's models take part where the extra ``bench`` is installed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import panels

import forecast as fc
from forecast.contract import Model
from forecast.data import wpp
from forecast.evaluate.track import Track
from forecast.models.ensemble.model import Ensemble
from forecast.models.published import Published
from forecast.models.registry import specification

ROOT = Path(__file__).resolve().parents[1]
#: Choices were made on the first three and 1993, outcomes up to 2013; the others are reported only.
EARLY, LATE = (1998, 2003, 2008), (2013, 2016)
TEN = range(1, 11)


def models() -> list[str | Model]:
    from forecast.models.registry import REGISTRY

    members = [name for name in specification("ensemble")["members"] if name in REGISTRY]
    return [*members, "persistence", "ensemble", *panels.peers()]


def show(title: str, table: pd.DataFrame) -> None:
    print(f"\n## {title}\n\n{table.round(3).to_string()}", flush=True)


def by_area(track: Track, per: str) -> pd.DataFrame:
    """Mean and median-area CRPS, error and coverage of every model and origin."""
    from forecast.hindcast.columns import SCORED, in_unit

    rows = in_unit(track.table[track.table["status"] == SCORED], per, 1)
    groups = rows.groupby(["origin", "model"])
    found = groups[["crps", "absolute_error", "inside_50", "inside_80", "inside_95"]].mean()
    area = rows.groupby(["origin", "model", "source", "location", "measure"])["crps"].mean()
    found.insert(1, "median_area", area.groupby(["origin", "model"]).median())
    return found


def horizons(track: Track, per: str, origins: tuple[int, ...]) -> pd.DataFrame:
    """Mean CRPS by horizon; the last row is the ensemble over the best single model."""
    from forecast.hindcast.columns import SCORED, in_unit

    rows = in_unit(track.table[track.table["status"] == SCORED], per, 1)
    rows = rows[rows["origin"].isin(origins)]
    table = rows.pivot_table(index="model", columns="horizon", values="crps", aggfunc="mean")
    table["all"] = rows.groupby("model")["crps"].mean()
    table.loc["ensemble / best"] = table.loc["ensemble"] / table.drop(index="ensemble").min()
    return table


def world(shared: Path, store: Path | None) -> None:
    panel = panels.world(shared)
    started = time.perf_counter()
    track = fc.backtest(panel, models(), [*EARLY, *LATE], TEN, jobs=1, store=store)
    print(f"world: {time.perf_counter() - started:.0f} s")
    per = "1000"
    early = track.table["year"] <= 2013
    chosen = Track(track.table[early].reset_index(drop=True), track.joint, track.settings)
    show("World, early origins, outcomes up to 2013", by_area(chosen, per))
    show("World, every outcome up to 2023", by_area(track, per))
    show("World, by horizon, origin 2013", horizons(track, per, (2013,)))
    show("World, by horizon, all origins", horizons(track, per, (*EARLY, *LATE)))
    theirs = pd.read_csv(shared / "anchors/bayesmig/pred_quantiles_annual2013x.csv")
    large = theirs.groupby("country_code")["pop_end_thousand"].first() >= 100
    theirs = theirs[theirs["country_code"].isin(large[large].index)]
    score = theirs.groupby("country_code")["crps"].mean() * 1000
    print(f"\nbayesMig, origin 2013: {len(score)} areas, mean {score.mean():.3f}, "
          f"median area {score.median():.3f}")  # fmt: skip


def asia(shared: Path, store: Path | None) -> None:
    panel = fc.load("central-asia")
    track = fc.backtest(panel, models(), range(2008, 2022), (1, 3, 5, 7), jobs=1, store=store)
    table = track.table.assign(group=track.table["source"] + " " + track.table["measure"])
    for name, rows in table.groupby("group"):
        part = Track(rows.drop(columns="group").reset_index(drop=True), track.joint, track.settings)
        if (part.table["status"] == "scored").any():
            made = part.summary(["model"], per="scale").set_index("model")
            show(f"{name}, in mean absolute yearly changes", made)


def real_time(shared: Path, store: Path | None, step: int = 5) -> None:
    """Fitted to single releases, held against the first and the latest figures."""
    folder = shared / "data/wpp"
    theirs: list[str | Model] = [Published("un-wpp", wpp.projections(folder, step=step))]
    ahead, releases = ((1, 2), [2022]) if step == 1 else ((5, 10), [2010, 2012, 2015, 2017])
    together = Ensemble([*Ensemble().members, theirs[0]], name="ensemble with un-wpp")
    if step == 5:
        theirs.append(Published("bayesmig", wpp.bayesian_projection(folder)))
    track = fc.backtest(
        wpp.world(folder, step=step),
        ["naive", "pooled", "structural", "ensemble", together, *theirs],
        [wpp.RELEASED[year] for year in releases], ahead,
        vintage="as_published", jobs=1, store=store,
    )  # fmt: skip
    made = track.summary(["as_of", "horizon", "model"], per="1000", common=False)
    kept = ["forecasts", "crps", "mae", "crps_first", "mae_first", "coverage_80"]
    show(f"Real time, step {step}", made.set_index(["as_of", "horizon", "model"])[kept])
    show("80 % intervals by millions of inhabitants", by_size(track))


def by_size(track: Track) -> pd.DataFrame:
    """How often 80 % intervals held the latest figure, by size of the population and by heads."""
    rows = track.table[(track.table["status"] == "scored") & track.table["population"].notna()]
    rows = rows[rows["model"].isin(["structural", "ensemble"]) & rows["inside_80"].notna()]
    edges = [0, 1e6, 5e6, 20e6, 50e6, float("inf")]
    names = ["below 1", "1-5", "5-20", "20-50", "above 50"]
    size = pd.cut(rows["population"], edges, labels=names)
    key = [rows[name] for name in ("model", "as_of", "horizon")]
    made = rows.groupby([*key, size], observed=True)["inside_80"].mean().unstack()
    heads = (rows["inside_80"] * rows["population"]).groupby(key).sum()
    return made.assign(by_heads=heads / rows["population"].groupby(key).sum())


def registers(shared: Path, store: Path | None) -> None:
    """Registers of fourteen countries: a choice of form was taken back after a look at these."""
    elsewhere("registers", shared, store)


def states(shared: Path, store: Path | None) -> None:
    """States of the United States: a choice of form was taken back after a look at these."""
    elsewhere("states", shared, store)


def elsewhere(name: str, shared: Path, store: Path | None) -> None:
    chosen = panels.PANELS[name]
    panel = chosen.read(shared)
    track = fc.backtest(panel, models(), chosen.origins, chosen.horizons, jobs=1, store=store)
    made = track.summary(["model"], per="1000").set_index("model").sort_values("crps")
    show(f"{name}, per 1,000", made)
    by = track.summary(["horizon", "model"], per="1000")
    show("By horizon, CRPS", by.pivot_table(index="model", columns="horizon", values="crps"))


def real_time_years(shared: Path, store: Path | None) -> None:
    real_time(shared, store, step=1)


def revisions(shared: Path, store: Path | None) -> None:
    """Print what the UN's releases teach about revisions, as models/ensemble.toml states it."""
    from forecast.models.ensemble import release_revisions

    panel = wpp.world(shared / "data/wpp", step=5)
    for vintage in (2015, 2022, 2024):
        for (source, kind), law in release_revisions.learn(
            panel.as_of(wpp.RELEASED[vintage]), specification("ensemble")["revisions"]["shrinkage"]
        ).items():
            sizes = ", ".join(f"{size:.3f}" for size in law.sizes)
            own = ", ".join(f'"{place}" = {size:.2f}' for place, size in sorted(law.own.items()))
            print(
                f'[[revisions.learned]]\nsource = "{source}"\nkind = "{kind}"\n'
                f'until = "{law.until}"\nstep = {law.step}\npairs = {law.pairs}\n'
                f"intercept = {law.intercept:.3f}\nexponent = {law.exponent:.3f}\n"
                f"inhabitants = {law.inhabitants:.3f}\n"
                f"correlation = {law.correlation:.3f}\nsizes = [{sizes}]\nown = {{ {own} }}\n"
            )


PARTS: dict[str, Callable[[Path, Path | None], None]] = {
    "world": world,
    "asia": asia,
    "registers": registers,
    "states": states,
    "revisions": revisions,
    "real-time": real_time,
    "real-time-years": real_time_years,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--store", type=Path, default=ROOT / "build" / "ensemble")
    options = parser.parse_args()
    for name in options.only.split(","):
        PARTS[name](options.shared, options.store)


if __name__ == "__main__":
    main()
