"""Answers of another form, a damaged manifest, a kill at any step: one message, nothing lost."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import forecast as fc
from forecast.artifacts import places
from forecast.data.sources import fetched
from forecast.data.sources.fetch import fetch
from forecast.data.sources.http import Limits
from forecast.errors import DataError

from . import payloads
from .conftest import Server, plain

ODD = {
    "a number": "[1]",
    "nothing": "{}",
    "null": "[null, null]",
    "deep": "[" * 60_000,
    "endless": '[{"page": 1, "pages": 1e400}, []]',
    "many pages": '[{"page": 1, "pages": 99999}, []]',
    "words": '[{"page": 1, "pages": "two"}, [{"countryiso3code": 1}]]',
    "rows": '[{"page": 1, "pages": 1, "data": [1, null, "x"], "metadata": 7}, [1, null, "x"]]',
    "items": '{"items": [1, {"year": 1e400}], "maxPages": "x", "data": [{"Code": {}}]}',
    "data": '[{"data": [{"Code": "1703", "2020": {}}], "metadata": [{"name_en": 3}]}]',
    "no years": '[{"data": [{"Code": "1703"}], "metadata": []}]',
    "digits": '[{"page": 1, "pages": ' + "9" * 5000 + "}, []]",
}


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv(places.STORE, str(tmp_path / "store"))
    return tmp_path / "cache" / "sources"


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("name", ["worldbank", "unhcr", "uzstat", "eurostat", "wpp"])
def test_an_answer_of_another_form_is_one_message(
    server: Server, brief: Limits, own_folders: Path, name: str, body: str
) -> None:
    class Everywhere(dict[str, object]):
        def get(self, path: str, otherwise: object = None) -> object:
            return plain(body)

    server.answers = Everywhere()  # type: ignore[assignment]
    with pytest.raises(DataError):
        fetch(name, base_url=server.url, limits=brief)
    assert [path.name for path in (own_folders / name).iterdir()] == [".lock"]


@pytest.mark.parametrize("table", ["x\n", "geo,TIME_PERIOD,OBS_VALUE\n", "a,b\n1,2,3,4\n", '"'])
def test_a_table_of_another_form_is_one_message(server: Server, brief: Limits, table: str) -> None:
    payloads.eurostat(server)
    path = next(iter(server.answers))
    server.answers[path] = plain(table + "," * 10)
    with pytest.raises(DataError):
        fetch("eurostat", base_url=server.url, limits=brief)


def test_a_bit_of_a_manifest_that_differs_is_noticed(
    server: Server, brief: Limits, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payloads.eurostat(server)
    made = fetch("eurostat", base_url=server.url, limits=brief)
    path = own_folders / "eurostat" / fetched.MANIFEST
    flipped = bytearray(path.read_bytes())

    def text(*_: object, **__: object) -> str:
        return flipped.decode("utf-8")

    monkeypatch.setattr(Path, "read_text", text)
    harmless = 0
    for bit in range(0, 8 * len(flipped), 3):
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            same = fetched.find("eurostat")
        except DataError as error:
            assert "is damaged" in str(error)  # noqa: PT017  both outcomes are right
        else:
            harmless += 1
            assert same == made
        flipped[bit // 8] ^= 1 << bit % 8
    # Spaces between the entries may become other spaces.
    assert harmless < len(flipped) / 20
    # Earlier versions wrote no checksum.
    content = json.loads(flipped)
    del content["checksum"]
    flipped[:] = json.dumps(content).encode()
    assert fetched.find("eurostat") == made


class KilledError(BaseException):
    """Stands for the end of a process."""


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.thorough)])
def test_killed_at_any_step_a_fetch_loses_nothing(
    server: Server, brief: Limits, own_folders: Path, every: int
) -> None:
    payloads.worldbank(server)
    fetch("worldbank", base_url=server.url + "/v2", limits=brief)
    for last in range(0, 200, every):
        figures = 100.0 + last
        before = fc.load("worldbank").hash
        payloads.worldbank(server, net=figures, updated=str(dt.date(2026, 7, 2)))
        killed, steps = False, 0
        with pytest.MonkeyPatch.context() as patch:

            def counted(name: str, patch: pytest.MonkeyPatch = patch, last: int = last) -> None:
                action: Callable[..., object] = getattr(Path, name)

                def step(*given: object, **named: object) -> object:
                    nonlocal steps
                    steps += 1
                    if steps > last:
                        raise KilledError
                    return action(*given, **named)

                patch.setattr(Path, name, step)

            for name in ("replace", "write_text", "chmod", "mkdir", "unlink", "touch"):
                counted(name)
            try:
                fetch("worldbank", base_url=server.url + "/v2", limits=brief)
            except KilledError:
                killed = True
        # Either all of the earlier fetch is there or all of the new one.
        values = fc.load("worldbank").select(location="KAZ").series[0].values
        assert fc.load("worldbank").hash == before or values[0] == figures
        result = fetch("worldbank", base_url=server.url + "/v2", limits=brief)
        assert fc.load("worldbank").select(location="KAZ").series[0].values[0] == figures
        held = {file.file for file in result.files} | {fetched.MANIFEST, ".lock"}
        assert {path.name for path in (own_folders / "worldbank").iterdir()} == held
        if not killed:
            break
    assert last > 10
