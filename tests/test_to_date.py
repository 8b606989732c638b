"""Year-to-date figures: taken apart into periods where they can be, kept as sums where not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError
from forecast.series import usable_values


def table(periods: list[str], values: list[object], **columns: object) -> pd.DataFrame:
    rows = {"location": "KAZ", "measure": "immigration", "period": periods, "value": values}
    return pd.DataFrame(rows | columns)


def test_sums_since_january_become_the_figures_of_their_quarters() -> None:
    spans = ["2024-01/2024-03", "2024-01/2024-06", "2024-01/2024-09", "2024-01/2024-12"]
    panel = fc.Panel.from_frame(table(spans, [10, 25, 45, 70]))
    assert panel.frequency == "quarter"
    read = panel.to_frame()
    assert read["period"].tolist() == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    assert read["value"].tolist() == [10, 15, 20, 25]
    assert set(read["flag"]) == {""}


def test_half_years_with_the_year() -> None:
    panel = fc.Panel.from_frame(
        table(["2023-01/2023-06", "2023", "2024-01/2024-06"], [100, 230, 120])
    )
    assert panel.frequency == "half-year"
    assert panel.to_frame()[["period", "value"]].values.tolist() == [
        ["2023-H1", 100.0], ["2023-H2", 130.0], ["2024-H1", 120.0],
    ]  # fmt: skip


def test_a_sum_with_a_gap_before_it_stays_a_sum_that_no_model_takes_for_a_quarter() -> None:
    panel = fc.Panel.from_frame(table(["2023-01/2023-09", "2024-01/2024-03"], [90, 30]))
    assert panel.to_frame()["flag"].tolist() == ["year-to-date", ""]
    assert usable_values(panel.series[0]).tolist() == [30]
    again = fc.Panel.from_frame(panel.to_frame())
    assert again.hash == panel.hash


def test_the_sum_before_is_the_one_that_was_out_on_the_day() -> None:
    spans = ["2024-01/2024-03", "2024-01/2024-03", "2024-01/2024-06"]
    days = ["2024-04-20", "2024-08-20", "2024-07-20"]
    panel = fc.Panel.from_frame(table(spans, [10, 12, 25], as_of=days))
    read = panel.to_frame()
    assert read.loc[read["period"] == "2024-Q2", "value"].tolist() == [15]


@pytest.mark.parametrize(
    ("periods", "values", "message"),
    [
        (["2024-04/2024-06"], [5], r"row 0, column period: '2024-04/2024-06' is no sum from Jan"),
        (["2024-01/June"], [5], "is no span of months. Write the first and the last"),
        (["2023-12/2024-06"], [5], "is no sum from January on"),
        (["2024-01/2024-06", "2024-01/2024-09"], [50, 40], r"row 1: the sum since January up to"),
        (["2024-01/2024-05", "2024-Q2"], [50, 40], "'2024-01/2024-05' ends within a quarter"),
        (["2024-01/2024-06", "2024"], ["12 a", 40], "'12 a' is not a number"),
    ],
)
def test_what_is_no_sum_since_january_is_refused(
    periods: list[str], values: list[object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        fc.Panel.from_frame(table(periods, values))


def test_a_file_has_them_as_text(tmp_path: Path) -> None:
    spans = ["2023-01/2023-06", "2023", "2024-01/2024-06"]
    path = tmp_path / "sums.csv"
    table(spans, [100, 230, 120]).to_csv(path, index=False)
    read = fc.read(path)
    assert read.frequency == "half-year"
    assert read.to_frame()["value"].tolist() == [100, 130, 120]
    table(["2023-04/2023-06", "2024"], [1, 2]).to_csv(path, index=False)
    with pytest.raises(DataError, match="line 2, column period"):
        fc.read(path)


def test_of_sums_alone_there_is_nothing_to_forecast_by_quarter() -> None:
    panel = fc.Panel.from_frame(table(["2022-01/2022-09", "2023-01/2023-09"], [90, 95]))
    assert len(panel) == 0
    with pytest.raises(DataError, match="sums since January, none of them of a single quarter"):
        fc.forecast(panel, "naive", draws=100)


def test_a_sum_is_not_added_up_to_a_year() -> None:
    spans = ["2023", "2024-01/2024-03", "2024-01/2024-06", "2024-01/2024-09", "2024"]
    whole = fc.Panel.from_frame(table(spans, [400, 90, 190, 300, 410]))
    assert whole.by("year").to_frame()[["year", "value"]].values.tolist() == [[2024, 410]]
