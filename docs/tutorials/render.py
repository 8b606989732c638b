"""Run the tutorials and write them with what they print, their tables and their pictures.

    python docs/tutorials/render.py OUT [--small]

Each ``docs/tutorials/NAME.md`` becomes ``OUT/NAME.md`` with its pictures beside it. The folder is
written whole or not at all; nothing is fetched. ``--small`` takes fewer draws and origins. Needs
the extra ``docs`` (jupytext, nbclient, ipykernel).
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.artifacts import atomic_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
#: Instead of the cell tagged ``parameters``, where it has to be quick.
SMALL = {
    "3-how-good-is-it": "origins, draws = range(2010, 2019), 200",
    "4-a-model-of-your-own": "tune, kept, draws, origins = 150, 150, 300, (2018,)",
    "5-what-if": "draws = 400",
}
#: The longest that one cell may take, in seconds.
LONGEST = 900
#: Signs in a printed line.
WIDEST = 110
#: What an object without a text of its own says.
_ADDRESS = re.compile(r"<\S+ at 0x[0-9a-f]+>")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def pages() -> list[Path]:
    """Return the tutorials in their order."""
    return sorted(HERE.glob("[0-9]-*.md"))


def notebook(page: Path, *, small: bool = False) -> NotebookNode:
    """Return a tutorial as a notebook that has not run."""
    import jupytext

    book = jupytext.reads(page.read_text(encoding="utf-8"), fmt="md")
    for cell in book.cells:
        if small and "parameters" in cell.metadata.get("tags", []):
            cell.source = SMALL[page.stem]
    return book


def run(book: NotebookNode, folder: Path) -> None:
    """Run all cells in a folder of their own.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    from nbclient import NotebookClient
    from traitlets.config import Config

    # Through files of this user's own, not through ports of the machine.
    sockets = {"transport": "ipc", "ip": str(folder / ".kernel")}
    client = NotebookClient(
        book,
        timeout=LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        config=Config({"KernelManager": sockets}),
    )
    client.execute()


def written(book: NotebookNode, name: str, folder: Path) -> str:
    """Return a tutorial that has run as Markdown, and write its pictures into a folder."""
    parts, pictures = [], 0
    for cell in book.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                if output.name == "stdout":
                    parts.append(_text(output.text))
                continue
            data = output.data
            kind = next((kind for kind in ("image/png", "image/svg+xml") if kind in data), "")
            if kind:
                pictures += 1
                content = data[kind]
                file = f"{name}-{pictures}.{'png' if kind == 'image/png' else 'svg'}"
                whole = base64.b64decode(content) if kind == "image/png" else content.encode()
                (folder / file).write_bytes(whole)
                parts.append(f"![What the code above draws]({file})")
            elif "text/html" in data:
                parts.append(_table(data["text/html"]))
            elif not _ADDRESS.fullmatch(data["text/plain"]):
                parts.append(_text(data["text/plain"]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _text(text: str) -> str:
    """Return what was printed; long lines, which are sentences, are folded."""
    lines = _COLOURS.sub("", text).rstrip().splitlines()
    folded = [
        "\n".join(textwrap.wrap(line, WIDEST)) if len(line) > WIDEST else line for line in lines
    ]
    return "```text\n" + "\n".join(folded) + "\n```"


def _table(html: str) -> str:
    """Return HTML that stays one block of Markdown: without style sheets and empty lines."""
    bare = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL).replace(' border="1"', "")
    lines = [line.strip() for line in bare.splitlines() if line.strip()]
    return '<div class="output">\n' + "\n".join(lines) + "\n</div>"


def render(target: Path, *, small: bool = False, names: list[str] | None = None) -> Path:
    """Run tutorials and write them to a folder, whole or not at all.

    Parameters
    ----------
    target : Path
        A folder, or none yet; what others have put there stays.
    small : bool
        With fewer draws and origins.
    names : list of str, optional
        Only these, such as ``["1-first-forecast"]``.
    """
    # The kernel's own files go to a folder that is taken away again.
    with (
        tempfile.TemporaryDirectory() as own,
        atomic_folder(target, lambda _: True, _earlier(names)) as made,
    ):
        os.environ["IPYTHONDIR"] = own
        for page in pages():
            if names is None or page.stem in names:
                book = notebook(page, small=small)
                with tempfile.TemporaryDirectory() as folder:
                    run(book, Path(folder))
                text = written(book, page.stem, made)
                (made / page.name).write_text(text, encoding="utf-8")
    return target


def _earlier(names: list[str] | None) -> Callable[[Path], set[str]]:
    """Return which files of a folder are of an earlier run; files of others stay."""
    stems = tuple(names or (page.stem for page in pages()))
    return lambda folder: {path.name for path in folder.iterdir() if path.name.startswith(stems)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--small", action="store_true", help="fewer draws and origins")
    parser.add_argument("--only", action="append", help="name of a tutorial; may be repeated")
    given = parser.parse_args()
    render(given.out, small=given.small, names=given.only)
