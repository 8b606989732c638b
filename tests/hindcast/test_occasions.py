"""Members at earlier origins: who is asked first, and that it does not matter to the result."""

from __future__ import annotations

from pathlib import Path

import pytest

import forecast as fc
from forecast.artifacts import caching
from forecast.hindcast import occasions
from forecast.models.bayes.compiling import CompiledCode
from forecast.models.registry import specification
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


def test_code_is_compiled_in_the_background_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process in the place of the compiler: the marker says that it ran to its end."""
    (tmp_path / "code").mkdir()
    runs = tmp_path / "runs"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    code = CompiledCode(tmp_path / "code", f"open({str(runs)!r}, 'a').write('once\\n')")
    assert not code.start_compiling()
    code.compile_apart()
    assert code.folder is not None
    assert (Path(code.folder) / "complete").exists()
    assert code.start_compiling()
    assert runs.read_text(encoding="utf-8") == "once\n"


def test_code_that_cannot_be_compiled_is_tried_once_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code").mkdir()
    runs = tmp_path / "runs"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    failing = f"open({str(runs)!r}, 'a').write('tried\\n'); raise SystemExit(1)"
    code = CompiledCode(tmp_path / "code", failing)
    assert not code.start_compiling()
    code._compiler.join()
    # A fit compiles it itself, and says what is wrong with it: nothing is to be waited for.
    assert code.start_compiling()
    assert runs.read_text(encoding="utf-8") == "tried\n"
