"""Targets of concepts: probabilities, what the record says, and what cannot be measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError, UnknownNameError
from forecast.evaluate.backtest import backtest
from forecast.horizons import CONCEPTS
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.scenarios import targets as module
from forecast.scenarios.targets import read, targets


def write(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


OWN = """[[target]]
concept = "KAZ"
text = "Enough come"
kind = "stated"
by = [2024, 2027, 2040]
measure = "immigration"
at_least = 9_000
reference = "A law"

[[target]]
concept = "KAZ"
text = "Fewer leave than in 2010"
kind = "yardstick"
by = 2027
measure = "emigration"
at_most_of = 2010
reference = "A law"

[[target]]
concept = "KGZ"
text = "Enough come there"
kind = "yardstick"
by = 2027
measure = "immigration"
at_least_of = 1950
reference = "A law"
"""


def test_the_shipped_targets_cover_every_concept_and_its_years() -> None:
    known = read()
    assert {target.concept for target in known} == set(CONCEPTS)
    for target in known:
        assert set(target.by) <= set(CONCEPTS[target.concept].target_years)
        assert target.reference
        assert bool(target.measure) != bool(target.why)


def test_probabilities_are_shares_of_draws(outlook: Forecast, tmp_path: Path) -> None:
    table = targets(outlook, given=write(tmp_path, OWN))
    rows = table.set_index(["target", "year"])
    drawn = outlook.sample(location="KAZ", measure="immigration", year=2027)
    row = rows.loc[("Enough come", 2027)]
    assert row["probability"] == (drawn >= 9_000).mean()
    assert row["error"] == pytest.approx(
        max(np.sqrt(row["probability"] * (1 - row["probability"]) / 400), 1 / 400)
    )
    assert (row["last_year"], row["status"]) == (2024, "forecast")
    seen = rows.loc[("Enough come", 2024)]
    assert seen["status"] == "observed"
    assert seen["probability"] == float(seen["last"] >= 9_000)
    assert rows.loc[("Enough come", 2040)]["reason"] == "2040 was not forecast"
    fewer = rows.loc[("Fewer leave than in 2010", 2027)]
    emigration = outlook.history.select(location="KAZ", measure="emigration").series[0]
    assert fewer["threshold"] == emigration.values[emigration.years == 2010][0]
    drawn = outlook.sample(location="KAZ", measure="emigration", year=2027)
    assert fewer["probability"] == (drawn <= fewer["threshold"]).mean()
    none = rows.loc[("Enough come there", 2027)]
    assert (none["status"], none["reason"]) == (
        "not in this forecast", "there is no figure of 1950 to compare with",
    )  # fmt: skip


def test_months_are_added_up_to_the_years_of_a_target(tmp_path: Path) -> None:
    months = [str(one) for one in pd.period_range("2020-01", "2026-09", freq="M")]
    values = np.random.default_rng(2).poisson(800, len(months))
    table = {"location": "KAZ", "measure": "immigration", "period": months, "value": values}
    panel = Panel.from_frame(pd.DataFrame(table))
    outlook = fc.forecast(panel, "seasonal-naive", ("2027-12",), draws=200)
    given = write(tmp_path, OWN.replace("2010", "2021").replace("emigration", "immigration"))
    found = targets(outlook, given=given).set_index(["target", "year"])
    whole = outlook.paths.isel(series=0).sel(year=slice(2027 * 12, 2027 * 12 + 11)).sum("year")
    row = found.loc[("Fewer leave than in 2021", 2027)]
    last, base = values[60:72].sum(), values[12:24].sum()
    assert (row["last_year"], row["last"], row["threshold"]) == (2025, last, base)
    assert row["probability"] == pytest.approx(float((whole <= base).mean()))
    assert found.loc[("Enough come", 2024), "status"] == "observed"
    assert found.loc[("Enough come", 2040), "reason"] == "2040 was not forecast"
    short = fc.forecast(panel, "seasonal-naive", ("2026-11",), draws=200)
    with pytest.raises(DataError, match=r"before any year is whole\. Forecast up to 2026-12"):
        targets(short, given=given)


def test_nothing_is_dropped(outlook: Forecast) -> None:
    table = fc.targets(outlook)
    assert list(table.columns) == module.COLUMNS
    asked = {(target.text, year) for target in read() for year in target.by}
    assert set(zip(table["target"], table["year"])) == asked
    without = table[table["status"].isin([module.ABSENT, module.UNMEASURED])]
    assert len(without)
    assert without["reason"].str.len().min() > 0
    assert without["probability"].isna().all()
    assert table[table["status"] == module.PREDICTED]["probability"].between(0, 1).all()


def test_the_record_stands_beside_the_chance(varied: Panel) -> None:
    track = backtest(
        varied, ["naive", "mean"], range(2008, 2018), (1, 3), draws=100, jobs=1, joint=False
    )
    judged = targets(fc.forecast(varied, "mean", draws=200), track)
    said = judged[judged["status"] == module.PREDICTED]["record"]
    assert said.str.contains(r"\((?:1|3) ahead\)").any()
    naive = targets(fc.forecast(varied, "naive", draws=200), track)
    assert (naive["record"] == "").all()


def test_a_record_of_near_years_says_nothing_of_far_ones() -> None:
    tried = [(1, "skilful"), (3, "no better than naive")]
    assert module._nearest(tried, 5) == "no better than naive (3 ahead)"
    assert module._nearest(tried, 16) == "not tried beyond 3 ahead"
    assert module._nearest([], 5) == ""


def entry(**changes: Any) -> str:
    given = {
        "concept": '"KAZ"', "text": '"x"', "kind": '"stated"', "by": "2027",
        "measure": '"immigration"', "at_least": "1", "reference": '"y"', **changes,
    }  # fmt: skip
    lines = [f"{key} = {value}" for key, value in given.items() if value is not None]
    return "\n".join(["[[target]]", *lines])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "own.toml lacks target. It needs target"),
        ("a = [", "is not TOML"),
        ("tagret = 1", "Did you mean: target"),
        ("target = [1]", "entry 1 of target in own.toml is 1; write a table"),
        (entry(at_leest="1"), "Did you mean: at_least"),
        (entry(concept='"XXX"'), "unknown policy concept"),
        (entry(reference=None), r"\[\[target\]\] 1 of own.toml lacks reference"),
        (entry(kind='"wish"'), "unknown kind"),
        (entry(by='"2027"'), "by in .* is '2027'; give a list"),
        (entry(by="[]"), r"by in .* is \[\]; give at least 1"),
        (entry(at_least=None), "needs a measure with one of"),
        (entry(at_most="2"), "needs a measure with one of"),
        (entry(measure=None), "needs a measure with one of"),
        (entry(by="true"), "entry 1 of by in .* is True; give a whole number"),
        (entry(why='"z"'), "needs a measure with one of"),
        (entry(measure='"wages"'), "unknown measure"),
        (entry(at_least='"many"'), "at_least in .* is 'many'; give a number"),
        (entry(location='"KZ-00"'), "unknown location"),
    ],
)
def test_bad_targets_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises((DataError, UnknownNameError), match=message):
        read(write(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / "none.toml")
