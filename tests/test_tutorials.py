"""The tutorials run as they stand, each in a namespace of its own, with small settings."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot

import forecast as fc
from forecast.models.registry import REGISTRY

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "tutorials"


def _renderer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("render", FOLDER / "render.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


render = _renderer()


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of its own, no window, and the registry as it was."""
    before = dict(REGISTRY)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    yield
    pyplot.close("all")
    REGISTRY.clear()
    REGISTRY.update(before)


def shown(value: object) -> None:
    """Make of the last line of a cell what a notebook makes of it."""
    for name in ("_repr_png_", "_repr_html_"):
        if getattr(value, name, None) is not None and getattr(value, name)():
            return
    # Only what is short as text has no picture or table.
    assert (
        value is None or isinstance(value, str | list) or "forecast" not in type(value).__module__
    )


def executed(name: str) -> dict[str, Any]:
    """Run all cells of a tutorial, and show what a notebook would show; a warning fails."""
    names: dict[str, Any] = {"__name__": "tutorial"}
    book = render.notebook(FOLDER / f"{name}.md", small=True)
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)  # noqa: S102
        if last is not None:
            shown(eval(compile(ast.Expression(last.value), name, "eval"), names))  # noqa: S307
    return names


def test_a_first_forecast(capsys: pytest.CaptureFixture[str]) -> None:
    names = executed("1-first-forecast")
    said = capsys.readouterr().out
    assert "80% of them from" in said
    assert "usable observed years since the break of 2021" in said
    assert "is known from kz-bns, un-wpp. Say which is meant" in said
    assert isinstance(fc.open("kazakhstan"), fc.Forecast)
    assert names["outlook"].model == "structural"


def test_the_first_picture_takes_less_than_ten_lines() -> None:
    book = render.notebook(FOLDER / "1-first-forecast.md")
    first = next(cell.source for cell in book.cells if cell.cell_type == "code")
    assert ".plot(" in first
    assert len(first.splitlines()) < 10


@pytest.mark.thorough
def test_a_table_of_one_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    names = executed("2-your-own-table")
    said = capsys.readouterr().out
    assert "the heading '2030 (план)' is not understood" in said
    assert "3 findings before, 0 now" in said
    widths = names["widths"]
    assert (widths["with_slip"] > 2 * widths["without"]).all()
    page = Path("reports/invented-example.html").read_text(encoding="utf-8")
    assert "invented example" in page


@pytest.mark.thorough
def test_how_good_it_is() -> None:
    names = executed("3-how-good-is-it")
    both = names["both"]
    assert both.models == ["persistence", "ets", "structural", "five-years"]
    assert both.failures.empty
    assert set(names["verdicts"]["model"]) == {"ets", "structural"}


@pytest.mark.thorough
def test_a_pymc_model_of_one_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    names = executed("4-a-model-of-your-own")
    assert names["track"].failures.empty
    assert "reverting" in names["track"].models
    said = capsys.readouterr().out
    assert "names the model: True" in said
    assert "its sentence on the fit: True" in said
    worst = names["Reverting"]().diagnose(names["trace"])["r_hat"].astype(float).max()
    assert worst < 1.2
    below, above = re.findall(r"in lie between (-\d+) and (\+\d+) per", said)[0]
    assert -100 < int(below) < 0 < int(above) < 100


@pytest.mark.thorough
def test_what_if(capsys: pytest.CaptureFixture[str]) -> None:
    names = executed("5-what-if")
    added = names["own"].table().query("measure == 'net_migration' and year == 2027")["added"]
    assert 10_000 < added.item() < 60_000
    assert 100 <= names["given"].effective < 400
    assert names["found"].sentence() in capsys.readouterr().out
    assert names["arrivals"].checks
    assert names["quiet"].verdict == "cannot be decided"
    assert "scenario" in Path("reports/questions.html").read_text(encoding="utf-8")


def test_small_settings_are_those_of_the_cells_that_they_replace() -> None:
    """The same names, so that a tutorial that changes cannot leave its small form behind."""
    for page in render.pages():
        (whole, small) = (
            [
                cell.source
                for cell in render.notebook(page, small=small).cells
                if "parameters" in cell.metadata.get("tags", [])
            ]
            for small in (False, True)
        )
        assert len(whole) == (page.stem in render.SMALL)
        assert [targets(text) for text in whole] == [targets(text) for text in small]


def targets(source: str) -> list[str]:
    """Return the names that a cell assigns."""
    return [
        node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


@pytest.mark.thorough
def test_a_tutorial_is_rendered_with_its_pictures(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "index.md").write_text("ours", encoding="utf-8")
    (out / "1-first-forecast-9.png").write_bytes(b"of an earlier run")
    render.render(out, small=True, names=["1-first-forecast"])
    text = (out / "1-first-forecast.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", text)
    assert len(pictures) == 3
    for picture in pictures:
        assert (out / picture).read_bytes().startswith(b"\x89PNG")
    assert "<b>Forecast</b> Model structural" in text
    assert " at 0x" not in text
    there = {path.name for path in out.iterdir()}
    assert there == {"index.md", "1-first-forecast.md", *pictures}
