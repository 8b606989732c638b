"""What the TOML of each seasonal model may hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from forecast.config import Count, Numbers, Positive, Settings, Share
from forecast.models.settings import About, Order

type SeasonalOrder = Annotated[tuple[Order, Order], Field(strict=False)]


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
