"""An installed copy works far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough
ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, folder: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of commands of an environment that holds the wheel and, by path, its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=ROOT)
    venv.create(folder / "env", with_pip=True, symlinks=True)
    commands = folder / "env" / "bin"
    (wheel,) = folder.glob("*.whl")
    run(
        commands / "python", "-m", "pip", "install", "--no-index", "--no-deps", wheel, folder=folder
    )
    # A path file is not followed further, so the editable install of the checkout stays out.
    site = run(
        commands / "python",
        "-c",
        "import sysconfig; print(sysconfig.get_path('purelib'))",
        folder=folder,
    ).strip()
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return commands


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    where = run(
        installed / "python", "-c", "import forecast; print(forecast.__file__)", folder=tmp_path
    )
    assert str(installed.parent) in where
    assert str(ROOT) not in where


def test_the_example_is_there(installed: Path, tmp_path: Path) -> None:
    script = (
        "import forecast as fc\n"
        "print(fc.read(fc.example('office-table.xlsx'), skip=['2030 (план)']))"
    )
    assert "18 series, 6 locations" in run(installed / "python", "-c", script, folder=tmp_path)


def test_forecast_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    text = run(installed / "forecast", "predict", "--draws", "100", folder=tmp_path)
    assert text.startswith("location,measure,source,year,quantile,value\n")
    assert list(tmp_path.iterdir()) == []


def test_report_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    asked = ["report", "--model", "structural", "--draws", "100", "--out", "made"]
    run(installed / "forecast", *asked, folder=tmp_path)
    assert {"central-asia.html", "central-asia-annex.html", "central-asia.csv"} <= {
        path.name for path in (tmp_path / "made").iterdir()
    }
