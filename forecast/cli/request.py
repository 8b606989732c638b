"""The figures that a verb is to use, and the forecast that it asks for, with their options."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import Choice, Decorator, Years, bundled, cache_option, joined, several
from forecast.cli.output import progress, tell
from forecast.errors import DataError
from forecast.horizons import DEFAULT_HORIZONS

if TYPE_CHECKING:
    from forecast.data.tables import Reading
    from forecast.outlook import Forecast
    from forecast.panel import Panel

DEFAULT_DATA = "central-asia"
#: What is said of the options that choose series; `data` decides what they also mean for a file.
SELECTION = {
    "location": "Only this place, by code or name; its regions are places of their own. Of a file "
    "of one place that it does not name: the place.",
    "measure": "Only this measure, such as net_migration. Of a file that does not say what it "
    "counts: what it counts.",
    "source": "Only figures of this source, such as un-wpp. Of a file that names no source: its "
    "name.",
    "origin": "Only corridors that leave this place, by code or name.",
    "destination": "Only corridors that lead to this place, by code or name.",
}
#: What a file is told where a single one of them is given.
_TOLD = ("location", "measure", "source")


@dataclass(frozen=True)
class Figures:
    """Which figures a command is to use: what ``--data`` names, how a file is read, which series.

    Attributes
    ----------
    data : str
        A file, or the name of a bundled panel, a series of the store, a fetched source.
    location, measure, source, origin, destination : tuple of str
        Which series; all of them if empty. A single place, measure or source also says of a file
        what it does not.
    sheet, units, flows, decimal, frequency, skip, no_flags
        How a file is read; see `forecast.read`.
    """

    data: str
    location: Sequence[str] = ()
    measure: Sequence[str] = ()
    source: Sequence[str] = ()
    origin: Sequence[str] = ()
    destination: Sequence[str] = ()
    sheet: str | None = None
    units: Any = None
    flows: Any = None
    decimal: Any = None
    frequency: str | None = None
    skip: Sequence[str] = ()
    no_flags: bool = False

    def words(self) -> list[str]:
        """Return the options that were given, but for ``--data``, as words of the command."""
        words: list[str] = []
        for field in dataclasses.fields(self)[1:]:
            name, value = f"--{field.name.replace('_', '-')}", getattr(self, field.name)
            if isinstance(value, bool):
                words += [name] * value
            else:
                for one in (value or ()) if not isinstance(value, str) else (value,):
                    words += [name, one]
        return words

    def prepare(self, models: Iterable[str]) -> None:
        """Have what models compile compiled while the bundled figures are read."""
        if self.data == DEFAULT_DATA:
            from forecast.models.bayes.compiling import prepare

            prepare(models, self.measure)

    def declare(self) -> None:
        """Know the measures that a file's folder declares, before anything names them."""
        from forecast.measures import declare_beside

        if Path(self.data).is_file():
            declare_beside(Path(self.data))

    def read(self) -> tuple[Reading | None, Panel | None]:
        """Return what was understood of a file, and all its series; a name has no reading.

        The panel is None if something stands in the way of it.

        Raises
        ------
        DataError, UnknownNameError
            If there is neither such a file nor such a name, or a name is to be read as a file.
        """
        from forecast.data.names import resolve
        from forecast.data.tables import understand

        known = resolve(self.data)
        names = ("sheet", "units", "flows", "decimal", "frequency", "skip")
        how = {name: getattr(self, name) for name in names}
        if known is not None:
            given = [
                word for word in self.words() if word[:2] == "--" and word[2:] not in SELECTION
            ]
            if given:
                raise DataError(
                    f"{given[0]} says how to read a file, and {self.data} is no file but a name. "
                    "Leave it out."
                )
            return None, known
        how |= {name: getattr(self, name)[0] for name in _TOLD if len(getattr(self, name)) == 1}
        reading = understand(self.data, carry=not self.no_flags, **how)
        for name in ("measure", "source"):
            # The table says it itself, so that the option is there to choose from it.
            if name in how and any(f"leave out {name}=" in str(one) for one in reading.problems):
                del how[name]
                reading = understand(self.data, carry=not self.no_flags, **how)
        return reading, None if reading.problems else reading.panel

    def all_series(self) -> Panel:
        """Return all series of the data, whichever are chosen."""
        reading, panel = self.read()
        if panel is None:
            assert reading is not None  # noqa: S101  what has a name is a panel
            return reading.panel
        return panel

    def select(self, panel: Panel) -> Panel:
        """Return the chosen series of a panel.

        Raises
        ------
        DataError, UnknownNameError
            If it has no such series; the message names the nearest, and those that there are.
        """
        from forecast.data.tables import places

        chosen: dict[str, Any] = {name: list(getattr(self, name)) for name in SELECTION}
        for end in ("location", "origin", "destination"):
            chosen[end] = [places.match(name).code or name for name in chosen[end]]
        return panel.select(**{name: values or None for name, values in chosen.items()})

    def panel(self, everything: Panel | None = None) -> Panel:
        """Return the chosen series, of all that were read; doubts about them go to stderr."""
        panel = self.select(self.all_series() if everything is None else everything)
        self.tell_doubts(panel)
        return panel

    def tell_doubts(self, panel: Panel) -> None:
        """Name on stderr the figures that look wrong and are used all the same."""
        from forecast.data import package
        from forecast.data.checks import warnings_in_words

        for doubt in warnings_in_words(panel) if self.data not in package.names() else ():
            tell(f"doubtful: {doubt}.")


def figures_options(
    help_texts: Mapping[str, str] = SELECTION, *, repeated: bool = True
) -> Decorator:
    """Return the options that choose series and say how a file is read; ``--data`` is apart.

    Parameters
    ----------
    help_texts : mapping of str to str
        Help of each option that chooses series: ``location``, ``measure``, ``source``.
    repeated : bool
        Whether those may be given several times.

    Returns
    -------
    callable
        A decorator of the command, which takes a `Figures` as ``figures``.
    """
    often = " May be repeated." if repeated else ""
    return bundled(
        "figures",
        Figures,
        *(
            click.option(f"--{name}", multiple=repeated, callback=several, help=text + often)
            for name, text in help_texts.items()
        ),
        click.option("--sheet", help="Sheet of a workbook, by name."),
        click.option(
            "--units",
            type=Choice(["persons", "thousands", "millions"]),
            help="What the figures of a file count, where it does not say it.",
        ),
        click.option(
            "--flows",
            type=Choice(["external", "internal", "all"]),
            help="Which moves arrivals, departures and saldo of a file count.",
        ),
        click.option("--decimal", type=Choice([".", ","]), help="Decimal mark of a file."),
        click.option(
            "--frequency",
            type=Choice(["year", "half-year", "quarter", "month"]),
            help="Which figures to take of a file that has months and years, or others, in one.",
        ),
        click.option(
            "--skip", multiple=True, metavar="LABEL", help="Row or column of a file to leave out."
        ),
        click.option("--no-flags", is_flag=True, help="Do not carry warnings as flags of a file."),
    )


data_option = click.option(
    "--data",
    default=DEFAULT_DATA,
    show_default=True,
    metavar="FILE|NAME",
    help="A table of your own (CSV, XLSX, Parquet), or a name: a bundled panel, a series of "
    "the store, a fetched source.",
)


@dataclass(frozen=True)
class Request:
    """The forecast that a command asks for: made now, or one that was saved."""

    figures: Figures
    horizons: Sequence[int | str]
    model: str
    draws: int
    seed: int
    nowcast: str | None = None
    saved: Path | None = None

    def outlook(self, of_years: str = "") -> Forecast:
        """Return the forecast; say on stderr what could not be forecast.

        Parameters
        ----------
        of_years : str
            What is to be made of it, where that can be made of figures by year alone: others are
            refused before they are forecast, which may take minutes.

        Raises
        ------
        ForecastError
            If the figures cannot be used, or a saved forecast is to be read as a file is.
        """
        if self.saved is None:
            self.figures.prepare([self.model])
            with progress("reading the data"):
                panel = self.figures.panel()
            if of_years:
                panel.require_years(of_years)
            return self.of(panel)
        from forecast.outlook import open_forecast

        if given := self.figures.words():
            raise DataError(
                f"{given[0]} chooses from --data, and --forecast is a finished forecast. "
                "Leave out one of the two."
            )
        opened = open_forecast(self.saved)
        return opened if self.nowcast is None else self._with_nowcast(opened, opened.history)

    def asked(self, panel: Panel) -> Sequence[int | str] | None:
        """Return the target periods; None for those of the panel, where no others are asked for."""
        usual = tuple(self.horizons) == DEFAULT_HORIZONS and panel.frequency != "year"
        return None if usual else self.horizons

    def of(self, panel: Panel) -> Forecast:
        """Return the forecast of a panel; say on stderr what could not be forecast."""
        from forecast.contract import NOT_FORECAST
        from forecast.models.run import forecast

        with progress(f"forecasting {len(panel)} series with {self.model}"):
            outlook = forecast(panel, self.model, self.asked(panel), self.draws, self.seed)
        if self.nowcast is not None:
            outlook = self._with_nowcast(outlook, panel)
        for note in outlook.notes[outlook.notes["status"] == NOT_FORECAST].itertuples():
            tell(f"not forecast: {note.measure} of {note.location} ({note.source}): {note.reason}")
        return outlook

    def _with_nowcast(self, outlook: Forecast, panel: Panel) -> Forecast:
        """Return a forecast with the year that is not over as its months say it."""
        from forecast.models.nowcast.joining import joined
        from forecast.models.nowcast.verb import nowcast

        chosen = {name: getattr(self.figures, name) for name in SELECTION}
        with progress(f"nowcasting from {self.nowcast}"):
            months = Figures(str(self.nowcast), **chosen).panel()
            return joined(outlook, nowcast(months, None, panel, self.draws, self.seed))


def forecast_options(*others: Decorator) -> Decorator:
    """Return what a verb that forecasts is asked, as one `Request`; `others` are fields of it."""
    from forecast.models import DEFAULT

    request = bundled(
        "request",
        Request,
        click.option(
            "--horizons",
            type=Years(DEFAULT_HORIZONS),
            multiple=True,
            callback=joined,
            default=[",".join(map(str, DEFAULT_HORIZONS))],
            show_default=True,
            help="Target years, separated by commas, or a range such as 2025:2030; months, "
            "quarters or half-years such as 2027-06, 2027-Q1 or 2027-01:2027-06, where the figures "
            "are by such. May be repeated.",
        ),
        click.option(
            "--model",
            default=DEFAULT,
            show_default=True,
            help="See `forecast models`. One that learns from all series together (ensemble, "
            "hierarchical, pooled, coherent) sees only those that are chosen.",
        ),
        click.option("--draws", default=2000, show_default=True, help="Simulated futures."),
        click.option(
            "--seed", default=1, show_default=True, help="The same seed gives the same numbers."
        ),
        click.option(
            "--nowcast",
            metavar="FILE|NAME",
            help="Months or quarters of the same series: the year that is not over is then as they "
            "say it, see `forecast nowcast`.",
        ),
        *others,
    )
    return lambda command: data_option(figures_options()(request(cache_option(command))))


#: A saved forecast to start from, instead of making one.
saved_option = click.option(
    "--forecast",
    "saved",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A saved forecast to start from, instead of making one.",
)
