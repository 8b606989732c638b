"""From draws to a forecast: notes that are made by themselves."""

from __future__ import annotations

import numpy as np
import pytest

import forecast as fc
from forecast.contract import FORECAST, NOT_FORECAST
from forecast.models.assembly import assemble
from forecast.panel import Panel


def test_notes_are_told_from_draws_and_reasons(panel: Panel) -> None:
    first, second, *others = panel.keys
    drawn = {first: np.zeros((10, 3))}
    outlook = assemble(
        panel, drawn, (2027,), model="own", seed=1, declined={second: "it is too short."}
    )
    notes = outlook.notes.set_index(["source", "location", "measure"])
    assert notes.loc[first, "status"] == FORECAST
    assert notes.loc[second, ["status", "reason"]].tolist() == [NOT_FORECAST, "it is too short."]
    assert set(notes.loc[others, "reason"]) == {"the model is not meant for it."}
    assert (notes["observations"] == 30).all()


def test_without_draws_one_message_has_the_reason(panel: Panel) -> None:
    with pytest.raises(fc.DataError, match="'own': it is too short"):
        assemble(
            panel, {}, (2027,), model="own", seed=1, declined={panel.keys[0]: "it is too short."}
        )
