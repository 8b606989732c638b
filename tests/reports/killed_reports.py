"""Kill a report at each of its steps on the disk; run as a program by test_kills.py.

    python killed_reports.py FOLDER EVERY

A forked child ends at its k-th event that touches the disk, for every EVERY-th k. Then one more run
must leave the whole edition there, vouched for by its manifest, the files of others untouched and
nothing left behind.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sys
from functools import partial
from pathlib import Path

import pandas as pd

import forecast as fc
from forecast.panel import Panel

_SPEC = importlib.util.spec_from_file_location(
    "killed_writers", Path(__file__).parents[1] / "artifacts" / "killed_writers.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
writers = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(writers)


def editions() -> list[fc.Forecast]:
    """Return forecasts of two editions of the same two series."""
    values = [1200.0, 1500.0, 900.0, 1100.0, 1700.0, 1300.0, 1250.0, 1000.0, 1400.0, 1600.0, 1500.0]
    table = pd.concat(
        [
            pd.DataFrame(
                {"location": "KGZ", "measure": measure, "source": "own", "value": values,
                 "year": range(2014, 2025)}
            )
            for measure in ("immigration", "emigration")
        ]
    )  # fmt: skip
    panels = (Panel.from_frame(table[table["year"] <= last]) for last in (2023, 2024))
    return [fc.forecast(panel, "naive", horizons=(2026,), draws=100) for panel in panels]


def check(folder: Path) -> None:
    """The manifest names every file of the edition with the checksum that it has."""
    stated = json.loads((folder / "own.manifest.json").read_text(encoding="utf-8"))
    assert {"own.html", "own-annex.html", "own.csv", "own.xlsx"} <= set(stated["sha256"])
    for name, checksum in stated["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum, name


def kill_at_every_step(root: Path, every: int) -> int:
    """Return how many kills there were."""
    first, second = editions()
    step = kills = 0
    while True:
        step += every
        folder = root / str(step)
        fc.report(first, folder=folder, name="own")
        (folder / "letter.txt").write_text(writers.NOTE, encoding="utf-8")
        (folder / "own-hub" / "of-others.csv").write_text(writers.DEEP, encoding="utf-8")
        write = partial(fc.report, second, folder=folder, name="own")
        died = writers.killed(write, step)
        write()
        check(folder)
        assert (folder / "letter.txt").read_text(encoding="utf-8") == writers.NOTE
        assert (folder / "own-hub" / "of-others.csv").read_text(encoding="utf-8") == writers.DEEP
        left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        assert left == [], (step, left)
        shutil.rmtree(folder)
        if not died:
            return kills
        kills += 1


if __name__ == "__main__":
    done = kill_at_every_step(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(f"{done} kills\n")
