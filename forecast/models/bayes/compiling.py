"""Where compiled code lies, and a process of its own that compiles it; numba is not loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from forecast.artifacts import check_writable, digest, places
from forecast.artifacts.recipes import hash_of
from forecast.errors import DataError

#: Set in the process that compiles for others.
_COMPILING = "FORECAST_COMPILING"

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class CompiledCode:
    """Code that numba compiles once for every process.

    Attributes
    ----------
    here : Path
        Folder of its modules, which call no compiled code of others.
    modules : tuple of str
        Those whose functions state their types: to import them is to compile everything.
    """

    here: Path
    modules: tuple[str, ...]

    def compile_apart(self) -> None:
        """Have each module compiled by a process of its own, unless they lie on disk already.

        Each piece of compiled code brings its own copy of what it calls, optimised in its own way,
        and the copy that a process has first serves all. A process that compiles would so get other
        draws from the same seed than one that reads the finished code; this way all read it. Where
        no folder takes the code, or no process can be started, it is compiled here.
        """
        complete = self._marker()
        if complete is None or complete.exists():
            return
        root = str(Path(__file__).parents[3])
        environment = {
            **os.environ,
            _COMPILING: "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
        }
        with FileLock(complete.with_name("lock")), suppress(OSError, subprocess.SubprocessError):
            if not complete.exists():
                commands = [[sys.executable, "-c", f"import {module}"] for module in self.modules]
                # Who reads the output of a command that ends earlier must not wait for it.
                no = subprocess.DEVNULL
                running = [
                    subprocess.Popen(one, env=environment, stdin=no, stdout=no, stderr=no)  # noqa: S603
                    for one in commands
                ]
                codes = [process.wait() for process in running]
                if not any(codes):
                    complete.touch()

    def start_compiling(self) -> bool:
        """Do as `compile_apart` in the background, so that other models are fitted meanwhile.

        Returns
        -------
        bool
            Whether there is nothing to wait for.
        """
        complete = self._marker()
        return complete is None or complete.exists() or not self._compiler.is_alive()

    @cached_property
    def _compiler(self) -> threading.Thread:
        """The thread that has the code compiled: one a process, also where compiling fails."""
        # Who needs the code waits for the lock; a process that ends does not wait for the thread.
        thread = threading.Thread(target=self.compile_apart, daemon=True)
        thread.start()
        return thread

    def compiled(
        self, decorator: Callable[..., Any], *signature: Any, **options: Any
    ) -> Callable[[Function], Function]:
        """Return numba's decorator that keeps its code on disk, or not where no folder takes it.

        The folder is named by the code of all modules here: numba itself looks at the function's
        own file alone, though what it calls is compiled into it.

        Parameters
        ----------
        decorator : callable
            `numba.njit` or `numba.cfunc`.
        *signature, **options
            What it is given.
        """
        from numba import config as stated_config

        # Numba sets its options by name: types are not known.
        config: Any = stated_config

        def of(function: Function) -> Function:
            if self.folder is None:
                # No cache that can be written to: compile anew each time.
                made: Function = decorator(*signature, **options)(function)
                return made
            stated = config.CACHE_DIR
            try:
                config.CACHE_DIR = self.folder
                made = decorator(*signature, cache=True, **options)(function)
            except RuntimeError:
                # Numba finds no place for it all the same.
                made = decorator(*signature, **options)(function)
            finally:
                config.CACHE_DIR = stated
            return made

        return of

    @cached_property
    def folder(self) -> str | None:
        """The folder of code compiled from these very modules; None if none can be written."""
        # Where somebody has set it, as numba has it.
        stated = os.environ.get("NUMBA_CACHE_DIR")
        base = Path(stated) if stated else places.cache() / "numba"
        # Numba files code by where its source lies: two checkouts of one version share nothing.
        made = hash_of(self.here.glob("*.py"), self.here)[:16]
        folder = base / f"{made}-{digest(str(self.here))[:8]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            check_writable(folder)
        except (OSError, DataError):
            return None
        return str(folder)

    def _marker(self) -> Path | None:
        """Return the file that says the code is complete; None where this process compiles."""
        if self.folder is None or _COMPILING in os.environ:
            return None
        return Path(self.folder) / "complete"
