"""Labels: the places and measures of a table as a whole, from its labels and its title."""

from __future__ import annotations

from typing import Literal

from forecast import locations, measures, periods
from forecast.data.tables import places, words
from forecast.data.tables.cells import MOST_PROBLEMS, Grid
from forecast.data.tables.headings import measures_in
from forecast.data.tables.layout import Layout
from forecast.data.tables.reading import Collected, Harmonised, Observation, ReadOptions
from forecast.errors import DataError, ForecastError, UnknownNameError

Flows = Literal["external", "internal", "all"]
SCOPES = ("external", "internal", "all")
_MEASURES = {
    ("external", "arrivals"): "immigration",
    ("external", "departures"): "emigration",
    ("external", "net"): "net_migration",
    ("internal", "arrivals"): "internal_arrivals",
    ("internal", "departures"): "internal_departures",
    ("internal", "net"): "internal_net",
    ("all", "net"): "net_all_flows",
}
FAMILY = ("arrivals", "departures", "net")


class Context:
    """A table while it is harmonised: what the stages read, and what they write into."""

    def __init__(
        self, grid: Grid, layout: Layout, collected: Collected, options: ReadOptions
    ) -> None:
        self.grid, self.layout = grid, layout
        self.collected, self.options = collected, options
        self.out = Harmonised()
        texts = [text for at in layout.above for text in grid.lines[at].texts]
        self.title = " ".join(texts)
        self.title_measures = {name for text in texts for name in measures_in(text)}
        scopes = {scope for text in texts for scope in words.meanings_inside("scope", text)}
        self.title_scope = scopes.pop() if len(scopes) == 1 else ""
        units = [unit for unit in map(words.stated, texts) if unit is not None]
        self.title_unit = units[-1] if units else None
        self.restricted = any(words.meanings_inside("restricting", text) for text in texts)
        self.rates = any(map(words.is_rate, texts))
        self.observations = collected.observations

    def problem(self, line: int, error: ForecastError) -> None:
        """Note what stands in the way; line 0 where it is no single row."""
        self.out.problems.append((line, error))

    @property
    def mark(self) -> str:
        """The decimal mark of the figures, once it is known."""
        return self.out.decimal[1:2] if self.out.decimal[:1] == "'" else "."

    def when(self, period: int) -> str:
        """Return a period of the figures as text."""
        return periods.label(period, self.out.frequency or "month")

    def table_unit(self) -> float | None:
        """Return the unit of figures beside which none is stated."""
        return words.UNITS[self.options.units] if self.options.units else self.title_unit

    def has_package_columns(self) -> bool:
        """Whether the columns bear the names of the package, whose values are persons."""
        labels = {column.label.casefold() for column in self.layout.columns}
        return (
            "location" in labels or {"unique_id", "y"} <= labels or self.layout.style == "SDMX-CSV"
        )


def settle_places(context: Context) -> None:
    """Find the code of each observation."""
    names = list(dict.fromkeys(one.place for one in context.observations if one.place))
    settled = places.settle(names)
    # In the long form the name of the series says the place.
    placed = context.layout.style == "long form" or all(o.place for o in context.observations)
    default = "" if placed else _default_place(context)
    reported = set()
    for one in context.observations:
        name = one.place
        if not name or settled[name].code or name in reported:
            continue
        reported.add(name)
        if len(context.out.problems) >= MOST_PROBLEMS:
            break
        _unmatched(context, one, settled[name])
    for name, match in settled.items():
        if match.code:
            context.out.places[words.spaced(name)] = match.code
            if match.candidates:
                others = ", ".join(code for code in match.candidates if code != match.code)
                context.out.notes[
                    f"{name!r} is taken for {match.code}, as {others} stands in the table "
                    "under its own name"
                ] = None
    for one in context.observations:
        one.code = settled[one.place].code if one.place else default


def _default_place(context: Context) -> str:
    if context.options.location is not None:
        match = places.match(context.options.location)
        if not match.code:
            try:
                # Its message names the nearest codes.
                locations.find(context.options.location)
            except UnknownNameError as unknown:
                context.problem(0, unknown)
        return match.code
    country = places.country_in(context.title)
    if country is None:
        error = DataError(
            "nothing says of which place the figures are: no column of places, and no "
            "country in the title. Say which, such as location='KAZ'."
        )
        context.problem(0, error)
        return ""
    context.out.notes[
        f"the place is taken from the title: {locations.name(country)} ({country})"
    ] = None
    return country


def _unmatched(context: Context, observation: Observation, match: places.Match) -> None:
    label = observation.column.label if observation.column.place else "location"
    where = f"{context.grid.where(observation.line)}, column {label}"
    name = words.spaced(observation.place)
    near: tuple[str, ...] = ()
    if itself := places.to_itself(name):
        error: ForecastError = DataError(
            f"{where}: {name!r} leads from {locations.name(itself)} to itself, and moves inside a "
            f"place are no corridor. Leave them out (skip=[{name!r}])."
        )
    elif match.candidates:
        near = tuple(f"{locations.name(code)} ({code})" for code in match.candidates)
        error = DataError(
            f"{where}: {name!r} may be {' or '.join(near)}. Write the code, or the full name."
        )
    else:
        near = places.nearest(name)
        hint = (
            f"Did you mean {', '.join(near)}? Write the code or the known name"
            if near
            else "Write an ISO 3166 code or a known name"
        )
        error = UnknownNameError(
            f"{where}: unknown location {name!r}. {hint}, or leave it out (skip=[{name!r}])."
        )
    context.out.unmatched[name] = near
    context.problem(observation.line.number, error)


def state_measures(context: Context) -> None:
    """Find measure or family of each observation, as said by table, title or caller."""
    given = context.options.measure
    named = {one.measure for one in context.observations if one.measure}
    if given is not None and context.layout.of("measure"):
        raise DataError(
            f"the table has a column 'measure' of its own; leave out measure={given!r}."
        )
    if given is not None and named:
        raise DataError(
            f"the table names its measures itself ({', '.join(sorted(named))}); leave out "
            f"measure={given!r}."
        )
    others = _titled_measure(context) if given is None else given
    for one in context.observations:
        one.family = one.measure or others


def _titled_measure(context: Context) -> str:
    """Return what observations count that do not say it themselves, by the title."""
    if all(one.measure for one in context.observations) or context.layout.style == "long form":
        return ""
    titled = context.title_measures
    if len(titled) == 1 and not context.restricted:
        (counted,) = titled
        context.out.notes[f"the measure is taken from the title: {counted}"] = None
        return counted
    why = (
        "the title restricts what is counted"
        if context.restricted and titled
        else "found: "
        + (", ".join(c.label for c in context.layout.columns if c.label) or "no headings")
    )
    raise DataError(
        f"missing column 'measure'; {why}. A table needs the columns location, measure, year, "
        f"value; or say what is counted, such as measure='immigration'. "
        f"Measures: {', '.join(measures.known())}."
    )


def measure(stated: str, scope: str, code: str) -> tuple[str, str]:
    """Return the measure of a figure, and a remark if it was inferred.

    Parameters
    ----------
    stated : str
        A measure, or one of `FAMILY`.
    scope : str
        Which moves are counted; empty if nothing says it.
    code : str
        The place.

    Returns
    -------
    str
        Empty for arrivals and departures of all flows, of which there is no measure.
    str
    """
    if stated not in FAMILY:
        return stated, ""
    remark = ""
    if not scope:
        if not locations.find(code).is_country:
            raise DataError(
                f"{stated} of {code}: nothing says whether they cross the border of the country, "
                "stay inside it, or both. Say flows='external', 'internal' or 'all'."
            )
        scope = "external"
        remark = (
            f"{stated} of countries are taken for moves across the border "
            f"({_MEASURES[scope, stated]}); nothing says so"
        )
    return _MEASURES.get((scope, stated), ""), remark


def settle_measures(context: Context) -> None:
    """Find the measure of each observation; empty where the package keeps none of its kind."""
    if context.layout.style == "long form":
        return
    for one in context.observations:
        scope = context.options.flows or one.scope or context.title_scope
        try:
            one.kept, remark = measure(one.family, scope, one.code)
        except DataError as error:
            where = context.grid.where(one.line)
            context.problem(one.line.number, DataError(f"{where}: {error}"))
            return
        if remark:
            context.out.notes[remark] = None
        named = one.column.label if one.column.says.measure else one.family
        context.out.measures.setdefault(named, one.kept or f"{one.family} of all flows, not kept")
