"""Which members need other measures, and for which series they have them."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.contract import Model, meant_for
from forecast.models.registry import model as find_model
from forecast.panel import Panel
from forecast.series_key import SeriesKey


def special(members: Sequence[str | Model], panel: Panel) -> dict[SeriesKey, str]:
    """Return the names of the members with needs that a series meets, joined by commas.

    Such series learn apart: a member that is there for few of the series of a scale would
    otherwise decide the weights of all.
    """
    models = [find_model(member) for member in members]
    needing = [(model.name, meant_for(model, panel)) for model in models if model.needs]
    return {
        one.key: ", ".join(name for name, series in needing if one.key in series) for one in panel
    }
