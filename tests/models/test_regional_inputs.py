"""Regions as offices have them: short, without populations, with gaps, of several countries."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import accounts, boundary_changes, locations
from forecast.accounts.audit import keys_of
from forecast.errors import FitError
from forecast.models.coherent import Coherent
from forecast.models.gross_flows.model import Flows
from forecast.models.regional.model import Internal
from forecast.panel import Panel

UZBEK = locations.regions("UZB")
KAZAKH = boundary_changes.constant_units("KAZ", 2000, 2024)
YEARS = range(2005, 2024)
Row = dict[str, object]

QUICK = {"chains": 2, "warm_up": 300, "kept": 250, "farthest": 4}


def coherent() -> Coherent:
    """All accounts, with chains of gross flows as short as identities need them."""
    return Coherent(flows=Flows(sampler=QUICK, on_failure="mark"))


def regions(
    places: Sequence[str],
    years: Sequence[int] = YEARS,
    source: str = "s",
    population: float = 1e6,
    kept: Callable[[str, int], bool] = lambda place, year: True,
) -> list[Row]:
    """Return random walks, the same for the same places and years."""
    generator = np.random.default_rng(len(places) + len(years))
    rows: list[Row] = []
    for place in places:
        level = generator.normal(0, 3000) + np.cumsum(generator.normal(0, 2000, len(years)))
        rows += [
            {"source": source, "location": place, "measure": "net_all_flows", "year": year,
             "value": round(value), "population": population, "flag": ""}
            for year, value in zip(years, level)
            if kept(place, year)
        ]  # fmt: skip
    return rows


def whole(rows: Sequence[Row], country: str, source: str = "s") -> list[Row]:
    sums = pd.DataFrame(rows).groupby("year")["value"].sum()
    return [
        {"source": source, "location": country, "measure": "net_all_flows", "year": year,
         "value": value, "population": 14e6, "flag": ""}
        for year, value in sums.items()
    ]  # fmt: skip


def register(rows: Sequence[Row], source: str = "r", extra: int = 0) -> list[Row]:
    """Return arrivals and departures of Uzbekistan whose net is the sum of its regions'."""
    made: list[Row] = []
    for year, net in pd.DataFrame(rows).groupby("year")["value"].sum().items():
        left = 60_000 + 1000 * (int(str(year)) % 5)
        net = net + (extra if year == YEARS[-1] else 0)
        for measure, value in (
            ("immigration", left + net), ("emigration", left), ("net_migration", net)
        ):  # fmt: skip
            made.append(
                {"source": source, "location": "UZB", "measure": measure, "year": year,
                 "value": value, "population": 14e6, "flag": ""}
            )  # fmt: skip
    return made


def panel(rows: Sequence[Row]) -> Panel:
    return Panel.from_frame(pd.DataFrame(rows), step=1)


def drawn(outlook: fc.Forecast) -> set[tuple[str, str, str]]:
    return set(keys_of(outlook))


def test_a_population_missing_in_one_country_leaves_the_others_alone() -> None:
    kazakh = regions(KAZAKH, source="a")
    place = regions(["UZ-AN"], range(2016, 2024), source="b", population=3e6)
    without = [{**row, "population": np.nan} if row["location"] == KAZAKH[0] else row
               for row in kazakh]  # fmt: skip
    wide = []
    for rows in (kazakh, without):
        outlook = Internal().fit(panel([*rows, *place]), 1).forecast((2024,), 1000)
        found = outlook.intervals(0.8).set_index("location").loc["UZ-AN"]
        wide.append(found["upper"] - found["lower"])
        assert accounts.check(outlook)["holds"].all()
    # Without Kazakh rates it borrows persons relative to its level; both are some thousands.
    assert min(wide) > 500
    assert max(wide) < 30_000
    assert set(outlook.notes.query("source == 'a'")["scale"]) == {"persons"}
    uzbek = regions(UZBEK, range(2019, 2024), source="u")
    alone = Internal().fit(panel([*without, *uzbek]), 1)
    assert alone.pools[0] is not alone.pools[1]


def test_regions_that_make_up_no_country_are_not_said_to_be_sums() -> None:
    table = panel([*regions(KAZAKH), *regions(UZBEK[:3])])
    for fitted in (Internal().fit(table, 1), coherent().fit(table, 1)):
        outlook = fitted.forecast((2026,), 50)
        said = outlook.notes.query("status == 'forecast'")
        assert drawn(outlook) == set(zip(said["source"], said["location"], said["measure"]))
        assert set(UZBEK[:3]) <= {place for _, place, _ in drawn(outlook)}


def test_a_region_with_one_usable_year_is_forecast_and_cancels() -> None:
    rows = regions(UZBEK)
    short = [row for row in rows if row["location"] != UZBEK[3] or row["year"] == 2023]
    for model in (Internal(), coherent()):
        outlook = model.fit(panel([*short, *whole(rows, "UZB")]), 1).forecast((2026,), 200)
        assert len(drawn(outlook)) == len(UZBEK) + 1
        assert accounts.check(outlook)["holds"].all()
        notes = outlook.notes.set_index("location")
        assert notes.loc[UZBEK[3], "reason"].startswith("Borrowed: 1 usable year")
        width = outlook.intervals(0.8).assign(wide=lambda t: t["upper"] - t["lower"])
        width = width.set_index("location")["wide"]
        assert width[UZBEK[3]] > 0.5 * width[UZBEK].median()


@pytest.mark.thorough
def test_a_region_that_was_never_usable_leaves_its_country_to_the_default() -> None:
    rows = regions(UZBEK)
    never = [{**row, "flag": "outlier"} if row["location"] == UZBEK[3] else row for row in rows]
    outlook = coherent().fit(panel([*never, *whole(rows, "UZB"), *regions(KAZAKH, source="k")]), 1)
    assert len(drawn(outlook.forecast((2026,), 50))) >= len(KAZAKH) + len(UZBEK)


def test_a_place_with_one_year_beside_regions_does_not_stop_them() -> None:
    rows = [*regions(UZBEK), *regions(["KZ-75"], [2023], source="b")]
    assert len(drawn(coherent().fit(panel(rows), 1).forecast((2026,), 50))) == len(UZBEK) + 1


def test_series_that_end_later_are_asked_for_the_years_ahead_of_them() -> None:
    table = fc.load("central-asia").select(source="kz-bns").until(2022).to_frame()
    later = fc.load("central-asia").select(source="un-wpp", location="UZB").to_frame()
    both = Panel.from_frame(pd.concat([table, later.query("year >= 2012")]), step=1)
    early, late = (
        coherent().fit(both, 1).forecast(years, 50) for years in ((2023,), (2023, 2026))
    )  # fmt: skip
    assert drawn(early) == drawn(late)
    assert np.isfinite(late.sample(location="UZB", measure="net_migration", year=2026)).all()


def test_a_gap_in_the_countrys_net_is_closed_by_its_flows() -> None:
    rows = regions(UZBEK)
    until = [row for row in rows if int(str(row["year"])) <= 2020]
    known = register(rows)
    gap = [row for row in known if row["measure"] != "net_migration" or row["year"] != 2022]
    years = (2021, 2022, 2023, 2024)
    outlook = coherent().fit(panel([*until, *gap]), 1).forecast(years, 100)
    complete = coherent().fit(panel([*until, *known]), 1).forecast(years, 100)
    for year in years[:3]:
        for made in (outlook, complete):
            places = [made.sample(location=p, measure="net_all_flows", year=year) for p in UZBEK]
            net = sum(row["value"] for row in rows if row["year"] == year)  # type: ignore[misc]
            np.testing.assert_allclose(np.sum(places, axis=0), net, atol=1e-6)
    broken = outlook.paths.copy()
    broken[:, [place == UZBEK[0] for place in broken["location"].to_numpy()], -1] = np.nan
    damaged = fc.Forecast(broken, outlook.horizons, outlook.notes, outlook.history)
    assert not accounts.check(damaged)["holds"].all()


def test_figures_a_few_persons_apart_leave_one_identity_open_and_say_so() -> None:
    rows = regions(UZBEK)
    known = register(rows, extra=3)
    late = [row for row in known if row["measure"] != "net_migration" or row["year"] != 2023]
    outlook = coherent().fit(panel([*rows, *late]), 1).forecast((2024, 2025), 100)
    assert outlook.paths.attrs["left_open"].startswith("2023: ")
    table = accounts.check(outlook).set_index("holds")
    assert table.loc[False, "largest"] == pytest.approx(3.0)
    with pytest.raises(FitError, match="contradict"):
        accounts.reconcile(outlook)


def test_an_identity_without_a_common_year_breaks_nothing() -> None:
    table = fc.load("central-asia").select(source=["kz-bns", "uz-stat"])
    short = Panel.from_frame(table.to_frame().query("location == 'KAZ' or year <= 2021"), step=1)
    outlook = coherent().fit(short, 1).forecast((2022, 2024), 50)
    assert accounts.check(outlook)["holds"].all()
    assert "reconciled" not in outlook.paths.attrs


def test_a_region_without_moves_in_a_year_does_not_blow_up_the_others() -> None:
    figures = fc.load("kazakhstan").to_frame()
    inside = figures["measure"].isin(["internal_arrivals", "internal_departures", "internal_net"])
    none = inside & (figures["location"] == "KZ-62") & (figures["year"] == 2023)
    empty = Panel.from_frame(figures.assign(value=figures["value"].mask(none, 0.0)), step=1)
    made = Internal().fit(empty, 1).forecast((2027,), 200).paths.sel(year=2027).to_numpy()
    usual = Internal().fit(fc.load("kazakhstan"), 1).forecast((2027,), 200)
    assert np.isfinite(made).all()
    assert np.abs(made).max() < 3 * np.abs(usual.paths.sel(year=2027).to_numpy()).max()


def test_regions_of_any_country_add_up() -> None:
    georgian = locations.regions("GEO")
    assert len(georgian) == 12
    assert len(locations.regions("KAZ")) == 20
    rows = regions(georgian)
    outlook = coherent().fit(panel([*rows, *whole(rows, "GEO")]), 1).forecast((2026,), 100)
    table = accounts.check(outlook)
    assert len(table) == 1
    assert table["holds"].all()
    total = outlook.sample(location="GEO", measure="net_all_flows", year=2026)
    parts = [outlook.sample(location=p, measure="net_all_flows", year=2026) for p in georgian]
    np.testing.assert_allclose(np.sum(parts, axis=0), total, atol=1e-6)
