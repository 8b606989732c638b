"""Pages of the command `forecast`, from what the command says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from forecast.cli.main import cli

SPECIAL = re.compile(r"([\\*_<>\[\]$|~`#])")
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*(?:\\?_[a-z]+)*)")


def marked(text: str) -> str:
    """Return a text of the help as Markdown: signs stay signs, options become code."""
    plain = re.sub(r"\s+", " ", text.replace("\b", "")).strip()
    return OPTION.sub(r"`\1`", SPECIAL.sub(r"\\\1", plain))


def paragraphs(text: str) -> str:
    """Return the description of a verb; what click leaves as it is becomes a block of code."""
    parts = []
    for part in re.split(r"\n\s*\n", text.strip()):
        if part.lstrip().startswith("\b"):
            parts.append("```text\n" + part.replace("\b", "").strip("\n") + "\n```")
        else:
            parts.append(marked(part))
    return "\n\n".join(parts)


def verbs(
    command: click.Command = cli, context: click.Context | None = None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every verb of the command, groups before what is in them, with its full name."""
    context = context or click.Context(command, info_name="forecast", max_content_width=80)
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from verbs(below, click.Context(below, info_name=name, parent=context))


def parameters(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield a definition for every option and argument."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None and isinstance(parameter, click.Argument):
            need = "Required." if parameter.required else "Optional."
            yield f"`{parameter.make_metavar(context)}`\n: {need}"
        elif record is not None:
            names, words = record
            yield f"`{names}`\n: {marked(words) or 'See above.'}"


def page(name: str, command: click.Command, context: click.Context) -> str:
    """Return the page of a verb."""
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [f"# `{name}`", paragraphs(command.help or ""), f"```text\n{name} {usage}\n```"]
    if isinstance(command, click.Group):
        below = [n for n, _, _ in verbs(command, context) if n.rpartition(" ")[0] == name]
        parts += ["## Verbs", "\n".join(line(n) for n in below)]
    parts += ["## Options", "\n\n".join(parameters(command, context))]
    return "\n\n".join(parts) + "\n"


def slug(name: str) -> str:
    """Return the file name of a verb's page."""
    return "index" if name == "forecast" else name.removeprefix("forecast ").replace(" ", "-")


def line(name: str) -> str:
    """Return a line of a list of verbs."""
    command = {n: c for n, c, _ in verbs()}[name]
    return f"- [`{name}`]({slug(name)}.md): {marked(command.get_short_help_str(200))}"


def write(folder: Path) -> None:
    """Write one page for each verb, and one for the command itself with the list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, command, context in verbs():
        names.append(slug(name))
        (folder / f"{slug(name)}.md").write_text(page(name, command, context), encoding="utf-8")
    top = folder / "index.md"
    listed = "\n".join(f"/reference/cli/{name}" for name in names if name != "index")
    text = top.read_text(encoding="utf-8").replace("# `forecast`", "# The command `forecast`", 1)
    top.write_text(f"{text}\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n", encoding="utf-8")
