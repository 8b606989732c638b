"""A report that is killed while it is written: the next run leaves a whole edition."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork processes")
@pytest.mark.parametrize(
    "every", [pytest.param(41, marks=pytest.mark.thorough), pytest.param(1, marks=pytest.mark.slow)]
)
def test_a_kill_at_any_step_of_a_report_loses_nothing(tmp_path: Path, every: int) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed_reports.py")), str(tmp_path),
         str(every)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= 3, done.stdout
