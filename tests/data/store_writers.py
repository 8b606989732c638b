"""Writers to the store that are killed: run as a program by test_store.py.

    python store_writers.py FOLDER ROUNDS SEED

In each round two processes add releases at once and one of them is killed at a random
moment; then everything that a writer said it had added must be there, exact, and whatever
is there must be whole. Workers are forked, so that a round takes milliseconds.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import filelock  # noqa: F401  imported before the forks, which then start at once
import pandas as pd
import pyarrow.parquet  # noqa: F401

from forecast.data import releases, store
from forecast.panel import Panel

FIRST = dt.date(2020, 1, 1)
PLACES = ["KAZ", "KGZ", "TJK", "TKM", "UZB"]


@cache
def figures(number: int) -> Panel:
    """Return the figures of one release; each is known from its number."""
    years = list(range(2010, 2020))
    return Panel.from_frame(
        pd.DataFrame(
            {
                "location": [place for place in PLACES for _ in years],
                "measure": "net_migration",
                "year": years * len(PLACES),
                "value": [1000.0 * number + index for index in range(len(PLACES) * len(years))],
            }
        )
    )


def day(number: int) -> str:
    return str(FIRST + dt.timedelta(days=number))


def fork(action: Callable[[], object]) -> int:
    """Run something in a process of its own; this one stays without threads."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException as error:  # noqa: BLE001  a child must not go on as its parent
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    return child


def apart(action: Callable[[], object], what: str) -> None:
    """Run something apart and wait; it must succeed."""
    status = os.waitpid(fork(action), 0)[1]
    assert status == 0, what


def write(folder: Path, numbers: range, told: int) -> None:
    """Add releases one after the other; say so only after each is added."""
    for number in numbers:
        store.add(figures(number), "series", as_of=day(number), folder=folder)
        if told:
            os.write(told, f"{number}\n".encode())


def verify(folder: Path, said: set[int], only: bool = False) -> None:
    """Check that nothing is lost, nothing is half, and (with `only`) nothing is more."""
    if "series" not in store.names(folder):
        assert not said, "a release that was added is gone"
        return
    table = store.load("series", folder).to_frame()
    kept = {(when.date() - FIRST).days: rows for when, rows in table.groupby("as_of")}
    assert said <= set(kept), f"releases {sorted(said - set(kept))} are lost"
    assert not only or said == set(kept), f"releases {sorted(set(kept) - said)} are too many"
    for number, rows in kept.items():
        expected = figures(number).to_frame()["value"].tolist()
        assert rows["value"].tolist() == expected, f"release {number} is not what was written"


def rounds(folder: Path, count: int, seed: int) -> None:
    """Kill one of two writers, many times: at a random moment, or when a file appears."""
    generator = random.Random(seed)  # noqa: S311
    start = time.monotonic()
    apart(partial(write, folder / "first", range(2), 0), "adding fails without any killing")
    usual = (time.monotonic() - start) / 2
    in_the_act, said = 0, set[int]()
    for turn in range(count):
        # A store that grows without end would make the rounds slower and slower.
        root, first = folder / f"store-{turn // 5}", turn % 5 * 10
        said = set() if first == 0 else said
        reading, writing = os.pipe()
        victim = fork(partial(write, root, range(first, first + 6), writing))
        other = fork(partial(write, root, range(first + 8, first + 9), writing))
        if turn % 2:
            await_file(root / "series", 20 * usual)
            time.sleep(generator.uniform(0.0, 0.004))
        else:
            time.sleep(generator.uniform(0.0, 3 * usual))
        os.kill(victim, signal.SIGKILL)
        in_the_act += any((root / "series").glob(".*.part/new*"))
        os.waitpid(victim, 0)
        assert os.waitpid(other, 0)[1] == 0, "the writer that was not killed failed"
        os.close(writing)
        with os.fdopen(reading) as lines:
            said |= {int(line) for line in lines}
        assert first + 8 in said
        apart(partial(verify, root, said), f"round {turn}: a release is lost or half")
    say(f"{count} writers killed, {in_the_act} with a file half done")


def await_file(folder: Path, seconds: float) -> None:
    """Wait until a writer has begun a file."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not any(folder.glob(".*.part/new*")):
        time.sleep(0.0005)


def moments(folder: Path) -> None:
    """Kill a writer at each step of adding a release."""
    replace = Path.replace

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def half(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        die()

    def renamed(path: Path, target: Path) -> None:
        replace(path, target)
        die()

    def killed(number: int, owner: object, name: str, action: Callable[..., object]) -> None:
        setattr(owner, name, action)
        write(folder, range(number, number + 1), 0)

    steps: list[tuple[str, object, str, Callable[..., object], bool]] = [
        ("before writing", store, "write_release", die, False),
        ("half written", releases, "_to_disk", half, False),
        ("before the renaming", Path, "replace", die, False),
        ("after the renaming", Path, "replace", renamed, True),
    ]
    apart(partial(write, folder, range(1), 0), "the first release")
    for number, (step, owner, name, action, there) in enumerate(steps, start=1):
        status = os.waitpid(fork(partial(killed, number, owner, name, action)), 0)[1]
        assert os.WIFSIGNALED(status), f"{step}: the writer was not killed"
        assert os.WTERMSIG(status) == signal.SIGKILL, step
        left = bool(list((folder / "series").glob(".*.part/new*")))
        assert left == (name in ("_to_disk", "replace") and not there), step
        apart(partial(verify, folder, set(range(number + there)), only=True), step)
        # The next writer finds the lock free and adds what the dead one could not.
        apart(partial(write, folder, range(number, number + 1), 0), f"{step}: the next writer")
        apart(partial(verify, folder, set(range(number + 1)), only=True), step)
        assert not list((folder / "series").glob(".*.part")), step
    say("killed at each step")


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def main() -> None:
    folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    moments(folder / "moments")
    rounds(folder / "rounds", count, seed)


if __name__ == "__main__":
    main()
