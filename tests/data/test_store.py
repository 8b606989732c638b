"""Releases that are kept: nothing lost, nothing half, nothing twice."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast as fc
from forecast.artifacts import places
from forecast.cli.main import cli
from forecast.data import store
from forecast.data.releases import changes
from forecast.errors import DataError, UnknownNameError
from forecast.panel import Panel

WRITERS = Path(__file__).with_name("store_writers.py")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.STORE, str(tmp_path / "store"))
    monkeypatch.setenv(places.CACHE, str(tmp_path / "cache"))
    return tmp_path / "store"


def panel(values: dict[int, float | None], location: str = "KGZ", **more: object) -> Panel:
    rows = {"location": location, "measure": "net_migration", "year": list(values)}
    return Panel.from_frame(pd.DataFrame({**rows, "value": list(values.values()), **more}), step=1)


def test_releases_are_kept_and_read_as_vintages(own_store: Path) -> None:
    first = store.add(panel({2020: 1, 2021: 2}), "office", as_of="2022-05-01", origin="a.csv")
    assert str(first) == "office: added the release of 2022-05-01 (2 figures)."
    store.add(panel({2020: 1, 2021: 5, 2022: 3}), "office", as_of="2023-05-01")
    # An older release may come later.
    store.add(panel({2020: 0}), "office", as_of="2021-05-01")
    kept = fc.load("office")
    assert kept.series[0].values.tolist() == [1, 5, 3]
    assert kept.as_of("2022-12-31").series[0].values.tolist() == [1, 2]
    assert kept.as_of("2021-12-31").series[0].values.tolist() == [0]
    table = store.releases("office")
    assert table["as_of"].tolist() == ["2021-05-01", "2022-05-01", "2023-05-01"]
    assert table["rows"].tolist() == [1, 2, 3]
    assert table["origin"].tolist() == ["", "a.csv", ""]
    assert store.names() == ["office"]
    assert sorted(path.suffix for path in (own_store / "office").iterdir()) == [
        "",
        *[".parquet"] * 3,
    ]


def test_the_same_figures_twice_are_said_to_be_so(own_store: Path) -> None:
    store.add(panel({2020: 1, 2021: None}), "office", as_of="2022-05-01")
    for day in ("2022-05-01", "2022-06-01", None):
        again = store.add(panel({2020: 1}), "office", as_of=day)
        assert again.added == ()
        assert str(again) == "office: the figures are known since 2022-05-01; nothing was added."
    # On an earlier day they were not known yet, so that is news.
    assert store.add(panel({2020: 1}), "office", as_of="2021-05-01").added
    assert len(store.releases("office")) == 2


def test_a_release_is_never_changed() -> None:
    store.add(panel({2020: 1, 2021: 2}), "office", as_of="2022-05-01")
    with pytest.raises(DataError, match=r"already has figures of 2022-05-01.*in 2021 \(2; now 7\)"):
        store.add(panel({2020: 1, 2021: 7}), "office", as_of="2022-05-01")
    assert fc.load("office").series[0].values.tolist() == [1, 2]
    # Other series and further years of the same day are no contradiction.
    store.add(panel({2021: 9}, "KAZ"), "office", as_of="2022-05-01")
    added = store.add(panel({2020: 1, 2021: 2, 2022: 3}), "office", as_of="2022-05-01")
    assert [release.rows for release in added.added] == [1]
    assert [series.values.tolist() for series in fc.load("office")] == [[9], [1, 2, 3]]


def test_a_table_with_days_of_its_own_is_several_releases() -> None:
    both = Panel.from_frame(
        pd.concat(
            [
                panel({2020: 1}).to_frame().assign(as_of="2021-05-01"),
                panel({2020: 2, 2021: 3}).to_frame().assign(as_of="2022-05-01"),
            ],
            ignore_index=True,
        )
    )
    added = store.add(both, "office")
    assert [release.as_of for release in added.added] == ["2021-05-01", "2022-05-01"]
    assert fc.load("office").hash == both.hash
    with pytest.raises(DataError, match="leave out the day 2022-01-01"):
        store.add(both, "office", as_of="2022-01-01")
    mixed = panel({2020: 1, 2021: 3}, as_of=["2021-05-01", None])
    store.add(mixed, "mixed", as_of="2022-05-01")
    assert len(store.releases("mixed")) == 2


@pytest.mark.parametrize(
    ("name", "day", "message"),
    [
        ("office", str(dt.date.today() + dt.timedelta(days=3)), "still to come"),
        ("office", "1 May 2022", "write a day as YYYY-MM-DD"),
        ("office", "2019-05-01", "figures of 2020 in the release of 2019-05-01, before"),
        ("../office", None, "cannot be a name"),
        ("Office", None, "small Latin letters"),
        ("central-asia", None, "name of a bundled panel"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    own_store: Path, name: str, day: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        store.add(panel({2020: 1}), name, as_of=day)
    assert not own_store.exists()


def test_steps_are_not_mixed() -> None:
    store.add(panel({2020: 1}), "office")
    table = panel({2010: 1, 2015: 2, 2020: 4}).to_frame()
    with pytest.raises(DataError, match="steps of 1 years, and these figures come in steps of 5"):
        store.add(Panel.from_frame(table, step=5), "office")


def test_a_writer_waits_for_another_and_says_so(
    own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    (own_store / "office").mkdir(parents=True)
    with (
        FileLock(own_store / "office" / ".lock"),
        pytest.raises(DataError, match=r"another process .* nothing was added"),
    ):
        store.add(panel({2020: 1}), "office")
    assert store.add(panel({2020: 1}), "office").added


def test_damage_is_named_and_nothing_else_is_touched(own_store: Path) -> None:
    store.add(panel({2020: 1}), "office", as_of="2022-05-01")
    store.add(panel({2020: 2}), "office", as_of="2023-05-01")
    path = own_store / "office" / store.releases("office")["file"].iloc[1]
    whole = path.read_bytes()
    for content in (whole[:-40], whole[: len(whole) // 2], b"", b"PAR1" + b"x" * 100):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"{path.name} is damaged or is none"):
            fc.load("office")
        with pytest.raises(DataError, match="is damaged"):
            store.add(panel({2020: 3}), "office", as_of="2024-05-01")
    flipped = bytearray(whole)
    flipped[30] ^= 0xFF
    path.write_bytes(bytes(flipped))
    with pytest.raises(DataError, match="is damaged"):
        fc.load("office")
    listed = CliRunner().invoke(cli, ["data", "list"])
    assert listed.exit_code == 0
    assert f"{path.name} is damaged" in listed.stderr
    path.write_bytes(whole)
    assert fc.load("office").series[0].values.tolist() == [2]


@given(
    st.lists(
        st.dictionaries(st.integers(2000, 2004), st.integers(-99, 99), min_size=1, max_size=5),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=8, deadline=None)
def test_what_was_known_on_a_day_can_be_had_back(
    tmp_path_factory: pytest.TempPathFactory, figures: list[dict[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    known: dict[int, int] = {}
    for number, release in enumerate(figures, start=1):
        day = f"2020-01-{number:02d}"
        added = store.add(panel(dict(release)), "office", as_of=day, folder=folder).added
        assert bool(added) == any(known.get(year) != value for year, value in release.items())
        known.update(release)
        table = store.load("office", folder).as_of(day).latest
        assert dict(zip(table["year"], table["value"])) == known


def test_changes_between_releases() -> None:
    store.add(panel({2019: 5, 2020: -1, 2021: 2, 2018: 4}), "office", as_of="2022-05-01")
    table = {2019: 5, 2020: 3, 2021: 2.5, 2022: 8, 2018: None}
    store.add(panel(table), "office", as_of="2023-05-01")
    found = changes(fc.load("office"))
    assert found[["year", "before", "change", "status"]].fillna(0).to_numpy().tolist() == [
        [2018, 4, 0, "withdrawn"],
        [2020, -1, 4, "sign changed"],
        [2021, 2, 0.5, "revised"],
        [2022, 0, 0, "new"],
    ]
    assert set(found["released_after"]) == {"2023-05-01"}
    assert len(changes(fc.load("office"), "2022-05-01", "2022-12-31")) == 0
    with pytest.raises(DataError, match=r"no two releases.*2022-05-01, 2023-05-01"):
        changes(fc.load("office"), after="2022-05-01")
    with pytest.raises(DataError, match="nothing had been released by 2000-01-01"):
        changes(fc.load("office"), before="2000-01-01")
    bundled = changes(fc.load("central-asia-five-year").select(location="KGZ"))
    # The UN turned the sign of 2015-2020 between 2019 and 2022; this panel ends in 2019.
    assert set(bundled["status"]) <= {"new", "revised", "sign changed"}


def test_a_backtest_of_stored_releases_is_in_real_time() -> None:
    for last in range(2013, 2017):
        # The last year of each release is provisional and too high by ten.
        figures = {year: float(year % 7) for year in range(1995, last)} | {last: last % 7 + 10.0}
        store.add(panel(dict(figures)), "office", as_of=f"{last + 1}-06-30")
    track = fc.backtest(
        fc.load("office"),
        ["naive"],
        horizons=(1,),
        vintage="as_published",
        draws=400,
        seed=1,
        jobs=1,
    )
    rows = track.table.set_index("origin").loc[2014]
    # In mid-2015 the random walk started from the provisional figure, not the final one.
    assert rows["median"] == pytest.approx(2014 % 7 + 10, abs=1)
    assert rows["observed"] == 2015 % 7


def test_the_shell(tmp_path: Path, own_store: Path) -> None:
    run = CliRunner().invoke
    file = tmp_path / "My office.csv"
    panel({2020: 1, 2021: 2}).to_frame().drop(columns="as_of").to_csv(file, index=False)
    added = run(cli, ["data", "add", str(file), "--as-of", "2022-05-01"])
    assert added.stdout == "my-office: added the release of 2022-05-01 (2 figures).\n"
    again = run(cli, ["data", "add", str(file)])
    assert (again.exit_code, "nothing was added" in again.stdout) == (0, True)
    assert (
        "my-office,user,KGZ,net_migration,Kyrgyzstan,2020,2021,2,1,"
        in run(cli, ["data", "list"]).stdout
    )
    assert "My office.csv" in run(cli, ["data", "releases"]).stdout
    refused = run(cli, ["data", "changes", "my-office"])
    assert refused.exit_code == 1
    assert "no two releases" in refused.stderr
    other = tmp_path / "other"
    elsewhere = ["data", "add", str(file), "--name", "two", "--store", str(other)]
    assert run(cli, elsewhere).exit_code == 0
    assert (other / "two").is_dir()
    assert not (own_store / "two").exists()
    missing = run(cli, ["data", "check", "two"])
    assert missing.exit_code == 1
    assert "in the store: my-office" in missing.stderr
    empty = run(cli, ["data", "releases", "--store", str(tmp_path / "none")])
    assert (empty.exit_code, empty.stdout) == (0, "")
    with pytest.raises(UnknownNameError, match="series in the store"):
        store.releases("nothing")


def _killing(folder: Path, rounds: int, seed: int) -> str:
    """Run the writers as a program of their own: forked processes want no threads."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(WRITERS), str(folder), str(rounds), str(seed)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork processes")
def test_killed_writers_leave_whole_releases_only(tmp_path: Path) -> None:
    assert "killed at each step" in _killing(tmp_path, 1, 1)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork processes")
def test_two_hundred_killed_writers(tmp_path: Path) -> None:
    said = _killing(tmp_path, 200, 2)
    assert "200 writers killed" in said
    assert int(said.split("killed, ")[1].split()[0]) >= 20, "few were killed in the act"
