"""Where compiled code lies, and a process of its own that compiles it; numba is not loaded."""

from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from forecast.artifacts import check_writable, places
from forecast.artifacts.recipes import hash_of
from forecast.errors import DataError
from forecast.shelf import shelf

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
        Those whose functions state their types: to import them is to compile everything. The first
        holds what the others call; they do not call each other.
    """

    here: Path
    modules: tuple[str, ...]

    def compile_apart(self) -> None:
        """Have the modules compiled by processes of their own, unless they lie on disk already.

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
            # Threads that wait for work in a loop would take the processors from the others.
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
        }
        command = [sys.executable, "-m", __name__, *self.modules]
        with FileLock(complete.with_name("lock")), suppress(OSError, subprocess.SubprocessError):
            if not complete.exists():
                # Who reads the output of a command that ends earlier must not wait for it.
                no = subprocess.DEVNULL
                subprocess.run(command, env=environment, stdin=no, stdout=no, stderr=no, check=True)  # noqa: S603
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
        where = hashlib.sha256(str(self.here).encode()).hexdigest()
        folder = base / f"{made}-{where[:8]}"
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


def prepare(names: Iterable[str], measures: Collection[str] = ()) -> None:
    """Start compiling, in the background, what models of these names will need.

    Their TOML says what that is, so nothing is imported that they need themselves: other
    processors compile while this one still imports libraries and reads figures.

    Parameters
    ----------
    names : iterable of str
        Names of models; what has no TOML is left to who asks for it.
    measures : collection of str
        The only measures that the models will see; without any, all.
    """
    for name in names:
        about = _stated(name)
        for one in (about, *map(_stated, about.get("members", ()))):
            only, needs = set(one.get("only", measures)), set(one.get("needs", ()))
            meant = not measures or (only & set(measures) and needs <= set(measures))
            if one.get("compiled") and meant:
                code: CompiledCode = import_module(one["compiled"]).CODE
                code.start_compiling()


def _stated(name: str) -> dict[str, Any]:
    """Return what the TOML of a model states; nothing where there is none that can be read."""
    try:
        return tomllib.loads((shelf("models") / f"{name}.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def compile_modules(first: str, *others: str) -> bool:
    """Compile modules by importing them: the first here, each other one in a fork.

    A fork has what the first one compiled, and numba itself, without loading it anew.

    Parameters
    ----------
    first, *others : str
        Names of modules; the first holds what the others call.

    Returns
    -------
    bool
        Whether all were compiled.
    """
    # Compiling makes little garbage, and what there is goes with the process.
    gc.disable()
    import_module(first)
    if sys.platform != "linux":
        for module in others:
            import_module(module)
        return True
    forks = []
    for module in others:
        fork = os.fork()
        if not fork:
            # Nothing of what the parent would do at its end is done in a fork.
            failed = 1
            try:
                import_module(module)
                failed = 0
            finally:
                os._exit(failed)
        forks.append(fork)
    failures = [os.waitpid(fork, 0)[1] for fork in forks]
    return not any(failures)


if __name__ == "__main__":
    sys.exit(not compile_modules(*sys.argv[1:]))
