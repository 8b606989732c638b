"""Priors as data: those of the TOML, those learned from the world, and a user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forecast.errors import DataError, unknown_name

Prior = tuple[float, float]


def overrides(given: Mapping[str, Sequence[float]] | str | Path | None) -> dict[str, Any]:
    """Return a user's priors, from a mapping or the table ``[priors]`` of a TOML file.

    Raises
    ------
    DataError
        If the file cannot be read or has no such table.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    try:
        with Path(given).open("rb") as file:
            table = tomllib.load(file).get("priors")
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"priors: {given} cannot be read as TOML ({error}).") from None
    if not isinstance(table, dict):
        raise DataError(f"priors: {given} has no table [priors].")
    return table


def resolve(
    stated: Mapping[str, Any], given: Mapping[str, Any], n_locations: int, origin: int
) -> tuple[dict[str, Prior], str]:
    """Return the priors that hold for a panel, and in words where they come from.

    Parameters
    ----------
    stated : mapping
        The model's TOML.
    given : mapping
        A user's priors; they win.
    n_locations, origin : int
        Size and last year of the panel. What the world taught is used by smaller panels, and
        only where their data end no earlier than the figures it was learned from.

    Raises
    ------
    UnknownNameError
        If a user's prior has a name that the model does not know.
    DataError
        If a prior is not a mean and a standard deviation above zero.
    """
    names = stated["priors"]
    settings, learned = stated["settings"], stated["learned"]
    for name, pair in given.items():
        if name not in names:
            raise unknown_name("prior of hierarchical", name, names)
        numbers = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
        if not numbers or not all(isinstance(x, (int, float)) for x in pair) or not pair[1] > 0:
            raise DataError(
                f"prior {name} is {pair!r}; give [mean, standard deviation], the second above zero."
            )
    borrowed = n_locations < settings["speaks_for_itself"] and origin >= learned["until"]
    chosen = {name: (float(pair[0]), float(pair[1])) for name, pair in names.items()}
    words = "wide priors"
    if borrowed:
        words = f"priors learned from the world up to {learned['until']}"
        for name in names:
            if name in learned:
                centre, spread = learned[name]
                # What was learned is never told more loosely than what was assumed before.
                widened = min(float(spread) * float(learned["widened"]), chosen[name][1])
                chosen[name] = float(centre), widened
    chosen.update({name: (float(pair[0]), float(pair[1])) for name, pair in given.items()})
    return chosen, words + (f", own {', '.join(sorted(given))}" if given else "")
