"""The verbs of `forecast data`; `check` has a module of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli.check import check_data
from forecast.cli.options import out_option, progress, read_data, show

if TYPE_CHECKING:
    from forecast.panel import Panel

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
def sources(catalogue: Path | None) -> None:
    """Print one row per official source: what it holds, its licence and address, as CSV."""
    from forecast.data.sources.catalogue import table

    show(table(catalogue))


@click.command()
@click.argument("source")
@click.option("--vintage", type=int, multiple=True, help="Of World Population Prospects only.")
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
    vintage: tuple[int, ...],
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
        releases=vintage,
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
@click.option("--as-of", metavar="DATE", help="Day of the release (YYYY-MM-DD); today by default.")
@click.option("--name", help="Under which to keep it; by default the file's name.")
@_store
def add(data: str, as_of: str | None, name: str | None, store: Path | None) -> None:
    """Keep the figures of a table as a release, beside the earlier ones.

    Releases are never changed. The same figures twice are said to be so and not kept
    again. A column as_of in the table dates its figures.
    """
    from forecast.data import store as releases

    with progress("reading the data"):
        panel = _read(data)
    kept = name or Path(data).stem.lower().replace(" ", "-")
    click.echo(str(releases.add(panel, kept, as_of=as_of, folder=store, origin=Path(data).name)))


@click.command("list")
def list_data() -> None:
    """Print one row per series: bundled, kept in the store, fetched; as CSV.

    What cannot be read is said on stderr.
    """
    import pandas as pd

    from forecast.data import names, package

    kept, problems = names.describe()
    for problem in problems:
        click.echo(f"cannot be read: {problem}", err=True)
    show(pd.concat([package.describe(), kept], ignore_index=True))


def _read(data: str) -> Panel:
    """Return the panel to be kept: a fetched source is what is in the cache, not the store."""
    from forecast.data.sources import fetched

    return fetched.panel(data) if data in fetched.names() else read_data(data)


@click.command()
@click.argument("name", required=False)
@_store
def releases(name: str | None, store: Path | None) -> None:
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
        click.echo(f"cannot be read: {problem}", err=True)
    show(pd.concat(tables, ignore_index=True))


@click.command()
@click.argument("data", metavar="NAME|FILE")
@click.option("--from", "before", metavar="DATE", help="The earlier day (YYYY-MM-DD).")
@click.option("--to", "after", metavar="DATE", help="The later day; the last release by default.")
@_store
@out_option
def changes(
    data: str, before: str | None, after: str | None, store: Path | None, out: Path | None
) -> None:
    """Print what changed between two releases: new, revised, withdrawn figures, as CSV."""
    from forecast.data import store as kept
    from forecast.data.releases import changes as compare

    panel = read_data(data) if store is None else kept.load(data, store)
    show(compare(panel, before, after), out)


@click.command()
@click.argument("source", required=False)
@_cache
@out_option
def covariates(source: str | None, cache: Path | None, out: Path | None) -> None:
    """Print the drivers of a fetched source, or the bundled ones, as CSV."""
    from forecast.data import package
    from forecast.data.sources import fetched

    show(package.covariates() if source is None else fetched.covariates(source, cache), out)


@click.group()
def data() -> None:
    """Look at series, fetch official ones, keep releases of your own."""


for _verb in (list_data, check_data, sources, fetch, add, releases, changes, covariates):
    data.add_command(_verb)
