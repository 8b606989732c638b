"""The verbs of `forecast data`; `check` has a module of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forecast.cli.check import check_data
from forecast.cli.options import Years, joined, output_options
from forecast.cli.output import Output, progress, ruled, show, tell
from forecast.cli.request import DEFAULT_DATA, Figures, figures_options

_cache = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for fetched figures; the user's cache folder by default (FORECAST_CACHE).",
)
_store = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of kept releases; the user's data folder by default (FORECAST_STORE).",
)

_catalogue = click.option(
    "--catalogue",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="TOML with further sources, in the form of data/sources.toml.",
)


@click.command()
@_catalogue
@output_options
def sources(catalogue: Path | None, output: Output) -> None:
    """Print one row per official source: what it holds, its licence and address, as CSV."""
    from forecast.data.sources.catalogue import table

    output.show(table(catalogue))


@click.command()
@click.argument("source")
@click.option(
    "--vintage",
    type=Years((2022, 2024)),
    multiple=True,
    callback=joined,
    help="Of World Population Prospects only; as 2022,2024.",
)
@click.option("--offline", is_flag=True, help="Ask nobody; say what is missing.")
@click.option("--base-url", metavar="URL", help="Of a mirror with the same paths.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    help="Seconds that one address may take, all attempts included.",
)
@_cache
@_catalogue
def fetch(
    source: str,
    vintage: tuple[int, ...] | None,
    offline: bool,
    base_url: str | None,
    timeout: float,
    cache: Path | None,
    catalogue: Path | None,
) -> None:
    """Fetch an official source; afterwards --data SOURCE works without the network.

    The only command that uses the network. Prints one row per file: address, checksum.
    """
    import dataclasses

    import pandas as pd

    from forecast.data.sources.fetch import fetch as get
    from forecast.data.sources.http import DEFAULT

    made = get(
        source,
        cache=cache,
        releases=vintage or (),
        base_url=base_url,
        offline=offline,
        catalogue_file=catalogue,
        limits=dataclasses.replace(DEFAULT, total=timeout),
        tell=lambda url: click.echo(f"asking {url}", err=True),
    )
    rows = [
        {"role": file.role, "file": file.file, "bytes": file.bytes, "sha256": file.sha256}
        | {"url": file.url}
        for file in made.files
    ]
    show(pd.DataFrame(rows))
    click.echo(f"{made.citation} Licence: {made.source.licence}.", err=True)
    click.echo(f"in {made.folder}; updated {made.updated}", err=True)


@click.command()
@click.argument("data", metavar="FILE|NAME")
@figures_options()
@click.option("--as-of", metavar="DATE", help="Day of the release (YYYY-MM-DD); today by default.")
@click.option("--name", help="Under which to keep it; by default the file's name.")
@_store
def add(figures: Figures, as_of: str | None, name: str | None, store: Path | None) -> None:
    """Keep the figures of a table as a release, beside the earlier ones.

    Releases are never changed. The same figures twice are said to be so and not kept
    again. A column as_of in the table dates its figures.
    """
    from forecast.data import store as releases
    from forecast.data.sources import fetched

    with progress("reading the data"):
        # Of a fetched source, what is in the cache is kept, not what the store has already.
        here = figures.data in fetched.names()
        panel = figures.panel(fetched.panel(figures.data) if here else None)
    origin = Path(figures.data)
    kept = name or origin.stem.lower().replace(" ", "-")
    click.echo(str(releases.add(panel, kept, as_of=as_of, folder=store, origin=origin.name)))


@click.command("list")
@output_options
def list_data(output: Output) -> None:
    """Print one row per series: bundled, kept in the store, fetched; as CSV.

    On a terminal a table with one row per data set, source and measure. What cannot be read is
    said on stderr.
    """
    import pandas as pd

    from forecast.data import names, package

    kept, problems = names.describe()
    for problem in problems:
        tell(f"cannot be read: {problem}")
    series = pd.concat([package.describe(), kept], ignore_index=True)

    def brief() -> Any:
        rows = []
        for (panel, source, measure), group in series.groupby(
            ["panel", "source", "measure"], sort=False
        ):
            years = f"{group['first'].min()}–{group['last'].max()}"
            codes = group["location"].tolist()
            places = ", ".join(codes) if len(codes) < 6 else f"{len(codes)} places"
            rows.append([panel, source, measure, years, places])
        heads = ("data", "source", "measure", "years", "places")
        return ruled(dict.fromkeys(heads, "left"), rows)

    output.show(series, brief)


@click.command()
@click.argument("name", required=False)
@_store
@output_options
def releases(name: str | None, store: Path | None, output: Output) -> None:
    """Print one row per kept release, of one series or of all, as CSV."""
    import pandas as pd

    from forecast.data import store as kept

    names = kept.names(store) if name is None else [name]
    if not names:
        from forecast.artifacts.places import store as folder

        click.echo(f"the store {folder(store)} is empty; see forecast data add.", err=True)
        return
    damaged: list[str] = []
    tables = [kept.releases(each, store, damaged) for each in names]
    for problem in damaged:
        tell(f"cannot be read: {problem}")
    output.show(pd.concat(tables, ignore_index=True))


@click.command()
@click.argument("data", metavar="NAME|FILE")
@figures_options()
@click.option("--from", "before", metavar="DATE", help="The earlier day (YYYY-MM-DD).")
@click.option("--to", "after", metavar="DATE", help="The later day; the last release by default.")
@_store
@output_options
def changes(
    figures: Figures, before: str | None, after: str | None, store: Path | None, output: Output
) -> None:
    """Print what changed between two releases: new, revised, withdrawn figures, as CSV."""
    from forecast.data import store as kept
    from forecast.data.releases import changes as compare

    panel = figures.panel(None if store is None else kept.load(figures.data, store))
    output.show(compare(panel, before, after))


@click.command()
@click.argument("source", required=False)
@_cache
@output_options
def covariates(source: str | None, cache: Path | None, output: Output) -> None:
    """Print the drivers of a fetched source, or the bundled ones, as CSV."""
    from forecast.data import package
    from forecast.data.sources import fetched

    output.show(package.covariates() if source is None else fetched.covariates(source, cache))


@click.command()
@click.argument("data", metavar="NAME|FILE", default=DEFAULT_DATA)
@figures_options()
@output_options
def status(figures: Figures, output: Output) -> None:
    """Print how far figures reach, when newer ones are due, and what brings them, as CSV."""
    from forecast.data.releases import status as judge

    output.show(judge(figures.panel()))


@click.group()
def data() -> None:
    """Look at series, fetch official ones, keep releases of your own."""


for _verb in (list_data, status, check_data, sources, fetch, add, releases, changes, covariates):
    data.add_command(_verb)
