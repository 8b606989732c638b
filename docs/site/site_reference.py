"""Pages of the reference: public names, what verbs return, models, settings, building blocks.

What belongs to it is found, not listed: `forecast.__all__`, the classes that its functions and
their methods return, the classes of the registry, and what the written pages import or name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from site_layout import DOCS, ROOT
from site_settings import first_line, settings_page, titled

import forecast as fc
from forecast.contract import ModelBase
from forecast.models.registry import REGISTRY, model

PACKAGE = ROOT / "forecast"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
DOTTED = re.compile(r"(?<![\w/.-])forecast(?:\.[A-Za-z_]\w*)+(?![\w/])")


@cache
def modules() -> dict[str, Path]:
    """Return the modules of the package, by dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def home() -> dict[str, str]:
    """Return the module of each public class of the package; a class name means one thing in it."""
    found = {}
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name] = module
    return found


def resolved(dotted: str) -> Any:
    """Return what a dotted name stands for; None if there is nothing of that name."""
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def returned(thing: Any) -> set[str]:
    """Return the classes of the package that a function gives back, by its annotation."""
    try:
        said = inspect.signature(thing).return_annotation
    except (TypeError, ValueError):
        return set()
    text = said if isinstance(said, str) else getattr(said, "__name__", "")
    return set(re.findall(r"\w+", text)) & home().keys()


def members(one: type) -> Iterator[Any]:
    """Yield the functions behind the public methods and properties of a class."""
    for name, value in vars(one).items():
        if not name.startswith("_"):
            for attribute in ("fget", "func", "__func__"):
                value = getattr(value, attribute, value)
            if callable(value):
                yield value


@cache
def verbs() -> list[str]:
    """Return the public functions."""
    return [n for n in fc.__all__ if inspect.isfunction(getattr(fc, n))]


@cache
def errors() -> list[str]:
    """Return the public exceptions."""
    things = {n: getattr(fc, n) for n in fc.__all__}
    return [n for n, t in things.items() if inspect.isclass(t) and issubclass(t, Exception)]


@cache
def objects() -> dict[str, str]:
    """Return the public classes and those that verbs and methods give back: name, dotted name."""
    public = [n for n in fc.__all__ if inspect.isclass(getattr(fc, n)) and n not in errors()]
    found = {name: f"forecast.{name}" for name in public}
    waiting = [*(getattr(fc, name) for name in verbs())]
    waiting += [method for name in public for method in members(getattr(fc, name))]
    while waiting:
        for name in sorted(returned(waiting.pop()) - found.keys()):
            found[name] = f"{home()[name]}.{name}"
            waiting += members(resolved(found[name]))
    return found


@cache
def model_classes() -> dict[str, str]:
    """Return the class of every registered model that ships: model, dotted name."""
    made = {name: type(model(name)) for name in REGISTRY}
    return {name: f"{one.__module__}.{one.__name__}" for name, one in made.items()}


def named_in(text: str) -> set[str]:
    """Return the dotted names of the package that a page imports, uses or names."""
    found = set(DOTTED.findall(text))
    for module in [dotted for dotted in found if dotted in modules()]:
        # A function may be named by itself, beside its module.
        for name, thing in vars(importlib.import_module(module)).items():
            own = getattr(thing, "__module__", "") == module and not name.startswith("_")
            if own and re.search(rf"`{name}\b", text):
                found.add(f"{module}.{name}")
    for block in BLOCK.findall(text):
        tree = ast.parse(block)
        aliases = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("forecast"):
                aliases |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        found |= set(aliases.values())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.add(f"{aliases.get(node.value.id, '')}.{node.attr}")
    return found


@cache
def blocks() -> list[str]:
    """Return the functions and classes besides that the written pages use, by dotted name."""
    pages = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *DOCS.rglob("*.md")]
    named = set().union(*(named_in(page.read_text(encoding="utf-8")) for page in pages))
    shown = {*objects().values(), *model_classes().values()}
    shown_things = [resolved(dotted) for dotted in shown]
    shown_things += [getattr(fc, name) for name in fc.__all__]
    found = {}
    for dotted in sorted(named):
        thing = resolved(dotted) if dotted.startswith("forecast.") else None
        if not (inspect.isfunction(thing) or inspect.isclass(thing)):
            continue
        if not any(thing is one for one in shown_things):
            found.setdefault(id(thing), dotted)
    return sorted(found.values(), key=lambda dotted: dotted.rpartition(".")[::2])


def imported(dotted: str) -> str:
    """Return the line that imports a name."""
    return "from {0} import {2}".format(*dotted.rpartition("."))


def directive(dotted: str, without: str = "") -> str:
    """Return the directive that shows a function or a class with its methods."""
    thing = resolved(dotted)
    module, _, name = dotted.rpartition(".")
    kind = "autoclass" if inspect.isclass(thing) else "autofunction"
    more = "   :members:\n" if inspect.isclass(thing) else ""
    more += f"   :exclude-members: {without}\n" if without else ""
    return f".. currentmodule:: {module}\n\n.. {kind}:: {module}::{name}\n{more}\n"


def rows(things: dict[str, tuple[str, Any]]) -> str:
    """Return a table of links, shown text -> (page, thing)."""
    lines = [".. list-table::", "   :widths: 28 72", ""]
    for shown, (page, thing) in things.items():
        lines += [f"   * - :doc:`{shown} <{page}>`", f"     - {first_line(thing)}"]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Return the text of every page of the reference but those of the command."""
    made = {}
    for name in verbs():
        made[name] = titled(f"fc.{name}") + f"\n{directive(f'forecast.{name}')}"
    for name, dotted in objects().items():
        made[f"{name}-object"] = titled(name) + f"\n{directive(dotted)}"
    made["errors"] = titled("Errors") + "\nEach is also a builtin, and its message is one line.\n\n"
    made["errors"] += "\n".join(directive(f"forecast.{name}") for name in errors())
    made["model-classes"] = titled("Classes of the models") + (
        "\nA model is asked for by name, or made from its class where a setting is to differ.\n\n"
    )
    # Hooks that the package itself calls are those of the contract, and shown there.
    hooks = ", ".join(["nodes", *(n for n in vars(ModelBase) if not n.startswith("_"))])
    for name, dotted in model_classes().items():
        made["model-classes"] += (
            f"{titled(name, '-')}\n``{imported(dotted)}``. See :doc:`/models/{name}`.\n\n"
        )
        made["model-classes"] += f"{directive(dotted, hooks)}\n"
    made["settings"] = settings_page()
    made["building-blocks"] = titled("Building blocks") + (
        "\nWhat the guides use besides the public names, by module.\n\n"
    )
    module = ""
    for dotted in blocks():
        if dotted.rpartition(".")[0] != module:
            module = dotted.rpartition(".")[0]
            made["building-blocks"] += titled(module, "-") + "\n"
        made["building-blocks"] += directive(dotted) + "\n"
    return made


def index(names: list[str]) -> str:
    """Return the first page of the reference."""
    nouns = {n: (f"{n}-object", resolved(dotted)) for n, dotted in objects().items()}
    listed = "\n".join(f"   {name}" for name in names)
    more = (
        "* :doc:`errors`, :doc:`model-classes`, :doc:`settings`, :doc:`building-blocks`\n"
        "* :doc:`cli/index`: every verb and option\n"
        "* ``fc.__version__``: the version of the package, a text\n"
    )
    return "\n".join(
        [
            titled("Python"),
            "``import forecast as fc`` takes no noticeable time; libraries load when used.\n",
            titled("Functions", "-"),
            rows({f"fc.{name}": (name, getattr(fc, name)) for name in verbs()}),
            titled("Objects", "-"),
            rows(nouns),
            titled("More", "-"),
            more,
            f".. toctree::\n   :hidden:\n\n{listed}\n",
        ]
    )


def write(folder: Path) -> None:
    """Write the pages of the reference into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        (folder / f"{name}.rst").write_text(text, encoding="utf-8")
    (folder / "index.rst").write_text(index(list(made)), encoding="utf-8")
