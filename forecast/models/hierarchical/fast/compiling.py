"""Where compiled code lies, and a process of its own that compiles it; numba is not loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

from filelock import FileLock

from forecast.artifacts import check_writable, digest, places
from forecast.artifacts.recipes import hash_of
from forecast.errors import DataError

#: Set in the process that compiles for others.
_COMPILING = "FORECAST_COMPILING"
#: A fit that calls every compiled function.
_EVERY_FUNCTION = (
    "import forecast as fc; panel = fc.load('central-asia').select(source='un-wpp'); "
    "fc.forecast(panel, model='hierarchical', horizons=(2030,), draws=100, cache=False)"
)


def compile_apart() -> None:
    """Have the code compiled by a process of its own, unless it lies on disk already.

    Each piece of compiled code brings its own copy of what it calls, optimised in its own way, and
    the copy that a process has first serves all. A process that compiles would so get other draws
    from the same seed than one that reads the finished code; this way all read it. Where no folder
    takes the code, or no process can be started, it is compiled here.
    """
    complete = _marker()
    if complete is None or complete.exists():
        return
    root = str(Path(__file__).parents[4])
    environment = {
        **os.environ,
        _COMPILING: "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
    }
    with FileLock(complete.with_name("lock")), suppress(OSError, subprocess.SubprocessError):
        if not complete.exists():
            command = [sys.executable, "-c", _EVERY_FUNCTION]
            subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603
            complete.touch()


def start_compiling() -> bool:
    """Do as `compile_apart` in the background, so that other models are fitted meanwhile.

    Returns
    -------
    bool
        Whether there is nothing to wait for.
    """
    complete = _marker()
    if complete is None or complete.exists():
        return True
    # Who needs the code waits for the lock; a process that ends does not wait for the thread.
    threading.Thread(target=compile_apart, daemon=True).start()
    return False


def _marker() -> Path | None:
    """Return the file that says the code is complete; None where none is kept or this compiles."""
    folder = code_folder()
    return None if folder is None or _COMPILING in os.environ else Path(folder) / "complete"


@cache
def code_folder() -> str | None:
    """Return the folder of code compiled from these very modules; None if none can be written."""
    here = Path(__file__).parent
    # Where somebody has set it, as numba has it.
    stated = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(stated) if stated else places.cache() / "numba"
    # Numba files code by where its source lies: two checkouts of one version share nothing.
    folder = base / f"{hash_of(here.glob('*.py'), here)[:16]}-{digest(str(here))[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except (OSError, DataError):
        return None
    return str(folder)
