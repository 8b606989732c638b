"""What `models/nowcast/settings.toml` may hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from forecast.config import Count, Positive, Settings


class KnownSettings(Settings):
    """One number for each thing that is known of a year so far."""

    drift: float
    growth: float
    recent: float
    own: float
    unusual: float
    late: float
    previous: float


class NowcastPrior(Settings):
    """What a nowcast takes for granted before it has seen a past year."""

    mean: KnownSettings
    spread: KnownSettings
    groups: Positive
    error: Positive
    error_of_nets: Positive
    error_spread: Positive
    tails_spread: Positive
    shared: Positive
    shared_years: Positive
    restless_years: Positive
    revision: Positive
    revision_years: Positive


class NowcastWidths(Settings):
    """Past nowcasts that the widths of intervals are learned from."""

    years: Annotated[int, Field(ge=0)]
    half_life: Positive
    pseudo_cases: Positive
    alike: Positive


class NowcastSettings(Settings):
    """Settings of `nowcast`."""

    prior: NowcastPrior
    tails: Positive
    tails_of_years: Positive
    rounds: Count
    past: Count
    usual: Positive
    share_before: Annotated[float, Field(gt=0, lt=1)]
    width: Positive
    widths: NowcastWidths
