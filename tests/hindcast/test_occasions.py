"""Members at earlier origins: who is asked first, and that it does not matter to the result."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import forecast as fc
from forecast.artifacts import caching, claim, places, recipe
from forecast.hindcast import occasions
from forecast.hindcast.jobs import Job, run, run_all
from forecast.hindcast.members import MemberCache, MemberForecast, member_job
from forecast.models.bayes.compiling import CompiledCode, prepare
from forecast.models.registry import REGISTRY, is_specified, model, settings, specification
from forecast.models.series.structural import RandomWalk
from forecast.panel import Panel


class Waiting(RandomWalk):
    """A model that is not ready yet, such as one that is compiled."""

    def __init__(self, name: str, ready: bool, asked: list[str]) -> None:
        super().__init__()
        self.name, self.ready, self.asked = name, ready, asked

    def prepare(self) -> bool:
        return self.ready

    def fit(self, panel: Panel, seed: int):  # type: ignore[no-untyped-def]
        self.asked.append(self.name)
        return super().fit(panel, seed)


@pytest.mark.parametrize("ready", [True, False])
def test_who_is_not_ready_is_asked_last(ready: bool) -> None:
    panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
    asked: list[str] = []
    members = [Waiting("first", ready, asked), Waiting("second", True, asked)]
    settings = {**specification("ensemble")["history"], "origins": 3, "draws": 100, "sparse": {}}
    with caching(False):
        found = occasions.run_members(members, panel, 2, settings)
    in_turn = ["first", "second"] * 3
    assert asked == (in_turn if ready else sorted(in_turn, reverse=True))
    for one in found:
        # Draws are named by model, so that both are judged as themselves.
        assert [made.name for made in one.forecasts if made is not None] == ["first", "second"]


def code_of(folder: Path, monkeypatch: pytest.MonkeyPatch, *programs: str) -> CompiledCode:
    """Code of modules that stand in the place of compiled ones: importing them runs a program."""
    here = folder / "code"
    here.mkdir()
    names = [f"stands_in_{number}" for number in range(len(programs))]
    for name, program in zip(names, programs):
        (here / f"{name}.py").write_text(program, encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(here))
    return CompiledCode(here, tuple(names))


def test_code_is_compiled_in_the_background_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes in the place of the compiler: the marker says that they ran to their end."""
    runs = [tmp_path / "first", tmp_path / "second"]
    programs = [f"open({str(run)!r}, 'a').write('once\\n')" for run in runs]
    code = code_of(tmp_path, monkeypatch, *programs)
    assert not code.start_compiling()
    code.compile_apart()
    assert code.folder is not None
    assert (Path(code.folder) / "complete").exists()
    assert code.start_compiling()
    assert [run.read_text(encoding="utf-8") for run in runs] == ["once\n", "once\n"]


@pytest.mark.parametrize(
    "programs",
    [lambda failing: ("", failing), lambda failing: (failing, "")],
    ids=["fork", "first"],
)
def test_code_that_cannot_be_compiled_is_tried_once_in_the_background(
    programs: Callable[[str], tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    failing = f"open({str(runs)!r}, 'a').write('tried\\n'); raise SystemExit(1)"
    code = code_of(tmp_path, monkeypatch, *programs(failing))
    assert not code.start_compiling()
    code._compiler.join()
    # A fit compiles it itself, and says what is wrong with it: nothing is to be waited for.
    assert code.start_compiling()
    assert runs.read_text(encoding="utf-8") == "tried\n"


#: Imports modules that are compiled by their types, fits, and counts what was compiled meanwhile.
COUNTING = """
from importlib import import_module
from numba.core import event
import forecast as fc
for module in import_module("forecast.models.{model}.fast").CODE.modules:
    import_module(module)
panel = fc.load("central-asia").select(location="KAZ", measure={measures})
with event.install_recorder("numba:compile") as recorder:
    fc.forecast(panel, model="{name}", horizons=(2030,), draws=100, cache=False)
print(len(recorder.buffer))
"""


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("model", "name", "measures"),
    [
        ("hierarchical", "hierarchical", ["net_migration"]),
        ("gross_flows", "flows", ["immigration", "emigration"]),
    ],
)
def test_stated_types_are_those_of_a_fit(model: str, name: str, measures: list[str]) -> None:
    """Nothing is left to compile in a fit: the process of its own compiles everything."""
    code = COUNTING.format(model=model, name=name, measures=measures)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_what_first_fits_wait_for_is_started_for_members_that_are_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[str] = []

    def start(code: CompiledCode) -> bool:
        started.append(code.here.parent.name)
        return False

    monkeypatch.setattr(CompiledCode, "start_compiling", start)
    prepare(["ensemble", "no such model"], ["net_migration"])
    assert started == ["hierarchical"]
    prepare(["naive", "flows"], ["immigration"])
    assert started == ["hierarchical"]
    prepare(["ensemble"])
    assert started == ["hierarchical", "hierarchical", "gross_flows"]


def test_what_a_model_is_meant_for_is_told_by_its_toml_too() -> None:
    """Read without importing the model: see `forecast.models.bayes.compiling.prepare`."""
    names = [name for name in REGISTRY if is_specified(name) and settings(name).compiled]
    assert sorted(names) == ["flows", "hierarchical"]
    for name in names:
        assert settings(name).only == model(name).measures
        assert settings(name).needs == model(name).needs


def test_a_job_that_another_process_runs_is_waited_for_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neighbouring origins of a backtest need the same members: each is run by one process."""
    panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
    asked: list[str] = []
    members = [Waiting("first", True, asked), Waiting("second", True, asked)]
    monkeypatch.setattr(Waiting, "recipe", property(lambda self: {"name": self.name}))
    jobs = [member_job(member, panel, panel.origin + 1, 100, 1, 21) for member in members]
    cache = MemberCache()
    # Another process: it has claimed the first, keeps it while the second is run, and gives it up.
    give_up = cache.claim(jobs[0])
    assert give_up is not None
    assert cache.claim(jobs[0]) is None
    elsewhere = run(jobs[0])
    asked.clear()

    class Watched(MemberCache):
        def write(self, job: Job[MemberForecast], result: MemberForecast, seconds: float) -> None:
            super().write(job, result, seconds)
            cache.write(jobs[0], elsewhere, 1.0)
            give_up()

    results = dict(run_all(jobs, fits=2, results=Watched()))
    assert asked == ["second"]
    assert (results[0].persons == elsewhere.persons).all()
    assert sorted(results) == [0, 1]


def test_a_job_that_another_process_gave_up_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = fc.load("central-asia").select(location="KAZ", measure="immigration")
    asked: list[str] = []
    member = Waiting("first", True, asked)
    monkeypatch.setattr(Waiting, "recipe", property(lambda self: {"gave": "up"}))
    job = member_job(member, panel, panel.origin + 1, 100, 1, 21)
    give_up = MemberCache().claim(job)
    assert give_up is not None
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(lambda: dict(run_all([job], fits=1, results=MemberCache())))
        time.sleep(0.2)
        assert not running.done()
        give_up()
        assert sorted(running.result(timeout=30)) == [0]
    assert asked == ["first"]
    # Nothing stays claimed, and no lock is left.
    assert not list(places.cache().glob("*.lock"))


def test_what_one_thread_claimed_another_may_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs for processes are sent from threads of joblib's, and their results come elsewhere."""
    made = recipe(what="anything")
    give_up = claim(made)
    assert give_up is not None
    assert claim(made) is None
    # Where the lock cannot be removed, it must be free all the same.
    monkeypatch.setattr(Path, "unlink", raising_os_error)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(give_up).result()
    again = claim(made)
    assert again is not None
    monkeypatch.undo()
    again()


def raising_os_error(path: Path) -> None:
    raise OSError
