"""Labels: the places and measures of a table as a whole, from its labels and its title."""

from __future__ import annotations

from collections.abc import Sequence

from forecast import locations
from forecast.data.tables import flows, places, words
from forecast.data.tables.grid import MOST_PROBLEMS, Grid
from forecast.data.tables.headings import in_title
from forecast.data.tables.layout import Layout
from forecast.data.tables.reading import Collected, Harmonised, Observation, ReadOptions
from forecast.errors import DataError, ForecastError, UnknownNameError
from forecast.validation import MEASURES


class Context:
    """A table while it is harmonised: what the stages read, and what they write into.

    Parameters
    ----------
    grid : Grid
    layout : Layout
    collected : Collected
    options : ReadOptions
    """

    def __init__(
        self, grid: Grid, layout: Layout, collected: Collected, options: ReadOptions
    ) -> None:
        self.grid, self.layout = grid, layout
        self.collected, self.options = collected, options
        self.out = Harmonised()
        texts = [
            words.spaced(str(cell))
            for at in layout.above
            for cell in (grid.lines[at].cell(position) for position in grid.lines[at].filled)
        ]
        self.title = " ".join(texts)
        measures, scopes, self.title_unit, self.restricted, self.rates = _title(texts)
        self.title_measures = measures
        self.title_scope = scopes.pop() if len(scopes) == 1 else ""
        self.observations = collected.observations

    def problem(self, line: int, error: ForecastError) -> None:
        """Note what stands in the way; line 0 where it is no single row."""
        self.out.problems.append((line, error))

    def where(self, observation: Observation) -> str:
        """Return what the row of an observation is called in messages."""
        return f"{self.grid.noun} {observation.line.number}"

    def table_unit(self) -> float | None:
        """Return the unit of figures beside which none is stated."""
        return words.UNITS[self.options.units] if self.options.units else self.title_unit

    def has_package_columns(self) -> bool:
        """Whether the columns bear the names of the package, whose values are persons."""
        labels = {column.label.casefold() for column in self.layout.columns}
        return (
            "location" in labels or {"unique_id", "y"} <= labels or self.layout.style == "SDMX-CSV"
        )


def location_codes(context: Context) -> list[str]:
    """Return the code of each observation."""
    names = list(dict.fromkeys(one.place for one in context.observations if one.place))
    settled = places.settle(names)
    default = _default_place(context) if any(not one.place for one in context.observations) else ""
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
    return [settled[one.place].code if one.place else default for one in context.observations]


def _default_place(context: Context) -> str:
    if context.options.location is not None:
        match = places.match(context.options.location)
        if not match.code:
            error = locations.find  # the package's own message names the nearest codes
            try:
                error(context.options.location)
            except UnknownNameError as unknown:
                context.problem(0, unknown)
        return match.code
    country = places.country_in(context.title)
    if country is None:
        context.problem(
            0,
            DataError(
                "nothing says of which place the figures are: no column of places, and no "
                "country in the title. Say which, such as location='KAZ'."
            ),
        )
        return ""
    context.out.notes[
        f"the place is taken from the title: {locations.name(country)} ({country})"
    ] = None
    return country


def _unmatched(context: Context, observation: Observation, match: places.Match) -> None:
    label = observation.column.label if observation.column.place else "location"
    where = f"{context.where(observation)}, column {label}"
    name = words.spaced(observation.place)
    if match.candidates:
        listed = " or ".join(f"{locations.name(code)} ({code})" for code in match.candidates)
        context.out.unmatched[name] = tuple(
            f"{locations.name(code)} ({code})" for code in match.candidates
        )
        context.problem(
            observation.line.number,
            DataError(f"{where}: {name!r} may be {listed}. Write the code, or the full name."),
        )
        return
    near = places.nearest(name)
    context.out.unmatched[name] = near
    hint = (
        f"Did you mean {', '.join(near)}? Write the code or the known name"
        if near
        else "Write an ISO 3166 code or a known name"
    )
    context.problem(
        observation.line.number,
        UnknownNameError(
            f"{where}: unknown location {name!r}. {hint}, or leave it out (skip=[{name!r}])."
        ),
    )


def stated_measures(context: Context) -> list[str]:
    """Return measure or family of each observation, as said by table, title or caller."""
    own = [one.measure for one in context.observations]
    given = context.options.measure
    if given is not None:
        named = {one.measure for one in context.observations if one.measure}
        if context.layout.of("measure"):
            raise DataError(
                f"the table has a column 'measure' of its own; leave out measure={given!r}."
            )
        if named:
            raise DataError(
                f"the table names its measures itself ({', '.join(sorted(named))}); leave out "
                f"measure={given!r}."
            )
        return [given] * len(own)
    if all(own) or context.layout.style == "long form":
        return own
    titled = context.title_measures
    if len(titled) == 1 and not context.restricted:
        (measure,) = titled
        context.out.notes[f"the measure is taken from the title: {measure}"] = None
        return [named or measure for named in own]
    why = (
        "the title restricts what is counted"
        if context.restricted and titled
        else "found: "
        + (", ".join(c.label for c in context.layout.columns if c.label) or "no headings")
    )
    raise DataError(
        f"missing column 'measure'; {why}. A table needs the columns location, measure, year, "
        f"value; or say what is counted, such as measure='immigration'. "
        f"Measures: {', '.join(MEASURES)}."
    )


def measures_of(context: Context, codes: Sequence[str], stated: Sequence[str]) -> list[str]:
    """Return the measure of each observation; empty where the package keeps none of its kind."""
    if context.layout.style == "long form":
        return [""] * len(stated)
    made = []
    for one, code, family in zip(context.observations, codes, stated):
        scope = context.options.flows or one.scope or context.title_scope
        try:
            measure, remark = flows.measure(family, scope, code)
        except DataError as error:
            context.problem(one.line.number, DataError(f"{context.where(one)}: {error}"))
            return []
        if remark:
            context.out.notes[remark] = None
        named = one.column.label if one.column.says.measure else family
        context.out.measures.setdefault(named, measure or f"{family} of all flows, not kept")
        made.append(measure)
    return made


def _title(texts: Sequence[str]) -> tuple[set[str], set[str], float | None, bool, bool]:
    measures: set[str] = set()
    scopes: set[str] = set()
    unit: float | None = None
    restricted = rates = False
    for text in texts:
        found, where, stated, narrow, rate = in_title(text)
        measures |= found
        scopes |= where
        unit = stated if stated is not None else unit
        restricted |= narrow
        rates |= rate
    return measures, scopes, unit, restricted, rates
