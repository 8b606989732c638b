"""One answer: page, tables, hub, workbook, command and Python say the same numbers."""

from __future__ import annotations

import html
import importlib.util
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import forecast as fc
from forecast import accounts
from forecast.cli.main import cli
from forecast.draw_tables import QUANTILE_LEVELS
from forecast.language import Language, rounded
from forecast.models import DEFAULT
from forecast.series_key import KEY

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "reports"
OPTIONS = ["--model", "ar", "--draws", "400", "--seed", "5", "--horizons", "2027,2030"]


def run(*words: object) -> str:
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report in English and a hub of one small table, all by the command."""
    place = tmp_path_factory.mktemp("answers")
    panel = fc.load("central-asia").select(location="KAZ", source=["kz-bns", "un-wpp"])
    figures = panel.latest[[*KEY, "year", "value", "population"]]
    figures.to_csv(place / "figures.csv", index=False)
    data = ["--data", place / "figures.csv", *OPTIONS]
    run("report", *data, "--language", "en", "--out", place / "reports")
    run("hub", "export", *data, "--out", place / "hub")
    return place


@pytest.fixture(scope="module")
def quantiles(folder: Path) -> pd.Series:
    """The answer from Python."""
    outlook = fc.forecast(fc.read(folder / "figures.csv"), "ar", (2027, 2030), draws=400, seed=5)
    table = outlook.quantiles(QUANTILE_LEVELS)
    return table.set_index([*KEY, "year", "quantile"])["value"].sort_index()


def hub(folder: Path, kind: str) -> pd.DataFrame:
    files = sorted(folder.glob("model-output/*/*.csv"))
    table = pd.concat([pd.read_csv(file).assign(model=file.parent.name) for file in files])
    table = table[table["output_type"] == kind].rename(columns={"target": "measure"})
    return table.assign(year=table["target_end_date"].str[:4].astype(int))


def by_key(table: pd.DataFrame, level: str) -> pd.Series:
    return table.set_index([*KEY, "year", level])["value"].sort_index()


def test_command_tables_and_hubs_agree_with_python(folder: Path, quantiles: pd.Series) -> None:
    printed = pd.read_csv(io.StringIO(run("predict", "--data", folder / "figures.csv", *OPTIONS)))
    pd.testing.assert_series_equal(
        by_key(printed, "quantile").reindex(quantiles.index), quantiles, atol=0.06, rtol=0
    )
    whole = quantiles.round().astype(int)
    for place in (folder / "hub", folder / "reports" / "figures-hub"):
        said = by_key(hub(place, "quantile"), "output_type_id").reindex(whole.index)
        assert said.tolist() == whole.tolist()


def plain(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_pages_and_workbooks_agree_with_python(
    folder: Path, quantiles: pd.Series, spoken: Language
) -> None:
    words, code = spoken, spoken.code
    stem = "figures" if code == "en" else f"figures.{code}"
    if code != "en":
        data = ["--data", folder / "figures.csv", *OPTIONS]
        run("report", *data, "--language", code, "--out", folder / "reports")
    table, whole = pd.read_csv(folder / "reports" / f"{stem}.csv"), quantiles.round().astype(int)
    written = by_key(table[table["target"]], "quantile").reindex(whole.index)
    assert written.tolist() == whole.tolist()
    places = (f"{stem}.html", stem.replace("figures", "figures-annex") + ".html")
    main, annex = (plain((folder / "reports" / n).read_text(encoding="utf-8")) for n in places)
    sheets = pd.read_excel(folder / "reports" / f"{stem}.xlsx", sheet_name=None, engine="openpyxl")
    cells = {
        value
        for sheet in sheets.values()
        for value in pd.to_numeric(sheet.stack(), errors="coerce").dropna().round(0)
    }
    for (_, _, measure, _, level), value in quantiles.items():
        if level in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975):
            said = words.persons(rounded(value, 3), sign=measure.startswith("net"))
            assert said in annex
            assert level not in (0.1, 0.5, 0.9) or said in main
            assert round(value) in cells


def published(kind: str) -> pd.DataFrame:
    """What the published hub has of the published model."""
    manifest = json.loads((PUBLISHED / "central-asia.manifest.json").read_text(encoding="utf-8"))
    assert manifest["model"] == DEFAULT
    rows = hub(PUBLISHED / "central-asia-hub", kind)
    return rows[rows["model"] == f"forecast-{DEFAULT}"]


def test_published_files_say_the_same() -> None:
    table = pd.read_csv(PUBLISHED / "central-asia.csv")
    said = by_key(table[table["target"]], "quantile")
    told = by_key(published("quantile"), "output_type_id").reindex(said.index)
    assert told.tolist() == said.tolist()


def test_published_draws_obey_the_accounts_to_rounding() -> None:
    panel, rows = fc.load("central-asia"), published("sample")
    draws = rows.pivot_table(index=["year", "output_type_id"], columns=KEY, values="value")
    identities, _ = accounts.trusted(panel, list(draws.columns))
    assert len(identities) >= 5
    for identity in identities:
        terms = [coefficient * draws[key] for key, coefficient in identity.terms]
        gap = pd.concat(terms, axis=1).sum(axis=1, skipna=False).dropna()
        assert len(gap)
        # Each figure is rounded to a whole person.
        assert gap.abs().max() <= 0.5 * len(terms) + 1e-9, identity.name


def test_the_picture_of_the_readme_is_that_of_the_published_page() -> None:
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PICTURE.read_text(encoding="utf-8") == module.picture()
