"""Jobs: models run on what was known at an origin, here, in processes or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol

from forecast.artifacts import caching, enabled
from forecast.contract import FittedBase, Model
from forecast.data import inputs
from forecast.errors import DataError, FitError, ForecastError, unknown_name
from forecast.outlook import Forecast
from forecast.panel import Panel

if TYPE_CHECKING:
    from distributed import Client

Engine = Literal["local", "dask"]
#: Below this many fits of a series, starting processes costs more than it saves.
_WORTHWHILE = 400
#: Jobs sent ahead to each Dask worker; more would only wait in memory.
_AHEAD = 2
_LOST = (
    "a process was lost, most likely for want of memory: {reason}. Use fewer jobs; with a store "
    "the finished folds are kept and the same command goes on from them."
)


@dataclass(frozen=True)
class Failure:
    """Why a model made no forecast.

    Attributes
    ----------
    error : Exception
        What it raised.
    """

    error: Exception

    @property
    def broke(self) -> bool:
        """Whether it is a fault: what declines or refuses a fit says so in our own errors."""
        return not isinstance(self.error, ForecastError)

    @property
    def reason(self) -> str:
        """The model's own words, with the kind of error where it is a fault."""
        return f"{type(self.error).__name__}: {self.error}" if self.broke else str(self.error)


class Keeper[T](Protocol):
    """What is kept of a forecast: draws, quantiles or scores."""

    def keep(self, job: Job[T], fitted: FittedBase, outlook: Forecast) -> T:
        """Return what is kept of a forecast."""

    def keep_failure(self, job: Job[T], failure: Failure) -> T:
        """Return what is kept where there is none."""


class Results[T]:
    """Where finished jobs lie, so that they are not run again; by itself it keeps nothing."""

    def read(self, job: Job[T]) -> T | None:
        """Return what was kept of a job; None if nothing was."""
        return None

    def write(self, job: Job[T], result: T, seconds: float) -> None:
        """Keep the result of a job that took so many seconds of a processor."""

    def claim(self, job: Job[T], wait: bool = False) -> Callable[[], None] | None:
        """Keep other processes from running a job; return what gives it up again.

        None if another process runs it, unless it is to be waited for.
        """
        return lambda: None


@dataclass(frozen=True)
class Job[T]:
    """One model, what it may know, and what is kept of its forecast.

    It carries all that a process elsewhere needs.

    Attributes
    ----------
    known : Panel or None
        The figures up to the origin, nothing else; None if there were none.
    years : tuple of int
        Target years.
    """

    model: Model
    known: Panel | None
    years: tuple[int, ...]
    draws: int
    seed: int
    keeper: Keeper[T]


def forecast[T](job: Job[T]) -> tuple[FittedBase, Forecast]:
    """Fit the model to what was known and forecast; whatever the model raises is raised."""
    if job.known is None:
        raise DataError("no figures up to the origin.")
    fitted = inputs.fit(job.model, job.known, job.seed)
    return fitted, fitted.forecast(job.years, job.draws)


def run[T](job: Job[T]) -> T:
    """Forecast and return what is kept; a failure costs this job only and keeps its reason."""
    try:
        fitted, outlook = forecast(job)
    except Exception as error:  # noqa: BLE001
        # The one place that catches everything: a model is foreign code, and whatever it
        # raises must cost its own forecast only.
        return job.keeper.keep_failure(job, Failure(error))
    return job.keeper.keep(job, fitted, outlook)


def check_engine(engine: str, processes: int | None, scheduler: str | None) -> None:
    """Say what is wrong with the engine before any work is done.

    Parameters
    ----------
    engine : {"local", "dask"}
        Where jobs run.
    processes : int or None
        How many at once; None chooses.
    scheduler : str or None
        Address of a Dask scheduler.
    """
    if engine not in ("local", "dask"):
        raise unknown_name("engine", engine, ["local", "dask"])
    if processes is not None and (not isinstance(processes, int) or processes < 1):
        raise DataError(f"jobs is {processes!r}; give the number of processes, 1 or more.")
    if scheduler is not None and engine != "dask":
        raise DataError("a scheduler was given with engine='local'. Use engine='dask' with it.")
    if engine == "dask":
        from importlib.util import find_spec

        if find_spec("distributed") is None:
            raise DataError(
                "engine='dask' needs the package distributed. "
                "Install migration-forecast[dask], or use engine='local'."
            )


def run_all[T](
    jobs: Iterable[Job[T]],
    *,
    fits: int,
    results: Results[T] | None = None,
    engine: Engine = "local",
    processes: int | None = None,
    scheduler: str | None = None,
) -> Iterator[tuple[int, T]]:
    """Run jobs and yield number and result as they finish, in any order.

    Parameters
    ----------
    jobs : iterable of Job
        Made one by one as they are needed, so that memory stays bounded.
    fits : int
        About how many series will be fitted.
    results : Results, optional
        Jobs finished earlier are read from here, the others kept as soon as they are finished.
    engine : {"local", "dask"}
        The same bits anyway.
    processes : int, optional
        By default one per processor if there is enough to do, and this is no such process itself.
    scheduler : str, optional
        Address of a Dask scheduler; a local cluster of `processes` workers by default.

    Raises
    ------
    FitError
        If a process died. (A model that raises costs its own job only.)
    """
    kept: Results[T] = Results() if results is None else results
    running: dict[int, tuple[Job[T], Callable[[], None]]] = {}
    finished: deque[tuple[int, T]] = deque()
    elsewhere: list[tuple[int, Job[T]]] = []

    def missing() -> Iterator[tuple[int, Job[T]]]:
        for number, job in enumerate(jobs):
            if (result := kept.read(job)) is not None:
                finished.append((number, result))
            elif (give_up := kept.claim(job)) is None:
                # Another process runs it: the others come first, then its result is there.
                elsewhere.append((number, job))
            else:
                running[number] = job, give_up
                yield number, job

    if engine == "dask":
        work = _on_dask(missing(), processes, scheduler)
    else:
        work = _here(missing(), processes, fits)
    try:
        for number, result, seconds in work:
            while finished:
                yield finished.popleft()
            kept.write(running[number][0], result, seconds)
            running.pop(number)[1]()
            yield number, result
    finally:
        for _, give_up in running.values():
            give_up()
    yield from finished
    for number, job in elsewhere:
        # Nothing else is claimed meanwhile: processes do not wait for each other in a circle.
        yield number, _waited_for(job, kept)


def _waited_for[T](job: Job[T], results: Results[T]) -> T:
    """Return the result of a job that another process runs, or run it where it kept none."""
    give_up = results.claim(job, wait=True)
    try:
        kept = results.read(job)
        if kept is not None:
            return kept
        _, result, seconds = _timed((0, job), enabled())
        results.write(job, result, seconds)
        return result
    finally:
        if give_up is not None:
            give_up()


def _timed[T](numbered: tuple[int, Job[T]], cache: bool = True) -> tuple[int, T, float]:
    """Run a job, perhaps in another process, with the cache on or off as it is here."""
    started = time.process_time()
    with caching(cache):
        return numbered[0], run(numbered[1]), time.process_time() - started


def _here[T](
    jobs: Iterator[tuple[int, Job[T]]], processes: int | None, fits: int
) -> Iterator[tuple[int, T, float]]:
    if processes is None and (fits < _WORTHWHILE or multiprocessing.parent_process() is not None):
        processes = 1
    if processes == 1:
        yield from map(_timed, jobs)
        return
    calls = (partial(_timed, job, enabled()) for job in jobs)
    yield from _in_processes(calls, processes, "generator_unordered")


def side_by_side[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make independent calls on all processors, and return what they do, in their order.

    One after another in a process that is itself one of several.

    Parameters
    ----------
    calls : sequence of callable
        Without arguments; what they hold is sent along.

    Raises
    ------
    FitError
        If a process died.
    """
    if multiprocessing.parent_process() is not None:
        return [call() for call in calls]
    return list(_in_processes(calls, None, "generator"))


def _in_processes[T](
    calls: Iterable[Callable[[], T]], processes: int | None, order: str
) -> Iterator[T]:
    from joblib import Parallel, delayed

    # Workers read what is sent by value: memory-mapping small tables would only cost time.
    parallel = Parallel(n_jobs=processes or -1, return_as=order, max_nbytes=None, batch_size=1)
    try:
        yield from parallel(delayed(call)() for call in calls)
    except BrokenProcessPool as error:
        raise FitError(_LOST.format(reason=str(error).split(".")[0])) from None


def _on_dask[T](
    jobs: Iterator[tuple[int, Job[T]]], workers: int | None, scheduler: str | None
) -> Iterator[tuple[int, T, float]]:
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
            yield from _through(client, jobs)
        return
    with (
        LocalCluster(
            n_workers=workers or cpu_count(),
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield from _through(client, jobs)


def _through[T](
    client: Client, jobs: Iterator[tuple[int, Job[T]]]
) -> Iterator[tuple[int, T, float]]:
    """Keep every worker busy and little in flight; jobs of a lost worker run elsewhere."""
    from distributed import KilledWorker, as_completed

    workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))

    def submit(job: tuple[int, Job[T]]) -> object:
        # A job is no pure function of its key, and a result is wanted once.
        return client.submit(_timed, job, enabled(), pure=False)

    running = as_completed([submit(job) for job in islice(jobs, workers * _AHEAD)])
    for future in running:
        try:
            result: tuple[int, T, float] = future.result()
        except KilledWorker as error:
            raise FitError(_LOST.format(reason=str(error).split(".")[0])) from None
        future.release()
        for job in islice(jobs, 1):
            running.add(submit(job))
        yield result
