"""Flags and since when they are known: a forecast from an earlier origin does without hindsight."""

from __future__ import annotations

import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.flags import names_of
from forecast.panel import Panel


def panel(flags: dict[int, str], last: int = 2020) -> Panel:
    years = range(2010, last + 1)
    return Panel.from_frame(
        pd.DataFrame(
            {
                "location": "KAZ",
                "measure": "net_migration",
                "year": list(years),
                "value": [100.0 + year % 7 for year in years],
                "flag": [flags.get(year, "") for year in years],
                "as_of": [f"{year + 1}-06-30" for year in years],
            }
        )
    )


def flagged(of: Panel) -> list[int]:
    (series,) = of
    return series.years[series.flagged("outlier")].tolist()


def test_an_outlier_is_known_once_a_figure_beside_it_shows_that_the_level_did_not_stay() -> None:
    whole = panel({2014: "derived;outlier", 2015: "outlier"})
    assert flagged(whole) == [2014, 2015]
    assert [flagged(whole.until(year)) for year in (2014, 2015, 2016)] == [[], [], [2014, 2015]]
    assert flagged(whole.as_of("2016-12-31")) == []
    assert flagged(whole.as_of("2017-12-31")) == [2014, 2015]
    (series,) = whole.until(2015)
    assert series.flags[4] == frozenset({"derived"})


def test_an_outlier_at_the_end_is_known_today_and_not_before() -> None:
    whole = panel({2019: "outlier", 2020: "outlier"})
    assert flagged(whole.until(2020)) == [2019, 2020]
    assert flagged(whole.until(2030)) == [2019, 2020]
    assert flagged(whole.until(2019)) == []


def test_a_day_says_since_when_any_flag_is_known() -> None:
    whole = panel({2014: "outlier@2018-03-01", 2016: "break@2016-05-01"})
    assert flagged(whole) == [2014]
    assert flagged(whole.until(2017)) == []
    assert flagged(whole.until(2018)) == [2014]
    assert flagged(whole.as_of("2018-02-28")) == []
    assert flagged(whole.as_of("2018-03-01")) == [2014]
    (series,) = whole.until(2016)
    assert series.flagged("break").sum() == 1


def test_cutting_in_two_steps_is_cutting_once() -> None:
    whole = panel({2014: "outlier", 2015: "outlier@2017-01-31"})
    for year in (2014, 2015, 2016, 2017, 2019):
        assert whole.until(2019).until(year).hash == whole.until(year).hash


def test_other_series_do_not_confirm_an_outlier() -> None:
    tables = [panel({2014: "outlier"}, 2014).to_frame(), panel({}, 2020).to_frame()]
    tables[1]["location"] = "KGZ"
    whole = Panel.from_frame(pd.concat(tables, ignore_index=True))
    kaz = whole.until(2016).select(location="KAZ")
    # Nothing of this series is cut away: its last figure is flagged today.
    assert flagged(kaz) == [2014]


@pytest.mark.parametrize("flag", ["outlier@2018", "outlier@soon", "outlier@2018-13-01"])
def test_a_day_that_is_none_is_refused(flag: str) -> None:
    with pytest.raises(DataError, match=r"row 4, column flag.*since when.*2018-06-30"):
        panel({2014: flag})


def test_names_are_read_without_days() -> None:
    assert names_of("derived; outlier@2018-06-30".replace(" ", "")) == {"derived", "outlier"}
    assert names_of(None) == frozenset()


def test_a_misspelt_flag_with_a_day_gets_the_nearest_name() -> None:
    with pytest.raises(DataError, match="Did you mean 'outlier'"):
        panel({2014: "outlyer@2018-06-30"})
