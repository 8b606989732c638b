"""Nothing lost and nothing half, at any kill, with any number of writers, after any flip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import forecast as fc
from forecast import artifacts
from forecast.artifacts import files, places
from forecast.errors import DataError
from forecast.hindcast.jobs import Job
from forecast.hindcast.scoring import Scored
from forecast.hindcast.store import Store
from forecast.outlook import Forecast
from forecast.panel import Panel

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
_WRITER = """
import sys
from pathlib import Path
from forecast import artifacts
for number in range(20):
    made = artifacts.recipe(number=number)
    artifacts.write_entry(
        Path(sys.argv[1]) / artifacts.name_of(made), "test/1", {"a": b"%d" % number}, made
    )
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork processes")
def test_a_kill_at_any_step_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed_writers.py")), str(tmp_path)],
        capture_output=True, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(int(count) > 8 for count in done.stdout.split()[:3]), done.stdout


def test_ten_processes_on_one_store(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    writers = [subprocess.Popen(command, env=ENVIRONMENT) for _ in range(10)]
    assert [writer.wait() for writer in writers] == [0] * 10
    entries = sorted(tmp_path.iterdir())
    assert len(entries) == 20
    assert all(artifacts.read_entry(entry, "test/1") is not None for entry in entries)


def flipped(path: Path, count: int) -> list[bytes]:
    """Return the content of a file with one bit flipped, at places spread over it."""
    content = path.read_bytes()
    places = np.unique(np.linspace(0, 8 * len(content) - 1, count).astype(int))
    copies = []
    for place in places.tolist():
        changed = bytearray(content)
        changed[place // 8] ^= 1 << (place % 8)
        copies.append(bytes(changed))
    return copies


def test_a_flipped_bit_of_a_saved_forecast_is_refused_or_harmless(
    outlook: Forecast, tmp_path: Path
) -> None:
    folder = outlook.save(tmp_path / "saved")
    for path in sorted(folder.iterdir()):
        content, opened = path.read_bytes(), 0
        for changed in flipped(path, 120 if path.name == artifacts.MANIFEST else 12):
            path.write_bytes(changed)
            try:
                again = fc.open(folder)
            except DataError:
                continue
            opened += 1
            np.testing.assert_array_equal(again.paths, outlook.paths)
            assert again.history.hash == outlook.history.hash
            assert again.horizons == outlook.horizons
        path.write_bytes(content)
        assert opened == 0 or path.name == artifacts.MANIFEST
    assert fc.open(folder).horizons == outlook.horizons


def test_a_flipped_bit_of_an_entry_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.CACHE, str(tmp_path / "kept"))
    made, arrays = artifacts.recipe(n=1), {"values": np.arange(20.0) / 7}
    artifacts.keep(made, arrays)
    entry = tmp_path / "kept" / artifacts.name_of(made)
    for name in sorted(path.name for path in entry.iterdir()):
        for changed in flipped(entry / name, 80):
            (entry / name).write_bytes(changed)
            found = artifacts.lookup(made)
            if found is not None:
                np.testing.assert_array_equal(found["values"], arrays["values"])
            artifacts.keep(made, arrays)


def test_a_flipped_bit_of_a_fold_is_run_again(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[tuple[Job[Scored], Scored]] = []
    write = Store.write

    def spy(store: Store, fold: Job[Scored], scored: Scored, seconds: float) -> None:
        kept.append((fold, scored))
        write(store, fold, scored, seconds)

    monkeypatch.setattr(Store, "write", spy)
    fc.backtest(panel, ["naive"], [2012], (1,), draws=100, store=tmp_path, jobs=1)
    store, (fold, scored) = Store(tmp_path), kept[0]
    (folder,) = tmp_path.iterdir()
    for name in sorted(path.name for path in folder.iterdir()):
        for changed in flipped(folder / name, 10):
            (folder / name).write_bytes(changed)
            found = store.read(fold)
            assert found is None or found.table.equals(scored.table)
            write(store, fold, scored, 0.0)


@pytest.mark.parametrize("obstacle", ["a plain file", "a foreign link", "a link to nowhere"])
def test_a_cache_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    root, made, arrays = tmp_path / "kept", artifacts.recipe(n=1), {"values": np.arange(3.0)}
    monkeypatch.setenv(places.CACHE, str(root))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work", encoding="utf-8")
    if obstacle == "a plain file":
        root.write_text("mine", encoding="utf-8")
    elif obstacle == "a link to nowhere":
        root.symlink_to(tmp_path / "nowhere" / "at all")
    else:
        root.mkdir()
        (root / artifacts.name_of(made)).symlink_to(theirs)
    for _ in range(2):
        artifacts.keep(made, arrays)
        found = artifacts.lookup(made)
        assert found is None or found["values"].tolist() == [0.0, 1.0, 2.0]
    assert [path.name for path in theirs.iterdir()] == ["thesis.txt"]
    if obstacle == "a plain file":
        assert root.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_another_writer_replaces_meanwhile_is_looked_at_again(tmp_path: Path) -> None:
    target, spare = tmp_path / "entry", tmp_path / "spare"
    target.mkdir()
    looks = []

    def ours(folder: Path) -> bool:
        looks.append(folder)
        if len(looks) == 1:
            folder.rename(spare)
            folder.mkdir()
        return len(looks) > 1

    files.check_folder(target, ours)
    assert len(looks) == 2
    with pytest.raises(DataError, match="not a folder written by forecast"):
        files.check_folder(target, lambda _: False)
