"""One hub to read and to break."""

from __future__ import annotations

from pathlib import Path

import pytest

import forecast as fc
from forecast.outlook import Forecast


@pytest.fixture(scope="session")
def hub(outlook: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return outlook.to_hub(tmp_path_factory.mktemp("hubs") / "hub", samples=50)


@pytest.fixture(scope="session")
def unversioned(hub: Path) -> Path:
    """A hub whose figures have no day of release throughout."""
    return hub


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hub of the bundled national series, every release known."""
    panel = fc.load("central-asia").select(source=["un-wpp", "kz-bns"])
    made = fc.forecast(panel, model="naive", draws=100)
    return made.to_hub(tmp_path_factory.mktemp("hubs") / "bundled", samples=20)
