"""The same movement told by several sources: flows, coverage and contradictions that follow."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import forecast as fc
from forecast.errors import DataError, FitError, UnknownNameError
from forecast.models.bayes.gate import Sampled
from forecast.models.corridors_settings import MirrorSettings
from forecast.models.mirror import run
from forecast.models.mirror.counts import counts_of
from forecast.models.mirror.estimate import APPLIED, BETWEEN, ONE, SEVERAL, beliefs
from forecast.models.mirror.run import learners, sample
from forecast.models.registry import settings
from forecast.shelf import shelf

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
STATED = settings("mirror")
assert isinstance(STATED, MirrorSettings)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings with as few draws as the gate lets pass, and three corridors to learn from."""
    text = (shelf("models") / "mirror.toml").read_text(encoding="utf-8")
    for old, new in (
        ("warm_up = 1000", "warm_up = 300"),
        ("kept = 4000", "kept = 1000"),
        ("corridors = 80", "corridors = 3"),
        ("least_ess = 400", "least_ess = 100"),
        ("largest_r_hat = 1.01", "largest_r_hat = 1.05"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("mirror") / "quick.toml"
    path.write_text(text, encoding="utf-8")
    return path


def table() -> pd.DataFrame:
    """Flows to Germany that everybody agrees on, but for one year; and what one source tells."""
    rows = []
    for origin, flow in (("KAZ", 3000), ("KGZ", 1000), ("UZB", 800), ("TJK", 600)):
        for year in (2016, 2017, 2019):
            rows.append(("eurostat-immigration", f"{origin}:DEU", year, flow))
            jump = 20 if (origin, year) == ("KAZ", 2019) else 1
            rows.append(
                ("kz-bns" if origin == "KAZ" else "meta", f"{origin}:DEU", year, flow * jump)
            )
    rows.append(("meta", "KGZ:RUS", 2019, 5000))
    columns = ["source", "location", "year", "value"]
    return pd.DataFrame(rows, columns=columns).assign(measure="flow")


@pytest.fixture(scope="module")
def told(quick: Path) -> fc.Mirror:
    return fc.mirror(fc.Panel.from_frame(table(), step=1), settings=quick)


def test_what_each_estimate_rests_on(told: fc.Mirror) -> None:
    flows = told.flows().set_index(["location", "year"])
    assert flows.loc[("KAZ:DEU", 2017), ["counts", "sources", "basis"]].tolist() == [2, 2, SEVERAL]
    assert flows.loc[("KAZ:DEU", 2018), ["counts", "basis"]].tolist() == [0, BETWEEN]
    # The smallest of four corridors is beyond the three to learn from: no year is filled in.
    assert flows.loc[("TJK:DEU", 2017), "basis"] == APPLIED
    assert ("TJK:DEU", 2018) not in flows.index
    assert flows.loc[("KGZ:RUS", 2019), ["counts", "sources", "basis"]].tolist() == [1, 1, ONE]
    assert set(flows["origin"]) == {"KAZ", "KGZ", "UZB", "TJK"}


def test_estimates_are_what_a_good_register_counts_over_its_coverage(told: fc.Mirror) -> None:
    flows = told.flows(0.95).set_index(["location", "year"])
    for place, counted in (("KGZ:DEU", 1000), ("UZB:DEU", 800), ("TJK:DEU", 600)):
        row = flows.loc[(place, 2017)]
        assert row["lower"] < counted / 0.9 < row["upper"]
        assert counted * 0.8 < row["flow"] < counted * 1.7
    wide = flows.loc[("KGZ:RUS", 2019)]
    narrow = flows.loc[("KGZ:DEU", 2017)]
    assert wide["upper"] / wide["lower"] > narrow["upper"] / narrow["lower"]


def test_coverage_says_what_was_believed_and_whether_figures_say_more(told: fc.Mirror) -> None:
    coverage = told.coverage().set_index(["source", "country"])
    register = coverage.loc[("eurostat-immigration", "DEU")]
    assert register["side"] == "destination"
    assert register["believed"] == pytest.approx(0.9)
    assert (register["corridors"], register["counts"], bool(register["learnt"])) == (4, 12, True)
    # Meta agrees with the register, whose coverage is known better than its own.
    meta = coverage.loc[("meta", "")]
    assert meta["upper"] / meta["lower"] < np.exp(2 * 1.2816 * 0.5)
    # Kazakhstan is believed to count half, by a definition that makes half of it.
    assert coverage.loc[("kz-bns", "KAZ"), "believed"] == pytest.approx(0.5 * 0.49)


def test_contradictions_are_counts_beyond_coverage_and_stated_accuracy(told: fc.Mirror) -> None:
    found = told.contradictions()
    assert (found["probability"] >= 0.8).all()
    first = found.iloc[0]
    assert (first["location"], first["year"]) == ("KAZ:DEU", 2019)
    assert {first["source"], first["other_source"]} == {"eurostat-immigration", "kz-bns"}
    assert first["ratio"] == pytest.approx(3000.5 / 60000.5)
    assert not (found["location"] == "KGZ:DEU").any()
    every = told.contradictions(0.0)
    assert len(every) == 12
    # By hand: what coverage leaves of the difference, over what accuracy, chance and rounding say.
    row = every[(every["location"] == "KGZ:DEU") & (every["year"] == 2017)].iloc[0]
    kinds = STATED.kinds
    variance = sum(
        kind.pairs[0] ** 2 + kind.accuracy[0] ** 2 for kind in (kinds.destination, kinds.estimate)
    )
    variance += 2 * (1 / 1001 + (1 / 1001) ** 2 / 12)
    counters = told.counts.counters["source"].tolist()
    drawn = told.estimate.log_coverage
    left = drawn[:, counters.index("eurostat-immigration")] - drawn[:, counters.index("meta")]
    by_hand = 1 - 2 * norm.sf(np.abs(left) / np.sqrt(variance)).mean()
    assert row["probability"] == pytest.approx(by_hand, rel=1e-3)


def test_what_a_source_would_count_where_it_did_not(told: fc.Mirror) -> None:
    table = told.expected("meta", 0.95).set_index(["location", "year"])
    assert np.isnan(table.loc[("KAZ:DEU", 2017), "counted"])
    seen = table[table["counted"].notna()]
    assert len(seen) == 10
    assert ((seen["lower"] <= seen["counted"]) & (seen["counted"] <= seen["upper"])).all()
    # A register of Kazakhstan sees no Kyrgyz.
    assert set(told.expected("kz-bns")["location"]) == {"KAZ:DEU"}
    with pytest.raises(UnknownNameError, match="Did you mean: meta"):
        told.expected("metta")


def test_tables_and_words(told: fc.Mirror) -> None:
    frame = told.to_frame()
    assert set(frame["level"]) == {0.5, 0.8, 0.95}
    assert (frame["lower"] <= frame["flow"]).all()
    assert (frame["flow"] <= frame["upper"]).all()
    assert "5 corridors" in repr(told)
    assert "Kazakhstan → Germany" in told._repr_html_()
    for level in (0, 1, "0.8", True):
        with pytest.raises(DataError, match="interval level"):
            told.flows(level)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="at_least"):
        told.contradictions(1.0)


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_numbers(told: fc.Mirror, quick: Path) -> None:
    again = fc.mirror(fc.Panel.from_frame(table(), step=1), settings=quick)
    pd.testing.assert_frame_equal(again.flows(), told.flows())


def test_what_is_said_of_a_source_comes_first(tmp_path: Path) -> None:
    panel = fc.Panel.from_frame(table().replace({"kz-bns": "office"}), step=1)
    blind = counts_of(panel, STATED)
    assert blind.meanings["office"].counts == "unknown"
    about = [source for source in STATED.source if source.name == "kz-bns"]
    said = about[0].model_copy(update={"name": "office", "definition": "twelve_months"})
    counts = counts_of(panel, STATED, [said])
    believed = np.exp(beliefs(counts, STATED).coverage[0])
    place = counts.counters["source"].tolist().index("office")
    assert counts.counters.loc[place, ["kind", "country"]].tolist() == ["origin", "KAZ"]
    assert believed[place] == pytest.approx(0.5)


def test_corridors_that_teach_most_come_first() -> None:
    counts = counts_of(fc.Panel.from_frame(table(), step=1), STATED)
    chosen = learners(counts, 2)
    assert chosen is not None
    assert set(chosen.table["location"]) == {"KAZ:DEU", "KGZ:DEU"}


def test_nothing_to_compare_is_said(quick: Path) -> None:
    alone = table()[lambda rows: rows["source"] == "meta"]
    with pytest.raises(DataError, match=r"only one source \(meta\) tells"):
        fc.mirror(fc.Panel.from_frame(alone, step=1))
    apart = table()[lambda rows: rows["source"].ne("meta") ^ rows["location"].eq("KGZ:RUS")]
    apart = apart[apart["source"] != "kz-bns"]
    with pytest.raises(DataError, match="none by two"):
        fc.mirror(fc.Panel.from_frame(apart, step=1))
    with pytest.raises(DataError, match=r"corridors \(measure flow"):
        fc.mirror(fc.load("merged-units"))
    months = alone.assign(year=[f"2019-{month:02}" for month in range(1, len(alone) + 1)])
    with pytest.raises(DataError, match="counts by month"):
        fc.mirror(fc.Panel.from_frame(months.rename(columns={"year": "period"})))
    with pytest.raises(DataError, match="needs a Panel"):
        fc.mirror(table())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="destatis counts moves of Germany"):
        fc.mirror(fc.Panel.from_frame(table().replace({"meta": "destatis"}), step=1))


def test_bad_descriptions_of_sources_are_refused(tmp_path: Path) -> None:
    panel = fc.Panel.from_frame(table(), step=1)
    with pytest.raises(UnknownNameError, match=r"'permanant'\. Did you mean: permanent"):
        fc.mirror(panel, sources={"meta": {"counts": "estimate", "definition": "permanant"}})
    with pytest.raises(UnknownNameError, match="unknown location 'ESTIMATES'"):
        fc.mirror(panel, sources={"meta": {"counts": "estimates"}})
    wrong = tmp_path / "sources.toml"
    wrong.write_text("[sources]\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"\[\[source\]\]"):
        fc.mirror(panel, sources=wrong)


@pytest.mark.thorough
def test_a_fit_that_misses_the_gate_is_refused_or_marked(
    quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = tmp_path / "strict.toml"
    text = quick.read_text(encoding="utf-8").replace("least_ess = 100", "least_ess = 100000")
    text = text.replace("most = 8000", "most = 200").replace("kept = 1000", "kept = 100")
    strict.write_text(text, encoding="utf-8")
    panel = fc.Panel.from_frame(table(), step=1)
    # What is done with the draws is asked twice, the draws are made once.
    made: list[Sampled] = []

    def once(*given: Any) -> Sampled:
        if not made:
            made.append(sample(*given))
        return made[0]

    monkeypatch.setattr(run, "sample", once)
    with pytest.raises(FitError, match="on_failure='mark'"):
        fc.mirror(panel, settings=strict)
    assert fc.mirror(panel, settings=strict, on_failure="mark").sampled.failure


@pytest.fixture
def sbc(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("sbc_mirror")


@pytest.mark.thorough
def test_true_values_rank_anywhere_among_draws(sbc: ModuleType) -> None:
    rows = [sbc.replicate(seed) for seed in range(12)]
    every = np.concatenate([np.concatenate([np.ravel(v) for v in row.values()]) for row in rows])
    assert abs(every.mean() / sbc.KEPT - 0.5) < 0.06
    # Too narrow or too wide a posterior crowds the outer or the inner ranks.
    outer = np.mean((every < 10) | (every > 89))
    assert 0.12 < outer < 0.29
