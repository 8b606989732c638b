"""How unusual a scenario is, in the baseline's terms and in the history of all countries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from world_rates import LEVELS, as_toml

from forecast.data import wpp
from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scenarios.scenario import scenario
from forecast.scenarios.unusual import WINDOWS, history, monte_carlo_error, rates, source
from forecast.shelf import shelf


def certain(own: dict[str, Any], people: float) -> dict[str, Any]:
    """A scenario in which everybody comes in the first months of 2026 and is counted."""
    own["when"] = {"first": 2026, "last": 2026}
    own["fading"] = {"half_life": 0.05}
    own["place"][0] |= {
        "people": people,
        "counted": [{"share": 1.0, "because": "All are counted."}],
    }
    del own["returns"]
    return own


def test_the_tail_is_a_share_of_the_baseline_s_draws(
    coherent: Forecast, own: dict[str, Any]
) -> None:
    made = scenario(coherent, certain(own, 1_000))
    found = made.unusual().set_index(["source", "measure", "location", "window"])
    row = found.loc[("un", "net_migration", "TJK", 1)]
    drawn = coherent.sample(location="TJK", measure="net_migration", source="un", year=2026)
    assert row["what_if"] == pytest.approx(np.median(drawn) + 1_000)
    assert row["beyond"] == (drawn >= row["what_if"]).sum()
    assert row["tail"] == row["beyond"] / row["draws"]
    assert row["rate"] == pytest.approx(1000 * row["what_if"] / 10_000_000)
    assert row["after"] == 0
    five = found.loc[("un", "net_migration", "TJK", 5)]
    assert five["added"] == pytest.approx(200)


def test_what_no_draw_reaches_is_less_than_one_draw(
    coherent: Forecast, own: dict[str, Any]
) -> None:
    found = scenario(coherent, certain(own, 10_000_000)).unusual()
    row = found[(found["source"] == "un") & (found["window"] == 1)].iloc[0]
    assert (row["beyond"], row["tail"]) == (0, 0)
    assert row["error"] == 1 / 1500
    assert row["world_share"] == 0


def test_departures_are_counted_on_the_other_side(coherent: Forecast, own: dict[str, Any]) -> None:
    certain(own, 20_000)["place"][0]["direction"] = "departures"
    found = scenario(coherent, own).unusual()
    row = found[(found["source"] == "un") & (found["window"] == 1)].iloc[0]
    drawn = coherent.sample(location="TJK", measure="net_migration", source="un", year=2026)
    assert row["beyond"] == (drawn <= row["what_if"]).sum()
    event = scenario(coherent, own).event().iloc[0]
    assert event["rate"] == pytest.approx(-2.0, rel=1e-3)
    assert event["first_year"] == pytest.approx(20_000, rel=1e-3)


def test_shares_are_read_off_the_history() -> None:
    one = history(1)
    assert one.share(float(one.rates[LEVELS.index(0.99)])) == pytest.approx(0.01)
    assert one.share(float(one.rates[LEVELS.index(0.02)])) == pytest.approx(0.02)
    assert one.share(1e6) == one.share(-1e6) == 0
    assert one.share(float(one.rates[-1])) == 1 / one.counted
    assert "2024-07-11" in source()
    with pytest.raises(DataError, match="no rates over windows of 3 years"):
        history(3)


def test_monte_carlo_error_never_claims_certainty() -> None:
    assert monte_carlo_error(0.5, 100) == pytest.approx(0.05)
    assert monte_carlo_error(0.0, 2000) == monte_carlo_error(1.0, 2000) == 1 / 2000


def world(**more: Any) -> Panel:
    table = pd.DataFrame(
        {
            "location": ["KAZ"] * 6 + ["KGZ"] * 6,
            "measure": "net_migration",
            "year": [*range(2018, 2024)] * 2,
            "value": [1e3, 2e3, 3e3, 4e3, 5e3, 6e3, *[9e3] * 6],
            "population": [2e6] * 6 + [9e5] * 6,
        }
    )
    return Panel.from_frame(table.assign(**more), step=1)


def test_rates_leave_small_countries_out_and_windows_do_not_overlap() -> None:
    found, first, last = rates(world(), 1)
    assert found.tolist() == [0.5, 1, 1.5, 2, 2.5, 3]
    assert (first, last) == (2018, 2023)
    assert rates(world(), 5)[0].tolist() == [2.0]
    assert history(1, world()).share(2.5) == pytest.approx(0.2)
    with pytest.raises(DataError, match="at least 1,000,000 inhabitants"):
        rates(world(population=1e5), 1)


def test_the_world_panel_takes_the_place_of_the_shipped_table(
    coherent: Forecast, own: dict[str, Any]
) -> None:
    made = scenario(coherent, certain(own, 30_000))
    found = made.unusual(world()).set_index(["source", "measure", "location", "window"])
    yearly = found.loc[("un", "net_migration", "TJK", 1)]
    assert (yearly["world_counted"], yearly["world_share"]) == (6, pytest.approx(0.2, abs=0.2))
    assert found.loc[("un", "net_migration", "TJK", 5), "world_counted"] == 1
    assert made.event(world())["world_share"][0] == 1 / 6


def test_the_shipped_history_is_what_the_command_prints(shared: Path) -> None:
    panel = wpp.world(shared / "wpp", vintages=[2024])
    shipped = shelf("models") / "history" / "world-net-rates.toml"
    assert as_toml(panel) == shipped.read_text(encoding="utf-8")
    for window in WINDOWS:
        exact = history(window, panel)
        for rate in (-30.0, -3.0, 0.5, 4.0, 17.0):
            assert history(window).share(rate) == pytest.approx(exact.share(rate), rel=0.15)
