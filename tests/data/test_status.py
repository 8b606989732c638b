"""How old the figures are, and when the next ones are due."""

from __future__ import annotations

import datetime as dt

import pandas as pd

import forecast as fc
from forecast.data.releases import status
from forecast.panel import Panel


def test_bundled_sources_say_how_far_they_reach_and_what_brings_more() -> None:
    table = status(fc.load("central-asia"), dt.date(2026, 11, 28)).set_index(["source", "measure"])
    world = table.loc["un-wpp", "net_migration"]
    assert (world["last_year"], world["due"], world["overdue"]) == (2023, "2026-07-12", True)
    assert world["how"] == "forecast data fetch wpp"
    register = table.loc["kz-bns", "immigration"]
    assert (register["last_year"], register["due"]) == (2025, "2027-03-01")
    assert register["how"].startswith("forecast data add")
    later = status(fc.load("central-asia"), dt.date(2027, 4, 15)).set_index(["source", "measure"])
    assert later.loc["kz-bns", "immigration"]["overdue"]
    assert not register["overdue"]


def test_a_source_without_days_of_release_has_none_due() -> None:
    rows = {"location": "KAZ", "measure": "immigration", "year": range(2010, 2020), "value": 5.0}
    (row,) = status(Panel.from_frame(pd.DataFrame(rows))).to_dict("records")
    assert (row["due"], row["overdue"], row["last_year"]) == ("", False, 2019)


def test_a_revision_without_newer_years_is_no_new_release() -> None:
    rows = [
        {"location": "KAZ", "measure": "immigration", "year": year, "value": 5.0 + day,
         "as_of": f"{2020 + day}-03-01"}
        for day, last in ((0, 2019), (1, 2020), (2, 2020))
        for year in range(2015, last + 1)
    ]  # fmt: skip
    (row,) = status(Panel.from_frame(pd.DataFrame(rows)), dt.date(2022, 1, 1)).to_dict("records")
    assert (row["released"], row["due"]) == ("2021-03-01", "2022-03-01")
