"""What a backtest will do: models, origins and horizons, checked before any work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forecast.contract import Model
from forecast.errors import DataError, unknown_name
from forecast.hindcast.vintages import Origin, origins_as_published, origins_latest
from forecast.models.registry import model as find_model
from forecast.panel import Panel


@dataclass(frozen=True)
class Plan:
    """What a backtest will do, checked.

    Attributes
    ----------
    models : list of (str, str or Model)
        Label in the score table, and the shipped name or the model itself.
    groups : list of list of Origin
        Origins that share a fit, the first of which it sees.
    horizons : tuple of int
        Years ahead of the origin.
    window : int or None
    draws, seed : int
    joint : bool
    """

    models: list[tuple[str, str | Model]]
    groups: list[list[Origin]]
    horizons: tuple[int, ...]
    window: int | None
    draws: int
    seed: int
    joint: bool

    def settings(self, panel: Panel, vintage: str) -> dict[str, object]:
        """Return what was asked for, as a saved track states it."""
        from forecast import __version__

        return {
            "models": [label for label, _ in self.models],
            "origins": [[o.year, o.as_of] for group in self.groups for o in group],
            "horizons": list(self.horizons),
            "window": self.window,
            "refit": max(len(group) for group in self.groups),
            "draws": self.draws,
            "seed": self.seed,
            "vintage": vintage,
            "step": panel.step,
            "data_hash": panel.hash,
            "version": __version__,
        }


def make(
    panel: Panel,
    models: Sequence[str | Model],
    origins: Sequence[int | str] | int | str | None,
    horizons: Sequence[int] | int,
    vintage: str,
    window: int | None,
    refit: int,
    draws: int,
    seed: int,
    joint: bool,
) -> Plan:
    """Check everything that was asked for; see `forecast.evaluate.backtest.backtest`."""
    if not isinstance(panel, Panel):
        raise DataError(
            f"backtest() needs a Panel, not {type(panel).__name__}. "
            "Make one with forecast.read(), forecast.load() or Panel.from_frame()."
        )
    for name, value, least in (
        ("draws", draws, 100),
        ("seed", seed, 0),
        ("refit", refit, 1),
        ("window", window, 2),
    ):
        if value is not None and (not isinstance(value, int) or value < least):
            raise DataError(f"{name} is {value!r}; give a whole number, {least} or above.")
    if vintage not in ("latest", "as_published"):
        raise unknown_name("vintage", vintage, ["latest", "as_published"])
    if isinstance(models, str) or not len(models):
        raise DataError(f"models is {models!r}; give a list such as ['naive', 'ets'].")
    labelled: list[tuple[str, str | Model]] = []
    for given in models:
        made = find_model(given)
        # A shipped model goes by name; one registered here is not known elsewhere.
        shipped = isinstance(given, str) and type(made).__module__.startswith("forecast.models.")
        labelled.append(
            (given if isinstance(given, str) else made.name, given if shipped else made)
        )
    labels = [label for label, _ in labelled]
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise DataError(f"two models are called {twice[0]!r}. Give each its own name.")
    chosen = (
        origins_latest(panel, origins)  # type: ignore[arg-type]
        if vintage == "latest"
        else origins_as_published(panel, origins)
    )
    groups = [chosen[start : start + refit] for start in range(0, len(chosen), refit)]
    return Plan(labelled, groups, _horizons(panel, horizons), window, draws, seed, joint)


def _horizons(panel: Panel, horizons: Sequence[int] | int) -> tuple[int, ...]:
    horizons = list(horizons) if isinstance(horizons, Iterable) else [horizons]
    if not len(horizons) or not all(hasattr(horizon, "__index__") for horizon in horizons):
        raise DataError(f"horizons are {horizons!r}; give years ahead such as (1, 3, 5, 7).")
    wanted = tuple(sorted({int(horizon) for horizon in horizons}))
    if wanted[0] < 1 or wanted[-1] > 50 * panel.step:
        raise DataError(
            f"horizons are {list(wanted)}: backtests count in years ahead of the origin, "
            f"from 1 to {50 * panel.step}. Calendar years belong to forecast()."
        )
    off = [horizon for horizon in wanted if horizon % panel.step]
    if off:
        raise DataError(
            f"horizon {off[0]} is not a multiple of the panel's {panel.step}-year step. "
            f"Ask for {panel.step}, {2 * panel.step}, ..."
        )
    return wanted
