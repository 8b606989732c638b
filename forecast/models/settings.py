"""What each `models/*.toml` may hold: one typed class a model, read by `specification`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Names, Numbers, Pair, Positive, Settings, Share

type Order = Annotated[tuple[int, int, int], Field(strict=False)]
type Bounds = Annotated[tuple[int, int], Field(strict=False)]


class About(Settings):
    """What every model's TOML says of it, for readers and for the registry."""

    title: str
    kind: str
    summary: str
    measures: str
    minimum_years: Count
    references: Names = ()
    #: Measures that it forecasts, and that a panel must hold; all and none by default.
    only: Names = ()
    needs: Names = ()
    #: Share of the past that counts one year later, for the variance.
    discount: Annotated[tuple[Share, ...], Field(strict=False)] = (1.0,)


class ArGrid(Settings):
    """Persistence of deviations from the mean."""

    prior_power: float
    persistence_nodes: Count


class Ar(About):
    """Settings of `ar`."""

    grid: ArGrid


class ArimaGrid(Settings):
    """Nodes of the partial autocorrelations."""

    fine: Count
    coarse: Count


class Arima(About):
    """Settings of `arima`."""

    orders: Annotated[tuple[Order, ...], Field(strict=False)]
    grid: ArimaGrid


class EtsGrid(Settings):
    """Nodes of the smoothing parameters."""

    smoothing_level: Numbers
    trend_share: Numbers
    damping: Numbers


class Ets(About):
    """Settings of `ets`."""

    grid: EtsGrid


class LevelGrid(Settings):
    """Nodes of the gain."""

    gain: Numbers


class Level(About):
    """Settings of `level`."""

    grid: LevelGrid


class Trend(Settings):
    """Nodes of the damped trend."""

    gain: Numbers
    trend_variance: Numbers
    damping: Numbers


class Structural(About):
    """Settings of `structural`; its level and reversion are those of `level` and `ar`."""

    trend: Trend


class ThetaGrid(Settings):
    """Nodes of the smoothing parameter."""

    smoothing_level: Numbers


class Theta(About):
    """Settings of `theta`."""

    grid: ThetaGrid


class Pooled(About):
    """Settings of `pooled`."""

    minimum_cells: Count
    minimum_series: Count
    least_past: Bounds
    weight_power: float
    ridge: float


class Effects(Settings):
    """Prior of the effects of drivers."""

    spread: Numbers


class Gate(Settings):
    """When the drivers stay."""

    origins: Count
    horizon: Count
    draws: Count
    p_value: Share


class Drivers(Settings):
    """What all drivers need."""

    minimum_years: Count


class Driver(Settings):
    """One driver."""

    name: str
    measure: str
    form: Literal["ratio", "relative", "change", "level"]
    to: str = ""
    place: str = ""


class Regression(About):
    """Settings of `regression`."""

    prior: Effects
    gate: Gate
    drivers: Drivers
    driver: Annotated[tuple[Driver, ...], Field(strict=False)]


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
    largest_rhat: Positive


class Flows(About):
    """Settings of `flows`."""

    priors: FlowsPriors
    sampler: FlowsSampler


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


class Learned(HierarchicalPriors):
    """The same as the world up to a year says."""

    until: int
    widened: Positive


class Centring(Settings):
    """Transitions at which a location is sampled half in units of its group's spread."""

    mean: Positive
    storm: Positive
    persistence: Positive


class Rates(Settings):
    """Floors, bounds and memory of `hierarchical`, per 1,000."""

    speaks_for_itself: Count
    floor: Positive
    usual_share: float
    storm_floor: Positive
    memory: Share
    least_move: Positive
    bounds: Pair
    centring: Centring


class HierarchicalSampler(Settings):
    """Chains of `hierarchical`."""

    chains: Count
    warm_up: Count
    kept: Count
    kept_of_many: Count
    most: Count
    target_accept: Share


class Diagnostics(Settings):
    """What a fit of `hierarchical` has to meet."""

    largest_r_hat: Positive
    least_ess: float
    most_divergences: int
    least_e_bfmi: float


class Hierarchical(About):
    """Settings of `hierarchical`."""

    priors: HierarchicalPriors
    learned: Learned
    settings: Rates
    sampler: HierarchicalSampler
    diagnostics: Diagnostics


class Response(Settings):
    """Prior of a region's answer to its country."""

    mean: float
    deviation: Positive


class Liveliness(Settings):
    """Prior of the liveliness that regions share."""

    weight: Positive
    degrees: Positive


class Internal(About):
    """Settings of `internal`."""

    response: Response
    pooling: Liveliness


class History(Settings):
    """At which earlier origins the members of `ensemble` are asked again."""

    every: Count
    origins: Annotated[int, Field(ge=0)]
    draws: Count
    points: Count
    steps: Count
    seed: int
    sparse: dict[str, Count]


class Groups(Settings):
    """Parts of a scale that learn by themselves."""

    most: Count
    least: Count


class Weights(Settings):
    """How past forecasts weigh."""

    scale_power: float
    half_life: Positive
    bandwidth: Annotated[int, Field(ge=0)]
    pull: float
    pull_steps: float
    shared: Share


class Calibration(Settings):
    """How past errors widen or narrow the intervals."""

    half_life: Positive
    bandwidth: Annotated[int, Field(ge=0)]
    pull: float


class PublishedErrors(Settings):
    """Errors of a published forecast that takes part."""

    least: Count
    growth: float
    correlation: Share


class Revision(Settings):
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


class Revisions(Settings):
    """How revisions of figures move what the past forecasts are held against."""

    apply: bool
    enough: Count
    least: Count
    learned: Annotated[tuple[Revision, ...], Field(strict=False)] = ()


class Ensemble(About):
    """Settings of `ensemble`."""

    members: Names
    pool: Literal["linear", "quantile"]
    history: History
    groups: Groups
    weights: Weights
    calibration: Calibration
    published: PublishedErrors
    revisions: Revisions


#: The class of each TOML of the shelf; one of another name says what every TOML says.
BY_NAME: dict[str, type[About]] = {
    "ar": Ar,
    "arima": Arima,
    "ensemble": Ensemble,
    "ets": Ets,
    "flows": Flows,
    "hierarchical": Hierarchical,
    "internal": Internal,
    "level": Level,
    "pooled": Pooled,
    "regression": Regression,
    "structural": Structural,
    "theta": Theta,
}
