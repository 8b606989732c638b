"""What the page of a model takes from its settings: title, summary, references, every setting."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from site_layout import DOCS, ROOT

SHELF = ROOT / "models"
#: Where the overview of the models has their table.
TABLE = "<!-- the table of models -->"
WIDEST = 110


def settings(name: str) -> dict[str, Any]:
    """Return what the TOML of a model states."""
    return tomllib.loads((SHELF / f"{name}.toml").read_text(encoding="utf-8"))


def names() -> list[str]:
    """Return the models of the shelf: the default, its members in their order, then the others."""
    members = settings("ensemble")["members"]
    every = sorted(path.stem for path in SHELF.glob("*.toml"))
    # What measures the past is no model of the future, and has a guide in place of a page here.
    rest = [name for name in every if settings(name)["kind"] != "measurement"]
    return ["ensemble", *members, *(n for n in rest if n not in (*members, "ensemble"))]


def reference(text: str) -> str:
    """Return a reference with its address as a link."""
    words, comma, address = text.rpartition(", ")
    if not address.startswith("http"):
        return f"- {text}"
    return f"- {words}{comma}[{address.removeprefix('https://')}]({address})"


def facts(name: str) -> str:
    """Return the head of a model's page: what it is, for what, from how many years on."""
    about = settings(name)
    part = ", a member of the default" if name in settings("ensemble")["members"] else ""
    part = ", the default" if name == "ensemble" else part
    return (
        f"> {about['summary']}\n\n"
        f"| | |\n| --- | --- |\n"
        f'| in Python | `fc.forecast(panel, model="{name}")` |\n'
        f"| in the shell | `forecast predict --model {name}` |\n"
        f"| kind | {about['kind']}{part} |\n"
        f"| measures | {about['measures']} |\n"
        f"| usable years | {about['minimum_years']} or more |\n"
    )


def shown(name: str) -> str:
    """Return the TOML of a model for reading: long lines of learned figures are cut."""
    lines = (SHELF / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("title", "summary"))]
    return "\n".join(line if len(line) <= 2 * WIDEST else shortened(line) for line in kept)


def shortened(line: str) -> str:
    """Return a long line of figures with its first ones, still valid TOML."""
    start = line[:WIDEST].rpartition(",")[0]
    return f"{start} {'}' if ' = {' in line else ']'}  # and others" if start else line


def tail(name: str) -> str:
    """Return the end of a model's page: references and settings."""
    listed = "\n".join(reference(text) for text in settings(name).get("references", []))
    return (
        f"\n## References\n\n{listed}\n\n## Settings\n\nAs they stand in `models/{name}.toml`; a "
        "copy of your own is changed and given to the model's class, and a mistyped key is refused "
        f"with the nearest name.\n\n```toml\n{shown(name)}\n```\n"
    )


def table() -> str:
    """Return the table of all models."""
    rows = ["| model | what it does | used by the default |", "| --- | --- | --- |"]
    members = settings("ensemble")["members"]
    for name in names():
        about = settings(name)
        part = "itself" if name == "ensemble" else "yes" if name in members else ""
        rows.append(f"| [`{name}`]({name}.md) | {about['title']}. {about['summary']} | {part} |")
    return "\n".join(rows)


def completed(page: Path, text: str) -> str:
    """Return the text of a page; a model's gets what its settings say, others stay as they are."""
    if page == DOCS / "models" / "README.md":
        return text.replace(TABLE, table())
    if page.parent != DOCS / "models" or not (SHELF / f"{page.stem}.toml").is_file():
        return text
    head, _, rest = text.partition("\n")
    return f"{head}\n\n{facts(page.stem)}{rest}{tail(page.stem)}"
