"""What `models/ensemble.toml` may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Names, Numbers, Positive, Settings, Share
from forecast.models.settings import About


class HistorySettings(Settings):
    """At which earlier origins the members of `ensemble` are asked again."""

    every: Count
    origins: Annotated[int, Field(ge=0)]
    draws: Count
    points: Count
    steps: Count
    seed: int
    sparse: dict[str, Count]


class GroupsSettings(Settings):
    """Parts of a scale that learn by themselves."""

    most: Count
    least: Count


class WeightsSettings(Settings):
    """How past forecasts weigh."""

    scale_power: float
    half_life: Positive
    bandwidth: Annotated[int, Field(ge=0)]
    pull: float
    pull_steps: float
    shared: Share


class CalibrationSettings(Settings):
    """How past errors widen or narrow the intervals."""

    half_life: Positive
    bandwidth: Annotated[int, Field(ge=0)]
    pull: float


class PublishedErrorsSettings(Settings):
    """Errors of a published forecast that takes part."""

    least: Count
    growth: float
    correlation: Share


class RevisionSettings(Settings):
    """Revisions learned up to a day."""

    source: str
    kind: str
    until: str
    step: Count
    pairs: Count
    intercept: float
    exponent: float
    correlation: float
    sizes: Numbers
    inhabitants: float = 0.0
    own: Annotated[dict[str, Positive], Field(default_factory=dict)]


class RevisionsSettings(Settings):
    """How revisions of figures move what the past forecasts are held against."""

    apply: bool
    enough: Count
    least: Count
    shrinkage: Positive
    learned: Annotated[tuple[RevisionSettings, ...], Field(strict=False)] = ()


class CoherenceSettings(Settings):
    """Whether the draws obey the accounts that the figures obey, and how they are made to."""

    apply: bool
    method: Literal["mint", "bottom-up", "top-down", "middle-out"]


class EnsembleSettings(About):
    """Settings of `ensemble`."""

    members: Names
    pool: Literal["linear", "quantile"]
    history: HistorySettings
    groups: GroupsSettings
    weights: WeightsSettings
    calibration: CalibrationSettings
    published: PublishedErrorsSettings
    revisions: RevisionsSettings
    coherence: CoherenceSettings
