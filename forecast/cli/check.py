"""`forecast data check`: what was understood of a table, and where its figures disagree."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import DEFAULT_DATA, progress, show
from forecast.cli.output import in_shell

if TYPE_CHECKING:
    import pandas as pd

    from forecast.data.tables import Reading
    from forecast.panel import Panel


@click.command("check")
@click.argument("file", default=DEFAULT_DATA, metavar="[FILE|NAME]")
@click.option("--sheet", help="Sheet of a workbook, by name.")
@click.option("--measure", help="What is counted, where the table does not say it.")
@click.option("--source", help="Name of the source.")
@click.option(
    "--units",
    type=click.Choice(["persons", "thousands", "millions"]),
    help="What figures count, where the table does not say it.",
)
@click.option("--location", help="The place, where the table is of one and does not name it.")
@click.option(
    "--flows",
    type=click.Choice(["external", "internal", "all"]),
    help="Which moves arrivals, departures and saldo count.",
)
@click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark of the figures.")
@click.option("--skip", multiple=True, metavar="LABEL", help="A row or column to leave out.")
@click.option("--no-flags", is_flag=True, help="Do not carry warnings as flags.")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON document.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table as it was understood: a tidy CSV that every other command reads.",
)
def check_data(file: str, as_json: bool, out: Path | None, no_flags: bool, **told: Any) -> None:
    """Say what was understood of a table and where its own figures disagree.

    On a terminal as text; otherwise the findings as CSV on stdout and the account on stderr.
    Exit status 1 if the table cannot be read or a check finds an error; warnings do not
    change it.
    """
    from forecast.data.breaks import screen
    from forecast.data.checks import check

    with progress("reading the data"):
        reading, panel = _read(file, told, not no_flags)
    if panel is None:
        assert reading is not None  # noqa: S101  a bundled panel is never None
        _refuse(reading, as_json)
        return
    with progress("checking"):
        # What was carried as a flag is a finding all the same.
        findings = check(panel if reading is None else reading.stated)
        proposals = screen(panel)
    if as_json:
        click.echo(_json(reading, panel, findings, proposals))
    else:
        from forecast.cli.account import tell

        here = sys.stdout.isatty()
        tell(reading, panel, findings, proposals, to_stderr=not here)
        if not here:
            show(findings)
    if out is not None:
        from forecast.artifacts import write_text

        write_text(out, panel.to_frame().to_csv(index=False, lineterminator="\n"))
        click.echo(str(out), err=True)
    errors = int((findings["severity"] == "error").sum())
    if errors:
        raise click.ClickException(
            f"{errors} of {len(findings)} findings are errors; see the table."
        )


def _read(file: str, told: dict[str, Any], carry: bool) -> tuple[Reading | None, Panel | None]:
    """Return what was understood of a file and its panel; a panel with a name has no reading."""
    from forecast.data.names import resolve
    from forecast.data.tables import understand

    known = resolve(file)
    if known is not None:
        return None, known
    reading = understand(file, carry=carry, **told)
    return reading, None if reading.problems else reading.panel


def _refuse(reading: Reading, as_json: bool) -> None:
    """Show all problems of a table that makes no panel."""
    if as_json:
        click.echo(_json(reading, None, None, None))
    else:
        from forecast.cli.account import tell_reading

        tell_reading(reading, to_stderr=not sys.stdout.isatty())
    count = len(reading.problems)
    noun = "problem stands" if count == 1 else "problems stand"
    raise click.ClickException(
        f"{reading.file}: {in_shell(str(reading.problems[0]))}"
        + (f" ({count} {noun} in the way; all are listed above.)" if count > 1 else "")
    )


def _json(
    reading: Reading | None,
    panel: Panel | None,
    findings: pd.DataFrame | None,
    proposals: pd.DataFrame | None,
) -> str:
    document = {
        "understood": None if reading is None else reading.to_dict(),
        "panel": None
        if panel is None
        else {
            "series": [
                {
                    "source": series.source,
                    "location": series.location,
                    "measure": series.measure,
                    "first": int(series.years[0]),
                    "last": int(series.years[-1]),
                    "observations": int((series.values == series.values).sum()),
                }
                for series in panel
            ],
            "hash": panel.hash,
        },
        "findings": _records(findings),
        "proposals": _records(proposals),
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return rows of a table as JSON objects; a number that is missing is null."""
    if table is None:
        return []
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records", force_ascii=False))
    return records
