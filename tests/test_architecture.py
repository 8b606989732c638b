"""The house keeps its order: imports run one way, modules stay small, names mean one thing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "forecast"
#: What takes a noticeable part of a second to load, and is not needed to print a page of help.
HEAVY = (
    "arviz", "babel", "h5py", "jinja2", "jsonschema", "matplotlib", "numba", "numpy", "nutpie",
    "openpyxl", "pandas", "pyarrow", "pymc", "pytensor", "scipy", "scoringrules", "statsmodels",
    "xarray",
)  # fmt: skip

#: What the package has now is the most it may have: modules, and lines apart from docstrings.
MODULES, CODE = 274, 43_114


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_imports_run_one_way() -> None:
    """The contract of layers in pyproject.toml; the message names each import that breaks it."""
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    command = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def at_module_level(path: Path) -> Iterator[str]:
    """Modules of the package that are imported as soon as this one is."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package[: len(package) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def test_no_module_imports_itself_through_others() -> None:
    """No circle of imports at module level, so that any module can be the first to be loaded."""
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules()
    }
    imports: dict[str, set[str]] = {}
    for name, path in names.items():
        targets = set()
        for target in at_module_level(path):
            module = target if target in names else target.rpartition(".")[0]
            if module in names and module != name:
                targets.add(module)
        imports[name] = targets
    # What imports nothing that is left is taken away until nothing can be; the rest are circles.
    left = dict(imports)
    while free := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in free:
            del left[name]
    while ends := [name for name in left if not any(name in targets for targets in left.values())]:
        for name in ends:
            del left[name]
    circles = {name: sorted(targets & left.keys()) for name, targets in left.items()}
    assert circles == {}


def undocumented_lines(path: Path) -> int:
    """Lines of a module without those of its docstrings."""
    text = path.read_text(encoding="utf-8")
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    spans = [
        node.body[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, described) and ast.get_docstring(node, clean=False) is not None
    ]
    return lines(path) - sum((span.end_lineno or 0) - span.lineno + 1 for span in spans)


def test_no_module_has_more_than_three_hundred_lines_apart_from_docstrings() -> None:
    long = {path.relative_to(ROOT).as_posix(): undocumented_lines(path) for path in modules()}
    assert {name: count for name, count in long.items() if count > 300} == {}


def test_the_package_does_not_grow() -> None:
    """What it has now is the most it may have; what users read about it may grow."""
    assert len(modules()) <= MODULES
    assert sum(map(undocumented_lines, modules())) <= CODE


def test_every_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("import forecast", id="import forecast"),
        pytest.param(
            "from click.testing import CliRunner\n"
            "from forecast.cli.main import cli\n"
            "assert CliRunner().invoke(cli, ['--help']).exit_code == 0",
            id="forecast --help",
        ),
    ],
)
def test_nothing_heavy_is_loaded(script: str) -> None:
    """Counts modules rather than seconds, so that it holds on a busy machine."""
    script += f"\nimport sys\nprint(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
