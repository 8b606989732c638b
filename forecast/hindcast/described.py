"""What a model was made with, as text that is the same in every process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np
import pandas as pd

from forecast.panel import Panel

#: Where an object lies in memory says nothing about it.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_NAMED = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType)


def digest(model: object) -> str:
    """Return a hash of what a model was made with, see `described`."""
    return hashlib.sha256(described(model).encode()).hexdigest()


def described(value: object, above: tuple[int, ...] = ()) -> str:
    """Return the settings of a model, and of whatever it holds, as text.

    Attributes are followed into models and settings that a model holds; of functions, classes and
    modules only the name counts, not the code. Two models that differ in a setting differ in
    the text, unless a setting shows neither attributes nor a value of its own.

    Parameters
    ----------
    value : object
    above : tuple of int, optional
        Identities of the objects that hold this one: what holds itself is not followed twice.
    """
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if id(value) in above:
        return kind
    inside = (*above, id(value))

    def each(values: object) -> str:
        return ", ".join(described(one, inside) for one in values)  # type: ignore[attr-defined]

    if isinstance(value, Panel):
        text = value.hash
    elif isinstance(value, pd.DataFrame | pd.Series):
        text = value.to_csv(float_format="%.17g", lineterminator="\n")
    elif isinstance(value, np.ndarray):
        figures = each(value.tolist()) if value.dtype.hasobject else _bytes(value)
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
        text = ", ".join(sorted(described(one, inside) for one in value))
    elif isinstance(value, list | tuple):
        text = each(value)
    elif attributes := _attributes(value):
        text = described(attributes, inside)
    else:
        text = _ADDRESS.sub("", repr(value))
    return f"{kind}({text})"


def _bytes(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def _attributes(value: object) -> dict[str, object]:
    """Return the attributes of an object, from its dictionary and its slots."""
    found = dict(getattr(value, "__dict__", {}))
    for above in type(value).__mro__:
        slots = above.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found[name] = getattr(value, name)
    return found
