"""Where to and where from: what the annex says of corridors, and that it says it only if asked."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast.cli.main import cli
from forecast.language import language
from forecast.models.bayes.gate import Sampled
from forecast.models.corridors_settings import MirrorSettings
from forecast.models.mirror.counts import counts_of
from forecast.models.mirror.estimate import estimate
from forecast.models.registry import settings
from forecast.reports.corridors import chart, section

WORDS = language("en")


@pytest.fixture(scope="module")
def told() -> fc.Mirror:
    """What belief alone makes of counts, without a fit: the sentences are the same."""
    rows = [
        ("meta", "KAZ:DEU", 2019, 1754.0),
        ("destatis", "KAZ:DEU", 2019, 4937.0),
        ("meta", "KAZ:DEU", 2020, 1600.0),
        ("meta", "UZB:KAZ", 2019, 90000.0),
        ("kz-bns", "UZB:KAZ", 2019, 900.0),
        ("meta", "RUS:UKR", 2019, 70000.0),
        ("own <b>office", "KAZ:TUR", 2019, 2000.0),
    ]
    table = pd.DataFrame(rows, columns=["source", "location", "year", "value"])
    panel = fc.Panel.from_frame(table.assign(measure="flow"), step=1)
    stated = settings("mirror")
    assert isinstance(stated, MirrorSettings)
    counts = counts_of(panel, stated)
    nothing = counts.part(np.zeros(len(counts.table), dtype=bool))
    drawn = estimate(counts, nothing, None, stated, np.random.default_rng(1))
    none = Sampled(None, pd.DataFrame(), 0, 1.0, "")  # type: ignore[arg-type]
    return fc.Mirror(counts, drawn, stated, 1, none)


def test_rows_say_what_was_moved_and_who_counted_what(told: fc.Mirror) -> None:
    shown = section(told, ["KAZ"], WORDS)
    assert shown is not None
    assert (shown["year"], shown["of"]) == (2019, 3)
    rows = {row["corridor"]: row for row in shown["rows"]}
    assert set(rows) == {
        "Uzbekistan → Kazakhstan", "Kazakhstan → Germany", "Kazakhstan → Türkiye"
    }  # fmt: skip
    moved = [float(row["flow"].replace(",", "")) for row in shown["rows"]]
    assert moved == sorted(moved, reverse=True)
    counted = rows["Kazakhstan → Germany"]["counted"]
    assert counted == "German register 4,937; estimate by Meta 1,754"
    flows = told.flows().set_index(["location", "year"]).loc[("KAZ:DEU", 2019)]
    number = float(rows["Kazakhstan → Germany"]["flow"].replace(",", ""))
    assert number == pytest.approx(flows["flow"], rel=0.005)
    assert rows["Kazakhstan → Türkiye"]["basis"].startswith("one source")
    assert shown["alone"] == sum(row["basis"].startswith("one source") for row in rows.values()) > 0


def test_contradictions_of_the_countries_of_the_page(told: fc.Mirror) -> None:
    shown = section(told, ["KAZ"], WORDS)
    assert shown is not None
    assert (shown["compared"], shown["all_apart"]) == (2, 1)
    (row,) = shown["apart"]
    assert row["corridor"] == "Uzbekistan → Kazakhstan"
    assert row["counts"] == "national register 900; estimate by Meta 90,000"
    assert row["ratio"] == "0.01"
    assert section(told, ["TJK"], WORDS) is None
    assert section(None, ["KAZ"], WORDS) is None


def test_bands_are_as_wide_as_persons_and_numbers_do_not_touch() -> None:
    flows = pd.DataFrame(
        {
            "location": ["RUS:KGZ", "RUS:KAZ", "KAZ:KOR", "KAZ:DEU"],
            "origin": ["RUS", "RUS", "KAZ", "KAZ"],
            "destination": ["KGZ", "KAZ", "KOR", "DEU"],
            "flow": [180_000.0, 64_000.0, 7_000.0, 200.0],
        }
    )
    svg = chart(flows, 2022, WORDS)
    assert chart(flows, 2022, WORDS) == svg
    paths = re.findall(r'<path id="[^"]+" d="(M [^"]+)"', svg)
    heights = []
    for path in paths:
        points = np.array(re.findall(r"[ML] (\S+) (\S+)", path), dtype=float)
        if len(points) > 60:
            first = points[np.isclose(points[:, 0], points[:, 0].min())]
            heights.append(np.ptp(first[:, 1]))
    assert len(heights) == 4
    assert heights[0] / heights[1] == pytest.approx(180 / 64, rel=0.02)
    at = [float(y) for y in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>[\d,]+</text>', svg)]
    assert len(at) == 4
    assert np.diff(sorted(at)).min() >= 12
    assert "Russia → Kyrgyzstan 180,000" in svg


def test_the_annex_has_it_only_if_asked(told: fc.Mirror, tmp_path: Path) -> None:
    panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    outlook = fc.forecast(panel, "naive", (2027,), draws=200)
    fc.report(outlook, folder=tmp_path / "with", name="x", corridors=told)
    fc.report(outlook, folder=tmp_path / "without", name="x")
    annex = (tmp_path / "with" / "x-annex.html").read_text(encoding="utf-8")
    assert 'id="corridors"' in annex
    assert "take the order of magnitude, not the number" in annex
    assert "own &lt;b&gt;office" in annex
    assert "corridors=corridors" in annex
    other = (tmp_path / "without" / "x-annex.html").read_text(encoding="utf-8")
    assert "orridors" not in other
    for name in ("x.html", "x.csv"):
        one, two = (tmp_path / folder / name for folder in ("with", "without"))
        assert one.read_bytes() == two.read_bytes()


def test_the_shell_says_what_is_wrong(tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["mirror", "--data", "merged-units"])
    assert run.exit_code == 1
    assert "measure flow" in run.stderr
    run = CliRunner().invoke(cli, ["mirror", "--data", "corridors", "--source", "meta"])
    assert run.exit_code == 1
    assert "only one source (meta)" in run.stderr
    sources = tmp_path / "sources.toml"
    sources.write_text('[[source]]\nname = "meta"\ncount = "DEU"\n', encoding="utf-8")
    command = ["mirror", "--data", "corridors", "--sources", str(sources)]
    run = CliRunner().invoke(cli, command)
    assert run.exit_code == 1
    assert "Did you mean: counts" in run.stderr


def test_the_shell_prints_tables(told: fc.Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def compare(panel: fc.Panel, **given: object) -> fc.Mirror:
        asked.update(given)
        return told

    # By its module: the verb `models` stands before the package of this name.
    module = importlib.import_module("forecast.models.mirror.run")
    monkeypatch.setattr(module, "mirror", compare)
    base = ["mirror", "--data", "corridors", "--location", "KAZ:DEU", "--seed", "7"]
    run = CliRunner().invoke(cli, base)
    assert run.exit_code == 0
    assert asked["seed"] == 7
    first, second, *_ = run.stdout.splitlines()
    assert first.startswith(
        "source,location,origin,destination,measure,year,level,flow,lower,upper"
    )
    assert second.startswith("mirror,KAZ:DEU,KAZ,DEU,flow,2019,0.5,")
    assert "nothing is known of the source own <b>office" in run.stderr
    run = CliRunner().invoke(cli, [*base, "--format", "table"], env={"COLUMNS": "200"})
    assert "Kazakhstan → Germany" in run.stdout
    assert "meta 1,600" in run.stdout
    run = CliRunner().invoke(cli, [*base, "--table", "contradictions"])
    assert run.stdout.splitlines()[1].startswith("UZB:KAZ,UZB,KAZ,2019,kz-bns,900.0,meta,90000.0")
