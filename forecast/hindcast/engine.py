"""Where folds run: in this process, in several, or on a Dask cluster; the same bits anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TYPE_CHECKING, Literal

from forecast.artifacts import caching, enabled
from forecast.errors import DataError, FitError, unknown_name
from forecast.hindcast.fold import Fold, Scored, run

if TYPE_CHECKING:
    from distributed import Client

Engine = Literal["local", "dask"]
#: Below this many fits of a series, starting processes costs more than it saves.
_WORTHWHILE = 1500
#: Folds sent ahead to each Dask worker; more would only wait in memory.
_AHEAD = 2
_LOST = (
    "a process was lost, most likely for want of memory: {reason}. Use fewer jobs; with a store "
    "the finished folds are kept and the same command goes on from them."
)


def check(engine: str, jobs: int | None, scheduler: str | None) -> None:
    """Say what is wrong with the engine before any work is done."""
    if engine not in ("local", "dask"):
        raise unknown_name("engine", engine, ["local", "dask"])
    if jobs is not None and (not isinstance(jobs, int) or jobs < 1):
        raise DataError(f"jobs is {jobs!r}; give the number of processes, 1 or more.")
    if scheduler is not None and engine != "dask":
        raise DataError("a scheduler was given with engine='local'. Use engine='dask' with it.")
    if engine == "dask":
        from importlib.util import find_spec

        if find_spec("distributed") is None:
            raise DataError(
                "engine='dask' needs the package distributed. "
                "Install migration-forecast[dask], or use engine='local'."
            )


def results(
    folds: Iterable[tuple[int, Fold]],
    *,
    engine: str,
    jobs: int | None,
    scheduler: str | None,
    fits: int,
) -> Iterator[tuple[int, Scored]]:
    """Run numbered folds and yield them as they finish, in any order.

    Parameters
    ----------
    folds : iterable of (int, Fold)
        Made one by one as they are needed, so that memory stays bounded.
    engine : {"local", "dask"}
    jobs : int, optional
        Processes. By default one per processor if there is enough to do.
    scheduler : str, optional
        Address of a Dask scheduler; a local cluster of `jobs` workers by default.
    fits : int
        About how many series will be fitted.

    Raises
    ------
    FitError
        If a process died. (A model that raises costs its own fold only.)
    """
    if engine == "dask":
        yield from _on_dask(folds, jobs, scheduler)
        return
    from joblib import Parallel, cpu_count, delayed

    processes = jobs or (cpu_count() if fits >= _WORTHWHILE else 1)
    if processes == 1:
        yield from map(_numbered, folds)
        return
    # Workers read the fold by value: memory-mapping small tables would only cost time.
    parallel = Parallel(
        n_jobs=processes, return_as="generator_unordered", max_nbytes=None, batch_size=1
    )
    try:
        yield from parallel(delayed(_numbered)(fold, enabled()) for fold in folds)
    except BrokenProcessPool as error:
        raise FitError(_LOST.format(reason=str(error).split(".")[0])) from None


def _numbered(fold: tuple[int, Fold], cache: bool = True) -> tuple[int, Scored]:
    """Run a fold, perhaps in another process, with the cache on or off as it is here."""
    with caching(cache):
        return fold[0], run(fold[1])


def _on_dask(
    folds: Iterable[tuple[int, Fold]], jobs: int | None, scheduler: str | None
) -> Iterator[tuple[int, Scored]]:
    from distributed import Client, LocalCluster
    from joblib import cpu_count

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise DataError(
                f"no Dask scheduler answers at {scheduler!r} ({error}). "
                "Start one with `dask scheduler`, or leave the address out."
            ) from None
        with client:
            yield from _through(client, folds)
        return
    with (
        LocalCluster(
            n_workers=jobs or cpu_count(),
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield from _through(client, folds)


def _through(client: Client, folds: Iterable[tuple[int, Fold]]) -> Iterator[tuple[int, Scored]]:
    """Keep every worker busy and little in flight; folds of a lost worker run elsewhere."""
    from distributed import KilledWorker, as_completed

    workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    waiting = iter(folds)

    def submit(fold: tuple[int, Fold]) -> object:
        # A fold is no pure function of its key, and a result is wanted once.
        return client.submit(_numbered, fold, enabled(), pure=False)

    running = as_completed([submit(fold) for fold in islice(waiting, workers * _AHEAD)])
    for future in running:
        try:
            result: tuple[int, Scored] = future.result()
        except KilledWorker as error:
            raise FitError(_LOST.format(reason=str(error).split(".")[0])) from None
        future.release()
        for fold in islice(waiting, 1):
            running.add(submit(fold))
        yield result
