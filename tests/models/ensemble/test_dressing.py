"""Published point forecasts: errors learned from earlier ones, and weight by what they achieved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pycountry
import pytest

import forecast as fc
from forecast.errors import DataError
from forecast.hindcast.occasions import run_members
from forecast.models.ensemble import residual_errors
from forecast.models.ensemble.model import Ensemble
from forecast.models.ensemble.revisions import LEVELS
from forecast.models.published import Published
from forecast.models.registry import specification
from forecast.panel import Panel

SETTINGS = specification("ensemble")["published"]
PLACES = sorted(country.alpha_3 for country in pycountry.countries)[:40]
DAYS = {"2010-06-01": 2009, "2013-06-01": 2012, "2016-06-01": 2015}


def released(seed: int = 1) -> tuple[Panel, dict[str, np.ndarray]]:
    """Random walks per 1,000 in three releases that agree, and the walks up to 2018."""
    generator = np.random.default_rng(seed)
    walks = {place: np.cumsum(generator.normal(0, 1.0, 29)) for place in PLACES}
    tables = [
        pd.DataFrame(
            {
                "source": "office", "location": place, "measure": "net_migration",
                "year": range(1990, last + 1), "value": walk[: last - 1989] * 1000.0,
                "population": 1e6, "as_of": day,
            }
        )
        for place, walk in walks.items()
        for day, last in DAYS.items()
    ]  # fmt: skip
    return Panel.from_frame(pd.concat(tables, ignore_index=True)), walks


def projected(walks: dict[str, np.ndarray], spread: float, seed: int = 2) -> Published:
    """A publisher who knows the three years to come, up to errors that grow with the steps."""
    generator = np.random.default_rng(seed)
    rows = [
        (day, "office", place, "net_migration", last + step, 0.5,
         1000.0 * (walk[last + step - 1990] + spread * step**0.5 * generator.standard_t(3)))
        for place, walk in walks.items()
        for day, last in DAYS.items()
        for step in (1, 2, 3)
    ]  # fmt: skip
    names = ["released", "source", "location", "measure", "year", "quantile", "value"]
    return Published("office", pd.DataFrame(rows, columns=names))


def test_the_size_of_errors_and_their_growth_are_recovered() -> None:
    panel, walks = released()
    found = residual_errors.learn(projected(walks, 2.0), panel, SETTINGS)["rate"]
    # Two earlier days, forty places, three steps.
    assert found.law.pairs == 240
    middle = float(found.law.sizes[np.searchsorted(LEVELS, 0.5)])
    # The median of |2 t3| is 1.53.
    assert 1.1 < found.law.scale(0.8) * middle < 2.1
    assert found.growth == pytest.approx(0.5, abs=0.3)
    # Errors are drawn apart; nothing goes from one step to the next.
    assert found.law.correlation < 0.3


def test_only_what_is_known_is_learned_from() -> None:
    panel, walks = released()
    published = projected(walks, 2.0)
    assert residual_errors.learn(published, panel.as_of("2010-12-31"), SETTINGS) == {}
    then = panel.as_of("2013-12-31")
    late = published.published("2016-06-01").assign(value=1e9)
    early = [published.published(day) for day in ("2010-06-01", "2013-06-01")]
    changed = Published("office", pd.concat([*early, late], ignore_index=True))
    one, two = (residual_errors.learn(p, then, SETTINGS)["rate"] for p in (published, changed))
    assert one.law.pairs == 120
    np.testing.assert_array_equal(one.law.sizes, two.law.sizes)


def test_draws_are_as_wide_as_earlier_errors_and_the_rest_is_declined() -> None:
    panel, walks = released()
    (dressed,) = residual_errors.dress([projected(walks, 2.0)], panel, SETTINGS)
    assert isinstance(dressed, Published)
    outlook = dressed.fit(panel, 1).forecast((2016, 2018), 2000)
    shares = []
    for place, walk in walks.items():
        drawn = outlook.sample(location=place, measure="net_migration", year=2016) / 1000.0
        low, high = np.quantile(drawn, [0.1, 0.9])
        shares.append(low <= walk[26] <= high)
    assert 0.65 < np.mean(shares) < 0.95
    single = Published("office", projected(walks, 2.0).published("2016-06-01"))
    (bare,) = residual_errors.dress([single], panel, SETTINGS)
    assert isinstance(bare, Published)
    with pytest.raises(DataError, match="covers no series"):
        bare.fit(panel, 1).forecast((2016,), 100)


@pytest.mark.thorough
def test_members_are_asked_with_the_figures_of_the_day() -> None:
    panel, walks = released()
    model = Ensemble(["naive", projected(walks, 0.1)])
    members, settings = model.members, model.settings["history"]
    occasions = run_members(members, panel, 3, settings)
    days = [one for one in occasions if one.ends is not None]
    assert [one.origin for one in days] == [2009, 2012]
    # What came out on a day is not asked for at an origin.
    assert all(one.forecasts[1] is None for one in occasions if one.ends is None)
    said = days[0].forecasts[1]
    assert said is not None
    first = said.of(("office", PLACES[0], "net_migration"))[:, 0] / 1000.0
    assert first.mean() == pytest.approx(walks[PLACES[0]][20], abs=1.0)


@pytest.mark.parametrize(("spread", "low", "high"), [(0.1, 0.7, 1.0), (6.0, 0.0, 0.2)])
def test_a_publisher_earns_the_weight_that_its_errors_deserve(
    spread: float, low: float, high: float
) -> None:
    panel, walks = released()
    mixed = Ensemble(["naive", "mean", projected(walks, spread)])
    table = mixed.fit(panel, 1).diagnostics
    weight = table[(table["member"] == "office") & (table["step"] == 1)]["weight"]
    assert low <= weight.mean() <= high


def test_a_publisher_that_cannot_be_judged_drops_out_and_the_note_says_why() -> None:
    panel, walks = released()
    alone = panel.as_of("2010-12-31")
    mixed = Ensemble(["naive", "mean", projected(walks, 0.1)], name="with office")
    outlook = fc.forecast(alone, mixed, horizons=(2010, 2012), draws=200)
    assert outlook.paths.attrs["model"] == "with office"
    assert "no figure since says" in outlook.notes["reason"].iloc[0]
    assert np.isfinite(outlook.paths.to_numpy()).all()


def test_an_edition_is_judged_by_widths_of_the_others() -> None:
    panel, walks = released()
    table = panel.to_frame()
    late = (table["as_of"].astype(str).str.startswith("2016")) & (table["year"] > 2012)
    # Only what the edition of 2013 is held against changes.
    disturbed = Panel.from_frame(
        table.assign(value=table["value"].where(~late, table["value"] + 50_000.0))
    )
    widths = []
    for seen in (panel, disturbed):
        fitted = Ensemble(["naive", projected(walks, 2.0)]).fit(seen, 1)
        found = residual_errors.learn(projected(walks, 2.0), seen, SETTINGS, without="2013-06-01")
        said = fitted._on_day("2013-06-01")[1]
        assert isinstance(said, Published)
        widths.append(float(found["rate"].law.sizes.max()))
        assert said._errors is not None
        known = next(iter(said._errors.values()))
        assert isinstance(known, residual_errors.ResidualErrors)
        assert known.law.pairs == found["rate"].law.pairs
    assert widths[0] == pytest.approx(widths[1], rel=0.05)
