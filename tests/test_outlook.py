from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import forecast as fc
from forecast.errors import DataError, UnknownNameError
from forecast.outlook import Forecast
from forecast.panel import Panel


@pytest.fixture
def outlook(panel: Panel) -> Forecast:
    return fc.forecast(panel, "structural", (2025, 2027, 2030), draws=400, seed=2)


def test_intervals_are_the_quantiles_of_the_draws(outlook: Forecast) -> None:
    table = outlook.intervals(0.80)
    assert list(table.columns) == [
        "location",
        "measure",
        "source",
        "year",
        "median",
        "lower",
        "upper",
    ]
    assert len(table) == 4 * 3
    row = table[(table["location"] == "KGZ") & (table["year"] == 2027)].iloc[0]
    drawn = outlook.sample(location="KGZ", measure="net_migration", year=2027)
    assert row["lower"] == pytest.approx(np.quantile(drawn, 0.1))
    assert row["upper"] == pytest.approx(np.quantile(drawn, 0.9))


def test_quantiles_never_cross(outlook: Forecast) -> None:
    table = outlook.to_frame("quantile")
    assert list(table.columns) == ["location", "measure", "source", "year", "quantile", "value"]
    changes = table.groupby(["source", "location", "measure", "year"])["value"].diff().dropna()
    assert (changes >= 0).all()


def test_samples_are_every_draw(outlook: Forecast) -> None:
    table = outlook.to_frame("sample")
    assert len(table) == 400 * 4 * 3
    chosen = table[(table["location"] == "KGZ") & (table["year"] == 2030)]
    np.testing.assert_array_equal(
        chosen["value"], outlook.sample(location="KGZ", measure="net_migration", year=2030)
    )


def test_probabilities_add_up(outlook: Forecast) -> None:
    which = {"location": "KGZ", "measure": "net_migration", "year": 2027}
    above, below = outlook.probability(above=0, **which), outlook.probability(below=0, **which)
    assert above + below == pytest.approx(1)
    assert outlook.probability(above=1e12, **which) == 0
    with pytest.raises(DataError, match="exactly one"):
        outlook.probability(**which)


def test_several_sources_are_never_chosen_from_silently(table: pd.DataFrame) -> None:
    register = table[table["measure"] == "net_migration"].query("location == 'KAZ'")
    both = pd.concat([table, register.assign(source="register", value=register["value"] + 1e6)])
    outlook = fc.forecast(Panel.from_frame(both), "structural", draws=200)
    which = {"location": "KAZ", "measure": "net_migration", "year": 2027}
    choices = "net_migration of KAZ is known from register, un. Say which is meant"
    with pytest.raises(DataError, match=choices):
        outlook.probability(above=8e5, **which)
    with pytest.raises(DataError, match=choices):
        outlook.sample(**which)
    with pytest.raises(DataError, match=choices):
        fc.condition(outlook, "KAZ net_migration 2027 >= 0")
    assert outlook.probability(above=8e5, source="un", **which) < 0.1
    assert outlook.probability(above=8e5, source="register", **which) > 0.9


@pytest.mark.parametrize(
    ("which", "part"),
    [
        ({"location": "UZB"}, "location in this forecast 'UZB'"),
        ({"measure": "population"}, "measure in this forecast 'population'"),
        ({"year": 2050}, "forecast year 2050"),
        ({"source": "nobody"}, "source in this forecast 'nobody'"),
    ],
)
def test_wrong_names_list_the_right_ones(
    outlook: Forecast, which: dict[str, object], part: str
) -> None:
    full = {"location": "KAZ", "measure": "net_migration", "year": 2027, **which}
    with pytest.raises(UnknownNameError) as caught:
        outlook.probability(above=0, **full)  # type: ignore[arg-type]
    assert part in str(caught.value)


@pytest.mark.parametrize("level", [0, 1, 80])
def test_levels_are_probabilities(outlook: Forecast, level: float) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        outlook.intervals(level)
    with pytest.raises(DataError, match="between 0 and 1"):
        outlook.quantiles([level])


@pytest.mark.parametrize("level", ["0.8", None, True, float("nan")])
def test_a_level_that_is_no_number_is_refused(outlook: Forecast, level: object) -> None:
    with pytest.raises(DataError, match=r"interval level is .*; give a number between 0 and 1"):
        outlook.intervals(level)  # type: ignore[arg-type]


def test_quantile_levels_that_are_no_numbers_are_refused(outlook: Forecast) -> None:
    with pytest.raises(DataError, match=r"quantile levels are \['a'\]"):
        outlook.quantiles(["a"])  # type: ignore[list-item]


@pytest.mark.parametrize("given", ["10000", float("nan"), True])
@pytest.mark.parametrize("side", ["above", "below"])
def test_a_threshold_that_is_no_number_is_refused(
    outlook: Forecast, side: str, given: object
) -> None:
    which = {"location": "KGZ", "measure": "net_migration", "year": 2027}
    with pytest.raises(DataError, match=rf"{side}= is .*; give a number of persons"):
        outlook.probability(**{side: given}, **which)  # type: ignore[arg-type]


def test_years_between_the_targets_are_there_too(outlook: Forecast) -> None:
    assert outlook.paths["year"].values.tolist() == list(range(2025, 2031))
    assert set(outlook.intervals(years=(2026,))["year"]) == {2026}


def test_saved_and_opened_it_is_the_same(outlook: Forecast, tmp_path: Path) -> None:
    outlook.save(tmp_path / "kept")
    again = fc.open(tmp_path / "kept")
    xr.testing.assert_identical(again.paths, outlook.paths)
    assert again.horizons == outlook.horizons
    assert again.history.hash == outlook.history.hash
    pd.testing.assert_frame_equal(again.intervals(), outlook.intervals())
    outlook.save(tmp_path / "kept")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept"]
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["model"] == outlook.model


def test_a_changed_file_is_noticed(outlook: Forecast, tmp_path: Path) -> None:
    outlook.save(tmp_path / "kept")
    history = tmp_path / "kept" / "history.csv"
    history.write_text(history.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"history\.csv is missing or was changed"):
        fc.open(tmp_path / "kept")
    with pytest.raises(DataError, match="no saved forecast"):
        fc.open(tmp_path)


def test_what_others_call_a_manifest_is_not_ours(outlook: Forecast, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "manifest.json").write_text('{"name": "PWA"}', encoding="utf-8")
    (tmp_path / "site" / "index.html").write_text("precious", encoding="utf-8")
    with pytest.raises(DataError, match="not a folder written by forecast"):
        outlook.save(tmp_path / "site")
    for broken in ("", "[]", '{"format": "other/9"}', '{"format": "migration-forecast/1"}'):
        (tmp_path / "site" / "manifest.json").write_text(broken, encoding="utf-8")
        with pytest.raises(DataError, match="no saved forecast"):
            fc.open(tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text(encoding="utf-8") == "precious"


def test_a_note_put_beside_a_saved_forecast_stays(outlook: Forecast, tmp_path: Path) -> None:
    outlook.save(tmp_path / "kept")
    (tmp_path / "kept" / "note.txt").write_text("see chapter 3", encoding="utf-8")
    outlook.save(tmp_path / "kept")
    assert (tmp_path / "kept" / "note.txt").read_text(encoding="utf-8") == "see chapter 3"


def test_odd_names_survive_saving(table: pd.DataFrame, tmp_path: Path) -> None:
    named = Panel.from_frame(table.assign(source="NA", flag="null"))
    outlook = fc.forecast(named, "structural", draws=100)
    outlook.save(tmp_path / "kept")
    again = fc.open(tmp_path / "kept")
    assert again.history.hash == named.hash
    assert set(again.notes["source"]) == {"NA"}


def test_other_peoples_folders_are_left_alone(outlook: Forecast, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(DataError, match="not a folder written by forecast"):
        outlook.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "years of work"
