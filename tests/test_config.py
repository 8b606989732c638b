"""Settings: every misspelt or mistyped key of every TOML is refused, with the nearest name."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forecast.config import read_toml
from forecast.errors import DataError, UnknownNameError
from forecast.models.ensemble.model import Ensemble
from forecast.models.gross_flows.model import Flows
from forecast.models.hierarchical.model import Hierarchical
from forecast.models.registry import classes
from forecast.models.settings import About
from forecast.shelf import shelf

MODELS = sorted(path.stem for path in shelf("models").glob("*.toml"))
#: Tables whose keys are names of models, not of settings.
FREE = ("sparse", "own")


def keys(content: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every key in a TOML."""
    items = content.items() if isinstance(content, dict) else enumerate(content)  # type: ignore[arg-type]
    for key, value in items:
        if isinstance(key, str) and not (path and path[-1] in FREE):
            yield (*path, key)
        if isinstance(value, dict | list):
            yield from keys(value, (*path, key))


def table(content: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        content = content[part]
    return content


@pytest.mark.parametrize("name", MODELS)
def test_every_misspelt_key_of_every_model_is_refused_with_the_nearest(name: str) -> None:
    content = read_toml(shelf("models") / f"{name}.toml")
    kind = classes().get(name, About)
    kind.of(content, "own.toml")
    for path in keys(content):
        changed = copy.deepcopy(content)
        inside, key = table(changed, path[:-1]), path[-1]
        misspelt = key[:-2] + key[:-3:-1] if key[-1] != key[-2:-1] else key + "x"
        inside[misspelt] = inside[key]
        with pytest.raises(UnknownNameError, match=rf"'{misspelt}'\. Did you mean: .*\b{key}\b"):
            kind.of(changed, "own.toml")


@pytest.mark.parametrize("name", MODELS)
def test_every_mistyped_value_of_every_model_is_refused(name: str) -> None:
    content = read_toml(shelf("models") / f"{name}.toml")
    for path in keys(content):
        for wrong in (None, {"a": 1}, [[[]]], float("nan")):
            changed = copy.deepcopy(content)
            table(changed, path[:-1])[path[-1]] = wrong
            if path[-1] in FREE and wrong == {"a": 1}:
                continue
            with pytest.raises((DataError, UnknownNameError), match=r"own\.toml"):
                classes().get(name, About).of(changed, "own.toml")


def test_settings_of_model_objects_are_checked(tmp_path: Path) -> None:
    for settings, near in (
        ({"wieghts": {}}, r"'wieghts'. Did you mean: weights"),
        ({"weights": {"pul": 3}}, r"'pul'. Did you mean: pull"),
        ({"history": {"orgins": 3}}, r"'orgins'. Did you mean: origins"),
    ):
        with pytest.raises(UnknownNameError, match=near):
            Ensemble(settings=settings)
    with pytest.raises(DataError, match=r"half_life in \[weights\] of the settings .* is 'long'"):
        Ensemble(settings={"weights": {"half_life": "long"}})
    with pytest.raises(DataError, match=r"weights in the settings of the ensemble is 3; write a"):
        Ensemble(settings={"weights": 3})
    with pytest.raises(DataError, match=r"kept in the sampler of hier.* is 0.5; give a whole"):
        Hierarchical(sampler={"kept": 0.5})
    with pytest.raises(DataError, match=r"chains in the sampler of flows is 0; give a number"):
        Flows(sampler={"chains": 0})
    with pytest.raises(UnknownNameError, match=r"'chans'. Did you mean: chains"):
        Flows(sampler={"chans": 2})
    with pytest.raises(DataError, match=r"growth in the priors of flows is 'big'; give a number"):
        Flows(priors={"growth": "big"})


def test_a_file_that_is_no_toml_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.toml does not exist. Give a TOML file"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "own.toml").write_bytes(b"\xff = 1")
    with pytest.raises(DataError, match="is not TOML"):
        read_toml(tmp_path / "own.toml")
    with pytest.raises(DataError, match="cannot be read"):
        read_toml(tmp_path)
