"""What decides a result: any setting, table or module that can matter, and nothing else."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.artifacts import recipes
from forecast.shelf import shelf

PACKAGE = recipes.ROOT
_NAME = """
from forecast import artifacts
print(artifacts.name_of(artifacts.recipe(what="member", seed=1)), end="")
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its shelves, to be changed."""
    root = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "compile")
    shutil.copytree(PACKAGE, root / "forecast", ignore=ignored)
    for name in ("models", "data"):
        shutil.copytree(shelf(name), root / name, ignore=ignored)
    return root


def state(root: Path) -> dict[str, str]:
    models, data = root / "models", root / "data"
    return {
        "code": recipes.hash_of(recipes.modules(root / "forecast"), root),
        "settings": recipes.hash_of(models.rglob("*.toml"), models),
        "tables": recipes.hash_of((path for path in data.iterdir() if path.is_file()), data),
    }


def test_any_setting_or_module_that_can_matter_counts(copy: Path) -> None:
    package = copy / "forecast"
    rooms = ("models", "data", "hindcast", "accounts", "artifacts")
    paths = [*(copy / "models").rglob("*.toml"), *(copy / "data").glob("*.csv")]
    paths += [path for room in rooms for path in (package / room).rglob("*.py")]
    paths += [package / f"{name}.py" for name in ("scores", "scales", "panel", "outlook")]
    counted = {*recipes.modules(package), *(copy / "models").rglob("*.toml")}
    assert {path for path in paths if path.parent.name != "data" or path.suffix == ".py"} <= counted
    assert len(paths) > 100
    before = state(copy)
    for path in paths[:: len(paths) // 12]:
        content = path.read_bytes()
        path.write_bytes(content + b"\n# changed\n")
        assert state(copy) != before, path
        path.write_bytes(content)
    assert state(copy) == before


def test_a_docstring_of_the_report_does_not_count(copy: Path) -> None:
    before = state(copy)
    for path in (copy / "forecast" / "reports").rglob("*.py"):
        path.write_text(path.read_text(encoding="utf-8") + '\n"""More."""\n', encoding="utf-8")
    assert state(copy) == before


def test_a_changed_copy_gives_another_name_in_a_process_of_its_own(copy: Path) -> None:
    def name() -> str:
        return subprocess.run(
            [sys.executable, "-c", _NAME], check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(copy)}, cwd=copy,
        ).stdout  # fmt: skip

    before, path = name(), copy / "models" / "ar.toml"
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("prior_power = 0.25", "prior_power = 0.5"), encoding="utf-8")
    assert name() != before
    path.write_text(content, encoding="utf-8")
    assert name() == before


def test_what_is_left_out_is_imported_by_nothing_that_counts() -> None:
    """`outlook` alone calls what it exports to; it and `panel` are drawn by `plots`."""
    left_out = {f"forecast.{name.removesuffix('.py')}" for name in recipes.CANNOT_MATTER}
    wrong = []
    for path in recipes.modules(PACKAGE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            if any(f"{name}.".startswith(f"{room}.") for name in names for room in left_out):
                wrong.append(path.relative_to(PACKAGE).as_posix())
    drawn = {"outlook.py", "panel.py", "draw_tables.py", "models/mirror/result.py"}
    assert set(wrong) <= {"__init__.py", "__main__.py", *drawn}


def test_an_edited_kernel_is_compiled_anew(copy: Path, tmp_path: Path) -> None:
    """What calls it is kept by numba under its own file's content alone."""
    code = "from forecast.models.hierarchical.fast import CODE; print(CODE.folder)"
    environment = {**os.environ, "PYTHONPATH": str(copy), "NUMBA_CACHE_DIR": str(tmp_path / "own")}

    def folder() -> str:
        return subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True,
            env=environment, cwd=copy,
        ).stdout.strip()  # fmt: skip

    before, path = folder(), copy / "forecast" / "models" / "hierarchical" / "fast" / "kernel.py"
    assert Path(before).parent == tmp_path / "own"
    assert folder() == before
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert folder() != before
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    environment["NUMBA_CACHE_DIR"] = str(tmp_path / "file")
    assert folder() == "None"
