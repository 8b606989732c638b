"""True values rank anywhere among posterior draws (the full study is ``benchmarks/sbc.py``)."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import chisquare

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def sbc(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("sbc")


def together(rows: list[dict[str, np.ndarray]]) -> np.ndarray:
    return np.concatenate([np.concatenate([np.ravel(v) for v in row.values()]) for row in rows])


@pytest.mark.thorough
def test_in_the_hierarchical_model(sbc: ModuleType) -> None:
    replicate, kept = sbc.MODELS["hierarchical"]
    every = together([replicate(seed) for seed in range(8)])
    assert abs(every.mean() / kept - 0.5) < 0.05
    # Too narrow or too wide a posterior crowds the outer or the inner ranks.
    outer = np.mean((every < 10) | (every > 89))
    assert 0.12 < outer < 0.28


def test_in_the_model_of_gross_flows(sbc: ModuleType) -> None:
    replicate, kept = sbc.MODELS["flows"]
    every = together([replicate(seed, 10) for seed in range(4)])
    assert abs(every.mean() / kept - 0.5) < 0.1
    outer = np.mean((every < 10) | (every > 89))
    assert 0.12 < outer < 0.28


@pytest.mark.thorough
def test_worlds_from_the_priors_of_gross_flows_stay_so(sbc: ModuleType) -> None:
    flows = importlib.import_module("sbc_flows")
    chances = flows.stay(1, worlds=150, steps=20)
    assert min(chances.values()) > 0.001
    # The sampler is told that growth fades faster than it does in the worlds.
    wrong = flows.stay(1, worlds=150, steps=10, given={**flows.PRIORS, "damping": [0.4, 0.15]})
    assert wrong["damping"] < 0.001


@pytest.mark.parametrize("model", ["level", "ar", "structural", "internal"])
def test_in_models_of_single_series(sbc: ModuleType, model: str) -> None:
    replicate, kept = sbc.MODELS[model]
    rows = [replicate(seed) for seed in range(150)]
    for name in rows[0]:
        ranks = np.stack([np.atleast_1d(row[name]) for row in rows])
        for column in ranks.T:
            cells = np.bincount(column * 5 // (kept + 1), minlength=5)
            assert chisquare(cells).pvalue > 0.001, name


def test_ranks_that_crowd_at_one_end_are_found(sbc: ModuleType) -> None:
    generator = np.random.default_rng(1)
    good = [generator.integers(0, 100, 3) for _ in range(300)]
    bad = [generator.integers(0, 85, 3) for _ in range(300)]
    found = sbc.verdict({"good": good, "bad": bad}, 99)
    assert found["good"]["smallest_p_of_all"] > 0.01
    assert found["bad"]["smallest_p_of_all"] < 0.01
