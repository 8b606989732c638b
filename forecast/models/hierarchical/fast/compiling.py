"""Where compiled code is kept, and that every process reads the same.

Numba keeps it on disk, in a folder named by the code of all modules of the model.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock
from numba import config as _config

from forecast.artifacts import check_writable, places
from forecast.artifacts.recipes import hash_of
from forecast.errors import DataError

#: Set in the process that compiles for others.
_COMPILING = "FORECAST_COMPILING"
#: A fit that calls every compiled function.
_EVERY_FUNCTION = (
    "import forecast as fc; panel = fc.load('central-asia').select(source='un-wpp'); "
    "fc.forecast(panel, model='hierarchical', horizons=(2030,), draws=100, cache=False)"
)
#: Numba sets its options by name: types are not known.
config: Any = _config

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(
    decorator: Callable[..., Any], *signature: Any, **options: Any
) -> Callable[[Function], Function]:
    """Return numba's decorator that keeps its code on disk, or not where no folder takes it.

    The folder is named by the code of all modules here: numba itself looks at the function's own
    file alone, though what it calls is compiled into it.

    Parameters
    ----------
    decorator : callable
        `numba.njit` or `numba.cfunc`.
    *signature, **options
        What it is given.
    """

    def of(function: Function) -> Function:
        folder = _folder()
        if folder is None:
            # No cache that can be written to: compile anew each time.
            made: Function = decorator(*signature, **options)(function)
            return made
        stated = config.CACHE_DIR
        try:
            config.CACHE_DIR = folder
            made = decorator(*signature, cache=True, **options)(function)
        except RuntimeError:
            # Numba finds no place for it all the same.
            made = decorator(*signature, **options)(function)
        finally:
            config.CACHE_DIR = stated
        return made

    return of


def compile_apart() -> None:
    """Have the code compiled by a process of its own, unless it lies on disk already.

    Each piece of compiled code brings its own copy of what it calls, optimised in its own way, and
    the copy that a process has first serves all. A process that compiles would so get other draws
    from the same seed than one that reads the finished code; this way all read it. Where no folder
    takes the code, or no process can be started, it is compiled here.
    """
    folder = _folder()
    if folder is None or _COMPILING in os.environ:
        return
    complete = Path(folder) / "complete"
    if complete.exists():
        return
    root = str(Path(__file__).parents[4])
    environment = {
        **os.environ,
        _COMPILING: "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
    }
    with FileLock(Path(folder) / "lock"), suppress(OSError, subprocess.SubprocessError):
        if not complete.exists():
            command = [sys.executable, "-c", _EVERY_FUNCTION]
            subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603
            complete.touch()


@cache
def _folder() -> str | None:
    """Return the folder of code compiled from these very modules; None if none can be written."""
    here = Path(__file__).parent
    # NUMBA_CACHE_DIR, if somebody has set it.
    base = Path(config.CACHE_DIR) if config.CACHE_DIR else places.cache() / "numba"
    folder = base / hash_of(here.glob("*.py"), here)[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except (OSError, DataError):
        return None
    return str(folder)
