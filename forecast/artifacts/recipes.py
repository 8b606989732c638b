"""Recipes: code, settings and data that decide a result kept on disk.

A recipe has named parts that differ from call to call (data, settings of the model object, seed,
draws) and what is the same within a process: the package's code, its shelves of settings and
tables, and the versions of the libraries.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from forecast.shelf import shelf

#: What of the package cannot decide a forecast, a replay of the past or a score: rooms that only
#: show, export, or build upon those, and are imported by none of the rooms that count (a test holds
#: this; `outlook` calls `exports` to write files, and `panel` and `outlook` are drawn by `plots`).
CANNOT_MATTER = (
    "cli", "drawing.py", "evaluate", "exports", "impacts", "labels.py", "plots.py", "reports",
    "scenarios",
)  # fmt: skip
LIBRARIES = (
    "arviz", "numba", "numpy", "nutpie", "pandas", "pymc", "scipy", "scoringrules", "statsmodels",
    "xarray",
)  # fmt: skip
#: Where the package's modules are; tests point it at a copy.
ROOT = Path(__file__).resolve().parents[1]
#: Where an object lies in memory says nothing about it.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_NAMED = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType)
#: Longer texts stand in a recipe as their hash.
_LONGEST = 200


def recipe(**parts: object) -> dict[str, Any]:
    """Return everything that decides a result, as plain values.

    Parameters
    ----------
    **parts : object
        What differs from call to call, by name: a Panel counts by its hash, a model by what it was
        made with (see `described`). Model objects of one's own: their code is not looked at.

    Returns
    -------
    dict
        ``parts`` and ``software``.
    """
    return {"parts": {name: _plain(part) for name, part in parts.items()}, "software": software()}


def name_of(made: Mapping[str, Any]) -> str:
    """Return the name under which the result of a recipe is kept: 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:32]


@cache
def software() -> dict[str, str]:
    """Return hashes of the code and of the shelves, and versions; looked up once a process."""
    from importlib.metadata import PackageNotFoundError, version

    from forecast.version import __version__

    versions = {"migration-forecast": __version__}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = ""
    models, data = shelf("models"), shelf("data")
    return {
        "code": hash_of(modules(ROOT), ROOT),
        "settings": hash_of(models.rglob("*.toml"), models),
        "tables": hash_of((path for path in data.iterdir() if path.is_file()), data),
        **versions,
    }


def modules(root: Path) -> list[Path]:
    """Return the modules of a package folder that can matter, see `CANNOT_MATTER`."""
    return [
        path
        for path in sorted(root.rglob("*.py"))
        if path.relative_to(root).parts[0] not in (*CANNOT_MATTER, "_shelves")
    ]


def hash_of(paths: Iterable[Path], root: Path) -> str:
    """Return a hash of files: of their paths below a folder, and of their content.

    Parameters
    ----------
    paths : iterable of Path
        Files, in any order.
    root : Path
        A folder above all of them; where it lies itself does not count.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    content = hashlib.sha256()
    for path in sorted(paths):
        data = path.read_bytes()
        content.update(f"{path.relative_to(root).as_posix()}\n{len(data)}\n".encode() + data)
    return content.hexdigest()


def described(value: object, above: tuple[int, ...] = ()) -> str:
    """Return the settings of a model, and of whatever it holds, as text.

    The text is the same in every process. Attributes are followed into models and settings that
    a model holds; of functions, classes and modules only the name counts, not the code. Two models
    that differ in a setting differ in the text, unless a setting shows neither attributes nor a
    value of its own.

    Parameters
    ----------
    above : tuple of int, optional
        Identities of the objects that hold this one: what holds itself is not followed twice.
    """
    import numpy as np
    import pandas as pd

    from forecast.panel import Panel

    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if id(value) in above:
        return kind
    inside = (*above, id(value))

    def each(values: Iterable[object]) -> str:
        return ", ".join(described(item, inside) for item in values)

    if isinstance(value, Panel):
        text = value.hash
    elif isinstance(value, pd.DataFrame | pd.Series):
        text = value.to_csv(float_format="%.17g", lineterminator="\n")
    elif isinstance(value, np.ndarray):
        plain = np.ascontiguousarray(value)
        figures = each(value.tolist()) if value.dtype.hasobject else _sha256(plain.tobytes())
        text = f"{value.shape} {value.dtype} {figures}"
    elif isinstance(value, Enum):
        text = value.name
    elif isinstance(value, _NAMED):
        module, name = (getattr(value, part, "") for part in ("__module__", "__qualname__"))
        text = f"{module}.{name or getattr(value, '__name__', '')}"
    elif isinstance(value, partial):
        text = each([value.func, value.args, value.keywords])
    elif isinstance(value, Mapping):
        text = ", ".join(
            f"{described(k, inside)}: {described(v, inside)}" for k, v in value.items()
        )
    elif isinstance(value, set | frozenset):
        text = ", ".join(sorted(described(item, inside) for item in value))
    elif isinstance(value, list | tuple):
        text = each(value)
    elif attributes := _attributes(value):
        text = described(attributes, inside)
    else:
        text = _ADDRESS.sub("", repr(value))
    return f"{kind}({text})"


def digest(model: object) -> str:
    """Return a hash of what a model was made with, see `described`."""
    return _sha256(described(model).encode())


def _plain(part: object) -> object:
    if part is None or isinstance(part, bool | int | float | str):
        return (
            part if not isinstance(part, str) or len(part) <= _LONGEST else _sha256(part.encode())
        )
    return digest(part)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _attributes(value: object) -> dict[str, object]:
    """Return the attributes of an object, from its dictionary and its slots."""
    attributes = dict(getattr(value, "__dict__", {}))
    for above in type(value).__mro__:
        slots = above.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                attributes[name] = getattr(value, name)
    return attributes
