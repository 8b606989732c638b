"""The verb `mirror`: a panel of corridors in, what was probably moved out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from forecast.config import read_toml
from forecast.errors import DataError
from forecast.models.bayes.gate import Sampled
from forecast.models.bayes.plain import OnFailure, accept, checked, draw_plainly
from forecast.models.corridors_settings import CountingSource, MirrorSettings
from forecast.models.mirror.counts import Counts, counts_of
from forecast.models.mirror.estimate import estimate, pymc_model
from forecast.models.mirror.result import Mirror
from forecast.models.registry import settings as settings_of
from forecast.panel import Panel

type Sources = Mapping[str, Mapping[str, str]] | str | Path


def mirror(
    panel: Panel,
    *,
    sources: Sources | None = None,
    settings: str | Path | None = None,
    on_failure: OnFailure = "refuse",
    seed: int = 1,
) -> Mirror:
    """Say what was probably moved in each corridor, given what several sources counted.

    Parameters
    ----------
    panel : Panel
        Corridors (measure ``flow``) of two sources or more. Permits and registrations for work are
        another measure, and never added.
    sources : mapping, str or Path, optional
        What each source is, before what ``models/mirror.toml`` says: by name ``counts`` (the
        country whose office counts, such as ``"KAZ"``; or ``"destination"``, ``"origin"`` where
        offices of many countries count on that side; or ``"estimate"``) and ``definition``
        (``"any"``, ``"three_months"``, ``"six_months"``, ``"nine_months"``, ``"twelve_months"``,
        ``"permanent"``); or a TOML file with a table ``[[source]]`` for each. A source of which
        nothing is said is believed little.
    settings : str or Path, optional
        A copy of ``models/mirror.toml`` with other priors.
    on_failure : {"refuse", "mark"}
        What happens to a fit that misses the gate.
    seed : int
        The same seed gives the same numbers.

    Returns
    -------
    Mirror
        Persons per calendar year who stay twelve months or more.

    Raises
    ------
    DataError
        If the panel has no corridors, no corridor is told by several sources, or a source counts
        for a country that a corridor does not touch.
    FitError
        If the chains do not agree.

    References
    ----------
    Raymer, Wiśniowski, Forster, Smith and Bijak (2013, doi:10.1080/01621459.2013.789435).

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("corridors").select(location="KAZ:DEU")
    >>> estimate = fc.mirror(panel)  # doctest: +SKIP
    >>> estimate.flows().tail(1)  # doctest: +SKIP
    """
    if not isinstance(panel, Panel):
        raise DataError(
            f"mirror() needs a Panel, not {type(panel).__name__}. "
            "Make one with forecast.read(), forecast.load() or Panel.from_frame()."
        )
    if panel.frequency != "year":
        raise DataError(
            f"mirror() compares counts of years, and the panel counts by {panel.frequency}. "
            "Add them up with panel.by('year')."
        )
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise DataError(f"seed is {seed!r}; give a whole number, zero or above.")
    checked(on_failure)
    stated = settings_of("mirror") if settings is None else MirrorSettings.read(settings)
    assert isinstance(stated, MirrorSettings)  # noqa: S101  the registry knows its class
    counts = counts_of(panel, stated, _sources(sources))
    fitted = learners(counts, stated.sampler.corridors)
    if fitted is None:
        names = sorted(set(counts.table["source"]))
        one = f"only one source ({names[0]}) tells of them"
        several = f"each is told by one of {', '.join(names)}, none by two"
        raise DataError(
            f"nothing to compare: of {len(set(counts.table['location']))} corridors "
            f"{one if len(names) == 1 else several}. Give counts of the same corridor by another "
            "source, or take the counts as they are."
        )
    sampled = sample(fitted, stated, seed)
    accept(sampled.failure, on_failure, "mirror", "mirror")
    generator = np.random.default_rng([seed, len(counts.table)])
    return Mirror(
        counts, estimate(counts, fitted, sampled, stated, generator), stated, seed, sampled
    )


def learners(counts: Counts, most: int) -> Counts | None:
    """Return the counts of corridors that teach most, None if no two sources tell of one.

    Parameters
    ----------
    counts : Counts
        Of all corridors.
    most : int
        Number of corridors; those with the most years in which several count, and the largest
        of them, come first.
    """
    if not counts.shared.any():
        return None
    table = counts.table[counts.shared]
    several = table.groupby(["location", "year"])["value"].agg(["size", "max"])
    ranked = several.assign(more=several["size"] - 1).groupby("location")[["more", "max"]].sum()
    chosen = ranked.sort_values(["more", "max"], ascending=False, kind="stable").index[:most]
    return counts.part(counts.table["location"].isin(chosen).to_numpy())


def sample(counts: Counts, settings: MirrorSettings, seed: int) -> Sampled:
    """Draw from the posterior of the model, and hold the draws against the gate.

    Parameters
    ----------
    counts : Counts
        Of corridors that several sources tell of.
    settings : MirrorSettings
        With the sampler and the limits of the gate.
    seed : int
    """
    sampler, limits = settings.sampler.model_dump(), settings.diagnostics.model_dump()
    return draw_plainly(pymc_model(counts, settings), sampler, limits, seed, sampler["kept"])


def _sources(given: Sources | None) -> list[CountingSource]:
    """Return what is said of sources, in Python or in a file."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [
            CountingSource.of({"name": name, **about}, f"sources[{name!r}]")
            for name, about in given.items()
        ]
    name = Path(given).name
    stated = read_toml(given, "Give a TOML file with a table [[source]] for each source.")
    tables = stated.get("source")
    if not isinstance(tables, list) or set(stated) != {"source"}:
        raise DataError(f"{name} has to hold a table [[source]] for each source, and only those.")
    return [
        CountingSource.of(about, f"[[source]] {number} of {name}")
        for number, about in enumerate(tables, 1)
    ]
