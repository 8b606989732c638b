"""Kill a writer at each of its steps on the disk; run as a program by test_kills.py.

    python killed_writers.py FOLDER

A forked child ends at its k-th event that touches the disk (opening, renaming, linking,
removing, making folders), for all k. Then one more run must leave everything there, whole, with
the files of others untouched and nothing left behind.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import filelock  # noqa: F401  imported before the forks

from forecast import artifacts

EVENTS = {"open", "os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"}
NOTE, DEEP = "see chapter 3", "figures of others"


def killed(action: Callable[[], object], step: int) -> bool:
    """Run something in a child that dies at a step; False if it ended before."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(event: str, _: object) -> None:
            nonlocal seen
            if event in EVENTS:
                seen += 1
                if seen == step:
                    os._exit(9)

        sys.addaudithook(count)
        action()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9), status
    return status == 9


def write(folder: Path, edition: int) -> None:
    with artifacts.sealed_folder(folder, "test/1", {"edition": edition}) as new:
        (new / "a.txt").write_text(f"a {edition}", encoding="utf-8")
        (new / "sub").mkdir()
        (new / "sub" / "b.txt").write_text(f"b {edition}", encoding="utf-8")
        if edition == 1:
            (new / "old.txt").write_text("only in the first", encoding="utf-8")


def check(folder: Path, editions: set[int], others: bool) -> None:
    manifest, contents = artifacts.read_sealed(folder, "test/1")
    edition = manifest["edition"]
    assert edition in editions, edition
    assert contents["a.txt"] == f"a {edition}".encode()
    assert contents["sub/b.txt"] == f"b {edition}".encode()
    if others:
        assert (folder / ".hidden" / "note.txt").read_text(encoding="utf-8") == NOTE
        assert (folder / "sub" / "theirs.csv").read_text(encoding="utf-8") == DEEP


def folders(root: Path, *, earlier: bool) -> int:
    step = 0
    while True:
        step += 1
        place = root / f"{earlier}-{step}"
        place.mkdir(parents=True)
        folder = place / "kept"
        if earlier:
            write(folder, 1)
            (folder / ".hidden").mkdir()
            (folder / ".hidden" / "note.txt").write_text(NOTE, encoding="utf-8")
            (folder / "sub" / "theirs.csv").write_text(DEEP, encoding="utf-8")
        died = killed(partial(write, folder, 2), step)
        artifacts.recover(folder)
        if earlier:
            check(folder, {1, 2}, others=True)
        write(folder, 3)
        check(folder, {3}, others=earlier)
        assert not (folder / "old.txt").exists()
        left = [path.name for path in place.iterdir()]
        assert left == ["kept"], (step, left)
        shutil.rmtree(place)
        if not died:
            return step - 1


def single_files(root: Path) -> int:
    step = 0
    while True:
        step += 1
        place = root / f"file-{step}"
        place.mkdir(parents=True)
        artifacts.write_text(place / "own.csv", "first")
        died = killed(partial(artifacts.write_text, place / "own.csv", "second"), step)
        assert (place / "own.csv").read_text(encoding="utf-8") in ("first", "second")
        artifacts.write_text(place / "own.csv", "third")
        assert (place / "own.csv").read_text(encoding="utf-8") == "third"
        left = [path.name for path in place.iterdir()]
        assert left == ["own.csv"], (step, left)
        shutil.rmtree(place)
        if not died:
            return step - 1


if __name__ == "__main__":
    where = Path(sys.argv[1])
    counts = folders(where, earlier=False), folders(where, earlier=True), single_files(where)
    sys.stdout.write(f"{counts[0]} {counts[1]} {counts[2]} steps\n")
