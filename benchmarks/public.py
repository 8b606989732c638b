"""The frozen benchmark: every model on every panel, each figure with its bootstrap interval.

    python benchmarks/public.py --shared FOLDER [--only world,registers,...] [--models NAMES]

Nobody chooses a model or a setting by what this prints: choices use early origins of the world
(docs/studies/ensemble.md). Skill is against no change with an honest width; where its 95 % interval
(blocks of whole origins) holds zero, the difference is called a tie. ``2025`` holds forecasts from
figures to 2024 against the first release of 2025. statsforecast's models take part where the extra
``bench`` is installed. Finished folds are kept in the store.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from panels import PANELS, ROOT, peers

import forecast as fc
from forecast import scores
from forecast.contract import Model
from forecast.evaluate.track import Track
from forecast.hindcast.columns import SCORED, in_unit
from forecast.models.ensemble.model import Ensemble

MODELS = ("naive", "persistence", "structural", "pooled", "hierarchical", "ensemble")


def skills(track: Track, per: str) -> pd.DataFrame:
    """Skill by model and horizon with its 95 % bootstrap interval, and whether it is a tie."""
    skill, made = track.skill(per=per), []
    for model in dict.fromkeys(skill["model"]):
        compared = track.compare(model, track.reference, per=per).set_index("horizon")
        own = skill[skill["model"] == model].set_index("horizon")
        low, high = (-compared[side] / own["reference"] for side in ("upper", "lower"))
        said = np.where((low <= 0) & (high >= 0), "tie", "differs")
        said = np.where(low.isna(), "too few origins", said)
        columns = {"low": low, "high": high, "said": said, "model": model}
        made.append(own[["forecasts", "crps", "skill"]].assign(**columns))
    return pd.concat(made).reset_index().set_index(["model", "horizon"])


def against_best(track: Track, per: str) -> pd.DataFrame:
    """The ensemble over the best of its members that were run, by horizon and over all of them.

    ``--models`` with all members holds it against each of them. The best is known in hindsight
    only, and is another one at each horizon. ``low`` and ``high`` are the 95 % bootstrap interval
    of the ratio (blocks of whole origins), without the choice.
    """
    by_horizon = track.summary(["model", "horizon"], per=per).set_index(["horizon", "model"])
    scored = by_horizon["crps"].unstack()
    # A model that made no forecast of the panel has no column.
    members = [model for model in Ensemble().labels if model in scored]
    if "ensemble" not in scored or not members:
        return pd.DataFrame()
    overall = track.summary(["model"], per=per).set_index("model")["crps"]
    rows = []
    for horizon, scores_of in [*scored.iterrows(), ("all", overall)]:
        best = str(scores_of[members].idxmin())
        row = {"horizon": horizon, "best": best, "ratio": scores_of["ensemble"] / scores_of[best]}
        if horizon != "all":
            compared = track.compare("ensemble", best, per=per).set_index("horizon").loc[horizon]
            low, high = (1 + compared[side] / scores_of[best] for side in ("lower", "upper"))
            said = "too few origins" if np.isnan(low) else "behind" if low > 1 else "not behind"
            row |= {"low": low, "high": high, "said": said}
        rows.append(row)
    return pd.DataFrame(rows).set_index("horizon")


def efficiency(track: Track, per: str) -> pd.DataFrame:
    """Whether middles waste information: slopes that should be one, and nought.

    ``slope`` of the change that came on the change that the median foresaw (Mincer and Zarnowitz
    1969), and ``revision``, of the error on the last revision of the forecast for the same year
    (Nordhaus 1987, doi:10.2307/1937950); each with its standard error over origins.
    """
    from statsmodels.api import OLS, add_constant

    rows = in_unit(track.table[track.table["status"] == SCORED], per, 1)
    key = ["model", "source", "location", "measure", "year"]
    rows = rows.sort_values([*key, "origin"])
    rows["revised"] = rows.groupby(key)["median"].diff()
    last = rows[rows["model"] == "naive"].set_index([*key[1:], "origin"])["median"].rename("last")
    rows = rows.join(last, on=[*key[1:], "origin"])
    rows["came"], rows["foreseen"] = rows["observed"] - rows["last"], rows["median"] - rows["last"]
    rows["missed"] = rows["observed"] - rows["median"]
    found = []
    for model, group in rows.groupby("model", sort=False):
        if model in ("naive", "persistence"):
            continue
        row: dict[str, object] = {"model": model}
        for name, outcome, cause in (
            ("slope", "came", "foreseen"),
            ("revision", "missed", "revised"),
        ):
            used = group.dropna(subset=[outcome, cause])
            if used[cause].std() > 0 and used["origin"].nunique() > 2:
                fit = OLS(used[outcome], add_constant(used[cause])).fit(
                    cov_type="cluster", cov_kwds={"groups": used["origin"]}
                )
                row |= {name: fit.params[cause], f"{name}_error": fit.bse[cause]}
        found.append(row)
    return pd.DataFrame(found).set_index("model")


def show(title: str, table: pd.DataFrame) -> None:
    print(f"\n## {title}\n\n{table.round(3).to_string()}", flush=True)


def run(name: str, shared: Path, models: list[str | Model], store: Path) -> None:
    chosen = PANELS[name]
    panel, models = chosen.read(shared), list(chosen.models) or models
    track = fc.backtest(
        panel, models, chosen.origins, chosen.horizons, jobs=1, store=store, draws=1000
    )
    per = chosen.per
    columns = ["forecasts", "crps", "mae", "coverage_50", "coverage_80", "coverage_95"]
    overall = track.summary(["model"], per=per).set_index("model")[columns]
    if track.reference:
        overall["skill"] = 1 - overall["crps"] / overall["crps"][track.reference]
    show(f"{name}: all horizons, {per}", overall)
    if track.reference:
        show(f"{name}: skill against {track.reference}, with its 95 % interval", skills(track, per))
    show(f"{name}: the ensemble over its best member", against_best(track, per))
    tested = track.calibration_test().set_index(["model", "horizon"])
    kept = ["origins", "coverage_50", "coverage_80", "lower_80", "upper_80", "coverage_95"]
    show(f"{name}: coverage over the panel", tested[[*kept, "pit_spread", "p_value_pit"]])
    if len(track.joint):
        joint = track.joint_summary(["model"]).set_index("model")
        show(f"{name}: joint scores", joint[["energy_score", "variogram_score"]])
    if track.reference:
        show(f"{name}: efficiency of the middle", efficiency(track, per))


def outturn(_shared: Path, models: list[str | Model], _store: Path) -> None:
    """Hold forecasts of 2025 from figures to 2024 against the first release of 2025."""
    newest = fc.load("central-asia")
    came = newest.latest.query("year == 2025 and source != 'un-wpp'")
    came = came.set_index(["location", "measure"])["value"]
    panel = newest.as_of("2025-12-31")
    rows = []
    for model in models:
        outlook = fc.forecast(panel, model, horizons=(2025,), draws=4000, seed=1)
        official = outlook.draws["source"].isin(
            [s for s in panel.latest["source"].unique() if s != "un-wpp"]
        )
        for series in outlook.draws.where(official, drop=True).transpose("series", "draw", "year"):
            key = (str(series["location"].item()), str(series["measure"].item()))
            if key in came.index:
                drawn = series.to_numpy()[:, :1].astype(float)
                scored = scores.score(drawn, np.array([came[key]]))
                rows.append(
                    {"model": outlook.model, "key": key, **{k: v[0] for k, v in scored.items()}}
                )
    table = pd.DataFrame(rows)
    both = table.groupby("key")["model"].transform("nunique") == table["model"].nunique()
    for title, part in (("figures that all forecast", table[both]), ("all", table)):
        found = part.groupby("model")[["crps", "absolute_error", "inside_50", "inside_80"]].mean()
        show(f"2025, {title}", found.assign(figures=part.groupby("model").size()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--only", default=",".join([*PANELS, "2025"]))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--store", type=Path, default=ROOT / "build" / "public")
    options = parser.parse_args()
    models: list[str | Model] = [*options.models.split(","), *peers()]
    for name in options.only.split(","):
        if name == "2025":
            outturn(options.shared, models, options.store)
        else:
            run(name, options.shared, models, options.store)


if __name__ == "__main__":
    main()
