"""The cache: where it lies, whole or not there, damaged entries made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast import cache

KEY = {"what": "test", "seed": 1}
ARRAYS = {"values": np.arange(6.0).reshape(2, 3) / 7, "text": np.array(["а", "b"])}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_the_same_bits_come_back(folder: Path) -> None:
    assert cache.lookup(KEY) is None
    cache.keep(KEY, ARRAYS)
    found = cache.lookup(KEY)
    assert found is not None
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype
    (entry,) = folder.iterdir()
    assert sorted(path.name for path in entry.iterdir()) == ["arrays.npz", "manifest.json"]
    assert cache.lookup({**KEY, "seed": 2}) is None


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_entry_is_noticed_and_removed(folder: Path, file: str, damage: str) -> None:
    cache.keep(KEY, ARRAYS)
    (entry,) = folder.iterdir()
    content = bytearray((entry / file).read_bytes())
    if damage == "gone":
        (entry / file).unlink()
    elif damage == "cut":
        (entry / file).write_bytes(bytes(content[: len(content) // 2]))
    else:
        # In the manifest the last half holds the checksum.
        place = content.index(b'"sha256": "') + 12 if file == "manifest.json" else len(content) // 2
        content[place] ^= 1
        (entry / file).write_bytes(bytes(content))
    assert cache.lookup(KEY) is None
    assert not entry.exists()
    cache.keep(KEY, ARRAYS)
    assert cache.lookup(KEY) is not None


def test_objects_are_never_loaded(folder: Path) -> None:
    """An array of objects would be a pickle."""
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        cache.keep(KEY, {"values": np.array([{}], dtype=object)})
    assert cache.lookup(KEY) is None


def test_it_can_be_switched_off(folder: Path) -> None:
    cache.keep(KEY, ARRAYS)
    with cache.disabled():
        assert cache.lookup(KEY) is None
        cache.keep({"other": 1}, ARRAYS)
    assert cache.lookup({"other": 1}) is None
    assert cache.lookup(KEY) is not None


def test_the_software_is_part_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.digest(KEY)
    monkeypatch.setattr(cache, "versions", lambda: {"migration-forecast": "9.9"})
    assert cache.digest(KEY) != before


def test_code_of_every_model_counts_and_that_of_the_ensemble_does_not() -> None:
    root = Path(cache.__file__).resolve().parent
    found = {path.relative_to(root).as_posix() for path in cache._sources(root)}
    assert {
        "panel.py",
        "models/series/ets.py",
        "models/gross_flows/gibbs.py",
        "models/series/pooled.py",
    } <= found
    assert {"models/regional/data.py", "accounts/reconcile.py", "data/package.py"} <= found
    assert not {"models/ensemble/model.py", "models/registry.py"} & found


def test_the_oldest_entries_go_first(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    import os

    for number in range(4):
        cache.keep({"n": number}, {"values": np.zeros(1000)})
        os.utime(folder / cache.digest({"n": number}), (number, number))
    monkeypatch.setattr(cache, "LIMIT", 20_000)
    cache.keep({"n": 9}, {"values": np.zeros(1000)})
    kept = [number for number in (0, 1, 2, 3, 9) if cache.lookup({"n": number}) is not None]
    assert kept == [3, 9]


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "migration-forecast"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.folder() == Path.home() / ".cache" / "migration-forecast"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache.folder().parts[-3:] == ("Library", "Caches", "migration-forecast")


def test_a_place_that_refuses_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(cache, "_write", refuse)
    cache.keep(KEY, ARRAYS)
    assert cache.lookup(KEY) is None
