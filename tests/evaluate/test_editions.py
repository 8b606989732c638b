"""Earlier editions against what came: intervals, chances, scores, the running record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast.cli.main import cli
from forecast.errors import DataError
from forecast.evaluate.editions import outturn, read_edition, running_record
from forecast.panel import Panel
from forecast.reports.horizon import report

ROOT = Path(__file__).resolve().parents[2]
FROZEN = ROOT / "reports" / "editions" / "2024" / "central-asia.manifest.json"


@pytest.fixture(scope="module")
def newest() -> Panel:
    return fc.load("central-asia").select(location="KAZ", source="kz-bns")


@pytest.fixture(scope="module")
def written(newest: Panel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edition")
    earlier = fc.forecast(newest.as_of("2022-12-31"), "ar", (2022, 2024, 2030), draws=300)
    report(earlier, folder=folder, name="own")
    return folder / "own.manifest.json"


def test_what_was_said_stands_beside_what_came(newest: Panel, written: Path) -> None:
    judged = outturn([read_edition(written)], newest)
    assert set(judged["edition"]) == {"2022-12-31"}
    assert sorted(set(judged["year"])) == [2022, 2023, 2024, 2025]
    outlook = fc.forecast(newest.as_of("2022-12-31"), "ar", (2022, 2024, 2030), draws=300)
    row = judged[(judged["measure"] == "net_migration") & (judged["year"] == 2024)].iloc[0]
    draws = outlook.sample(location="KAZ", measure="net_migration", year=2024)
    assert row["observed"] == 16_550
    assert row["last_known"] == -21_217
    assert row["error_of_no_change"] == 16_550 + 21_217
    assert row["median"] == round(float(np.median(draws)))
    assert row["chance_above_zero"] == pytest.approx((draws > 0).mean(), abs=0.05)
    ends = np.quantile(draws, [0.25, 0.75, 0.1, 0.9, 0.025, 0.975])
    assert row["inside_80"] == (ends[2] <= 16_550 <= ends[3])
    # Bracher et al. (2021), by hand: what scoringrules 0.11 says depends on its backend.
    wis = 0.5 * abs(16_550 - np.median(draws))
    for lower, upper, outside in zip(ends[::2], ends[1::2], (0.5, 0.2, 0.05)):
        beyond = max(lower - 16_550, 16_550 - upper, 0.0)
        wis += outside / 2 * (upper - lower + 2 / outside * beyond)
    wis /= 3.5
    assert row["wis"] == pytest.approx(float(wis), rel=1e-3)
    assert judged[judged["measure"] == "immigration"]["chance_above_zero"].isna().all()


def test_without_its_table_the_manifest_is_judged(
    newest: Panel, written: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "own.manifest.json"
    alone.write_bytes(written.read_bytes())
    (tmp_path / "own.csv").write_text("another table")
    judged = outturn([read_edition(alone)], newest)
    assert sorted(set(judged["year"])) == [2022, 2024]
    whole = outturn([read_edition(written)], newest)
    both = whole.merge(judged, on=["source", "location", "measure", "year"], suffixes=("", "_few"))
    assert (both["median"] == both["median_few"]).all()
    assert (both["inside_80"] == both["inside_80_few"]).all()
    assert judged["inside_50"].isna().all()
    assert judged[["wis", "chance_above_zero"]].isna().all(axis=None)
    own = set(zip(whole["measure"], whole["origin"]))
    assert own == set(zip(judged["measure"], judged["origin"]))


def test_a_table_is_known_by_its_sum_under_any_name(written: Path, tmp_path: Path) -> None:
    (tmp_path / "then.manifest.json").write_bytes(written.read_bytes())
    (tmp_path / "then.csv").write_bytes(written.with_name("own.csv").read_bytes())
    assert read_edition(tmp_path / "then.manifest.json").whole


def test_the_page_shows_what_can_be_judged_of_a_manifest_alone(
    newest: Panel, written: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "own.manifest.json"
    alone.write_bytes(written.read_bytes())
    made = report(
        fc.forecast(newest, "naive", (2027,), draws=100), folder=tmp_path / "page",
        previous=[alone, alone],
    )  # fmt: skip
    main, page = (made[at].read_text(encoding="utf-8") for at in (0, 4))
    section = page[page.index('id="outturn"', page.index("<main")) :]
    assert "6 figures that it had forecast" in section
    assert "6 figures that it had forecast" in main[main.index('id="outturn"') :]
    assert '<td class="n">–</td>' in section


def test_an_edition_newer_than_the_page_is_refused(newest: Panel, tmp_path: Path) -> None:
    report(fc.forecast(newest, "naive", (2027,), draws=100), folder=tmp_path, name="new")
    old = fc.forecast(newest.as_of("2024-12-31"), "naive", (2027,), draws=100)
    with pytest.raises(DataError, match="knew newer figures"):
        report(old, folder=tmp_path / "x", previous=tmp_path / "new.manifest.json")
    assert not (tmp_path / "x").exists()


def test_figures_without_days_are_named_by_their_last_year(newest: Panel, tmp_path: Path) -> None:
    rows = newest.latest.drop(columns="as_of")
    undated = Panel.from_frame(rows)
    earlier = fc.forecast(undated.until(2023), "naive", (2025,), draws=100)
    report(earlier, folder=tmp_path, name="own")
    edition = read_edition(tmp_path / "own.manifest.json")
    assert edition.day == "2023"
    judged = outturn([edition, read_edition(FROZEN)], undated)
    assert set(judged["edition"]) == {"2023", "2025-12-31"}
    assert judged["last_known"].notna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": None}, "sha256 in b.manifest.json is None"),
        ({"expected": [1]}, "expected in b.manifest.json is 1; write a table"),
        ({"origin": [1]}, r"origin in b.manifest.json is \[1\]; give a whole number"),
        ({"as_of": "soon"}, "as_of in b.manifest.json is 'soon'"),
        ({"model": None}, "model in b.manifest.json is None; give a text"),
        ({"expected": [{"source": "a"}]}, r"expected\]\] 1 of b.manifest.json lacks location"),
    ],
)
def test_a_broken_manifest_is_one_message(
    written: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    content = json.loads(written.read_text(encoding="utf-8")) | change
    path = tmp_path / "b.manifest.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_edition(path)
    path.write_text("[" * 100_000)
    with pytest.raises(DataError, match="is not the manifest"):
        read_edition(path)


def test_nothing_that_was_known_then_is_judged(newest: Panel, written: Path) -> None:
    assert outturn([read_edition(written)], newest.as_of("2022-12-31")).empty
    assert running_record(outturn([read_edition(written)], newest.as_of("2022-12-31"))).empty


def test_the_record_runs_over_editions(newest: Panel, written: Path, tmp_path: Path) -> None:
    later = fc.forecast(newest.as_of("2024-12-31"), "naive", (2025,), draws=300)
    report(later, folder=tmp_path, name="next")
    editions = [read_edition(written), read_edition(tmp_path / "next.manifest.json")]
    judged = outturn(editions, newest)
    record = running_record(judged).set_index("edition")
    assert record.index.tolist() == ["2022-12-31", "2024-12-31", "all"]
    assert record["figures"].tolist() == [12, 6, 18]
    assert record.loc["all", "mean_error"] == pytest.approx(judged["error"].abs().mean())


def test_the_frozen_edition_is_whole_and_knew_nothing_of_2025() -> None:
    edition = read_edition(FROZEN)
    assert len(edition.quantiles) > 1_000
    assert edition.day < "2026"
    judged = outturn([edition], fc.load("central-asia"))
    assert len(judged) == 18
    assert set(judged["year"]) == {2025}


def test_the_command_prints_both_tables(tmp_path: Path) -> None:
    rows = CliRunner().invoke(cli, ["editions", str(FROZEN)])
    assert rows.exit_code == 0, rows.output
    assert rows.stdout.count("\n") == 19
    summed = CliRunner().invoke(cli, ["editions", str(FROZEN), "--summary"])
    assert summed.stdout.splitlines()[-1].startswith("all,18,")
    other = tmp_path / "x.json"
    other.write_text(json.dumps({"format": "other"}))
    refused = CliRunner().invoke(cli, ["editions", str(other)])
    assert refused.exit_code == 1
    assert "is not the manifest of a report" in refused.output
    with pytest.raises(DataError, match="does not exist"):
        read_edition(tmp_path / "none.json")


def test_the_command_says_which_figures_are_due() -> None:
    printed = CliRunner().invoke(cli, ["data", "status", "--source", "un-wpp"])
    assert printed.exit_code == 0, printed.output
    assert "un-wpp,net_migration,5,2023,2024-07-11,2026-07-12," in printed.stdout
