"""A small coherent forecast: a register whose net, gross flows and regions add up in each draw."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.contract import FORECAST
from forecast.models.assembly import assemble
from forecast.outlook import Forecast
from forecast.panel import Panel

#: Regions of Tajikistan and their population in thousands.
REGIONS = {"TJ-DU": 1_200, "TJ-GB": 230, "TJ-KT": 3_600, "TJ-RA": 2_300, "TJ-SU": 2_900}
N_DRAWS, AHEAD = 1_500, 6

_OWN: dict[str, Any] = {
    "name": "own",
    "title": "People come",
    "summary": "Many come.",
    "judgement": "Nobody knows.",
    "when": {"first": 2026, "last": 2027},
    "fading": {"half_life": {"distribution": "uniform", "low": 0.5, "high": 2.0}},
    "returns": {"share": 0.5, "half_life": 1.0},
    "place": [
        {
            "location": "TJK",
            "direction": "arrivals",
            "people": {"distribution": "log-normal", "low": 20_000, "high": 80_000, "inside": 0.8},
            "counted": [
                {
                    "sources": ["register", "balance"],
                    "share": {"distribution": "triangular", "low": 0.1, "middle": 0.2, "high": 0.4},
                    "because": "A register sees few.",
                },
                {"share": 0.8, "because": "Others see most."},
            ],
        }
    ],
    "source": [{"title": "A paper", "figure": "40,000 may come"}],
}


@pytest.fixture
def own() -> dict[str, Any]:
    """The content of a scenario, to be changed at will."""
    return copy.deepcopy(_OWN)


@pytest.fixture(scope="session")
def coherent() -> Forecast:
    """Register, regions and the UN's net of Tajikistan, and a country that nothing reaches."""
    generator = np.random.default_rng(5)
    years = range(2005, 2025)
    keys = {
        ("register", "TJK", "immigration"): 10_000,
        ("register", "TJK", "emigration"): 14_000,
        ("register", "TJK", "net_migration"): 10_000,
        ("un", "TJK", "net_migration"): 10_000,
        ("un", "KGZ", "net_migration"): 7_000,
        **{("balance", code, "net_all_flows"): size for code, size in REGIONS.items()},
    }
    table = pd.concat(
        pd.DataFrame(
            {
                "source": source, "location": place, "measure": measure, "year": list(years),
                "value": float(1_000), "population": 1_000.0 * size,
            }
        )
        for (source, place, measure), size in keys.items()
    )  # fmt: skip
    panel = Panel.from_frame(table)
    shape = (N_DRAWS, AHEAD)
    into = 5_000 * np.exp(generator.normal(0, 0.3, shape))
    out = 8_000 * np.exp(generator.normal(0, 0.3, shape))
    net = into - out
    moves = generator.normal(0, 500, (len(REGIONS), *shape))
    moves -= moves.mean(axis=0)
    drawn = {
        ("register", "TJK", "immigration"): into,
        ("register", "TJK", "emigration"): out,
        ("register", "TJK", "net_migration"): net,
        ("un", "TJK", "net_migration"): 0.8 * net + generator.normal(0, 1_000, shape),
        ("un", "KGZ", "net_migration"): generator.normal(0, 2_000, shape),
        **{
            ("balance", code, "net_all_flows"): net / len(REGIONS) + moves[position]
            for position, code in enumerate(REGIONS)
        },
    }
    notes = pd.DataFrame(
        [
            {
                "source": s, "location": c, "measure": m, "origin": 2024, "observations": 20,
                "status": FORECAST, "reason": "", "scale": "persons", "population": "",
                "flags": "",
            }
            for s, c, m in panel.keys
        ]
    )  # fmt: skip
    made = assemble(panel, drawn, (2026, 2027, 2030), notes, model="test", seed=1)
    assert isinstance(made, Forecast)
    return made
