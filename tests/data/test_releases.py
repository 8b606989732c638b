"""Releases on disk: any bit that is not as it was written is noticed; a kill loses nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast.artifacts import places
from forecast.cli.main import cli
from forecast.data import names, releases, store
from forecast.data.releases import Release
from forecast.errors import DataError
from forecast.panel import Panel


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.STORE, str(tmp_path / "store"))
    monkeypatch.setenv(places.CACHE, str(tmp_path / "cache"))
    return tmp_path / "store"


def panel(value: float) -> Panel:
    table = {"location": "KGZ", "measure": "net_migration", "year": [2020, 2021]}
    return Panel.from_frame(pd.DataFrame({**table, "value": [value, 2.0]}))


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.thorough)])
def test_a_bit_that_differs_is_noticed(
    own_store: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    """In every byte, and with `every` of 1 in every bit of it."""
    path = store.add(panel(1.0), "new", as_of="2022-05-01", origin="a.csv").added[0].path
    release = Release.of(path)
    figures = releases.read_release(release)
    assert (release.as_of, release.origin, figures["value"].tolist()) == (
        *("2022-05-01", "a.csv"),
        [1.0, 2.0],
    )
    whole = path.read_bytes()
    flipped = bytearray(whole)
    monkeypatch.setattr(Path, "read_bytes", lambda _: bytes(flipped))
    for bit in range(0, 8 * len(whole), every):
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DataError, match="is damaged or is none") as raised:
            Release.of(path)
        assert path.name in str(raised.value)
        flipped[bit // 8] ^= 1 << bit % 8


def test_one_damaged_file_hides_no_other(own_store: Path) -> None:
    for number, day in enumerate(("2022-05-01", "2023-05-01"), start=1):
        store.add(panel(number), "office", as_of=day)
    store.add(panel(5.0), "other", as_of="2023-05-01")
    path = sorted((own_store / "office").glob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:-100])
    table, problems = names.describe()
    assert table["panel"].tolist() == ["office", "other"]
    assert table["releases"].tolist() == [1, 1]
    assert [path.name in problem for problem in problems] == [True]
    for command in (["data", "list"], ["data", "releases"]):
        shown = CliRunner().invoke(cli, command)
        assert shown.exit_code == 0
        assert f"{path.name} is damaged" in shown.stderr
        assert "office" in shown.stdout
        assert "other" in shown.stdout
    with pytest.raises(DataError, match="is damaged"):
        fc.load("office")


class KilledError(BaseException):
    """Stands for the end of a process."""


def killing(monkeypatch: pytest.MonkeyPatch, last: int) -> list[str]:
    """End the process at the n-th step that changes a disk; return the steps taken."""
    steps: list[str] = []

    def counted(owner: type | object, name: str) -> None:
        action: Callable[..., object] = getattr(owner, name)

        def step(*given: object, **named: object) -> object:
            steps.append(name)
            if len(steps) > last:
                raise KilledError
            return action(*given, **named)

        monkeypatch.setattr(owner, name, step)

    for name in ("replace", "write_bytes", "write_text", "chmod", "mkdir", "unlink"):
        counted(Path, name)
    counted(os, "fsync")
    return steps


@pytest.mark.thorough
def test_killed_at_any_step_nothing_is_lost(own_store: Path, tmp_path: Path) -> None:
    for last in range(100):
        folder = own_store / str(last)
        store.add(panel(1.0), "office", as_of="2022-05-01", folder=folder)
        (folder / "office" / "notes.txt").write_text("somebody else's")
        with pytest.MonkeyPatch.context() as patch:
            steps = killing(patch, last)
            try:
                store.add(panel(3.0), "office", as_of="2023-05-01", folder=folder)
            except KilledError:
                killed = True
            else:
                killed = False
        assert store.load("office", folder).as_of("2022-12-31").hash == (
            store.load("office", own_store / "0").as_of("2022-12-31").hash
        )
        store.add(panel(3.0), "office", as_of="2023-05-01", folder=folder)
        table = store.releases("office", folder)
        assert table["as_of"].tolist() == ["2022-05-01", "2023-05-01"], steps
        assert len(list((folder / "office").iterdir())) == 4, "a lock, notes and two releases"
        if not killed:
            break
    assert last > 4


def test_ten_at_once_all_succeed(own_store: Path) -> None:
    def write(number: int) -> None:
        store.add(panel(10.0 + number), "office", as_of=f"2022-05-{number + 1:02d}")

    with ThreadPoolExecutor(10) as several:
        list(several.map(write, range(10)))
    assert len(store.releases("office")) == 10
