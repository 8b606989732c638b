"""Diagnostics of many parameters at once, against ArviZ and against what is known."""

from __future__ import annotations

import arviz_stats as stats
import numpy as np
import nutpie
import pymc as pm
import pytest
import xarray as xr
from arviz_base import from_dict

from forecast.models.bayes import gate
from forecast.models.bayes.gate import Sampled, convergence, examine, tree_of


def chains(shape: tuple[int, int]) -> np.ndarray:
    """Draws of seven parameters that mix in different ways, shape (..., 7)."""
    generator = np.random.default_rng(5)
    shock = generator.standard_normal((*shape, 7))
    draws = shock.copy()
    draws[..., 1] = shock[..., 1].cumsum(axis=1)  # A walk.
    draws[:, 1:, 2] -= draws[:, :-1, 2]  # Draws that alternate: more than independent.
    draws[..., 3] = np.round(shock[..., 3])  # Ties.
    draws[0, :, 4] += 2.0  # Chains apart.
    draws[0, 1:, 5] = draws[0, 1, 5]  # A chain that is stuck.
    draws[0, :, 6] *= 5.0  # Same middle, other spread.
    return draws


@pytest.mark.parametrize("shape", [(2, 600), (4, 101), (3, 10), (2, 5), (2, 4), (1, 200)])
def test_the_numbers_are_those_of_arviz(shape: tuple[int, int]) -> None:
    draws = chains(shape)
    tree = from_dict({"posterior": {"x": draws}}, dims={"x": ["of"]})
    known = [stats.ess(tree), stats.ess(tree, method="tail")]
    if shape[0] > 1:
        known.insert(0, stats.rhat(tree))
    found = convergence(draws)[-len(known) :]
    for ours, theirs in zip(found, known):
        np.testing.assert_allclose(ours, theirs["x"].to_numpy(), rtol=1e-9)


def test_independent_draws_count_in_full_and_chains_apart_are_found() -> None:
    r_hat, bulk, tail = convergence(chains((2, 4000)))
    assert r_hat[0] < 1.005
    assert min(bulk[0], tail[0]) > 7000
    assert bulk[2] > 8000
    assert (r_hat[[1, 4, 6]] > 1.1).all()
    assert bulk[1] < 100


def test_what_does_not_move_or_is_no_number_is_not_called_sound() -> None:
    draws = np.random.default_rng(1).standard_normal((2, 50, 3))
    draws[..., 1] = 0.5
    draws[1, 7, 2] = np.nan
    r_hat, bulk, tail = convergence(draws)
    assert np.isfinite([r_hat[0], bulk[0], tail[0]]).all()
    assert np.isnan([*r_hat[1:], bulk[2], tail[2]]).all()
    assert np.isnan(convergence(draws[:1])[0]).all()


def test_energy_that_hardly_moves_is_found_in_the_worst_chain() -> None:
    generator = np.random.default_rng(2)
    shocks = generator.standard_normal((2, 5000))
    limits = {"largest_r_hat": 1.01, "least_ess": 400, "most_divergences": 0, "least_e_bfmi": 0.3}

    def examined(energy: np.ndarray) -> Sampled:
        statistics = {"energy": (("chain", "draw"), energy)}
        statistics["diverging"] = (("chain", "draw"), np.zeros_like(energy, dtype=bool))
        posterior = {"level": (("chain", "draw"), generator.standard_normal((2, 5000)))}
        groups = {"posterior": xr.Dataset(posterior), "sample_stats": xr.Dataset(statistics)}
        return examine(xr.DataTree.from_dict(groups), limits)

    assert examined(shocks).failure == ""
    assert examined(shocks).e_bfmi == pytest.approx(2.0, abs=0.1)
    shocks[1] = shocks[1].cumsum()
    assert "energy hardly moves" in examined(shocks).failure


@pytest.mark.thorough
def test_draws_are_labelled_as_nutpie_and_arviz_label_them() -> None:
    with pm.Model(coords={"place": ["KAZ", "KGZ", "UZB"]}) as model:
        spread = pm.HalfNormal("spread")
        pm.Normal("rate", 0.0, spread, dims="place")
        pm.Normal("row", 0.0, 1.0, shape=(2, 2))
        pm.Normal("nothing", 0.0, 1.0, shape=(0,))
    compiled = nutpie.compile_pymc_model(model, backend="numba")
    options = {"draws": 40, "tune": 50, "chains": 2, "seed": 3, "progress_bar": False}
    want = nutpie.sample(compiled, **options)
    tree = tree_of(nutpie.sample(compiled, **options, return_raw_trace=True), compiled)
    xr.testing.assert_equal(tree["posterior"].to_dataset(), want["posterior"].to_dataset())
    statistics = tree["sample_stats"].to_dataset()
    assert {"diverging", "energy", "depth", "step_size", "n_steps"} <= set(statistics)
    xr.testing.assert_equal(statistics, want["sample_stats"].to_dataset()[list(statistics)])


@pytest.mark.parametrize(
    ("most", "least_ess", "lengths"),
    [
        (8000, 100, [500]),
        (8000, 180, [500, 1000]),
        (8000, 400, [500, 2000]),
        (1500, 400, [500, 1000]),
    ],
)
def test_draws_are_multiplied_by_what_is_lacking(
    most: int, least_ess: int, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(3)
    asked: list[int] = []

    def slow(_trace: object, _model: object) -> xr.DataTree:
        """One parameter of which about every eighth draw counts."""
        draws = generator.standard_normal((2, asked[-1]))
        for step in range(1, asked[-1]):
            draws[:, step] = 0.78 * draws[:, step - 1] + np.sqrt(1 - 0.78**2) * draws[:, step]
        return from_dict({"posterior": {"x": draws}})

    monkeypatch.setattr(nutpie, "sample", lambda _model, **named: asked.append(named["draws"]))
    monkeypatch.setattr(gate, "tree_of", slow)
    sampler = {"warm_up": 10, "chains": 2, "target_accept": 0.9, "most": most}
    limits = {
        "largest_r_hat": 1.1,
        "least_ess": least_ess,
        "most_divergences": 0,
        "least_e_bfmi": 0.3,
    }
    gate.draw(None, sampler, limits, 1, 500)
    assert asked == lengths
