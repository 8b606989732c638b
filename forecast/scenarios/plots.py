"""A scenario in a notebook: one series over its baseline, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast import drawing
from forecast.draw_tables import TABLE_KEY
from forecast.plots import compare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.scenarios.scenario import Scenario


def what_if(
    scenario: Scenario, location: str, measure: str, source: str | None = None, *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw one series of a scenario over its baseline, in persons a year.

    Parameters
    ----------
    scenario : Scenario
        What is drawn; as a method, the scenario itself.
    location, measure : str
        Which series; the place by its code or name.
    source : str, optional
        Needed where several sources have the series.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If several sources have the series and none is named.
    UnknownNameError
        If there is no such series.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> outlook = fc.forecast(panel, "naive", (2027, 2030), draws=200)
    >>> what_if = fc.scenario(outlook, "russia-kazakhstan")
    >>> what_if.plot("KAZ", "immigration").get_ylabel()
    'persons a year'
    """
    return compare(scenario.baseline, scenario.what_if, location, measure, source, ax=ax)


def table(scenario: Scenario) -> str:
    """Return the series that a scenario reaches as a table of HTML."""
    found = scenario.table(0.80)
    ends = ("", "_lower", "_upper")
    rows = [
        {
            **row[[*TABLE_KEY, "year"]],
            "baseline": drawing.between(*(row["baseline" + end] for end in ends)),
            "what if": drawing.between(*(row["what_if" + end] for end in ends)),
        }
        for _, row in found.head(drawing.MOST).iterrows()
    ]
    facts = f"{scenario.name}; not a forecast; {len(scenario.moved)} series reached"
    facts += (
        f", start {scenario.shock.first}–{scenario.shock.last}; median (80 % range), persons a year"
    )
    return drawing.html("Scenario", facts, rows, len(found))
