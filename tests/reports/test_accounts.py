"""What the page says of the draws' accounting, of jumps in the data, and of a model's own fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.language import language
from forecast.models.run import forecast
from forecast.outlook import Forecast
from forecast.panel import Panel
from forecast.reports.horizon import report
from forecast.reports.record import jumps_of, largest
from forecast.reports.regions import accounts
from forecast.reports.series_view import series_views

ENGLISH = language("en")


def table(location: str, measure: str, values: np.ndarray, **more: object) -> pd.DataFrame:
    years = np.arange(2024 - len(values) + 1, 2025)
    return pd.DataFrame(
        {"source": "own", "location": location, "measure": measure, "year": years, "value": values}
    ).assign(**more)


@pytest.fixture(scope="module")
def own() -> Forecast:
    """A user's series: gross flows and net of a country, net of two regions."""
    generator = np.random.default_rng(5)
    arrivals, departures, region = (generator.normal(9e3, 500, 20).round() for _ in range(3))
    net = arrivals - departures
    rows = [
        table("KGZ", "immigration", arrivals),
        table("KGZ", "emigration", departures),
        table("KGZ", "net_migration", net),
        table("KG-B", "net_migration", region),
        table("KG-C", "net_migration", net - region),
    ]
    return forecast(Panel.from_frame(pd.concat(rows)), model="mean", draws=100)


def with_draws(outlook: Forecast, change: dict[tuple[str, str], np.ndarray]) -> Forecast:
    paths = outlook.paths.copy(deep=True)
    names = list(zip(paths["location"].to_numpy(), paths["measure"].to_numpy()))
    for key, values in change.items():
        paths[{"series": names.index(key)}] = values
    return dataclasses.replace(outlook, paths=paths)


def draws(outlook: Forecast, location: str, measure: str) -> np.ndarray:
    names = list(zip(outlook.paths["location"].to_numpy(), outlook.paths["measure"].to_numpy()))
    return outlook.paths.transpose("series", "draw", "year").to_numpy()[
        names.index((location, measure))
    ]


def test_what_does_not_balance_is_said(own: Forecast) -> None:
    said = accounts(series_views(own), ENGLISH)
    assert said is not None
    assert not said["adds_up"]
    assert "each by itself" in str(said["text"])
    assert "Each region is forecast by itself" in str(said["text"])


def test_draws_that_balance_are_found_out(own: Forecast) -> None:
    net = draws(own, "KGZ", "immigration") - draws(own, "KGZ", "emigration")
    flows = {("KGZ", "net_migration"): net}
    regions = {("KG-C", "net_migration"): net - draws(own, "KG-B", "net_migration")}
    both = accounts(series_views(with_draws(own, {**flows, **regions})), ENGLISH)
    assert both == {
        "adds_up": True,
        "text": "In every simulated future arrivals minus departures give the net. "
        "In every simulated future the regions add up to the country.",
    }
    half = accounts(series_views(with_draws(own, flows)), ENGLISH)
    assert half is not None
    assert not half["adds_up"]
    off = {("KGZ", "net_migration"): np.where(np.arange(100)[:, None] == 7, net + 2, net)}
    assert "do not balance" in str(accounts(series_views(with_draws(own, off)), ENGLISH))


def test_series_that_have_nothing_to_add_up_to_say_nothing(own: Forecast) -> None:
    alone = [view for view in series_views(own) if view.series.measure == "immigration"]
    assert accounts(alone, ENGLISH) is None


@pytest.fixture(scope="module")
def made(own: Forecast, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return report(own, folder=tmp_path_factory.mktemp("own"), name="own")


def test_a_users_page_claims_nothing_about_central_asia(made: list[Path]) -> None:
    text = "".join(made[at].read_text(encoding="utf-8") for at in (0, 4))
    assert "exodus of the 1990s" not in text
    assert "many times larger" not in text
    assert "far more" not in text
    assert "UN estimates" not in text
    assert "What the figures given up to 2024 say" in text
    assert "irregular and seasonal labour migration seldom is in such figures" in " ".join(
        text.split()
    )


def test_a_models_own_verdict_on_its_fit_is_printed(
    own: Forecast, made: list[Path], tmp_path: Path
) -> None:
    plain = made[4].read_text(encoding="utf-8")
    assert "Whether the fit can be trusted" not in plain
    paths = own.paths.assign_attrs(diagnostics="R-hat at most 1.005; <b>none</b> diverged.")
    notes = own.notes.assign(diagnostics=["", "few effective draws", np.nan, "", ""])
    judged = dataclasses.replace(own, paths=paths, notes=notes)
    for code in ("en", "ru"):
        text = report(judged, folder=tmp_path, name="own", language=code)[4].read_text("utf-8")
        assert language(code).say("Whether the fit can be trusted") in text
        assert "R-hat at most 1.005; &lt;b&gt;none&lt;/b&gt; diverged." in text
        assert "few effective draws" in text
    # It survives being saved.
    again = Forecast.save(judged, tmp_path / "saved")
    from forecast.outlook import open_forecast

    assert open_forecast(again).paths.attrs["diagnostics"] == paths.attrs["diagnostics"]


def test_the_largest_jump_leaves_out_gaps_and_doubt() -> None:
    given = [10, 12, 500, 14, 90, 91, 150, np.nan, 300, 301, 303, 302, 304, 305, 306]
    values = 100 * np.array(given, dtype=float)
    flags = ["official"] * len(values)
    flags[2] = "outlier"
    flags[4] = "break"
    panel = Panel.from_frame(table("KAZ", "immigration", values, flag=flags))
    (view,) = series_views(forecast(panel, model="naive", draws=100, horizons=(2026,)))
    assert largest(view) == (2016, 9_100.0, 15_000.0)
    assert jumps_of([view], ENGLISH) == [
        "Kazakhstan, Immigration, own: from 9,100 in 2015 to 15,000 in 2016."
    ]
