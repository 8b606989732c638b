"""Lay the pages of the site out in one folder: what is written, and what is generated.

The pages of `docs/` are written to be read where they lie, on a code host. Here they are copied
with their links turned to where each page stands on the site.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent
ROOT = DOCS.parent
REPORT = ROOT / "reports" / "central-asia.html"
#: The explorer repeats all draws, so it is made where it is wanted.
NO_EXPLORER = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Explorer</title></head>
<body><p>The explorer of this edition is written by <code>make report</code>.</p>
<p><a href="central-asia.html">Back to the report</a></p></body></html>
"""

#: Sections of the menu and their pages, by name. Pages of `docs/` that are in none are guides.
START = ("start", "tour")
GUIDES = (
    "your-series", "measures", "sources", "backtests", "plots", "scenarios", "nowcast", "impact",
    "coherence", "report", "hub", "own-model",
)  # fmt: skip
METHODS = ("ensemble", "time-series", "hierarchical", "flows", "mirror", "drivers")
PROJECT = ("contributing", "architecture", "changelog")
ELSEWHERE = {
    ROOT / "README.md": "index",
    HERE / "index.md": "index",
    DOCS / "README.md": "tour",
    ROOT / "CONTRIBUTING.md": "contributing",
    ROOT / "CHANGELOG.md": "changelog",
}
#: Where the first page names the generated pages, and what it says there.
LOOK_UP = (
    "<!-- the reference -->",
    "| look up a function or an option | [Python](reference/index.rst), "
    "[the command](reference/cli/index.md) |",
)
FENCE = re.compile(r"^(```|~~~)")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)


def written() -> list[Path]:
    """Return every written page, whatever section it belongs to."""
    pages = [HERE / "index.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    return pages + [page for page in sorted(DOCS.rglob("*.md")) if HERE not in page.parents]


def stem(page: Path) -> str | None:
    """Return the name of a page on the site, a path without its ending; None if it has none."""
    if page in ELSEWHERE:
        return ELSEWHERE[page]
    if page.is_dir():
        page /= "README.md"
        if page in ELSEWHERE:
            return ELSEWHERE[page]
    if page.suffix == ".md" and DOCS in page.parents and page.is_file():
        return page.relative_to(DOCS).with_suffix("").as_posix()
    return None


def turned(text: str, page: Path, out: Path) -> str:
    """Return the text of a page with its links leading to where things are on the site.

    Parameters
    ----------
    text : str
        Markdown.
    page : Path
        Where it was written.
    out : Path
        The folder of the site's pages; files that are linked are copied there.
    """
    own = Path(f"{stem(page)}.md")

    def link(match: re.Match[str]) -> str:
        image, words, target = match.groups()
        path, hash_mark, anchor = target.partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return match[0]
        there = (page.parent / path).resolve()
        name = stem(there)
        if name is not None:
            return f"[{words}]({os.path.relpath(f'{name}.md', own.parent)}{hash_mark}{anchor})"
        if there in (REPORT, REPORT.parent) and REPORT.is_file():
            edition(out / "_files" / "report")
            here = os.path.relpath(f"report/{REPORT.name}", own.parent)
            return f'<a href="{here}">{words}</a>'
        if there.is_file():
            kept = Path("_linked") / there.relative_to(ROOT)
            copied(there, out / kept.parent)
            return f"{image}[{words}]({os.path.relpath(kept, own.parent)})"
        if there.is_dir():
            return words if "`" in words else f"`{words}`"
        # The picture of a tutorial that has run lies beside it; what is nowhere stops the build.
        return match[0]

    lines, inside = [], False
    for line in text.splitlines():
        if FENCE.match(line.lstrip()):
            inside = not inside
        lines.append(line if inside else LINK.sub(link, line))
    return "\n".join(lines) + "\n"


def edition(folder: Path) -> None:
    """Copy the published report with its annex, tables and, where it was made, the explorer."""
    for file in sorted(REPORT.parent.glob(f"{REPORT.stem}*")):
        if file.suffix in (".html", ".csv", ".xlsx"):
            copied(file, folder)
    explorer = folder / f"{REPORT.stem}-explorer.html"
    if not explorer.exists():
        explorer.write_text(NO_EXPLORER, encoding="utf-8")


def copied(file: Path, folder: Path) -> None:
    """Copy a file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, folder / file.name)


def state() -> str:
    """Return the checksum of all that decides what comes out of the tutorials."""
    shelves = ("forecast", "models", "data", "docs/tutorials", "constraints.txt")
    found = hashlib.sha256()
    for path in sorted(one for name in shelves for one in (ROOT / name, *(ROOT / name).rglob("*"))):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def tutorials(out: Path, executed: bool) -> None:
    """Put the tutorials down with their results and figures, or as they are written.

    What came out is kept until anything that decides it changes.
    """
    script = DOCS / "tutorials" / "render.py"
    if executed and script.is_file():
        kept = ROOT / "build" / "tutorials" / state()
        if not kept.is_dir():
            shutil.rmtree(kept.parent, ignore_errors=True)
            made = kept.parent / "unfinished"
            made.mkdir(parents=True)
            subprocess.run([sys.executable, str(script), str(made)], check=True)
            made.rename(kept)
        shutil.copytree(kept, out / "tutorials", dirs_exist_ok=True)
    for page in sorted((out / "tutorials").glob("*.md")):
        # What a notebook says of itself is not for readers.
        text = FRONT_MATTER.sub("", page.read_text(encoding="utf-8"))
        source = DOCS / "tutorials" / page.name
        page.write_text(turned(text, source, out), encoding="utf-8")


def menu(title: str, pages: list[str], depth: int = 1) -> str:
    """Return a section of the menu."""
    names = "\n".join(f"/{page}" for page in pages)
    return f"```{{toctree}}\n:hidden:\n:maxdepth: {depth}\n:caption: {title}\n\n{names}\n```\n"


def sections(out: Path) -> Iterator[str]:
    """Yield the menu, section by section, from the pages that are there."""
    names = {page.relative_to(out).with_suffix("").as_posix() for page in out.rglob("*.md")}
    named = {*START, *GUIDES, *METHODS, *PROJECT, "glossary", "index"}
    sorted_in = ("models/", "studies/", "tutorials/", "reference/")
    rest = sorted(name for name in names - named if not name.startswith(sorted_in))
    yield menu("Start", list(START))
    lessons = sorted(n for n in names if n.startswith("tutorials/"))
    if lessons:
        yield menu("Tutorials", lessons)
    yield menu("How to", [n for n in GUIDES if n in names] + rest)
    yield menu("Models", ["models/README", *METHODS], 2)
    yield menu("Reference", ["reference/index", "reference/cli/index", "glossary"], 2)
    yield menu("Evidence", ["studies/README"], 2)
    yield menu("Project", list(PROJECT))


def children(pages: list[str]) -> str:
    """Return a list of the pages below a page, for the menu only."""
    names = "\n".join(f"/{page}" for page in pages)
    return f"\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def lay_out(out: Path, executed: bool = True) -> None:
    """Write every page of the site into a folder, which is emptied first.

    Parameters
    ----------
    out : Path
        Folder for the pages.
    executed : bool
        Run the tutorials and show what comes out; else they are shown as they are written.
    """
    import site_commands
    import site_models
    import site_reference

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for page in written():
        text = turned(page.read_text(encoding="utf-8"), page, out)
        place = out / f"{stem(page)}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(site_models.completed(page, text), encoding="utf-8")
    tutorials(out, executed)
    (out / "_files").mkdir(exist_ok=True)
    site_commands.write(out / "reference" / "cli")
    site_reference.write(out / "reference")
    for folder, order in (("models", site_models.names()), ("studies", [])):
        there = {page.stem for page in (out / folder).glob("*.md")} - {"README"}
        below = [name for name in order if name in there] + sorted(there - set(order))
        add(out / folder / "README.md", children([f"{folder}/{name}" for name in below]))
    home = out / "index.md"
    home.write_text(home.read_text(encoding="utf-8").replace(*LOOK_UP), encoding="utf-8")
    add(home, "\n" + "\n".join(sections(out)))
    for file in ("conf.py", "style.css"):
        shutil.copy2(HERE / file, out / file)


def add(page: Path, text: str) -> None:
    """Add text at the end of a page."""
    page.write_text(page.read_text(encoding="utf-8") + text, encoding="utf-8")
