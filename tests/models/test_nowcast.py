"""Nowcast: recovery and coverage by simulation, ragged edges, sums since January, bad input."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import periods
from forecast.artifacts import caching
from forecast.errors import DataError, ForecastError
from forecast.models.ensemble.widths import fitted
from forecast.models.nowcast import pool
from forecast.models.nowcast.engine import pooled
from forecast.models.nowcast.parts import parts_of
from forecast.models.nowcast.settings import NowcastSettings
from forecast.panel import Panel
from forecast.shelf import shelf

PLACES = ("KAZ", "KGZ", "UZB", "TJK", "RUS")
TEN = (*PLACES, "DEU", "POL", "TUR", "UKR", "ITA")
SEASON = 1.0 + 0.4 * np.sin(np.arange(12) * np.pi / 6)


def months(
    seed: int = 1, years: range = range(2015, 2025), places: tuple[str, ...] = PLACES,
    growth: float = 0.12, noise: float = 0.05, level: float = 400.0, measure: str = "immigration",
) -> pd.DataFrame:  # fmt: skip
    """Counts whose level walks from year to year and whose season stays."""
    generator = np.random.default_rng(seed)
    rows = []
    for place in places:
        size = np.log(level) + generator.normal(0, 1)
        for year in years:
            size += generator.normal(0, growth)
            rates = np.exp(size + generator.normal(0, noise, 12)) * SEASON
            for month, count in enumerate(generator.poisson(rates), 1):
                rows.append((place, measure, f"{year}-{month:02d}", float(count)))
    return pd.DataFrame(rows, columns=["location", "measure", "period", "value"])


def cut(table: pd.DataFrame, last: str) -> Panel:
    return Panel.from_frame(table).until(last)


def total(table: pd.DataFrame, place: str, year: int) -> float:
    mine = (table["location"] == place) & table["period"].str.startswith(str(year))
    return float(table.loc[mine, "value"].sum())


@pytest.mark.parametrize(
    ("seeds", "places", "least", "most"),
    [(1, PLACES, 0.4, 1.0), pytest.param(6, TEN, 0.68, 0.95, marks=pytest.mark.thorough)],
)
def test_the_range_narrows_as_months_come_in_and_holds_what_came(
    seeds: int, places: tuple[str, ...], least: float, most: float
) -> None:
    inside: dict[int, list[bool]] = {0: [], 6: [], 10: []}
    widths: dict[int, list[float]] = {0: [], 6: [], 10: []}
    for seed in range(seeds):
        table = months(seed, range(2013, 2025), places)
        for part, last in ((0, "2023-12"), (6, "2024-06"), (10, "2024-10")):
            found = fc.nowcast(cut(table, last), 2024, draws=400, seed=seed).intervals(0.80)
            for row in found.itertuples():
                came = total(table, str(row.location), 2024)
                inside[part].append(row.lower <= came <= row.upper)
                widths[part].append((row.upper - row.lower) / came)
    mean = {part: float(np.mean(each)) for part, each in widths.items()}
    assert mean[10] < 0.6 * mean[6] < 0.6 * 0.5 * mean[0]
    for part, each in inside.items():
        assert least <= np.mean(each) <= most, part


def test_the_median_follows_what_the_year_has_shown() -> None:
    table = months(noise=0.01, level=4000.0)
    mine = (table["location"] == "KAZ") & table["period"].str.startswith("2024")
    table.loc[mine, "value"] *= 1.5
    found = fc.nowcast(cut(table, "2024-09"), draws=400).intervals()
    row = found[found["location"] == "KAZ"].iloc[0]
    assert row["median"] == pytest.approx(total(table, "KAZ", 2024), rel=0.05)


def test_draws_are_whole_and_never_below_what_is_in() -> None:
    table = months(level=2.0)
    found = fc.nowcast(cut(table, "2024-06"), draws=200)
    basis = found.basis.set_index("location")["so_far"]
    drawn = found.paths.sel(year=2024).to_numpy()
    assert (drawn == np.round(drawn)).all()
    assert (drawn >= basis[found.series["location"]].to_numpy()).all()
    assert len(set(drawn[:, 0])) > 3


def test_zeros_are_counts_too() -> None:
    table = months(level=2.0).assign(value=lambda rows: rows["value"] * (rows["location"] != "KAZ"))
    found = fc.nowcast(cut(table, "2024-06"), draws=200).intervals()
    row = found[found["location"] == "KAZ"].iloc[0]
    assert 0 <= row["lower"] <= row["median"] <= 3


def test_each_place_has_the_months_that_it_has() -> None:
    table = months()
    late = (table["location"] == "TJK") & (table["period"] > "2024-04")
    panel = Panel.from_frame(table[~late & (table["period"] <= "2024-09")])
    found = fc.nowcast(panel, draws=400)
    basis = found.basis.set_index("location")
    assert basis["parts_in"].to_dict() == {place: 4 if place == "TJK" else 9 for place in PLACES}
    assert basis.loc["TJK", "usual_share"] == pytest.approx(SEASON[:4].sum() / 12, abs=0.02)
    spread = found.intervals().assign(
        width=lambda rows: (rows["upper"] - rows["lower"]) / rows["median"]
    )
    width = spread.set_index("location")["width"]
    assert width["TJK"] == width.max()


def test_nothing_after_the_last_month_is_looked_at() -> None:
    table = months()
    changed = table.assign(value=table["value"] + 999.0 * (table["period"] > "2024-05"))
    one, other = (fc.nowcast(cut(each, "2024-05"), draws=200) for each in (table, changed))
    assert one.paths.equals(other.paths)


def test_quarters_and_half_years() -> None:
    table = months()
    for name, per in (("Q", 3), ("H", 6)):
        part = (table["period"].str[5:].astype(int) - 1) // per + 1
        texts = table["period"].str[:4] + f"-{name}" + part.astype(str)
        parts = table.assign(period=texts).groupby(["location", "measure", "period"])["value"].sum()
        kept = parts.reset_index()
        kept = kept[kept["period"] <= f"2024-{name}{6 // per}"]
        found = fc.nowcast(Panel.from_frame(kept), draws=400)
        assert found.frequency == "year"
        assert found.basis["parts_in"].unique().tolist() == [6 // per]
        errors = [
            abs(row.median / total(table, str(row.location), 2024) - 1)
            for row in found.intervals().itertuples()
        ]
        assert np.median(errors) < 0.06


def test_sums_since_january_say_the_same_as_their_half_years() -> None:
    """Kazakhstan's form: January to June of each year, and the totals of the years before."""
    table = months(places=("KAZ", "KGZ", "UZB"))
    first = table[table["period"].str[5:].astype(int) <= 6]
    halves = first.assign(period=first["period"].str[:4])
    sums = halves.groupby(["location", "measure", "period"])["value"].sum().reset_index()
    spans = sums.assign(period=sums["period"] + "-01/" + sums["period"] + "-06")
    yearly = table.assign(year=table["period"].str[:4].astype(int)).query("year < 2024")
    totals = Panel.from_frame(
        yearly.groupby(["location", "measure", "year"])["value"].sum().reset_index()
    )
    found = fc.nowcast(Panel.from_frame(spans), yearly=totals, draws=400)
    assert found.basis["parts_in"].unique().tolist() == [1]
    for row in found.intervals().itertuples():
        assert row.median == pytest.approx(total(table, str(row.location), 2024), rel=0.15)
    whole = Panel.from_frame(spans.assign(period=sums["period"] + "-H1"))
    assert fc.nowcast(whole, yearly=totals, draws=400).paths.equals(found.paths)


def test_a_sum_since_january_without_its_months_is_used() -> None:
    table = months(places=("KAZ", "KGZ"))
    until = table[table["period"].str[5:].astype(int) <= 9]
    sums = (
        until.assign(period=until["period"].str[:4])
        .groupby(["location", "measure", "period"])["value"].sum().reset_index()
    )  # fmt: skip
    spans = sums.assign(period=sums["period"] + "-01/" + sums["period"] + "-09")
    yearly = table.assign(year=table["period"].str[:4].astype(int)).query("year < 2024")
    totals = yearly.groupby(["location", "measure", "year"])["value"].sum().reset_index()
    found = fc.nowcast(Panel.from_frame(spans), yearly=Panel.from_frame(totals), draws=400)
    assert found.basis[["parts", "parts_in"]].values.tolist() == [[4, 3], [4, 3]]
    assert found.basis["so_far"].iloc[0] == sums["value"].iloc[9]


def test_one_place_alone() -> None:
    table = months(places=("KGZ",), years=range(2020, 2025))
    found = fc.nowcast(cut(table, "2024-09"), draws=1000).intervals(0.95).iloc[0]
    came = total(table, "KGZ", 2024)
    assert found["lower"] < came < found["upper"]
    assert 0.02 < (found["upper"] - found["lower"]) / came < 0.5


@pytest.mark.thorough
def test_nets_are_nowcast_in_persons_and_arrivals_less_departures() -> None:
    came, left = months(1), months(2, measure="emigration")
    net = came.assign(measure="net_migration", value=came["value"] - left["value"])
    whole = pd.concat([came, left, net], ignore_index=True)
    found = fc.nowcast(cut(whole, "2024-09"), draws=400)
    values = dict(zip(found.keys, found.paths.sel(year=2024).transpose("series", "draw").values))
    for place in PLACES:
        gap = (
            values["user", place, "immigration"]
            - values["user", place, "emigration"]
            - values["user", place, "net_migration"]
        )
        assert np.abs(gap).max() < 1e-6
    alone = fc.nowcast(cut(net, "2024-09"), draws=400).intervals()
    wide = (alone["upper"] - alone["lower"]).mean()
    errors = [abs(row.median - total(net, str(row.location), 2024)) for row in alone.itertuples()]
    assert np.mean(errors) < wide


@pytest.mark.thorough
def test_releases_that_are_revised_upwards_are_expected_to_be_again() -> None:
    table = months(years=range(2016, 2025), noise=0.02, level=3000.0)
    period = pd.PeriodIndex(table["period"], freq="M")
    out = (period.end_time + pd.Timedelta(days=30)).strftime("%Y-%m-%d")
    early = table.assign(value=(table["value"] * 0.8).round(), as_of=out)
    later = table.assign(as_of=(period.end_time + pd.Timedelta(days=400)).strftime("%Y-%m-%d"))
    panel = Panel.from_frame(pd.concat([early, later])).as_of("2024-10-31")
    found = fc.nowcast(panel, 2024, draws=400).intervals()
    ratio = [row.median / total(table, str(row.location), 2024) for row in found.itertuples()]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.06)


@pytest.mark.thorough
def test_a_year_before_that_is_not_complete_is_nowcast_first() -> None:
    found = fc.nowcast(cut(months(), "2023-11"), 2024, draws=400)
    table = found.intervals(years=(2023, 2024))
    width = table.assign(width=table["upper"] - table["lower"]).groupby("year")["width"].mean()
    assert width[2023] < 0.4 * width[2024]


@pytest.mark.thorough
def test_it_is_saved_and_opened(tmp_path: object) -> None:
    found = fc.nowcast(cut(months(), "2024-09"), draws=200)
    again = fc.open(found.save(f"{tmp_path}/now"))
    assert again.paths.equals(found.paths)
    from forecast.models.nowcast.verb import basis_of

    pd.testing.assert_frame_equal(basis_of(again), found.basis)


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_numbers() -> None:
    panel = cut(months(), "2024-09")
    assert fc.nowcast(panel, draws=200).paths.equals(fc.nowcast(panel, draws=200).paths)
    other = fc.nowcast(panel, draws=200, seed=2)
    assert not fc.nowcast(panel, draws=200).paths.equals(other.paths)


def alone(monkeypatch: pytest.MonkeyPatch, panel: Panel) -> fc.Forecast:
    """The nowcast without the seasonal models."""
    with monkeypatch.context() as patch:
        # `forecast.models` is a function, too: the module is found by its name alone.
        verb = sys.modules["forecast.models.nowcast.verb"]
        patch.setattr(verb, "with_seasonal_models", lambda *_: None)
        return fc.nowcast(panel, draws=200)


@pytest.mark.thorough
def test_long_series_are_pooled_with_the_seasonal_models(monkeypatch: pytest.MonkeyPatch) -> None:
    table = months(places=PLACES[:3], years=range(2018, 2025), noise=0.02)
    # Two years of months are too few for those models, and sums since January no months.
    young = (table["location"] == "KGZ") & (table["period"] < "2022-12")
    panel = cut(table[~young], "2024-09")
    found, own = fc.nowcast(panel, draws=200), alone(monkeypatch, panel)
    same = (found.paths == own.paths).transpose("series", ...).values.all(axis=(1, 2))
    assert dict(zip(found.series["location"], same)) == {"KAZ": False, "KGZ": True, "UZB": False}
    # Draws stay in their order: what is a high draw in one's own is one in the pool.
    for one, other in zip(
        *(each.paths.sel(year=2024).transpose("series", "draw").values for each in (found, own))
    ):
        assert np.corrcoef(np.argsort(np.argsort(one)), np.argsort(np.argsort(other)))[0, 1] > 0.98
    spans = table[table["location"] == "KAZ"]
    spans = spans[spans["period"] <= "2024-06"].assign(
        period=lambda rows: rows["period"].where(
            rows["period"] != "2024-06", "2024-01/2024-06"
        ).where(rows["period"] != "2024-05", "2030-01")
    ).query("period < '2030'")  # fmt: skip
    to_date = Panel.from_frame(spans)
    assert fc.nowcast(to_date, draws=200).paths.equals(alone(monkeypatch, to_date).paths)


def test_a_pool_has_the_shares_that_it_is_given() -> None:
    generator = np.random.default_rng(1)
    own, others = generator.normal(0, 1, 400), [generator.normal(10, 1, 150) for _ in range(3)]
    for share in (0.25, 0.5):
        found = pooled(own, others, share, generator)
        assert np.mean(found < 5) == pytest.approx(share, abs=0.01)
        assert (np.argsort(found) == np.argsort(own)).all()


def past_cases(panel: Panel, settings: NowcastSettings) -> tuple[np.ndarray, ...]:
    parts = parts_of(panel, 2024, None)
    past = pool._past(parts, panel, None, settings)
    answers = pool._by_members([pool._Question(*then, 700, 1) for then in past.values()])
    made = {back: (past[back][0], said) for back, said in zip(past, answers)}
    return pool._past_cases(parts, made, 1, settings)


@pytest.mark.thorough
def test_what_was_kept_or_made_in_other_processes_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = cut(months(places=PLACES[:3], years=range(2014, 2025)), "2024-03").by("quarter")
    with caching(False):
        plain = fc.nowcast(panel, draws=100)
    monkeypatch.setattr(pool, "_KEPT", 1)
    fc.nowcast(panel, draws=100)
    beside = []
    monkeypatch.setattr(pool, "_LONG", 1)
    monkeypatch.setattr(pool, "side_by_side", lambda calls: beside.append(len(calls)) or
                        [call() for call in calls])  # fmt: skip
    # All answers are there, of now and of three years before: none is asked for again.
    assert fc.nowcast(panel, draws=100).paths.identical(plain.paths)
    assert beside == []
    with caching(False):
        assert fc.nowcast(panel, draws=100).paths.identical(plain.paths)
    assert beside == [4]


@pytest.mark.thorough
def test_past_nowcasts_are_made_from_what_was_known_then_and_say_how_wide() -> None:
    table = months(places=PLACES[:3], years=range(2017, 2025))
    late = (table["location"] == "TJK") | (table["period"] > "2024-06")
    behind = (table["location"] == "UZB") & (table["period"] > "2024-03")
    panel = Panel.from_frame(table[~late & ~behind])
    parts = parts_of(panel, 2024, None)
    then = pool._as_it_was(parts, panel, 1)
    ends = then.figures.groupby("location")["year"].max()
    assert [periods.label(ends[place], "month") for place in PLACES[:3]] == [
        "2023-06", "2023-06", "2023-03",
    ]  # fmt: skip
    settings = NowcastSettings.read(shelf("models") / "nowcast" / "settings.toml")
    kinds, sizes, far, weights = past_cases(panel, settings)
    assert kinds.tolist() == ["count"] * 9
    assert sorted(set(weights), reverse=True) == [0.5 ** (n / 1.5) for n in range(3)]
    before = table[table["period"] < "2023"].groupby("location")["value"].sum() / 6
    assert sizes[:3] == pytest.approx(np.log1p(before[list(PLACES[:3])].sort_index()))
    # A year that came as its middle said lies inside, one that is far from it does not.
    assert far.shape == (9, 3)
    assert (np.diff(far, axis=1) <= 0).all()
    leap = (table["period"] == "2023-12").to_numpy()
    jump = table.assign(value=table["value"] + 1e6 * leap)[~late & ~behind]
    wild = past_cases(Panel.from_frame(jump), settings)
    assert (wild[2][:3] > 10).all()
    learned = [
        fitted(one[1], one[2], sizes[:3], settings.widths.model_dump(), one[3], 0.9).factor
        for one in ((kinds, sizes, far, weights), wild)
    ]
    assert (learned[1] > learned[0]).all()


YEARLY = Panel.from_frame(
    pd.DataFrame(
        {"location": "KAZ", "measure": "immigration", "year": range(2015, 2024), "value": 9.0}
    )
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"panel": YEARLY}, "this panel is by year. Give the yearly figures as yearly="),
        ({"panel": "months.csv"}, "nowcast.. needs a Panel as panel, not str"),
        ({"yearly": "totals.csv"}, "nowcast.. needs a Panel as yearly, not str"),
        ({"year": 2030}, "the newest figure is of 2024, so 2030 cannot be nowcast"),
        ({"year": "2024"}, "year is '2024'; give a calendar year"),
        ({"draws": 10}, "draws is 10"),
        ({"seed": -1}, "seed is -1"),
        ({"yearly": YEARLY.select(location="KAZ")}, "yearly= has none of the series"),
    ],
)
def test_what_cannot_be_nowcast_says_why(given: dict[str, object], message: str) -> None:
    panel = cut(months(places=("KGZ",)), "2024-06")
    with pytest.raises(ForecastError, match=message):
        fc.nowcast(**({"panel": panel} | given))  # type: ignore[arg-type]


def test_too_little_past_says_so() -> None:
    table = months(places=("KGZ",), years=range(2024, 2025))
    with pytest.raises(DataError, match="the figures begin in 2024; a nowcast of 2024 needs the"):
        fc.nowcast(cut(table, "2024-06"))
    stock = months(places=("KGZ",), measure="population")
    with pytest.raises(DataError, match="population is a stock or a rate: a year"):
        fc.nowcast(cut(stock, "2024-06"))


@pytest.mark.thorough
def test_a_place_without_a_year_before_is_named_with_the_reason() -> None:
    table = months()
    new = (table["location"] == "KGZ") & (table["period"] < "2024-01")
    found = fc.nowcast(cut(table[~new], "2024-06"), draws=200)
    notes = found.notes.set_index("location")
    assert notes.loc["KGZ", "status"] == "not forecast"
    assert "no year before 2024 is complete" in notes.loc["KGZ", "reason"]
    assert "KGZ" not in set(found.series["location"])
    assert replace(found, horizons=(2024,)).basis.equals(found.basis)


@pytest.mark.thorough
def test_amounts_have_no_counts_to_draw() -> None:
    table = months(measure="remittances").assign(value=lambda rows: rows["value"] / 1000)
    found = fc.nowcast(cut(table, "2024-09"), draws=200)
    drawn = found.paths.sel(year=2024).to_numpy()
    assert (drawn != np.round(drawn)).any()
    for row in found.intervals(0.95).itertuples():
        assert row.lower < total(table, str(row.location), 2024) < row.upper * 1.02


@pytest.mark.thorough
def test_a_model_of_months_may_say_what_is_missing() -> None:
    panel = cut(months(places=("KAZ", "KGZ")), "2024-09")
    found = fc.nowcast(panel, draws=200, model="naive")
    summed = fc.forecast(panel, "naive", ("2024-12",), draws=200).by("year")
    assert np.allclose(found.paths.sel(year=2024).values, summed.paths.sel(year=2024).values)
    assert found.basis["parts_in"].tolist() == [9, 9]
    totals = panel.by("year").to_frame().assign(value=lambda rows: rows["value"] + 100)
    other = Panel.from_frame(totals.query("location == 'KAZ'").dropna(axis=1, how="all"))
    apart = fc.nowcast(panel, yearly=other, draws=200, model="naive")
    own = fc.nowcast(panel, yearly=other, draws=200)
    same = (apart.paths.sel(year=2024) == own.paths.sel(year=2024)).values.all(axis=0)
    assert dict(zip(apart.series["location"], same)) == {"KAZ": True, "KGZ": False}
    with pytest.raises(ForecastError, match="unknown model 'naiv'"):
        fc.nowcast(panel, draws=200, model="naiv")
