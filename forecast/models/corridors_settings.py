"""What `models/corridors.toml` may hold."""

from __future__ import annotations

from forecast.config import Count, Numbers, Pair, Positive, Settings, Share
from forecast.models.settings import About


class CorridorsPriors(Settings):
    """Priors of `corridors`; see its TOML."""

    persistence: Pair
    innovation: Positive
    noise: Positive
    size_effect: Pair
    degrees: Positive
    evenness: Pair
    year_evenness: Pair
    shared: Numbers
    shared_degrees: Positive
    mean_spread: Positive
    spread: Numbers
    gravity_origin_population: Pair
    gravity_destination_population: Pair
    gravity_distance: Pair
    gravity_contiguity: Pair
    gravity_language: Pair


class CorridorsSampler(Settings):
    """Chains of `corridors`."""

    chains: Count
    warm_up: Count
    kept: Count
    most: Count
    learned_from: Count
    paths: Count
    settling: Count


class CorridorsRules(Settings):
    """What is said of corridors with few figures, and how large a draw may be."""

    least_figures: Count
    largest_multiple: Positive
    largest_share: Share


class CorridorsWidths(Settings):
    """Hindcasts that widths of intervals are learned from."""

    origins: Count
    corridors: Count
    warm_up: Count
    kept: Count
    paths: Count
    least_cases: Count
    pseudo_cases: Positive
    alike: Positive


class CorridorsGate(Settings):
    """What a fit of `corridors` has to meet."""

    largest_r_hat: Positive
    least_ess: float


class CorridorsSettings(About):
    """Settings of `corridors`."""

    priors: CorridorsPriors
    sampler: CorridorsSampler
    settings: CorridorsRules
    widths: CorridorsWidths
    diagnostics: CorridorsGate
