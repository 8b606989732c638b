"""The docstrings of the public API name what the code takes and gives, and show an example.

What is public is found by looking, not by a list: the names of the front door, the classes that
they take or return, the contract of a model, the models of the registry, and what pages of the
documentation name or import.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import forecast as fc
from forecast import contract
from forecast.errors import ForecastError
from forecast.models.registry import REGISTRY
from forecast.models.registry import model as make_model

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
DOTTED = re.compile(r"`(forecast(?:\.[A-Za-z_]\w*)+)`")
_POSTERIOR = "needs a posterior, and drawing one takes a minute; tests/models/ has calls of it"
_HIERARCHICAL = "forecast.models.hierarchical"
#: Public functions without an example that runs, and why.
WITHOUT_EXAMPLE = {
    "forecast.contract.PathErrors.add": "a protocol: there is nothing to call",
    "forecast.data.wpp_bulk.read_bulk": "reads a file of the UN of many megabytes",
    "forecast.models.series.univariate.StateSpaceModel.remark": "a hook, a text by default",
    "forecast.models.series.univariate.StateSpaceModel.seeded_as": "a hook, the name by default",
    "forecast.models.series.regression.Regression.remark": "as what it overrides",
    "forecast.models.series.regression.Regression.seeded_as": "as what it overrides",
    "forecast.models.own.OwnModel.diagnose": "a hook, no rows by default",
    "forecast.models.own.OwnModel.draw": "a hook; the example of the class defines it",
    "forecast.models.own.OwnModel.learn": "a hook; the example of the class defines it",
    "forecast.models.own.OwnModel.verdict": "a hook, empty by default",
    f"{_HIERARCHICAL}.fitted.FittedHierarchical.predictive_check": _POSTERIOR,
    f"{_HIERARCHICAL}.fitted.FittedHierarchical.prior_sensitivity": _POSTERIOR,
    f"{_HIERARCHICAL}.fitted.FittedHierarchical.rates": _POSTERIOR,
    "forecast.models.bayes.plain.FittedPyMCModel.save_posterior": _POSTERIOR,
    f"{_HIERARCHICAL}.fitted.FittedHierarchical.to_arviz": _POSTERIOR,
    "forecast.models.gross_flows.model.FittedFlows.leave_one_out": _POSTERIOR,
    "forecast.models.gross_flows.model.FittedFlows.to_arviz": _POSTERIOR,
    "forecast.models.gross_flows.model.Flows.posterior": _POSTERIOR,
    "forecast.models.bayes.gate.Sampled.draws": _POSTERIOR,
    **dict.fromkeys(
        (
            f"forecast.models.mirror.result.Mirror.{name}"
            for name in ("contradictions", "coverage", "expected", "flows", "last", "told")
        ),
        _POSTERIOR,
    ),
    "forecast.models.mirror.result.Mirror.to_frame": _POSTERIOR,
}
SECTION = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}$", re.MULTILINE)


def modules() -> Iterator[str]:
    for path in sorted((ROOT / "forecast").rglob("*.py")):
        if "__pycache__" not in path.parts:
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__")


def module_of(name: str) -> Any:
    """A module by its name: the verb `forecast.models` hides the room of that name."""
    importlib.import_module(name)
    return sys.modules[name]


@functools.cache
def names_in(module: str) -> dict[str, Any]:
    """Names that annotations of a module may use, those for type checkers included."""
    found = dict(vars(module_of(module)))
    tree = ast.parse(Path(str(found["__file__"])).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module, "exec"), found)  # noqa: S102
    return found


def classes_in(hint: object) -> Iterator[type]:
    """Classes of the package in an annotation, however deep."""
    if inspect.isclass(hint) and hint.__module__.split(".")[0] == "forecast":
        yield hint
    for part in typing.get_args(hint):
        yield from classes_in(part)


def named_on_pages() -> Iterator[Any]:
    """Objects that a page imports in an example, or names with their dots."""
    dotted: set[str] = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        dotted.update(DOTTED.findall(text))
        for block in BLOCK.findall(text):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("forecast"):
                    dotted.update(f"{node.module}.{alias.name}" for alias in node.names)
    there = set(modules())
    for name in sorted(dotted - {"forecast.models"}):
        if name in there:
            yield from public_functions(name)
            continue
        module, _, attribute = name.rpartition(".")
        if module in there and hasattr(module_of(module), attribute):
            found = getattr(module_of(module), attribute)
            yield from public_functions(found.__name__) if inspect.ismodule(found) else [found]


def public_functions(module: str) -> list[Any]:
    """What a module offers: its own names without an underscore, or what its room re-exports."""
    found = module_of(module)
    listed = getattr(found, "__all__", None)
    offered = {name: getattr(found, name) for name in listed} if listed else vars(found)
    return [
        thing
        for name, thing in offered.items()
        if not name.startswith("_")
        and inspect.isroutine(thing)
        and (listed or thing.__module__ == module)
    ]


def plain(member: object) -> Callable[..., object] | None:
    """The function of a method as it is called; None for a property or a value."""
    if isinstance(member, classmethod | staticmethod):
        member = member.__func__
    member = inspect.unwrap(member) if callable(member) else member  # type: ignore[arg-type]
    return member if inspect.isfunction(member) else None


def of_property(member: object) -> Callable[..., object] | None:
    if isinstance(member, functools.cached_property):
        return member.func
    return member.fget if isinstance(member, property) else None


@dataclass(frozen=True)
class Api:
    """What a user can reach, by where it is defined."""

    classes: dict[str, type]
    functions: dict[str, Callable[..., Any]]


def annotated_with(thing: Any) -> Iterator[type]:
    """Classes of the package that a function takes or returns, or a class holds."""
    for hint in inspect.get_annotations(thing).values():
        if isinstance(hint, str):
            hint = eval(hint, names_in(thing.__module__))  # noqa: S307
        yield from classes_in(hint)


@functools.cache
def api() -> Api:
    """The front door and all that is reached from it; of models, what they offer themselves."""
    front = [getattr(fc, name) for name in fc.__all__ if name != "__version__"]
    waiting: list[Any] = [*front, *ForecastError.__subclasses__(), *named_on_pages()]
    waiting += [thing for thing in vars(contract).values() if inspect.isclass(thing)]
    waiting += public_functions("forecast.contract")
    # The parts that a model is made of are its own affair; the model and what it fits are not.
    models = [type(make_model(name)) for name in REGISTRY]
    closed = {base for model in models for base in model.__mro__}
    closed |= {kind for model in closed for kind in annotated_with(vars(model).get("fit", int))}
    waiting += sorted(closed, key=lambda kind: kind.__qualname__)
    reached = Api({}, {})
    while waiting:
        thing = waiting.pop(0)
        module, name = str(getattr(thing, "__module__", "")), getattr(thing, "__qualname__", "_")
        where = f"{module}.{name}"
        if module.split(".")[0] != "forecast" or name.startswith("_") or where in reached.classes:
            continue
        if not inspect.isclass(thing):
            if (function := plain(thing)) is not None:
                reached.functions[where] = function
                waiting += annotated_with(function)
            continue
        reached.classes[where] = thing
        waiting += thing.__bases__
        members = [member for name, member in vars(thing).items() if not name.startswith("_")]
        methods = [function for member in members if (function := plain(member)) is not None]
        reached.functions.update({f"{one.__module__}.{one.__qualname__}": one for one in methods})
        if thing not in closed:
            got = [function for member in members if (function := of_property(member)) is not None]
            waiting += [kind for one in (thing, *methods, *got) for kind in annotated_with(one)]
    return reached


def sections(thing: Any) -> dict[str, str]:
    """Sections of a docstring by their headings."""
    parts = SECTION.split(inspect.cleandoc(thing.__doc__ or ""))
    return dict(zip(parts[1::2], parts[2::2]))


def listed(section: str) -> list[str]:
    """Names that a section lists, without stars: lines that are not set in."""
    heads = [line.split(" : ")[0] for line in section.splitlines() if line[:1].strip()]
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def parameters(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def description(where: str, function: Callable[..., Any]) -> dict[str, str]:
    """Sections of a function, with those of the method that it overrides in the place of others.

    A method of the contract is described once; a model repeats it only where it takes more.
    """
    found = sections(function)
    kind = api().classes.get(where.rpartition(".")[0])
    for base in kind.__mro__[1:] if kind is not None else ():
        above = plain(vars(base).get(function.__name__))
        if above is not None:
            found = sections(above) | found
    return found


FUNCTIONS = sorted(api().functions)
CLASSES = sorted(api().classes)


def test_what_is_public_is_found() -> None:
    """The walk reaches verbs, methods, models and what pages name; else it would hold nothing."""
    assert {
        "forecast.models.run.forecast", "forecast.outlook.Forecast.intervals",
        "forecast.models",
        "forecast.panel.Panel.from_frame", "forecast.evaluate.track.Track.skill",
        "forecast.plots.fan", "forecast.contract.ModelBase.fit", "forecast.data.store.add",
        "forecast.models.hierarchical.fitted.FittedHierarchical.to_arviz",
    } <= set(FUNCTIONS)  # fmt: skip
    assert {"forecast.series.Series", "forecast.errors.FitError"} <= set(CLASSES)


def runs(section: str) -> bool:
    """Whether a section has a line of an example that is not skipped."""
    lines = [line for line in section.splitlines() if line.startswith(">>>")]
    return any("+SKIP" not in line for line in lines)


@pytest.mark.parametrize("where", FUNCTIONS)
def test_a_public_function_is_described(where: str) -> None:
    function = api().functions[where]
    found = description(where, function)
    assert sorted(listed(found.get("Parameters", ""))) == sorted(parameters(function))
    if inspect.get_annotations(function).get("return") not in ("None", None):
        assert {"Returns", "Yields"} & set(found), "says nothing of what it returns"
    if where not in WITHOUT_EXAMPLE:
        assert runs(found.get("Examples", "")), "has no example that runs"


def test_every_exception_is_needed() -> None:
    with_example = {
        where for where, one in api().functions.items() if runs(sections(one).get("Examples", ""))
    }
    assert sorted(set(WITHOUT_EXAMPLE) & with_example) == []
    assert sorted(set(WITHOUT_EXAMPLE) - set(FUNCTIONS)) == []


@pytest.mark.parametrize("where", CLASSES)
def test_a_public_class_is_described(where: str) -> None:
    """Every argument and field is described, and nothing is that is not there."""
    kind = api().classes[where]
    assert (kind.__doc__ or "").strip()
    found = sections(kind)
    said = set(listed(found.get("Parameters", "")) + listed(found.get("Attributes", "")))
    fields = {name for name in inspect.get_annotations(kind) if not name.startswith("_")}
    made = vars(kind).get("__init__")
    if inspect.isfunction(made) and not is_dataclass(kind):
        # Attributes of a class with arguments of its own are told by its properties.
        fields = {name for name in parameters(made) if name not in ("args", "kwargs")}
    there = fields | set(dir(kind))
    there |= {name for base in kind.__mro__ for name in inspect.get_annotations(base)}
    assert sorted(said - there) == []
    assert sorted(fields - said) == []


def everything() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every function and method of the package."""
    for module in modules():
        for thing in list(vars(module_of(module)).values()):
            if getattr(thing, "__module__", None) != module:
                continue
            if inspect.isclass(thing):
                for name, member in vars(thing).items():
                    if (function := plain(member)) is not None:
                        yield f"{module}.{thing.__qualname__}.{name}", function
            elif (function := plain(thing)) is not None:
                yield f"{module}.{function.__qualname__}", function


def test_no_docstring_names_a_parameter_that_is_not_there() -> None:
    wrong = {
        where: sorted(set(listed(sections(function)["Parameters"])) - set(parameters(function)))
        for where, function in everything()
        if "Parameters" in sections(function)
    }
    assert len(wrong) > 300
    assert {where: names for where, names in wrong.items() if names} == {}


def test_a_function_of_several_arguments_says_what_they_are() -> None:
    """Every module, not the public API alone; a command is no function: its help lists options."""
    several = {
        where: function
        for where, function in everything()
        if "." not in function.__qualname__
        and not function.__name__.startswith("_")
        and len(inspect.signature(function).parameters) > 1
    }
    assert len(several) > 400
    assert [one for one, made in several.items() if "Parameters" not in sections(made)] == []
