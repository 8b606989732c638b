from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast as fc
from forecast.errors import DataError, UnknownNameError
from forecast.panel import Panel


def tiny(**changes: object) -> pd.DataFrame:
    columns: dict[str, object] = {
        "location": "KAZ",
        "measure": "immigration",
        "year": [2021, 2022, 2023],
        "value": [11050, 17425, 25387],
    }
    return pd.DataFrame(columns | changes)


def test_round_trip_keeps_every_row(panel: Panel) -> None:
    again = Panel.from_frame(panel.to_frame())
    pd.testing.assert_frame_equal(again.to_frame(), panel.to_frame())
    assert again.hash == panel.hash


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_order_of_rows_does_not_matter(random: object) -> None:
    table = tiny()
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert Panel.from_frame(table.iloc[order]).hash == Panel.from_frame(table).hash


def test_the_table_given_is_not_kept_by_reference() -> None:
    table = tiny()
    panel = Panel.from_frame(table)
    table.loc[0, "value"] = 1
    copy = panel.to_frame()
    copy.loc[0, "value"] = 2
    assert panel.series[0].values[0] == 11050


@pytest.mark.parametrize(
    ("change", "error", "parts"),
    [
        ({"value": [1, "many", 3]}, DataError, ["row 1", "'many'", "not a number", "digits"]),
        ({"value": [1, -5, 3]}, DataError, ["row 1", "KAZ", "2022", "-5", "cannot be negative"]),
        ({"value": [1, 1e12, 3]}, DataError, ["row 1", "larger than any count", "unit"]),
        ({"value": [np.nan] * 3}, DataError, ["row 0", "KAZ", "missing", "leave the series out"]),
        ({"year": [2021, 2022, 2022]}, DataError, ["row 2", "2022", "twice", "as_of"]),
        ({"year": [2021, 2022.5, 2023]}, DataError, ["row 1", "2022.5", "calendar year"]),
        ({"year": [2021, "x", 2023]}, DataError, ["row 1", "'x'", "calendar year"]),
        ({"location": "KZA"}, UnknownNameError, ["row 0", "'KZA'", "Did you mean", "KAZ"]),
        ({"location": "Kyrgyzstan"}, UnknownNameError, ["row 0", "Write its code, KGZ"]),
        ({"location": "KZ-99"}, UnknownNameError, ["row 0", "'KZ-99'"]),
        ({"measure": "imigration"}, UnknownNameError, ["row 0", "Did you mean", "immigration"]),
        ({"population": [1, 0, 1]}, DataError, ["row 1", "population", "above zero"]),
        ({"value": [True, 2, 3]}, DataError, ["row 0", "True", "not a count"]),
        (
            {"flag": ["", "outlyer", ""]},
            DataError,
            ["row 1", "'outlyer'", "Did you mean 'outlier'"],
        ),
        ({"location": None}, DataError, ["row 0", "empty", "ISO 3166"]),
        ({"as_of": "soon"}, DataError, ["row 0", "'soon'", "YYYY-MM-DD"]),
        ({"valeu": 3}, UnknownNameError, ["'valeu'", "Did you mean", "value"]),
    ],
)
def test_bad_tables_are_refused_with_row_value_and_remedy(
    change: dict[str, object], error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        Panel.from_frame(tiny(**change))
    message = str(caught.value)
    for part in parts:
        assert part in message, message


def test_a_missing_column_is_named_with_those_found() -> None:
    with pytest.raises(DataError, match=r"missing column 'value'; found: location, measure, year"):
        Panel.from_frame(tiny().drop(columns="value"))


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        Panel.from_frame(tiny().iloc[:0])


def test_gaps_stay_gaps() -> None:
    panel = Panel.from_frame(tiny(year=[2019, 2021, 2023], value=[5.0, np.nan, 7.0]))
    (series,) = panel
    assert series.years.tolist() == [2019, 2020, 2021, 2022, 2023]
    assert np.isnan(series.values).tolist() == [False, True, True, True, False]


def test_as_of_shows_what_was_known_then() -> None:
    first = tiny(as_of="2024-02-01", value=[11050, 17293, 25387])
    revised = tiny(as_of="2025-02-01").iloc[1:]
    panel = Panel.from_frame(pd.concat([first, revised]))
    assert panel.series[0].values.tolist() == [11050, 17425, 25387]
    assert panel.as_of("2024-12-31").series[0].values.tolist() == [11050, 17293, 25387]
    assert panel.last_release == "2025-02-01"
    with pytest.raises(DataError, match="released by 2020-01-01"):
        panel.as_of("2020-01-01")


def test_until_and_select(panel: Panel) -> None:
    assert panel.until(2010).origin == 2010
    assert panel.select(location="KAZ", measure="immigration").keys == [
        ("register", "KAZ", "immigration")
    ]
    with pytest.raises(UnknownNameError, match="KGZ"):
        panel.select(location="UZB")


def test_merged_codes_have_one_spelling() -> None:
    assert Panel.from_frame(tiny(location="KZ-79+KZ-61")).locations == ["KZ-61+KZ-79"]


def test_nixtla_long_form() -> None:
    long = pd.DataFrame(
        {
            "unique_id": "register/KAZ/immigration",
            "ds": pd.to_datetime(["2021-12-31", "2022-12-31", "2023-12-31"]),
            "y": [11050, 17425, 25387],
        }
    )
    assert Panel.from_frame(long).keys == [("register", "KAZ", "immigration")]
    assert Panel.from_frame(long.assign(unique_id="KAZ")).keys == [("user", "KAZ", "net_migration")]


def test_five_year_periods_are_recognised() -> None:
    five = Panel.from_frame(tiny(year=[2005, 2010, 2015]))
    assert five.step == 5
    assert five.series[0].years.tolist() == [2005, 2010, 2015]
    assert Panel.from_frame(tiny(year=[2005, 2010, 2015]), step=1).step == 1


def test_a_five_year_step_never_drops_years() -> None:
    with pytest.raises(DataError, match="year 2022, which starts no five-year period"):
        Panel.from_frame(tiny(), step=5)


def test_flags_are_read_whatever_their_spelling() -> None:
    (series,) = Panel.from_frame(tiny(flag=["Official", " outlier", "low, Break"]))
    assert series.flagged("outlier").tolist() == [False, True, False]
    assert series.flagged("break").tolist() == [False, False, True]


def test_a_heading_that_stands_twice_is_refused() -> None:
    table = tiny()
    with pytest.raises(DataError, match="column 'value' occurs twice"):
        Panel.from_frame(pd.concat([table, table[["value"]]], axis=1))


def test_the_day_of_a_release_is_the_day_that_is_written() -> None:
    zoned = tiny(as_of=pd.Timestamp("2024-02-01", tz="Asia/Almaty"))
    assert Panel.from_frame(zoned).last_release == "2024-02-01"


def test_public_names_are_there() -> None:
    for name in fc.__all__:
        assert getattr(fc, name) is not None
    assert {"naive", "structural"} <= set(fc.models()["model"])
    assert issubclass(fc.DataError, fc.ForecastError)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fc.nonsense  # type: ignore[attr-defined]


def test_modules_of_the_models_can_be_imported_under_a_name() -> None:
    import forecast.models.hierarchical.model as hierarchical
    import forecast.models.registry as registry

    assert hierarchical.Hierarchical.name == "hierarchical"
    assert fc.models().equals(registry.table())
