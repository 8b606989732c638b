"""The page of the reference on settings files: every key, and what it allows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from forecast.models.registry import REGISTRY, classes
from forecast.models.settings import About

#: Kinds of settings (`forecast.config`) in words.
KINDS = {
    "Bounds": "two whole numbers",
    "Count": "whole number from 1 on",
    "Names": "list of texts",
    "Numbers": "list of numbers",
    "Order": "three whole numbers",
    "Pair": "two numbers",
    "Positive": "number above 0",
    "Share": "number from 0 to 1",
    "bool": "true or false",
    "float": "number",
    "int": "whole number",
    "str": "text",
}


def first_line(thing: Any) -> str:
    """Return what a thing is, in a sentence."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def titled(title: str, sign: str = "=") -> str:
    """Return a heading."""
    return f"{title}\n{sign * len(title)}\n"


def in_words(kind: str) -> str:
    """Return what a kind of setting allows, for people who write TOML."""
    if match := re.fullmatch(r"Literal\[(.*)\]", kind):
        return "one of " + ", ".join(f"``{one}``" for one in re.findall(r"'([^']*)'", match[1]))
    if match := re.fullmatch(r"tuple\[(\w+), \.\.\.\]", kind):
        return f"list; each: {in_words(match[1])}"
    if match := re.fullmatch(r"dict\[str, (\w+)\]", kind):
        return f"table; each: {in_words(match[1])}"
    return KINDS.get(kind, f"``{kind}``")


def settings_rows(one: type[About], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the keys that a settings file may have, with their kind."""
    for name, field in one.model_fields.items():
        kind = field.annotation
        inner = next((a for a in getattr(kind, "__args__", ()) if hasattr(a, "model_fields")), kind)
        if hasattr(inner, "model_fields"):
            yield from settings_rows(inner, f"{prefix}{name}.")
        else:
            text = kind.__name__ if inspect.isclass(kind) else str(kind)
            text = re.sub(r"\b[a-z_]+\.(?:[a-z_]+\.)*", "", text.replace("Ellipsis", "..."))
            need = "" if field.is_required() else ", optional"
            yield f"{prefix}{name}", f"{in_words(text)}{need}"


def settings_page() -> str:
    """Return the page of the settings files."""
    parts = [
        titled("Settings of the models"),
        "Each model reads ``models/NAME.toml``. A key that is not listed here is refused with the "
        "nearest name. What the values are and why stands on the page of each model.\n",
        titled("Every model", "-"),
        ".. list-table::\n   :widths: 45 55\n",
    ]
    parts += [f"   * - ``{key}``\n     - {kind}" for key, kind in settings_rows(About)]
    common = {key for key, _ in settings_rows(About)}
    for name, one in classes().items():
        # What is no registered model has a page among the methods.
        page = f"/models/{name}" if name in REGISTRY else f"/{name}"
        parts += ["", titled(name, "-"), f"{first_line(one)} See :doc:`{page}`.\n"]
        own = [(key, kind) for key, kind in settings_rows(one) if key not in common]
        if own:
            parts.append(".. list-table::\n   :widths: 45 55\n")
            parts += [f"   * - ``{key}``\n     - {kind}" for key, kind in own]
    return "\n".join(parts) + "\n"
