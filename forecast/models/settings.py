"""What every `models/*.toml` may hold, and those of models that learn from many series at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Names, Numbers, Pair, Positive, Settings, Share


class About(Settings):
    """What every model's TOML says of it, for readers and for the registry.

    Attributes
    ----------
    title, kind, summary, measures : str
        What it is called, its kind, what it does and what it forecasts, in words.
    minimum_years : int
        Fewest usable years of a series.
    references : tuple of str
        Papers, with their DOI.
    only, needs : tuple of str
        Measures that it forecasts, and that a panel must hold; all and none by default.
    compiled : str
        Package that holds code to be compiled for it, as ``CODE``; none by default.
    discount : tuple of float
        Share of the past that counts one year later, for the variance; several are weighed.
    """

    title: str
    kind: str
    summary: str
    measures: str
    minimum_years: Count
    references: Names = ()
    only: Names = ()
    needs: Names = ()
    compiled: str = ""
    discount: Annotated[tuple[Share, ...], Field(strict=False)] = (1.0,)


class FlowsPriors(Settings):
    """Priors of `flows`: pairs are mean and standard deviation, single numbers scales."""

    log_shock: Pair
    shock_spread: Positive
    growth: Positive
    damping: Pair
    noise: Positive
    degrees: Pair


class FlowsSampler(Settings):
    """Chains of `flows`."""

    chains: Count
    warm_up: Count
    kept: Count
    apart: Count
    farthest: Count
    most: Count
    target_accept: Share
    compiled: bool


class DiagnosticsSettings(Settings):
    """What the draws of a posterior have to meet.

    Attributes
    ----------
    largest_r_hat : float
        Of any parameter.
    least_ess : float
        Effective sample size of any parameter, in the bulk and in the tails.
    most_divergences : int
        Of all chains together.
    least_e_bfmi : float
        Of any chain.
    """

    largest_r_hat: Positive
    least_ess: float
    most_divergences: int
    least_e_bfmi: float


class FlowsSettings(About):
    """Settings of `flows`."""

    priors: FlowsPriors
    sampler: FlowsSampler
    diagnostics: DiagnosticsSettings


class HierarchicalPriors(Settings):
    """Mean and standard deviation of the priors of `hierarchical`."""

    mean: Pair
    log_mean_spread: Pair
    log_storm_size: Pair
    log_storm_spread: Pair
    logit_persistence: Pair
    log_persistence_spread: Pair
    logit_storm_chance: Pair
    storm_echo: Pair
    log_calm_scale: Pair
    log_shared_storms: Pair


class LearnedSettings(HierarchicalPriors):
    """The same as the world up to a year says."""

    until: int
    released: str
    widened: Positive


class CentringSettings(Settings):
    """Transitions at which a location is sampled half in units of its group's spread."""

    mean: Positive
    storm: Positive
    persistence: Positive


class RatesSettings(Settings):
    """Floors, bounds and memory of `hierarchical`, per 1,000."""

    speaks_for_itself: Count
    floor: Positive
    usual_share: float
    storm_floor: Positive
    memory: Share
    least_move: Positive
    bounds: Pair
    centring: CentringSettings


class HierarchicalSampler(Settings):
    """Chains of `hierarchical`."""

    chains: Count
    warm_up: Count
    kept: Count
    kept_of_many: Count
    most: Count
    target_accept: Share
    compiled: bool


class HierarchicalSettings(About):
    """Settings of `hierarchical`."""

    priors: HierarchicalPriors
    learned: LearnedSettings
    settings: RatesSettings
    sampler: HierarchicalSampler
    diagnostics: DiagnosticsSettings


class ResponseSettings(Settings):
    """Prior of a region's answer to its country."""

    mean: float
    deviation: Positive


class LivelinessSettings(Settings):
    """Prior of the liveliness that regions share."""

    weight: Positive
    degrees: Positive


class InternalSettings(About):
    """Settings of `internal`."""

    response: ResponseSettings
    pooling: LivelinessSettings


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
    limit: Annotated[float, Field(gt=1)]
    bandwidth: Annotated[int, Field(ge=0)]
    smoothing: Annotated[int, Field(ge=0)]
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
