"""What the documentation names is there, and its examples run."""

from __future__ import annotations

import ast
import doctest
import functools
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot

import forecast as fc
from forecast.models.ensemble.model import Ensemble
from forecast.models.registry import REGISTRY
from forecast.models.run import forecast
from forecast.panel import Panel

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")],
)
SHELVES = "benchmarks|data|docs|forecast|models|reports|tests"
FILE = re.compile(rf"(?<![\w/.-])(?:{SHELVES})/[\w./*-]*\w/?")
MODULE_FILE = re.compile(r"`(\w+\.py)`")
DOTTED = re.compile(r"(?<![\w/.-])forecast(?:\.[A-Za-z_]\w*)+(?![\w/])")
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def there(text: str) -> bool:
    return any(ROOT.glob(text)) if "*" in text else (ROOT / text).exists()


@pytest.fixture(params=PAGES, ids=name)
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


#: Written by the commands of the pages that name them, or a user's own; not files of ours.
MADE = ("reports/central-asia.*", "reports/", "models/targets/", "data/oracle-output.csv")


def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {match.rstrip(".") for match in FILE.findall(text)}
    assert sorted(path for path in named if path not in MADE and not there(path)) == []
    files = {path.name for path in ROOT.glob("forecast/**/*.py")}
    assert sorted(set(MODULE_FILE.findall(text)) - files) == []


def resolves(dotted: str) -> bool:
    """Whether a dotted name is a module of the package, or something in one."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        module = ".".join(parts[:n])
        folder = ROOT.joinpath(*parts[:n])
        if not (folder.with_suffix(".py").is_file() or (folder / "__init__.py").is_file()):
            continue
        found: object = importlib.import_module(module)
        for attribute in parts[n:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def test_modules_and_functions_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {match for match in DOTTED.findall(text) if not match.endswith((".csv", ".pot", ".po"))}
    assert sorted(dotted for dotted in named if not resolves(dotted)) == []


def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def missing_imports(code: str) -> list[str]:
    """Names that code takes from the package, and that are not there."""
    missing = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("forecast"):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            missing += [imported for imported in names if not resolves(imported)]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "fc":
            missing += [] if hasattr(fc, node.attr) else [f"fc.{node.attr}"]
    return missing


def test_examples_of_a_page_import_what_is_there(page: Path) -> None:
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert [missing for block in blocks for missing in missing_imports(block)] == []


SCRIPTS = sorted(
    path
    for folder in ("benchmarks", "data/compile", "docs")
    for path in (ROOT / folder).glob("*.py")
)


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_scripts_beside_the_package_import_what_is_there(script: Path) -> None:
    assert missing_imports(script.read_text(encoding="utf-8")) == []


def with_examples() -> list[str]:
    paths = [path for path in (ROOT / "forecast").rglob("*.py") if "__pycache__" not in path.parts]
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if ">>>" in path.read_text(encoding="utf-8")
    )


#: Examples that take seconds.
LONG_EXAMPLES = {"forecast.evaluate.track", "forecast.plots", "forecast.models.nowcast.verb"}


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(one, marks=pytest.mark.thorough if one in LONG_EXAMPLES else ())
        for one in with_examples()
    ],
)
def test_examples_of_docstrings_run(module: str) -> None:
    importlib.import_module(module)
    # The verb `forecast.models` hides the room of that name as an attribute.
    result = doctest.testmod(sys.modules[module])
    assert result.failed == 0


def python_block(page: str, start: str) -> str:
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    (block,) = (block for block in blocks if block.startswith(start))
    return block


@pytest.fixture
def registry() -> Iterator[None]:
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.mark.usefixtures("registry")
def test_the_model_of_the_contributor_s_page_works() -> None:
    names: dict[str, object] = {"__name__": "contributed"}
    exec(python_block("CONTRIBUTING.md", "import zlib"), names)  # noqa: S102
    track = names["track"]
    assert isinstance(track, fc.Track)
    assert set(track.table["model"]) == {"naive", "repeats"}
    assert set(track.table["status"]) == {"scored"}


@pytest.mark.thorough
@pytest.mark.usefixtures("registry")
def test_the_tutorial_of_a_model_of_one_s_own_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "tutorial"}
    for block in BLOCK.findall((ROOT / "docs/own-model.md").read_text(encoding="utf-8")):
        exec(block, names)  # noqa: S102
    outlook, track = names["outlook"], names["track"]
    assert isinstance(outlook, fc.Forecast)
    assert isinstance(track, fc.Track)
    assert set(track.table["model"]) == {"naive", "ets", "reverting"}
    assert set(track.table["status"]) <= {"scored", "not counted"}
    assert track.failures.empty
    page = (tmp_path / "reports" / "reverting-annex.html").read_text(encoding="utf-8")
    assert "R-hat is at most" in page
    assert "learned from all countries" in page


def test_the_calls_with_statsmodels_run_as_they_stand() -> None:
    matplotlib.use("agg")
    start = "from forecast.models.registry import model"
    exec(python_block("docs/time-series.md", start), {"fc": fc})  # noqa: S102
    pyplot.close("all")


def test_the_first_forecast_runs_as_it_stands() -> None:
    matplotlib.use("agg")
    names: dict[str, object] = {}
    exec(python_block("docs/start.md", "import forecast as fc\n\npanel"), names)  # noqa: S102
    assert isinstance(names["outlook"], fc.Forecast)
    pyplot.close("all")


@pytest.mark.thorough
def test_the_plots_of_the_page_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of every block, with an ensemble of two members and fewer draws."""
    matplotlib.use("agg")
    small = Ensemble(["naive", "ets"], settings={"history": {"origins": 4}})

    def smaller(panel: Panel, model: str | Ensemble = small, **more: Any) -> fc.Forecast:
        return forecast(panel, model, draws=100, **more)

    monkeypatch.setattr(fc, "forecast", smaller)
    monkeypatch.setattr(fc, "backtest", functools.partial(fc.backtest, draws=100))
    monkeypatch.setattr(fc, "impact", functools.partial(fc.impact, model="naive", draws=100))
    names: dict[str, object] = {}
    for block in BLOCK.findall((ROOT / "docs/plots.md").read_text(encoding="utf-8")):
        exec(block, names)  # noqa: S102
    assert names["left"].get_title(loc="left").startswith("Kazakhstan: Immigration")  # type: ignore[attr-defined]
    pyplot.close("all")


@pytest.mark.thorough
def test_the_calls_of_the_readme_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line of the block, with fewer draws and the series that it names."""
    load = fc.load

    def smaller(panel: str) -> Panel:
        whole = load(panel)
        return whole.select(source="kz-bns") if panel == "central-asia" else whole

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fc, "load", smaller)
    monkeypatch.setattr(fc, "forecast", functools.partial(fc.forecast, draws=500))
    monkeypatch.setattr(fc, "backtest", functools.partial(fc.backtest, draws=100))
    table = load("central-asia").select(location="KAZ", source="kz-bns", measure="immigration")
    latest = table.to_frame().drop_duplicates(["location", "year"], keep="last")
    latest[["location", "year", "value"]].to_csv("arrivals.csv", index=False)
    for page in ("README.md", "docs/README.md"):
        exec(python_block(page, "import forecast as fc\n\npanel"), {})  # noqa: S102
    assert list((tmp_path / "reports").glob("*.html"))
