"""The ensemble as a whole: honest, reproducible, joint, and explained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast import accounts
from forecast.artifacts import places
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS
from forecast.drawing import PARTS
from forecast.errors import DataError
from forecast.hindcast.occasions import run_members
from forecast.models import DEFAULT
from forecast.models.assembly import assemble
from forecast.models.ensemble import explanation
from forecast.models.ensemble.model import Ensemble
from forecast.models.series.structural import RandomWalk
from forecast.outlook import Forecast
from forecast.panel import Panel

QUICK = ["naive", "mean", "ar", "pooled"]
FEW = {"history": {"origins": 6, "draws": 200}}
#: As few earlier origins, and as many as are shipped.
OFTEN = [FEW, pytest.param({}, marks=pytest.mark.thorough)]


def quick(**more: object) -> Ensemble:
    return Ensemble(QUICK, settings=FEW, **more)  # type: ignore[arg-type]


class Says:
    """A model that says N(centre, spread) of every year, or fails."""

    def __init__(self, name: str, centre: float, spread: float, fails: str = "") -> None:
        self.name, self.centre, self.spread, self.fails = name, centre, spread, fails

    def fit(self, panel: Panel, seed: int) -> _Fitted:
        if self.fails == "always" or (self.fails == "late" and panel.origin >= 2020):
            raise ZeroDivisionError("it is broken")
        return _Fitted(self, panel, seed)


class _Fitted:
    def __init__(self, model: Says, panel: Panel, seed: int) -> None:
        self.model, self.panel, self.seed = model, panel, seed
        self.diagnostics = pd.DataFrame()

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        generator = np.random.default_rng(self.seed)
        drawn, notes = {}, []
        # One world: the same shock in every series.
        shock = generator.normal(size=(draws, 60))
        for one in self.panel:
            ahead = max(years) - one.origin
            drawn[one.key] = self.model.centre + self.model.spread * shock[:, :ahead]
            notes.append((*one.key, one.origin, 1, FORECAST, "", "", "", ""))
        table = pd.DataFrame(notes, columns=list(NOTE_COLUMNS))
        return assemble(
            self.panel, drawn, tuple(years), table, model=self.model.name, seed=self.seed
        )


def noise(
    n_series: int = 4, n_years: int = 40, seed: int = 1, shared: float = 0.0, spread: float = 1000.0
) -> Panel:
    """Independent years around zero, with a shock that series share."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=n_years)
    codes = ("KAZ", "KGZ", "TJK", "TKM", "UZB", "RUS")
    pieces = [
        pd.DataFrame(
            {
                "location": code,
                "measure": "net_migration",
                "year": np.arange(2025 - n_years, 2025),
                "value": spread
                * (np.sqrt(shared) * common + np.sqrt(1 - shared) * generator.normal(size=n_years)),
            }
        )
        for code in codes[:n_series]
    ]
    return Panel.from_frame(pd.concat(pieces, ignore_index=True))


def weights(outlook: Forecast) -> pd.Series:
    assert outlook.explanation is not None
    rows = outlook.explanation[outlook.explanation["what"] == "weight"]
    return rows.groupby("name")["value"].mean()


def test_it_is_the_default() -> None:
    assert DEFAULT == "ensemble"
    assert fc.models().set_index("model").loc["ensemble", "default"]


def test_a_forecast_has_the_promised_form(panel: Panel) -> None:
    outlook = fc.forecast(panel, quick(), horizons=(2025, 2030), draws=300, seed=3)
    assert outlook.model == "ensemble"
    assert outlook.draws.dims == ("draw", "series", "year")
    assert np.isfinite(outlook.draws).all()
    assert (outlook.notes["status"] == FORECAST).all()
    counts = outlook.paths.sel(series=outlook.paths["measure"] != "net_migration")
    assert float(counts.min()) >= 0
    again = fc.forecast(panel, quick(), horizons=(2025, 2030), draws=300, seed=3)
    np.testing.assert_array_equal(outlook.paths, again.paths)
    other = fc.forecast(panel, quick(), horizons=(2025, 2030), draws=300, seed=4)
    assert not np.array_equal(outlook.paths, other.paths)


def test_the_right_member_is_found() -> None:
    right, wrong = Says("right", 0, 1000), Says("wrong", 4000, 1000)
    outlook = fc.forecast(noise(), Ensemble([wrong, right]), horizons=(2026,), draws=500)
    assert weights(outlook)["right"] > 0.9


def test_intervals_become_as_wide_as_past_errors() -> None:
    for said in (300.0, 3000.0):
        panel = noise(6, 60)
        plain = Says("says", 0, said)
        outlook = fc.forecast(panel, Ensemble([plain]), horizons=(2026,), draws=2000)
        made = outlook.intervals(0.8)
        width = (made["upper"] - made["lower"]).mean() / (2 * 1.2816 * 1000)
        before = said / 1000
        assert abs(np.log(width)) < 0.6 * abs(np.log(before))


def test_nothing_after_the_origin_is_seen(table: pd.DataFrame) -> None:
    altered = table.copy()
    later = altered["year"] > 2015
    altered.loc[later, "value"] = altered.loc[later, "value"] * 3 + 1000
    altered.loc[later, "population"] *= 2
    for cached in (True, False):
        made = [
            fc.forecast(
                Panel.from_frame(t).until(2015), quick(), (2016, 2022), draws=200, cache=cached
            )
            for t in (table, altered)
        ]
        np.testing.assert_array_equal(made[0].paths.to_numpy(), made[1].paths.to_numpy())
        pd.testing.assert_frame_equal(made[0].explanation, made[1].explanation)


def test_a_fold_of_a_backtest_is_nested(table: pd.DataFrame) -> None:
    """The score of a fold changes with its outcome only, the forecast not by one bit."""
    altered = table.copy()
    altered.loc[altered["year"] > 2016, "value"] *= 2
    tracks = [
        fc.backtest(Panel.from_frame(t), [quick()], [2014], (1, 2, 4), draws=200)
        for t in (table, altered)
    ]
    said = [track.table.set_index(["location", "measure", "year"])["median"] for track in tracks]
    pd.testing.assert_series_equal(said[0], said[1])
    assert not tracks[0].table["observed"].equals(tracks[1].table["observed"])


def test_a_member_that_fails_drops_out_with_a_note() -> None:
    good, bad = Says("good", 0, 1000), Says("bad", 0, 1000, fails="late")
    outlook = fc.forecast(noise(), Ensemble([good, bad]), horizons=(2026,), draws=200)
    assert weights(outlook)["bad"] == 0.0
    assert weights(outlook)["good"] == pytest.approx(1.0)
    assert (outlook.notes["reason"] == "without bad: ZeroDivisionError: it is broken").all()
    alone = fc.forecast(noise(), Ensemble([good]), horizons=(2026,), draws=200)
    assert np.isfinite(outlook.paths).all()
    assert outlook.paths.std() == pytest.approx(float(alone.paths.std()), rel=0.15)
    with pytest.raises(DataError, match="no series can be forecast by 'ensemble': without bad"):
        fc.forecast(noise(), Ensemble([Says("bad", 0, 1, "always")]), horizons=(2026,), draws=200)


def test_a_short_series_is_listed_with_the_reason(table: pd.DataFrame) -> None:
    short = table[(table["location"] != "KGZ") | (table["year"] > 2019)]
    outlook = fc.forecast(Panel.from_frame(short), quick(), draws=200)
    notes = outlook.notes.set_index(["location", "measure"])
    row = notes.loc[("KGZ", "net_migration")]
    assert row["status"] == NOT_FORECAST
    assert "usable observed years; at least 8 are needed" in row["reason"]


def test_a_short_past_leaves_equal_weights() -> None:
    panel = noise(3, 9)
    members = [Says("one", 0, 1000), Says("two", 500, 1000)]
    made = Ensemble(members, settings={"history": {"origins": 0}})
    outlook = fc.forecast(panel, made, horizons=(2026,), draws=200)
    assert weights(outlook).round(6).tolist() == [0.5, 0.5]


def test_past_joint_errors_make_worlds() -> None:
    independent = [RandomWalk()]
    settings = {"history": {"origins": 30, "every": 1, "draws": 200}}
    rank = []
    for shared in (0.0, 0.9):
        panel = noise(4, 60, seed=5, shared=shared)
        outlook = fc.forecast(panel, Ensemble(independent, settings=settings), (2025,), draws=2000)
        drawn = outlook.draws.to_numpy()[:, :, 0]
        rank.append(np.corrcoef(drawn.argsort(0).argsort(0), rowvar=False)[np.triu_indices(4, 1)])
    assert np.abs(rank[0]).max() < 0.45
    assert rank[1].min() > 0.6


def test_worlds_of_the_members_survive() -> None:
    """Too few past origins to learn from: the members' own dependence stays."""
    settings = {"history": {"origins": 3, "draws": 200}}
    outlook = fc.forecast(
        noise(3), Ensemble([Says("joint", 0, 1000)], settings=settings), (2025,), draws=2000
    )
    drawn = outlook.draws.to_numpy()[:, :, 0]
    assert np.corrcoef(drawn, rowvar=False)[np.triu_indices(3, 1)].min() > 0.95


def test_paths_keep_their_course(panel: Panel) -> None:
    """A random walk's years hang together after pooling and calibration."""
    outlook = fc.forecast(panel, quick(), horizons=(2030,), draws=2000)
    paths = outlook.paths.to_numpy()[:, 0, :]
    rank = paths.argsort(axis=0).argsort(axis=0)
    assert np.corrcoef(rank[:, 3], rank[:, 4])[0, 1] > 0.3


def test_quantile_averaging_takes_part(panel: Panel) -> None:
    linear, averaged = (
        fc.forecast(panel, quick(pool=pool), draws=500) for pool in ("linear", "quantile")
    )
    assert np.isfinite(averaged.paths).all()
    assert not np.array_equal(linear.paths, averaged.paths)
    with pytest.raises(DataError, match="give 'linear' or 'quantile'"):
        Ensemble(pool="geometric")


def test_members_are_checked() -> None:
    with pytest.raises(DataError, match="each may occur once"):
        Ensemble(["naive", "naive"])
    with pytest.raises(DataError, match="'ensemble' not at all"):
        Ensemble(["naive", "ensemble"])
    with pytest.raises(DataError, match="at least one member"):
        Ensemble([])


def test_five_year_periods() -> None:
    table = noise(4, 65).to_frame()
    table["year"] = 1950 + 5 * ((table["year"] - 1960) // 5)
    summed = table.groupby(["location", "measure", "year"], as_index=False)["value"].sum()
    outlook = fc.forecast(
        Panel.from_frame(summed, step=5), quick(), horizons=(2015, 2025), draws=200
    )
    assert np.isfinite(outlook.draws).all()


def test_the_cache_changes_no_bit_and_is_rebuilt(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.CACHE, str(tmp_path))
    without = fc.forecast(panel, quick(), draws=200, cache=False)
    assert list(tmp_path.iterdir()) == []
    cold = fc.forecast(panel, quick(), draws=200)
    entries = sorted(tmp_path.iterdir())
    assert entries
    warm = fc.forecast(panel, quick(), draws=200)
    for entry in entries:
        (entry / "arrays.npz").write_bytes(b"damaged")
    rebuilt = fc.forecast(panel, quick(), draws=200)
    for other in (cold, warm, rebuilt):
        np.testing.assert_array_equal(other.paths, without.paths)
    assert (entries[0] / "arrays.npz").read_bytes() != b"damaged"


def test_the_explanation_adds_up_and_every_part_can_be_drawn(panel: Panel, tmp_path: Path) -> None:
    outlook = fc.forecast(panel, quick(), horizons=(2025, 2030), draws=500)
    told = outlook.explanation
    assert told is not None
    assert told.columns.tolist() == list(explanation.COLUMNS)
    key = ["source", "location", "measure", "year"]
    shares = told[told["what"].isin(["weight", "variance share"])]
    np.testing.assert_allclose(shares.groupby([*key, "what"])["value"].sum(), 1.0, atol=1e-9)
    assert len(told.drop_duplicates(key)) == 2 * len(panel)
    parts = told[told["what"] == "variance share"]
    assert (parts["value"][~parts["name"].isin(["calibration", "accounts"])] >= 0).all()
    opened = fc.open(outlook.save(tmp_path / "saved"))
    assert opened.explanation is not None
    pd.testing.assert_frame_equal(opened.explanation, told)
    assert tuple(PARTS) == explanation.PARTS
    names = outlook.plot_why("KAZ", "net_migration").get_legend_handles_labels()[1]
    assert {"shocks to come", "uncertain parameters"} <= set(names)


def test_disagreement_shows_in_the_explanation() -> None:
    apart = Ensemble(
        [Says("low", -5000, 100), Says("high", 5000, 100)], settings={"history": {"origins": 0}}
    )
    outlook = fc.forecast(noise(), apart, horizons=(2026,), draws=500)
    told = outlook.explanation
    assert told is not None
    shares = told[told["what"] == "variance share"].groupby("name")["value"].mean()
    assert shares["disagreement"] > 0.95
    assert "unsplit" in shares.index, "these members do not say what their spread is made of"


def test_diagnostics_are_tables(panel: Panel) -> None:
    fitted = quick().fit(panel, 1)
    table = fitted.diagnostics
    assert set(table["member"]) == set(QUICK)
    sums = table.groupby(["group", "step"])["weight"].sum()
    np.testing.assert_allclose(sums, 1.0)
    assert set(fitted.weights["member"].to_numpy()) == set(QUICK)
    assert float(fitted.widths.min()) > 0


def test_a_slow_member_is_asked_at_fewer_earlier_origins() -> None:
    members = [Says("slow", 0, 1000), Says("quick", 0, 1000)]
    history = {"sparse": {"slow": 3}, "origins": 12}
    model = Ensemble(members, settings={"history": history})
    occasions = run_members(model.members, noise(), 5, model.settings["history"])
    run = [sum(one.forecasts[position] is not None for one in occasions) for position in (0, 1)]
    assert run == [4, 12]
    outlook = fc.forecast(noise(), Ensemble(members, settings={"history": history}), draws=200)
    assert weights(outlook).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("history", OFTEN)
def test_what_was_asked_before_changes_nothing(history: dict[str, Any]) -> None:
    panel = fc.load("central-asia").select(source="un-wpp", location=["KAZ", "UZB"])
    model = Ensemble(["naive", "mean", "ar"], settings=history)
    fresh = model.fit(panel, 1).forecast((2027,), 200).paths
    asked = model.fit(panel, 1)
    asked.forecast((2045,), 200)
    np.testing.assert_array_equal(asked.forecast((2027,), 200).paths, fresh)


@pytest.mark.parametrize("history", OFTEN)
def test_draws_obey_the_accounts_and_may_do_without(history: dict[str, Any]) -> None:
    panel = fc.load("kazakhstan").select(source=["kz-bns", "kz-bns-balance"]).until(2023)
    settings = {**history, "coherence": {"apply": False}}
    apart = fc.forecast(panel, Ensemble(["naive", "ar"], settings=settings), (2025, 2027), 300)
    outlook = fc.forecast(panel, Ensemble(["naive", "ar"], settings=history), (2025, 2027), 300)
    assert not accounts.check(apart)["holds"].any()
    assert accounts.check(outlook)["holds"].all()
    flows = outlook.series["measure"].isin(["immigration", "emigration"]).to_numpy()
    np.testing.assert_array_equal(
        outlook.paths.to_numpy()[:, flows], apart.paths.to_numpy()[:, flows]
    )
    rows = outlook.explanation
    shares = rows[rows["what"] == "variance share"]
    totals = shares.groupby(["source", "location", "measure", "year"])["value"].sum()
    np.testing.assert_allclose(totals, 1.0)
    net = shares[(shares["measure"] == "net_migration") & (shares["name"] == "accounts")]
    assert len(net) == 2
