"""What `models/*.toml` may hold of models of single series, by year or by season."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Numbers, Positive, Settings, Share
from forecast.models.settings import About

type Order = Annotated[tuple[int, int, int], Field(strict=False)]
type Bounds = Annotated[tuple[int, int], Field(strict=False)]
type SeasonalOrder = Annotated[tuple[Order, Order], Field(strict=False)]


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


class SeasonalEtsGrid(Settings):
    """Nodes of smoothing and damping."""

    smoothing_level: Numbers
    trend_share: Numbers
    season_share: Numbers
    damping: Numbers


class SeasonalEtsSettings(About):
    """Settings of `seasonal-ets`."""

    grid: SeasonalEtsGrid


class SeasonalComponentsGrid(Settings):
    """Nodes of both kinds of level."""

    gain: Numbers
    season_change: Numbers
    noise_share: Numbers
    persistence: Numbers


class SeasonalComponentsSettings(About):
    """Settings of `seasonal-components`."""

    grid: SeasonalComponentsGrid


class SeasonalArimaGrid(Settings):
    """Nodes of the coefficients."""

    ar: Numbers
    ma: Numbers
    seasonal_ma: Numbers


class SeasonalArimaSettings(About):
    """Settings of `seasonal-arima`."""

    orders: Annotated[tuple[SeasonalOrder, ...], Field(strict=False)]
    grid: SeasonalArimaGrid


class SeasonalThetaSettings(About):
    """Settings of `seasonal-theta`."""

    memory: Share


class SeasonalPooledSettings(About):
    """Settings of `seasonal-pooled`."""

    least_years: Positive
    minimum_series: Count
    minimum_cells: Count
    common_season: Count
    memory: Share
    ridge: Positive
    half_life: Positive
