"""Revisions: learned from releases, laid on the years that a release could not hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.models.ensemble import release_revisions, revisions
from forecast.models.ensemble.model import Ensemble
from forecast.models.ensemble.revisions import LEVELS, Law
from forecast.models.registry import specification
from forecast.panel import Panel
from forecast.series_key import SeriesKey

SETTINGS = specification("ensemble")["revisions"]


def rows(
    measure: str, place: str, years: range, values: np.ndarray, **more: object
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": "office",
            "location": place,
            "measure": measure,
            "year": list(years),
            "value": np.round(values),
            **more,
        }
    )


def law(**more: object) -> Law:
    given = {
        "kind": "rate", "step": 1, "intercept": 0.0, "exponent": 0.5,
        "sizes": np.linspace(0.1, 4.0, len(LEVELS)), "correlation": 0.6, "pairs": 100,
        "until": "2020-01-01",
    }  # fmt: skip
    return Law(**{**given, **more})  # type: ignore[arg-type]


def twice_published(spread: float, seed: int = 1, n: int = 60) -> Panel:
    """Series of which the second release moves the last figure of the first."""
    import pycountry

    generator = np.random.default_rng(seed)
    tables = []
    for place in sorted(country.alpha_3 for country in pycountry.countries)[:n]:
        rate = np.cumsum(generator.normal(0, 1.0, 21))
        for day, last in (("2019-06-01", 2018), ("2021-06-01", 2020)):
            years = range(2000, last + 1)
            said = rate[: len(years)].copy()
            if last == 2018:
                said[-1] += spread * generator.standard_t(3)
            tables.append(
                rows("net_migration", place, years, said * 1000.0,
                     population=1e6, as_of=day)
            )  # fmt: skip
    return Panel.from_frame(pd.concat(tables, ignore_index=True))


def moves(
    paths: dict[SeriesKey, np.ndarray],
    panel: Panel,
    laws: dict[revisions.Kind, Law],
    seed: np.random.SeedSequence,
) -> dict[SeriesKey, np.ndarray]:
    awaited = revisions.awaited(panel, {key: drawn.shape[1] for key, drawn in paths.items()})
    return revisions.revised(paths, panel, awaited, laws, seed)


def test_the_size_of_revisions_is_recovered() -> None:
    found = release_revisions.learn(twice_published(2.0), 8.0)["office", "rate"]
    assert found.pairs == 60
    size = found.scale(1.0) * found.sizes[np.searchsorted(LEVELS, 0.5)]
    # The median of |2 t3| is 1.53.
    assert 1.0 < size < 2.2


def test_a_place_departs_from_the_law_as_far_as_its_own_revisions_say() -> None:
    """Three releases; half of the places are small and revised thrice as much, one even more."""
    import pycountry

    generator = np.random.default_rng(5)
    tables, places = [], sorted(country.alpha_3 for country in pycountry.countries)[:80]
    for number, place in enumerate(places):
        rate = np.cumsum(generator.normal(0, 1.0, 30))
        spread = (3.0 if number % 2 else 1.0) * (6.0 if number == 0 else 1.0)
        for last in (2014, 2016, 2018, 2020, 2022):
            said = rate[: last - 1999].copy()
            if last < 2022:
                said[-1] += spread * generator.standard_normal()
            people = 0.1e6 if number % 2 else 10e6
            tables.append(
                rows("net_migration", place, range(2000, last + 1), said * people / 1e3,
                     population=people, as_of=f"{last + 1}-06-01")
            )  # fmt: skip
    found = release_revisions.learn(Panel.from_frame(pd.concat(tables)), 8.0)["office", "rate"]
    # Three times as much in places a hundredth of the size; a part goes with the usual change.
    assert -np.log(3) / np.log(100) < found.inhabitants < -0.1
    assert found.own[places[0]] > 1.15
    assert abs(np.median(list(found.own.values())) - 1.0) < 0.1
    assert found.scale(1.0, places[0], 10e6) > 1.15 * found.scale(1.0, "elsewhere", 10e6)
    assert found.scale(1.0) == pytest.approx(found.scale(1.0, "elsewhere", 1e6))


def test_one_release_teaches_nothing() -> None:
    once = twice_published(2.0).as_of("2019-12-31")
    assert release_revisions.learn(once, 8.0) == {}
    assert release_revisions.laws(once, SETTINGS) == {}


def test_what_was_learned_later_than_a_release_does_not_count() -> None:
    assert release_revisions.stated("un-wpp", "rate", "2014-01-01", SETTINGS) is None
    early = release_revisions.stated("un-wpp", "rate", "2021-12-31", SETTINGS)
    assert early is not None
    assert early.until == "2015-07-29"


def test_laws_of_the_shelf_are_ordered() -> None:
    for one in SETTINGS["learned"]:
        assert len(one["sizes"]) == len(LEVELS)
        assert (np.diff(one["sizes"]) >= 0).all()


def test_revisions_are_symmetric_persistent_and_as_large_as_said() -> None:
    drawn = law().draw(20_000, 6, np.random.default_rng(2))
    for level, size in zip(LEVELS, law().sizes):
        assert np.mean(np.abs(drawn) <= size + 1e-12) == pytest.approx(level, abs=0.012)
    assert np.abs(np.median(drawn, axis=0)).max() < 0.05
    ranks = pd.DataFrame(drawn).rank().corr().to_numpy()
    assert ranks[0, 1] == pytest.approx(0.58, abs=0.03)
    assert ranks[0, 5] < 0.12


def test_years_of_a_release_are_left_alone() -> None:
    panel = twice_published(2.0).until(2016)
    paths = {key: np.zeros((500, 6)) for key in panel.keys}
    seed = np.random.SeedSequence(1)
    moved = moves(paths, panel, {("office", "rate"): law()}, seed)
    assert len(moved) == len(panel)
    for drawn in moved.values():
        # The release is of 2019 after the cut (figures up to 2016 as last published in 2021).
        assert (drawn[:, :4] == 0).all()
        assert drawn[:, 4:].std() > 0


def test_a_series_without_a_law_is_not_moved() -> None:
    panel = twice_published(2.0)
    paths = {key: np.zeros((50, 3)) for key in panel.keys}
    laws = {("another", "rate"): law(), ("office", "log"): law(kind="log")}
    assert moves(paths, panel, laws, np.random.SeedSequence(1)) == {}


def test_counts_stay_counts() -> None:
    table = rows("immigration", "KAZ", range(2000, 2020), np.full(20, 50.0), as_of="2020-05-01")
    panel = Panel.from_frame(table)
    paths = {key: np.full((2000, 4), 3.0) for key in panel.keys}
    wide = law(kind="log", intercept=2.0)
    (moved,) = moves(paths, panel, {("office", "log"): wide}, np.random.SeedSequence(1)).values()
    assert moved.min() >= 0
    assert np.median(moved[:, 1]) == pytest.approx(3.0, rel=0.2)


@pytest.mark.parametrize("correlation", [0.05, 0.3, 0.6])
def test_periods_become_years(correlation: float) -> None:
    years = law(step=5, correlation=correlation).for_step(1)
    generator = np.random.default_rng(1)
    persistence = years.correlation
    path = np.empty((40_000, 10))
    path[:, 0] = generator.standard_normal(40_000)
    for t in range(1, 10):
        path[:, t] = persistence * path[:, t - 1] + np.sqrt(1 - persistence**2) * (
            generator.standard_normal(40_000)
        )
    first, second = path[:, :5].mean(axis=1), path[:, 5:].mean(axis=1)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(correlation, abs=0.02)
    ratio = np.exp(years.intercept)
    assert 1.0 / first.std() == pytest.approx(ratio, rel=0.02)


def test_the_ensemble_says_how_much_is_revision_and_can_do_without() -> None:
    panel = fc.load("central-asia").select(source="un-wpp", location=["KGZ", "UZB"])
    members = ["naive", "ar"]
    plain = {"revisions": {"apply": False}}
    without = Ensemble(members, settings=plain).fit(panel, 1).forecast((2027,), 2000)
    moved = Ensemble(members).fit(panel, 1).forecast((2027,), 2000)
    wide, narrow = (outlook.intervals(0.8).set_index("location") for outlook in (moved, without))
    width = (wide["upper"] - wide["lower"]) / (narrow["upper"] - narrow["lower"])
    assert (width > 1.02).all()
    assert moved.explanation is not None
    shares = moved.explanation[moved.explanation["what"] == "variance share"]
    assert (shares.loc[shares["name"] == "revisions", "value"] > 0).all()
    sums = shares.groupby(["location", "year"])["value"].sum()
    assert sums.to_numpy() == pytest.approx(1.0)
