"""Which members are meant for which series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.contract import meant_for
from forecast.models.ensemble import stacking
from forecast.models.ensemble.model import Ensemble
from forecast.models.gross_flows.model import Flows
from forecast.models.registry import model
from forecast.panel import Panel


def accounts() -> Panel:
    """Gross flows of one country, the net of another."""
    generator = np.random.default_rng(3)
    years = np.arange(2000, 2024)
    level = np.cumsum(generator.normal(0, 0.05, (3, len(years))), axis=1)
    immigration, emigration = 20_000 * np.exp(level[0]), 30_000 * np.exp(level[1])
    rows = [
        ("KAZ", "immigration", immigration),
        ("KAZ", "emigration", emigration),
        ("KAZ", "net_migration", immigration - emigration),
        ("UZB", "net_migration", 5_000 * level[2]),
    ]
    tables = [
        pd.DataFrame(
            {"source": "office", "location": place, "measure": measure, "year": years,
             "value": np.round(values), "population": 1e7}
        )
        for place, measure, values in rows
    ]  # fmt: skip
    return Panel.from_frame(pd.concat(tables, ignore_index=True))


def test_flows_are_meant_for_countries_with_arrivals_and_departures() -> None:
    panel = accounts()
    assert meant_for(model("flows"), panel) == {
        ("office", "KAZ", measure) for measure in ("immigration", "emigration", "net_migration")
    }
    nets = {("office", place, "net_migration") for place in ("KAZ", "UZB")}
    assert meant_for(model("hierarchical"), panel) == nets
    assert len(meant_for(model("naive"), panel)) == 4
    assert stacking.special(Ensemble(["naive", "flows"]).members, panel) == {
        one.key: "flows" if one.location == "KAZ" else "" for one in panel
    }
    assert set(stacking.special(Ensemble(["naive", "hierarchical"]).members, panel).values()) == {
        ""
    }


@pytest.mark.thorough
def test_series_with_special_members_learn_apart_and_others_need_no_excuse() -> None:
    apart = {"coherence": {"apply": False}}
    mixed = Ensemble(["naive", "mean", "flows"], settings=apart)
    fitted = mixed.fit(accounts(), 1)
    assert set(fitted.weights["group"].to_numpy()) == {"log with flows", "rate", "rate with flows"}
    outlook = fitted.forecast((2025,), 300)
    told = outlook.explanation
    assert told is not None
    weight = told[(told["what"] == "weight") & (told["name"] == "flows")]
    by = weight.set_index(["location", "measure"])["value"]
    assert by["UZB", "net_migration"] == 0.0
    # Of the gross flows, which are random walks here, it may well have none.
    assert by["KAZ", "net_migration"] > 0.1
    assert set(outlook.notes["reason"]) == {""}


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_a_short_series_is_forecast_by_those_that_borrow_and_says_so(whole: bool) -> None:
    table = accounts().to_frame()
    short = table[table["location"] == "KAZ"].assign(location="KGZ")
    table = pd.concat([table, short[short["year"] >= 2019]], ignore_index=True)
    sampler = {"chains": 2, "warm_up": 100, "kept": 100, "farthest": 4}
    flows = Flows(sampler=sampler, on_failure="mark")
    few = Ensemble(["naive", "mean", flows], settings={"history": {"origins": 4}})
    model = Ensemble(["naive", "mean", "flows"]) if whole else few
    outlook = fc.forecast(Panel.from_frame(table), model, (2025,))
    notes = outlook.notes.set_index(["location", "measure"])["reason"]
    said = notes["KGZ", "immigration"]
    assert said.startswith("without naive, mean: 5 usable observed years")
    assert "flows: Borrowed: 5 usable years" in said
