"""What `models/mirror.toml` may hold: what is believed of sources, and of the true flows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Positive, Settings, Share, Text
from forecast.models.settings import About, DiagnosticsSettings

type PositivePair = Annotated[tuple[Positive, Positive], Field(strict=False)]


class CountingKind(Settings):
    """What a kind of source is believed to do: see ``models/mirror.toml``."""

    coverage: PositivePair
    pairs: PositivePair
    accuracy: PositivePair
    reason: Text


class CountingKinds(Settings):
    """The kinds of sources that `mirror` tells apart."""

    destination: CountingKind
    origin: CountingKind
    estimate: CountingKind
    unknown: CountingKind


class MoveDefinition(Settings):
    """How many moves a definition makes of one that lasts twelve months."""

    factor: PositivePair
    reason: Text


class MoveDefinitions(Settings):
    """From when on a stay is a move."""

    any: MoveDefinition
    three_months: MoveDefinition
    six_months: MoveDefinition
    nine_months: MoveDefinition
    twelve_months: MoveDefinition
    permanent: MoveDefinition
    unknown: MoveDefinition


class CountingSource(Settings):
    """Who counts in a source, and what it takes for a move."""

    name: Text
    counts: Text
    definition: Literal[
        "any", "three_months", "six_months", "nine_months", "twelve_months", "permanent", "unknown"
    ] = "unknown"
    reason: str = ""


class TrueFlowPriors(Settings):
    """Priors of the true flow of `mirror`."""

    log_flow: PositivePair
    change: PositivePair
    degrees_of_changes: Positive
    degrees_of_counts: Positive


class MirrorSampler(Settings):
    """Chains of `mirror`."""

    chains: Count
    warm_up: Count
    kept: Count
    most: Count
    target_accept: Share
    told: Count
    corridors: Count
    centring: Positive


class MirrorSettings(About):
    """Settings of `mirror`."""

    kinds: CountingKinds
    definitions: MoveDefinitions
    source: Annotated[tuple[CountingSource, ...], Field(strict=False)]
    priors: TrueFlowPriors
    sampler: MirrorSampler
    diagnostics: DiagnosticsSettings
