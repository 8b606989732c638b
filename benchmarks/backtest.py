"""The bars of the backtests, as one JSON line.

    python benchmarks/backtest.py [--wpp FOLDER] [--hierarchical]

``--wpp`` names the folder with the tidy WPP vintages (../shared/data/wpp by default).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from forecast.data import wpp
from forecast.evaluate.backtest import backtest
from forecast.evaluate.track import Track
from forecast.models.registry import REGISTRY
from forecast.panel import Panel

ROOT = Path(__file__).resolve().parents[1]
MODELS = ["naive", "persistence", "ets", "theta", "structural", "arima"]
#: Ten origins from which every horizon up to seven years can be scored (data end in 2023).
ORIGINS = range(2007, 2017)
HORIZONS = range(1, 8)
SCORES = ["crps", "mae", "coverage_50", "coverage_80", "coverage_95"]


class Memory(threading.Thread):
    """Highest resident memory of this process and all its children, in megabytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest = 0.0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.2):
            self.highest = max(self.highest, sum(map(_resident, _family(os.getpid()))))

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.join()


def _family(process: int) -> list[int]:
    found = [process]
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found += _family(int(child))
    return found


def _resident(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _processor(process: int) -> float:
    """Processor seconds that a process has used: independent of what else is running."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(panel: Panel, models: list[str]) -> tuple[Track, dict[str, float]]:
    with Memory() as memory:
        started, used = time.perf_counter(), _processor(os.getpid())
        track = backtest(panel, models, ORIGINS, HORIZONS, jobs=2)
        seconds = time.perf_counter() - started
        used = sum(map(_processor, _family(os.getpid()))) - used
    figures = {"seconds": round(seconds, 1), "processor_seconds": round(used, 1)}
    figures["memory_mb"] = round(memory.highest)
    return track, figures | {"scores": int((track.table["status"] == "scored").sum())}


def bundled() -> dict[str, float]:
    """Time `forecast backtest` on the bundled data, from the shell."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        program = "from forecast.cli.main import main; main()"
        command = [sys.executable, "-c", program, "backtest", "--out", f"{folder}/track"]
        finished = subprocess.run(command, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        if finished.returncode:
            return {"error": finished.stderr.strip().splitlines()[-1]}  # type: ignore[dict-item]
        track = Track.open(f"{folder}/track")
    return {"seconds": round(seconds, 1), "rows": len(track.table)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wpp", type=Path, default=ROOT.parent / "shared" / "data" / "wpp")
    parser.add_argument("--hierarchical", action="store_true", help="also run bar 2 (minutes)")
    parser.add_argument("--tables", action="store_true", help="print the tables of the docs")
    options = parser.parse_args()
    result: dict[str, object] = {"bundled": bundled()}
    if options.wpp.is_dir():
        panel = wpp.world(options.wpp, vintages=[2024], smallest=100_000)
        track, figures = timed(panel, MODELS)
        by_model = track.summary(["model"], per="1000").set_index("model")
        scores = by_model[SCORES].round(3).to_dict(orient="index")
        result["world"] = {"areas": len(panel), **figures, "per_1000": scores}
        if options.tables:
            tables(track, options.wpp)
        if options.hierarchical and "hierarchical" in REGISTRY:
            track, figures = timed(panel, ["hierarchical"])
            overall = track.summary(["model"], per="1000")[SCORES]
            by_horizon = track.summary(["horizon"], per="1000").set_index("horizon")["crps"]
            result["hierarchical"] = {
                **figures,
                "per_1000": overall.round(3).to_dict(orient="records"),
                "crps": by_horizon.round(3).to_dict(),
            }
    else:
        result["world"] = f"skipped: no folder {options.wpp}"
    print(json.dumps(result))


def tables(track: Track, folder: Path) -> None:
    """Print the tables of docs/studies/backtests.md as CSV."""
    from forecast.models.published import Published

    kept = ["crps", "mae", "bias", "coverage_50", "coverage_80", "coverage_95"]
    by_horizon = track.summary(["model", "horizon"], per="1000")
    print(by_horizon[["model", "horizon", *kept]].round(3).to_string())
    print(track.skill(per="1000").pivot(index="model", columns="horizon", values="skill").round(3))
    median = track.skill(average="median", per="1000")
    print(median.pivot(index="model", columns="horizon", values="skill").round(3))
    print(track.compare("structural", track.reference, per="1000").round(3).to_string())
    print(track.calibration(["model", "shock"]).round(3).to_string())
    print(track.joint_summary(["model"]).round(2).to_string())
    verdicts = track.verdicts().groupby(["model", "horizon"])["verdict"].value_counts()
    print(verdicts.unstack(fill_value=0).to_string())
    for step, horizons in ((1, (1, 2)), (5, (5, 10))):
        models = [*MODELS, Published("un-wpp", wpp.projections(folder, step=step))]
        if step == 5:
            models.append(Published("bayesmig", wpp.bayesian_projection(folder)))
        panel = wpp.world(folder, step=step)
        real = backtest(panel, models, None, horizons, vintage="as_published", jobs=2)
        made = real.summary(["as_of", "horizon", "model"], per="1000", common=False)
        kept = ["forecasts", "crps", "mae", "crps_first", "mae_first", "coverage_80"]
        print(made[["as_of", "horizon", "model", *kept]].round(3).to_string())


if __name__ == "__main__":
    main()
