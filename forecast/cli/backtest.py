"""The verb `forecast backtest`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from forecast.cli.options import Choice, Years, cache_option, folder_option, joined
from forecast.cli.output import show, tell
from forecast.cli.request import DEFAULT_DATA, Figures, figures_options
from forecast.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast.contract import Model
    from forecast.evaluate.track import Track
    from forecast.panel import Panel

_MARKER = "track.json"
#: Models whose figures lie in a folder of the UN's vintages.
_PUBLISHED = ("un-wpp", "bayesmig")


def _names(_: click.Context, __: click.Parameter, given: Sequence[str]) -> list[str]:
    """Return names separated by commas, from every time that an option was given."""
    return [name.strip() for text in given for name in text.split(",")]


@click.command()
@click.option(
    "--data",
    default=DEFAULT_DATA,
    show_default=True,
    metavar="FILE|NAME|FOLDER",
    help="A table of your own, a bundled panel, or a folder with the UN's WPP vintages.",
)
@figures_options()
@click.option(
    "--models",
    multiple=True,
    callback=_names,
    default=["naive,persistence,ets,theta,structural,arima"],
    show_default=True,
    metavar="NAMES",
    help="Separated by commas; see `forecast models`. With a folder also un-wpp, bayesmig and "
    "'ensemble with un-wpp'.",
)
@click.option(
    "--origins",
    type=Years((2003, 2018), days=True),
    multiple=True,
    callback=joined,
    metavar="YEARS",
    help="Last years a forecast may see, as 2003:2018 or 2005,2010; may be repeated. By default "
    "the last twenty.",
)
@click.option(
    "--horizons",
    type=Years((1, 3, 5, 7)),
    multiple=True,
    callback=joined,
    default=["1,3,5,7"],
    show_default=True,
    metavar="YEARS",
    help="Years ahead of the origin.",
)
@click.option(
    "--vintage",
    type=Choice(["latest", "as_published"]),
    default="latest",
    show_default=True,
    help="Learn from the latest figures, or only from those out on the day.",
)
@click.option("--window", type=click.IntRange(min=2), help="Learn from the last so many years.")
@click.option(
    "--refit",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Fit every k-th origin.",
)
@click.option("--draws", default=1000, show_default=True, help="Simulated futures per forecast.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same numbers.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; all processors by default.")
@click.option("--engine", type=Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster, with --engine dask.")
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep finished folds here; the same command goes on from them after a stop.",
)
@folder_option("Folder for scores, tables and figures; without it the summary goes to stdout.")
@click.option("--strict", is_flag=True, help="Exit with status 1 if a model failed in any fold.")
@cache_option
@click.option(
    "--step",
    type=Choice(["1", "5"]),
    default="1",
    show_default=True,
    help="Years per figure, for a folder of vintages.",
)
def backtest(
    figures: Figures,
    models: Sequence[str],
    origins: Sequence[int | str] | None,
    horizons: tuple[int, ...],
    vintage: str,
    window: int | None,
    refit: int,
    draws: int,
    seed: int,
    jobs: int | None,
    engine: str,
    scheduler: str | None,
    store: Path | None,
    out: Path | None,
    strict: bool,
    step: str,
) -> None:
    """Forecast the past and score it, to see how good the forecasts would have been.

    The summary by model and horizon goes to stdout as CSV, or everything to a folder:
    the score table (CSV and Parquet), summary, skill, comparisons, calibration, verdicts,
    surprises, what is missing and why, and figures (SVG).
    """
    from forecast.evaluate.backtest import backtest as run

    if out is not None and out.exists() and not _replaceable(out):
        raise DataError(
            f"{out} exists and is not a folder written by forecast backtest (no {_MARKER} in it). "
            "Choose another path, or move it away."
        )
    figures.prepare(models)
    panel, published = _read(figures, step)
    names = [published.get(name, name) for name in models]
    with _progress() as advance:
        track = run(
            panel,
            names,
            origins,
            horizons,
            seed,
            engine,  # type: ignore[arg-type]
            draws=draws,
            window=window,
            refit=refit,
            vintage=vintage,  # type: ignore[arg-type]
            jobs=jobs,
            scheduler=scheduler,
            store=store,
            progress=advance,
        )
    for note in track.missing.itertuples():
        tell(
            f"{note.status}: {note.forecasts} forecasts by {note.model} "
            f"({note.series} locations): {note.reason}"
        )
    if out is None:
        show(track.labelled(track.summary()))
    else:
        write(track, out)
        click.echo(str(out))
    if strict and len(track.failures):
        raise click.ClickException(
            f"{len(track.failures)} forecasts failed; see the reasons above."
        )


def _replaceable(folder: Path) -> bool:
    """Whether a folder holds an earlier backtest, or nothing."""
    return folder.is_dir() and ((folder / _MARKER).is_file() or not any(folder.iterdir()))


def _read(figures: Figures, step: str) -> tuple[Panel, dict[str, str | Model]]:
    """Return the panel that ``--data`` names, and the published forecasts that lie with it."""
    folder = Path(figures.data)
    if not folder.is_dir():
        return figures.panel(), {}
    from forecast.data import wpp
    from forecast.models.ensemble.model import Ensemble
    from forecast.models.published import Published

    years: Literal[1, 5] = 5 if step == "5" else 1
    theirs = Published("un-wpp", wpp.projections(folder, step=years))
    together = Ensemble([*Ensemble().members, theirs], name="ensemble with un-wpp")
    made: dict[str, str | Model] = {theirs.name: theirs, together.name: together}
    if years == 5:
        made["bayesmig"] = Published("bayesmig", wpp.bayesian_projection(folder))
    return figures.select(wpp.world(folder, step=years)), made


def write(track: Track, out: Path) -> None:
    """Write everything a backtest says to a folder, whole or not at all.

    Parameters
    ----------
    track : Track
        A finished backtest.
    out : Path
        The folder: a saved track, tables as CSV and plots as SVG. An earlier one of a backtest is
        replaced.

    Raises
    ------
    DataError
        If something else is in the folder, or it cannot be written to.
    """
    from forecast import artifacts, drawing

    with artifacts.atomic_folder(out, _replaceable) as folder:
        track.write(folder)
        skill = track.skill() if len(track.models) > 1 and track.reference else None
        tables = {
            "scores": track.table,
            "summary": track.summary(),
            "calibration": track.calibration(),
            "calm_and_shock_years": track.calibration(by=["model", "shock"]),
            "surprises": track.surprises(),
            "missing": track.missing,
        }
        pictures = {"pit": track.plot_pit(), "reliability": track.plot_reliability()}
        if skill is not None:
            tables["skill"] = skill
            tables["verdicts"] = track.verdicts()
            tables["forecastability"] = track.forecastability()
            tables["comparisons"] = track.comparisons()
            pictures["skill"] = track.plot_skill()
        for name, table in tables.items():
            track.labelled(table).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        for name, picture in pictures.items():
            drawing.write_svg(picture, folder / f"{name}.svg")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the time left on stderr, silent where stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, quiet=not sys.stderr.isatty())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("folds", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance
