"""The hierarchical model as an ordinary PyMC model, to look at, change, sample and criticise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.models.hierarchical.law import STORM_DEGREES, Parameters, transition
from forecast.models.hierarchical.priors import Prior
from forecast.models.hierarchical.rates_panel import RatesPanel, transitions

if TYPE_CHECKING:
    import pymc as pm

#: What each group has, in the order of the priors.
OF_GROUPS = (
    "mean", "log_storm_size", "logit_persistence", "log_mean_spread", "log_storm_spread",
    "log_persistence_spread", "log_calm_scale", "logit_storm_chance", "storm_echo",
    "log_shared_storms",
)  # fmt: skip
#: What each location has of its own, drawn around its group or country.
OF_LOCATIONS = ("mean", "storm", "persistence")


def pymc_model(
    pool: RatesPanel, priors: Mapping[str, Prior], settings: Mapping[str, Any]
) -> pm.Model:
    """State the model of a panel's rates in PyMC.

    A rate given the years before it is a mixture of a calm and a stormy year; see
    `forecast.models.hierarchical.law`. Figures are `pm.Data`, so other figures of the same
    locations and years are taken in with `pm.set_data`; see `data`.

    Parameters
    ----------
    pool : RatesPanel
    priors : mapping of str to (mean, standard deviation)
        Of the groups, by the names of `OF_GROUPS`.
    settings : mapping
        The table ``[settings]`` of the model's TOML.

    Returns
    -------
    pymc.Model
        Free variables of groups (dimension ``group``), of locations (``location_mean``,
        ``location_log_storm``, ``location_logit_persistence``) and of years (``year_effect``);
        observed ``rate``, net migrants per 1,000 population per year by ``transition``, which is
        labelled by location and year. Where regions lie within countries of the panel,
        ``location_mean`` is put together from ``top_mean`` and ``nested_mean``.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from forecast.models.bayes.whitening import partly_centred

    group, n_top = pool.group, len(pool.group) - len(pool.parent)
    share = centred(pool, settings)
    with pm.Model(coords=coordinates(pool, settings)) as model:
        given = {
            name: pm.Data(name, values, dims="transition")
            for name, values in data(pool, settings).items()
        }
        of_group = {name: pm.Normal(name, *priors[name], dims="group") for name in OF_GROUPS}

        def normal(name: str, centre: Any, spread: Any, own: np.ndarray, dim: str) -> Any:
            return pm.Normal(name, centre, spread, dims=dim, transform=partly_centred(own))

        mean_spread, storm_spread, persistence_spread = (
            pt.exp(of_group[f"log_{name}_spread"])[group] for name in OF_LOCATIONS
        )
        centre = of_group["mean"][group]
        if len(pool.parent):
            above, below = slice(n_top), slice(n_top, None)
            top = normal("top_mean", centre[above], mean_spread[above], share[0, above], "top")
            nested = normal(
                "nested_mean", top[pool.parent], mean_spread[below], share[0, below], "nested"
            )
            mean = pm.Deterministic("location_mean", pt.concatenate([top, nested]), dims="location")
        else:
            mean = normal("location_mean", centre, mean_spread, share[0], "location")
        centre = of_group["log_storm_size"][group]
        log_storm = normal("location_log_storm", centre, storm_spread, share[1], "location")
        storm = pm.Deterministic("location_storm", pt.exp(log_storm), dims="location")
        centre = of_group["logit_persistence"][group]
        logit_persistence = normal(
            "location_logit_persistence", centre, persistence_spread, share[2], "location"
        )
        persistence = pm.Deterministic(
            "location_persistence", pm.math.sigmoid(logit_persistence), dims="location"
        )
        year_effect = pm.Normal("year_effect", 0.0, 1.0, dims="year")

        location, members = given["location_index"], pt.as_tensor(group)[given["location_index"]]
        law = transition(
            Parameters(
                mean[location],
                storm[location],
                persistence[location],
                pt.exp(of_group["log_calm_scale"])[members],
                of_group["logit_storm_chance"][members],
                of_group["storm_echo"][members],
                pt.exp(of_group["log_shared_storms"])[members],
            ),
            given["before"],
            given["move"],
            given["floor"],
            year_effect[given["year_index"]],
            float(settings["storm_floor"]),
            xp=pt,
        )
        chance = pm.math.sigmoid(law.storm_logit)
        pm.Mixture(
            "rate",
            w=pt.stack([1.0 - chance, chance], axis=-1),
            comp_dists=[
                pm.Normal.dist(given["before"], law.calm_scale),
                pm.StudentT.dist(nu=STORM_DEGREES, mu=law.storm_centre, sigma=law.storm_scale),
            ],
            observed=given["figure"],
            dims="transition",
        )
    return model


def data(pool: RatesPanel, settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the figures of the model, for `pm.set_data` and nutpie's ``with_data``.

    Parameters
    ----------
    pool : RatesPanel
        Of the locations and years of the model; what is not known of it is left out.

    Returns
    -------
    dict
        By transition: ``figure``, ``before``, ``move`` and ``floor`` per 1,000 (see
        `forecast.models.hierarchical.rates_panel.transitions`), ``location_index`` and
        ``year_index``.
    """
    table = transitions(pool, settings)
    location, year = np.nonzero(table["weight"])
    columns = {"figure": "value", "before": "before", "move": "move", "floor": "floor"}
    by_transition = {name: table[column][location, year] for name, column in columns.items()}
    return {**by_transition, "location_index": location, "year_index": year}


def coordinates(pool: RatesPanel, settings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the names along the dimensions of the model.

    Parameters
    ----------
    pool : RatesPanel
        The figures as rates.
    settings : mapping
        ``[settings]`` of ``models/hierarchical.toml``.
    """
    labels = pool.labels
    years = [pool.first_year + (step + 1) * pool.step for step in range(pool.n_transitions)]
    location, year = np.nonzero(transitions(pool, settings)["weight"])
    n_top = len(labels) - len(pool.parent)
    halves = {"top": labels[:n_top], "nested": labels[n_top:]} if len(pool.parent) else {}
    return {
        "group": list(pool.groups),
        "location": labels,
        **halves,
        "year": years,
        "transition": [f"{labels[row]} {years[step]}" for row, step in zip(location, year)],
    }


def centred(pool: RatesPanel, settings: Mapping[str, Any]) -> np.ndarray:
    """Return how far each location is centred, shape (3, n), in the order of `OF_LOCATIONS`.

    The longer a series, the more: 0 samples the distance from the group in units of the group's
    spread, 1 the parameter itself, and between them lies what samples best for series of middling
    length (Papaspiliopoulos, Roberts and Sköld 2007, doi:10.1214/088342307000000014).

    Parameters
    ----------
    pool : RatesPanel
        The figures as rates.
    settings : mapping
        ``[settings]`` of ``models/hierarchical.toml``; ``centring`` has the length at one half.
    """
    used = transitions(pool, settings)["weight"].sum(axis=1)
    halves = settings["centring"]
    return np.stack([used / (used + halves[name]) for name in OF_LOCATIONS])
