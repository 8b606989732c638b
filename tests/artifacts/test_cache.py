"""The cache: where it lies, whole or not there, damaged entries made anew."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from forecast import artifacts
from forecast.artifacts import entries, places

KEY = artifacts.recipe(what="test", seed=1)
ARRAYS = {"values": np.arange(6.0).reshape(2, 3) / 7, "text": np.array(["а", "b"])}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.CACHE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_the_same_bits_come_back(folder: Path) -> None:
    assert artifacts.lookup(KEY) is None
    artifacts.keep(KEY, ARRAYS)
    found = artifacts.lookup(KEY)
    assert found is not None
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype
    (entry,) = folder.iterdir()
    assert sorted(path.name for path in entry.iterdir()) == ["arrays.npz", "manifest.json"]
    assert artifacts.lookup(artifacts.recipe(what="test", seed=2)) is None


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_entry_is_noticed_and_removed(folder: Path, file: str, damage: str) -> None:
    artifacts.keep(KEY, ARRAYS)
    (entry,) = folder.iterdir()
    content = bytearray((entry / file).read_bytes())
    if damage == "gone":
        (entry / file).unlink()
    elif damage == "cut":
        (entry / file).write_bytes(bytes(content[: len(content) // 2]))
    else:
        # In the manifest the last half holds the checksum.
        place = (
            content.index(b'"arrays.npz": "') + 16 if file == "manifest.json" else len(content) // 2
        )
        content[place] ^= 1
        (entry / file).write_bytes(bytes(content))
    assert artifacts.lookup(KEY) is None
    assert not entry.exists()
    artifacts.keep(KEY, ARRAYS)
    assert artifacts.lookup(KEY) is not None


def test_objects_are_never_loaded(folder: Path) -> None:
    """An array of objects would be a pickle."""
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        artifacts.keep(KEY, {"values": np.array([{}], dtype=object)})
    assert artifacts.lookup(KEY) is None


def test_it_can_be_switched_off(folder: Path) -> None:
    artifacts.keep(KEY, ARRAYS)
    with artifacts.caching(False):
        assert artifacts.lookup(KEY) is None
        artifacts.keep(artifacts.recipe(other=1), ARRAYS)
    assert artifacts.lookup(artifacts.recipe(other=1)) is None
    assert artifacts.lookup(KEY) is not None


def test_the_oldest_entries_go_first(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    import os

    for number in range(4):
        artifacts.keep(artifacts.recipe(n=number), {"values": np.zeros(1000)})
        os.utime(folder / artifacts.name_of(artifacts.recipe(n=number)), (number, number))
    monkeypatch.setattr(entries, "LIMIT", 20_000)
    monkeypatch.setattr(entries, "_OFTEN", 0)
    artifacts.keep(artifacts.recipe(n=9), {"values": np.zeros(1000)})
    kept = [
        number
        for number in (0, 1, 2, 3, 9)
        if artifacts.lookup(artifacts.recipe(n=number)) is not None
    ]
    assert kept == [3, 9]


def test_it_is_looked_through_once_in_many_bytes(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """At the first entry of a process, and after so many bytes: not at each of thousands."""
    looked: list[Path] = []
    monkeypatch.setattr(entries, "_prune", looked.append)
    monkeypatch.setattr(entries, "_OFTEN", 20_000)
    for number in range(9):
        artifacts.keep(artifacts.recipe(n=number), {"values": np.zeros(1000)})
    assert looked == [folder] * 3


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert places.cache() == tmp_path / "kept"
    assert places.fetched() == tmp_path / "kept" / "sources"
    monkeypatch.delenv(places.CACHE)
    monkeypatch.delenv(places.STORE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert places.cache() == tmp_path / "migration-forecast"
    assert places.store() == tmp_path / "data" / "migration-forecast" / "releases"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert places.cache() == Path.home() / ".cache" / "migration-forecast"


def test_a_place_that_refuses_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(entries, "write_entry", refuse)
    artifacts.keep(KEY, ARRAYS)
    assert artifacts.lookup(KEY) is None


def test_to_read_an_entry_nobody_looks_through_the_others(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """A cache of thousands is as fast as one of ten: its folder is listed for no entry."""
    artifacts.keep(KEY, ARRAYS)
    looked: list[object] = []
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda at: (looked.append(at), listed(at))[1])
    assert artifacts.lookup(KEY) is not None
    assert looked == []
