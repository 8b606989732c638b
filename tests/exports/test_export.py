"""A forecast as a hub, and what another program reads of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hubdata import connect_hub, connect_target_data
from hubdata.create_target_data_schema import TargetType

import forecast as fc
from forecast import periods
from forecast.cli.main import cli
from forecast.draw_tables import QUANTILE_LEVELS
from forecast.errors import DataError
from forecast.exports import files
from forecast.exports.check import check_hub
from forecast.models.corridors.model import Corridors
from forecast.outlook import Forecast
from forecast.panel import Panel


def output(hub: Path) -> pd.DataFrame:
    """Every file of model output, as hubdata reads it."""
    return connect_hub(hub).to_table().to_pandas()


def test_hubdata_reads_it(outlook: Forecast, hub: Path) -> None:
    table = output(hub)
    assert set(table["model_id"]) == {"forecast-naive"}
    assert set(table["output_type"]) == {"quantile", "sample"}
    row = (table["source"] == "un-wpp") & (table["location"] == "KAZ") & (table["horizon"] == 4)
    ours = table[row & (table["output_type"] == "quantile")].sort_values("output_type_id")
    assert ours["target_end_date"].map(str).unique().tolist() == ["2027-12-31"]
    assert ours["origin_date"].map(str).unique().tolist() == ["2023-12-31"]
    drawn = outlook.sample(location="KAZ", measure="net_migration", source="un-wpp", year=2027)
    np.testing.assert_array_equal(ours["value"], np.quantile(drawn, QUANTILE_LEVELS).round())
    samples = table[row & (table["output_type"] == "sample")].sort_values("output_type_id")
    assert samples["output_type_id"].tolist() == list(range(1, 51))
    assert set(samples["value"]) <= set(drawn.round() + 0.0)


def test_hubdata_reads_the_figures(outlook: Forecast, unversioned: Path, bundled: Path) -> None:
    for folder, versioned in ((unversioned, False), (bundled, True)):
        table = connect_target_data(folder, TargetType.TIME_SERIES).to_table().to_pandas()
        assert ("as_of" in table) == versioned
    then = table[(table["location"] == "KAZ") & (table["target"] == "immigration")]
    seen = dict(zip(then["target_end_date"].map(str), then["observation"]))
    assert seen["2024-12-31"] == 29_282


def test_samples_are_joint(outlook: Forecast, hub: Path) -> None:
    """A sample is one draw, the same in every series and year."""
    table = output(hub)
    table = table[table["output_type"] == "sample"]
    assert table.groupby("output_type_id").size().nunique() == 1
    one = table[table["output_type_id"] == 7]
    paths = outlook.paths
    chosen = np.linspace(0, paths.sizes["draw"] - 1, 50).round().astype(int)[6]
    for row in one.itertuples(index=False):
        index = outlook.series.query(
            "source == @row.source and location == @row.location and measure == @row.target"
        ).index[0]
        year = int(str(row.target_end_date)[:4])
        drawn = float(paths.isel(draw=chosen, series=index).sel(year=year))
        assert row.value == round(drawn)


def test_tasks_are_those_of_annual_targets(hub: Path) -> None:
    config = json.loads((hub / files.TASKS).read_text(encoding="utf-8"))
    minimum = {}
    for entry in config["rounds"]:
        for task in entry["model_tasks"]:
            (target,) = task["target_metadata"]
            assert target["is_step_ahead"] is False
            assert "time_unit" not in target
            measure = target["target_keys"]["target"]
            minimum[measure] = task["output_type"]["quantile"]["value"].get("minimum")
            assert all(isinstance(year, int) for year in task["task_ids"]["horizon"]["optional"])
    assert minimum["net_migration"] is None
    assert minimum["immigration"] == 0
    assert config["derived_task_ids"] == ["target_end_date"]


def test_the_same_forecast_gives_the_same_bytes(
    outlook: Forecast, hub: Path, tmp_path: Path
) -> None:
    again = outlook.to_hub(tmp_path / hub.name, samples=50)
    ours = {path.relative_to(hub): path.read_bytes() for path in hub.rglob("*") if path.is_file()}
    assert {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()} == ours


def test_a_second_model_joins_the_hub(varied: Panel, outlook: Forecast, tmp_path: Path) -> None:
    folder = outlook.to_hub(tmp_path / "hub")
    fc.forecast(varied, model="mean", draws=200).to_hub(folder, team="Second team", samples=60)
    table = output(folder)
    assert set(table["model_id"]) == {"forecast-naive", "Second_team-mean"}
    assert check_hub(folder).empty
    assert len(list(tmp_path.iterdir())) == 1


def test_a_later_edition_gains_a_round_and_the_truth(varied: Panel, tmp_path: Path) -> None:
    early = varied.until(2020)
    folder = fc.forecast(early, model="naive", horizons=(2022, 2023), draws=100).to_hub(
        tmp_path / "hub"
    )
    assert not (folder / files.ORACLE).exists()
    fc.forecast(varied, model="naive", draws=100).to_hub(folder)
    assert check_hub(folder).empty
    table = connect_target_data(folder, TargetType.ORACLE_OUTPUT).to_table().to_pandas()
    assert {str(day) for day in table["target_end_date"]} == {"2022-12-31", "2023-12-31"}
    (series,) = varied.select(source="un-wpp", location="TKM")
    found = table[table["location"] == "TKM"].set_index("target_end_date")["oracle_value"]
    assert found.tolist() == series.values[-2:].tolist()
    rounds = {str(day) for day in output(folder)["origin_date"]}
    assert rounds >= {"2020-12-31", "2023-12-31", "2024-12-31"}


def test_other_folders_are_left_alone(outlook: Forecast, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="exists and is not a folder written by forecast"):
        outlook.to_hub(other)
    strange = tmp_path / "strange"
    (strange / "hub-config").mkdir(parents=True)
    text = '{"rounds": [{"model_tasks": [{"task_ids": {"week": {}}}]}]}'
    for content in (text, "", "[]", "not json"):
        (strange / files.TASKS).write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match="a hub with other tasks than ours"):
            outlook.to_hub(strange)
        assert (strange / files.TASKS).read_text(encoding="utf-8") == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "strange"]


def test_what_cannot_be_a_hub_is_said(outlook: Forecast, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="samples is 500; give 0 to 400"):
        outlook.to_hub(tmp_path / "hub", samples=500)
    five = fc.forecast(fc.load("central-asia-five-year"), "naive", (2025,), draws=100)
    with pytest.raises(DataError, match="periods of 5 years"):
        five.to_hub(tmp_path / "hub")
    assert list(tmp_path.iterdir()) == []


def test_without_samples(outlook: Forecast, tmp_path: Path) -> None:
    folder = outlook.to_hub(tmp_path / "hub", samples=0)
    assert check_hub(folder).empty
    assert set(output(folder)["output_type"]) == {"quantile"}


def test_the_shell_exports_and_checks(outlook: Forecast, tmp_path: Path) -> None:
    run = CliRunner().invoke
    saved = outlook.save(tmp_path / "saved")
    folder = tmp_path / "hub"
    done = run(cli, ["hub", "export", "--forecast", str(saved), "--out", str(folder)])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{folder}\n"
    checked = run(cli, ["hub", "check", str(folder)])
    assert checked.exit_code == 0, checked.output
    assert checked.stdout == "file,rule,problem\n"
    (folder / files.ADMIN).unlink()
    broken = run(cli, ["hub", "check", str(folder)])
    assert broken.exit_code == 1
    assert "hub-config/admin.json,file,is missing" in broken.stdout
    absent = run(cli, ["hub", "check", str(tmp_path / "none")])
    assert absent.exit_code == 1
    assert "is not a folder" in absent.stderr


@pytest.mark.parametrize(
    ("frequency", "code", "last_days"),
    [
        ("month", "M", ["2024-11-30", "2024-12-31", "2025-01-31"]),
        ("quarter", "Q", ["2030-09-30", "2030-12-31", "2031-03-31"]),
        ("half-year", "H", ["2039-06-30", "2039-12-31", "2040-06-30"]),
    ],
)
def test_a_hub_of_parts_of_a_year(
    frequency: str, code: str, last_days: list[str], tmp_path: Path
) -> None:
    first = periods.number(2022, 1, frequency)
    texts = [periods.label(first + n, frequency) for n in range(30)]
    rows = [
        (place, measure, text, 100.0 + 7 * (n % 4) + n)
        for place, measure in (("KAZ", "immigration"), ("KGZ", "immigration"),
                               ("KAZ", "permit_quota"))
        for n, text in enumerate(texts)
        if place == "KAZ" or n < 28
    ]  # fmt: skip
    columns = ["location", "measure", "period", "value"]
    panel = Panel.from_frame(pd.DataFrame(rows, columns=columns))
    ahead = [periods.label(first + n, frequency) for n in (34, 35, 36)]
    early = fc.forecast(panel.until(texts[-4]), "persistence", ahead[:1] + texts[-2:], draws=200)
    outlook = fc.forecast(panel, "persistence", ahead, draws=200)
    folder = early.to_hub(tmp_path / "hub", horizons=texts[-2:])
    outlook.to_hub(folder, samples=20)
    assert check_hub(folder).empty
    table = output(folder)
    # A series that ends two periods earlier has a round of its own; horizons are periods.
    ends = {n: str(periods.end(first + n, frequency).date()) for n in range(37)}
    assert {str(day) for day in table["origin_date"]} == {ends[26], ends[27], ends[29]}
    drawn = outlook.quantiles([0.5], ahead).set_index(["location", "measure", "period"])["value"]
    middle = table[(table["output_type"] == "quantile") & (table["output_type_id"] == 0.5)]
    numbers = {day: n for n, day in ends.items()}
    for row in middle.itertuples():
        n = numbers[str(row.target_end_date)]
        assert row.horizon == n - numbers[str(row.origin_date)]
        if n >= 34 and str(row.origin_date) != ends[26]:
            assert row.value == round(drawn[row.location, row.target, ahead[n - 34]])
    assert set(last_days) <= {str(day) for day in middle["target_end_date"]}
    truth = connect_target_data(folder, TargetType.ORACLE_OUTPUT).to_table().to_pandas()
    assert len(truth) == 4
    (entry, *_) = json.loads((folder / files.TASKS).read_text(encoding="utf-8"))["rounds"]
    target = entry["model_tasks"][0]["target_metadata"][0]
    assert target["target_units"] == f"persons per {frequency}"
    assert target.get("time_unit") == ("month" if frequency == "month" else None)
    yearly = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    with pytest.raises(DataError, match=f"the hub is of figures by {frequency}, the forecast by y"):
        fc.forecast(yearly, "naive", draws=100).to_hub(folder)


def test_a_hub_of_corridors_names_their_ends_and_what_rests_on_the_model(tmp_path: Path) -> None:
    years = range(2012, 2024)
    rows = [
        (code, "flow" if ":" in code else "net_migration", year, 1_000.0 + 10 * year % 7)
        for code in ("UZB:RUS", "UZB:KAZ", "KAZ") for year in years
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["location", "measure", "year", "value"])
    few = (table["location"] == "UZB:KAZ") & (table["year"] < 2022)
    model = Corridors(
        sampler={"chains": 2, "warm_up": 20, "kept": 20, "most": 20, "paths": 20},
        on_failure="mark",
    )
    panel = Panel.from_frame(table[~few])
    made = fc.forecast(panel, model, horizons=(2025,), draws=100)
    hub = made.to_hub(tmp_path / "hub", samples=20)
    assert check_hub(hub).empty
    ends = output(hub)[["location", "origin", "destination"]].drop_duplicates()
    assert sorted(map(tuple, ends.to_numpy().tolist())) == [
        ("UZB:KAZ", "UZB", "KAZ"), ("UZB:RUS", "UZB", "RUS"),
    ]  # fmt: skip
    figures = pd.read_csv(hub / files.TIME_SERIES).drop_duplicates("location")
    assert figures.set_index("location").loc["KAZ", ["origin", "destination"]].tolist() == [
        files.ONE_PLACE, files.ONE_PLACE,
    ]  # fmt: skip
    (described,) = (hub / "model-metadata").iterdir()
    said = " ".join(described.read_text().split())
    assert "UZB:KAZ (user):" in said
    assert "Rests on the model: 2 usable figures" in said
    # The same once more, and beside a hub that knows no corridors.
    made.to_hub(tmp_path / "hub", samples=20)
    assert check_hub(hub).empty
    places = fc.forecast(panel.select(location="KAZ"), "naive", horizons=(2025,), draws=100)
    other = places.to_hub(tmp_path / "other", samples=20)
    with pytest.raises(DataError, match="the hub has no corridors"):
        made.to_hub(other, samples=20)
    places.to_hub(hub, samples=20)
    assert check_hub(hub).empty
