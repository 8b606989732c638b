"""Every sentence: its words by snapshot, its numbers recomputed from the draws."""

from __future__ import annotations

import re

import numpy as np
import pytest

from forecast.language import Language, language, rounded
from forecast.outlook import Forecast
from forecast.reports import provenance, sentences
from forecast.reports.series_view import SeriesView

ENGLISH = language("en")
UN = ("un-wpp", "KAZ", "net_migration")
REGISTER = ("kz-bns", "KAZ", "net_migration")
ARRIVALS = ("kz-bns", "KAZ", "immigration")
Known = dict[tuple[str, str, str], SeriesView]


def numbers(text: str) -> list[int]:
    """Every number in a sentence, signs kept, thousands marks taken out."""
    found = re.findall(r"[−+]?\d[\d,\u00a0]*", text)
    return [int(re.sub(r"[,\u00a0]", "", item).replace("−", "-")) for item in found]


def drawn(outlook: Forecast, key: tuple[str, str, str], year: int) -> np.ndarray:
    """The draws of a series, found without the report's own code."""
    paths = outlook.paths
    mask = np.ones(paths.sizes["series"], dtype=bool)
    for name, value in zip(("source", "location", "measure"), key):
        mask &= paths[name].to_numpy() == value
    return paths.sel(year=year).isel(series=int(np.flatnonzero(mask)[0])).to_numpy()


def percent(share: float) -> int:
    return 1 if share < 0.01 else 99 if share > 0.99 else round(100 * share)


@pytest.mark.parametrize("key", [UN, REGISTER, ("un-wpp", "TKM", "net_migration")])
@pytest.mark.parametrize("year", [2025, 2027, 2030])
def test_the_numbers_of_a_net_flow_are_those_of_the_draws(
    outlook: Forecast, known: Known, words: Language, key: tuple[str, str, str], year: int
) -> None:
    values = drawn(outlook, key, year)
    low, middle, high = (rounded(x) for x in np.quantile(values, [0.1, 0.5, 0.9]))
    loss = percent((values < 0).mean())
    said = numbers(sentences.expectation(known[key], year, words))
    ends = (low, high) if low >= 0 or high > 0 else (high, low)
    assert said == [abs(ends[0]), abs(ends[1]), loss]
    assert numbers(sentences.brief(known[key], year, words)) == [year, middle, 80, low, high, loss]


@pytest.mark.parametrize("key", [ARRIVALS, UN])
def test_comparison_and_total_are_recomputed(
    outlook: Forecast, known: Known, words: Language, key: tuple[str, str, str]
) -> None:
    view = known[key]
    observed = outlook.history.select(source=key[0], location=key[1], measure=key[2]).latest
    mean = observed.sort_values("year")["value"].dropna().to_numpy()[-5:].mean()
    chance = percent((drawn(outlook, key, 2027) > mean).mean())
    said = numbers(sentences.above_recent(view, 2027, words))
    assert said == [5, rounded(mean), chance]
    first = view.series.origin + 1
    total = sum(drawn(outlook, key, year) for year in range(first, 2028))
    low, middle, high = (rounded(x) for x in np.quantile(total, [0.1, 0.5, 0.9]))
    assert numbers(sentences.total(view, 2027, words)) == [first, 2027, low, high, 80, middle]


def test_counts_say_range_and_middle(outlook: Forecast, known: Known, words: Language) -> None:
    low, middle, high = np.quantile(drawn(outlook, ARRIVALS, 2030), [0.1, 0.5, 0.9])
    said = numbers(sentences.expectation(known[ARRIVALS], 2030, words))
    assert said == [rounded(low), rounded(high), rounded(middle)]


def test_an_observed_target_year_shows_the_observation(known: Known) -> None:
    late = next(s for s in known.values() if s.series.origin == 2025)
    value = int(late.series.values[-1])
    assert sentences.expectation(late, 2025, ENGLISH) == f"Already observed: {value:,}."
    assert "Already" not in sentences.expectation(late, 2027, ENGLISH)


def test_releases_are_compared(known: Known, words: Language) -> None:
    view = known[UN]
    earlier = view.releases[0]
    now = dict(zip(view.series.years, view.series.values))
    moved = np.mean([abs(now[year] - value) for year, value in earlier.items()])
    turned = sum(now[year] * value < 0 for year, value in earlier.items())
    said = numbers(provenance.revised(view, words))
    assert said == [1990, 2021, rounded(moved)] + ([turned] if turned else [])
    assert provenance.revised(known[REGISTER], words) == ""


def test_the_first_screen_says_that_the_sign_has_changed(known: Known, words: Language) -> None:
    view = known[UN]
    earlier = view.releases[0]
    now = dict(zip(view.series.years, view.series.values))
    shown = {year: value for year, value in earlier.items() if year >= 1990}
    turned = sum(now[year] * value < 0 for year, value in shown.items())
    assert turned > 0
    # A language may name the whole before the part.
    assert sorted(numbers(provenance.other_sign(view, words))) == sorted([turned, len(shown)])
    assert provenance.other_sign(known[REGISTER], words) == ""


def test_two_sources_stand_side_by_side(known: Known) -> None:
    one, two = known[UN], known[REGISTER]
    figures = [int(s.series.values[s.series.years == 2023][0]) for s in (one, two)]
    assert numbers(sentences.two_sources(one, two, ENGLISH)) == [2023, *figures]


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [
        (2_040, 31_400, "From 2,000 to 31,000 more people arrive than leave"),
        (-31_400, -2_040, "From 2,000 to 31,000 more people leave than arrive"),
        (-1_960, 310, "From 2,000 more people leaving to 310 more arriving"),
        (0, 40, "From 0 to 40 more people arrive than leave"),
        (-40, 2, "From 0 to 40 more people leave than arrive"),
    ],
)
def test_net_ranges_need_no_sign(lower: float, upper: float, said: str) -> None:
    assert sentences.net_range(lower, upper, ENGLISH) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "there is almost no chance of a net loss (under 1\u202f%)"),
        (0.04, "there is almost no chance of a net loss (4\u202f%)"),
        (0.12, "a net loss is very unlikely (12\u202f%)"),
        (0.30, "a net loss is unlikely (30\u202f%)"),
        (0.50, "the chance of a net loss is roughly even (50\u202f%)"),
        (0.70, "a net loss is likely (70\u202f%)"),
        (0.90, "a net loss is very likely (90\u202f%)"),
        (1.0, "a net loss is almost certain (over 99\u202f%)"),
    ],
)
def test_likelihood_words_carry_their_number(share: float, said: str) -> None:
    values = np.where(np.arange(1000) < 1000 * share, -1.0, 1.0)
    assert sentences.net_loss(values, ENGLISH) == said


def test_snapshot_of_the_plain_sentences(known: Known) -> None:
    assert sentences.concept("KGZ", ENGLISH) == (
        "Concept of State Migration Policy 2021–2030. Its phases: 2021–2025 and 2026–2030."
    )
    assert sentences.concept("KAZ", ENGLISH) == (
        "Concept of Migration Policy 2023–2027. Its target year: 2027."
    )
    assert sentences.concept("TKM", ENGLISH) == ""
    region = known["kz-bns-balance", "KZ-11", "net_all_flows"]
    assert sentences.flags(region, ENGLISH) == (
        "New level from 2010. Known distortion, kept out of the fit: 2016. "
        "Left empty, two censuses do not match: 2021."
    )
    short = known["kg-nsc", "KGZ", "immigration"]
    assert sentences.flags(known[UN], ENGLISH).startswith("Interpolated, kept out of the fit: 2003")
    assert sentences.not_forecast(short, ENGLISH) == (
        "Not forecast: usable years: 5; at least 8 are needed to tell a trend from noise. "
        f"Last observed, 2024: {int(short.series.values[-1]):,}."
    )


def test_rounding_keeps_what_can_be_known() -> None:
    values = [0, 4, 5, 47, 149, 12_345, -12_345, 999]
    assert [rounded(value) for value in values] == [0, 0, 10, 50, 150, 12_000, -12_000, 1_000]
    assert rounded(12_345, 3) == 12_300
