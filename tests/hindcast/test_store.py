"""Finished folds survive a kill, and a resumed run gives the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.artifacts import described
from forecast.contract import FittedModel
from forecast.errors import FitError
from forecast.hindcast import jobs as hindcast_jobs
from forecast.models.ensemble.model import Ensemble
from forecast.models.series.structural import RandomWalk
from forecast.panel import Panel

Walks = Callable[..., Panel]
OPTIONS = {"origins": range(2006, 2016), "horizons": (1, 3), "draws": 200}
MODELS = ["naive", "structural", "arima"]
_RUN = """
import sys
import forecast as fc
if __name__ == "__main__":
    fc.backtest(
        fc.read(sys.argv[1]), ["naive", "structural", "arima"], range(2006, 2016), (1, 3),
        draws=200, store=sys.argv[2], jobs=int(sys.argv[3]),
    )
"""


class Colour(Enum):
    RED = 1
    BLUE = 2


def folds(store: Path) -> list[Path]:
    return sorted(path for path in store.glob("[!.]*") if (path / "scores.parquet").is_file())


@pytest.mark.thorough
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_goes_on_and_gives_the_same_bits(
    walks: Walks, tmp_path: Path, jobs: int
) -> None:
    data, store, script = tmp_path / "own.csv", tmp_path / "store", tmp_path / "run.py"
    walks().to_frame().dropna(axis="columns", how="all").to_csv(data, index=False)
    script.write_text(_RUN)
    command = [sys.executable, str(script), str(data), str(store), str(jobs)]
    paths = os.pathsep.join(path for path in sys.path if path)
    # Its own group, so that the kill takes its processes along.
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths}, start_new_session=True
    )
    patience = time.monotonic() + 120
    while len(folds(store)) < 4:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < patience
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {path.name: (path / "scores.parquet").stat().st_mtime_ns for path in folds(store)}
    assert 4 <= len(before) < 30
    panel = fc.read(data)
    resumed = fc.backtest(panel, MODELS, **OPTIONS, store=store, jobs=jobs)
    whole = fc.backtest(panel, MODELS, **OPTIONS)
    pd.testing.assert_frame_equal(resumed.table, whole.table, check_exact=True)
    pd.testing.assert_frame_equal(resumed.joint, whole.joint, check_exact=True)
    after = {path.name: (path / "scores.parquet").stat().st_mtime_ns for path in folds(store)}
    assert len(after) == 30
    assert {name: after[name] for name in before} == before


def test_finished_folds_are_not_run_again(
    walks: Walks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fc.backtest(walks(), ["naive", "mean"], **OPTIONS, store=tmp_path)

    def refuse(fold: object) -> None:
        raise AssertionError("a finished fold was run again")

    monkeypatch.setattr(hindcast_jobs, "run", refuse)
    seen: list[tuple[int, int]] = []
    second = fc.backtest(
        walks(),
        ["naive", "mean"],
        **OPTIONS,
        store=tmp_path,
        progress=lambda done, total: seen.append((done, total)),
    )
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    assert seen[0] == (0, 20)
    assert seen[-1] == (20, 20)


@pytest.mark.thorough
def test_a_process_that_dies_is_one_message_and_the_rest_is_kept(
    walks: Walks, tmp_path: Path
) -> None:
    class Dies:
        name = "dies"

        def fit(self, panel: Panel, seed: int) -> None:
            os._exit(9)

    options = {**OPTIONS, "origins": [2010]}
    with pytest.raises(FitError, match="a process was lost"):
        fc.backtest(walks(), [Dies()], **options, store=tmp_path, jobs=2)
    fc.backtest(walks(), ["naive"], **options, store=tmp_path, jobs=2)
    assert len(folds(tmp_path)) == 1


@pytest.mark.parametrize("change", [{"draws": 201}, {"seed": 2}, {"horizons": (1, 2)}])
def test_other_settings_are_other_folds(
    walks: Walks, tmp_path: Path, change: dict[str, object]
) -> None:
    options = {**OPTIONS, "origins": [2010]}
    fc.backtest(walks(), ["naive"], **options, store=tmp_path)
    fc.backtest(walks(), ["naive"], **(options | change), store=tmp_path)
    fc.backtest(walks(seed=6), ["naive"], **options, store=tmp_path)
    assert len(folds(tmp_path)) == 3


@pytest.mark.parametrize("damage", [b"", b"PAR1 and then nothing", None])
def test_a_damaged_fold_is_run_again(walks: Walks, tmp_path: Path, damage: bytes | None) -> None:
    options = {**OPTIONS, "origins": [2010]}
    first = fc.backtest(walks(), ["naive"], **options, store=tmp_path)
    path = folds(tmp_path)[0] / "scores.parquet"
    if damage is None:
        content = bytearray(path.read_bytes())
        content[len(content) // 4] ^= 0xFF  # one flipped byte among the figures
        damage = bytes(content)
    path.write_bytes(damage)
    second = fc.backtest(walks(), ["naive"], **options, store=tmp_path)
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    third = fc.backtest(walks(), ["naive"], **options, store=tmp_path)
    pd.testing.assert_frame_equal(first.table, third.table, check_exact=True)


def test_models_of_one_name_with_other_settings_are_not_mixed_up(
    walks: Walks, tmp_path: Path
) -> None:
    panel, store = walks(), tmp_path / "store"
    options = {"origins": [2012], "horizons": (1,), "draws": 100, "jobs": 1}
    kept_one, kept_other = (
        fc.backtest(panel, [Ensemble([member])], store=store, **options).table["crps"]
        for member in ("naive", "mean")
    )  # fmt: skip
    anew = fc.backtest(panel, [Ensemble(["mean"])], **options).table["crps"]
    pd.testing.assert_series_equal(kept_other, anew)
    assert not kept_one.equals(kept_other)


@pytest.mark.thorough
def test_settings_are_told_apart_and_the_same_in_every_process() -> None:
    class Plain:
        def __init__(self, setting: object) -> None:
            self.name, self.setting = "own", setting

    @dataclass(slots=True)
    class Slotted:
        setting: int

    differing: list[tuple[object, object]] = [
        (3, 5), (np.int64(3), np.int64(5)), (np.float32(0.1), np.float32(0.2)),
        (Decimal("1.5"), Decimal("1.6")), (range(3), range(4)), (partial(pow, 2), partial(pow, 3)),
        (Slotted(1), Slotted(2)), ({"a": [1, 2]}, {"a": [1, 3]}), (Colour.RED, Colour.BLUE),
        (np.arange(3), np.arange(4)), (len, max),
    ]  # fmt: skip
    for one, other in differing:
        assert described(Plain(one)) != described(Plain(other)), one
        assert described(Plain(one)) == described(Plain(one))
    looped = Plain(None)
    looped.setting = looped
    assert described(looped) == described(looped)
    assert described(Plain(np)) == described(Plain(np))
    assert described(Plain(np.random.default_rng(1))) == described(Plain(np.random.default_rng(1)))
    code = "from forecast.models.ensemble.model import Ensemble as E\n"
    code += "from forecast.artifacts import described\nprint(described(E(['mean'])))"
    path = os.pathsep.join(one for one in sys.path if one)
    said = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert said.strip() == described(Ensemble(["mean"])).strip()


def test_a_model_that_learns_on_itself_is_kept_as_it_was_made(walks: Walks, tmp_path: Path) -> None:
    fits = []

    class Own(RandomWalk):
        name = "own"

        def fit(self, panel: Panel, seed: int) -> FittedModel:
            fits.append(panel.origin)
            self.seen = panel.origin
            return super().fit(panel, seed)

    options = {"origins": [2010, 2011, 2012], "horizons": (1,), "draws": 100, "jobs": 1}
    first, second = (
        fc.backtest(walks(), [Own()], store=tmp_path / "store", **options).table for _ in range(2)
    )
    assert len(fits) == 3
    pd.testing.assert_frame_equal(first, second)
