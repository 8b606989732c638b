"""What each `models/*.toml` may hold: one typed class a model (the ensemble's lie beside it)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Names, Numbers, Pair, Positive, Settings, Share

type Order = Annotated[tuple[int, int, int], Field(strict=False)]
type Bounds = Annotated[tuple[int, int], Field(strict=False)]


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


class ArGridSettings(Settings):
    """Persistence of deviations from the mean."""

    prior_power: float
    persistence_nodes: Count


class ArSettings(About):
    """Settings of `ar`."""

    grid: ArGridSettings


class ArimaGridSettings(Settings):
    """Nodes of the partial autocorrelations."""

    fine: Count
    coarse: Count


class ArimaSettings(About):
    """Settings of `arima`."""

    orders: Annotated[tuple[Order, ...], Field(strict=False)]
    grid: ArimaGridSettings


class EtsGridSettings(Settings):
    """Nodes of the smoothing parameters."""

    smoothing_level: Numbers
    trend_share: Numbers
    damping: Numbers


class EtsSettings(About):
    """Settings of `ets`."""

    grid: EtsGridSettings


class LevelGridSettings(Settings):
    """Nodes of the gain."""

    gain: Numbers


class LevelSettings(About):
    """Settings of `level`."""

    grid: LevelGridSettings


class TrendSettings(Settings):
    """Nodes of the damped trend."""

    gain: Numbers
    trend_variance: Numbers
    damping: Numbers


class StructuralSettings(About):
    """Settings of `structural`; its level and reversion are those of `level` and `ar`."""

    trend: TrendSettings


class ThetaGridSettings(Settings):
    """Nodes of the smoothing parameter."""

    smoothing_level: Numbers


class ThetaSettings(About):
    """Settings of `theta`."""

    grid: ThetaGridSettings


class PooledSettings(About):
    """Settings of `pooled`."""

    minimum_cells: Count
    minimum_series: Count
    least_past: Bounds
    weight_power: float
    ridge: float


class EffectsSettings(Settings):
    """Prior of the effects of drivers."""

    spread: Numbers


class GateSettings(Settings):
    """When the drivers stay."""

    origins: Count
    horizon: Count
    draws: Count
    p_value: Share


class DriversSettings(Settings):
    """What all drivers need."""

    minimum_years: Count


class DriverSettings(Settings):
    """One driver."""

    name: str
    measure: str
    form: Literal["ratio", "relative", "change", "level"]
    to: str = ""
    place: str = ""


class RegressionSettings(About):
    """Settings of `regression`."""

    prior: EffectsSettings
    gate: GateSettings
    drivers: DriversSettings
    driver: Annotated[tuple[DriverSettings, ...], Field(strict=False)]


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
