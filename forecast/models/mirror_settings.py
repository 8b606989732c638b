"""What `models/mirror.toml` may hold: what is believed of sources, and of the true flows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Positive, Settings, Share, Text
from forecast.models.settings import About, DiagnosticsSettings

type PositivePair = Annotated[tuple[Positive, Positive], Field(strict=False)]


class CountingKind(Settings):
    """What a kind of source is believed to do: see ``models/mirror.toml``.

    Attributes
    ----------
    coverage : (float, float)
        Share of the moves that its definition means and that it counts: median, standard deviation
        of the log.
    pairs, accuracy : (float, float)
        How far it is off in a corridor in all years, and in one year besides: median of that
        standard deviation, standard deviation of its log.
    reason : str
    """

    coverage: PositivePair
    pairs: PositivePair
    accuracy: PositivePair
    reason: Text


class CountingKinds(Settings):
    """The kinds of sources that `mirror` tells apart.

    Attributes
    ----------
    destination, origin : CountingKind
        Registers of arrivals and of departures.
    estimate, unknown : CountingKind
    """

    destination: CountingKind
    origin: CountingKind
    estimate: CountingKind
    unknown: CountingKind


class MoveDefinition(Settings):
    """How many moves a definition makes of one that lasts twelve months.

    Attributes
    ----------
    factor : (float, float)
        Median, standard deviation of the log.
    reason : str
    """

    factor: PositivePair
    reason: Text


class MoveDefinitions(Settings):
    """From when on a stay is a move.

    Attributes
    ----------
    any, three_months, six_months, nine_months, twelve_months : MoveDefinition
    permanent, unknown : MoveDefinition
    """

    any: MoveDefinition
    three_months: MoveDefinition
    six_months: MoveDefinition
    nine_months: MoveDefinition
    twelve_months: MoveDefinition
    permanent: MoveDefinition
    unknown: MoveDefinition


class CountingSource(Settings):
    """Who counts in a source, and what it takes for a move.

    Attributes
    ----------
    name : str
    counts : str
        A country whose office counts, or ``destination``, ``origin``, ``estimate``, ``unknown``.
    definition : str
        A field of `MoveDefinitions`.
    reason : str
    """

    name: Text
    counts: Text
    definition: Literal[
        "any", "three_months", "six_months", "nine_months", "twelve_months", "permanent", "unknown"
    ] = "unknown"
    reason: str = ""


class TrueFlowPriors(Settings):
    """Priors of the true flow of `mirror`.

    Attributes
    ----------
    log_flow : (float, float)
        Of the log in the first year: mean, standard deviation.
    change : (float, float)
        Of the scale of changes: median, standard deviation of the log.
    degrees_of_changes, degrees_of_counts : float
        Of Student's t.
    """

    log_flow: PositivePair
    change: PositivePair
    degrees_of_changes: Positive
    degrees_of_counts: Positive


class MirrorSampler(Settings):
    """Chains of `mirror`.

    Attributes
    ----------
    chains, warm_up, kept, most : int
        Number of chains, draws of each: left out, kept at first, kept at most.
    target_accept : float
    told : int
        Draws that the result keeps.
    corridors : int
        Most corridors that coverage is learnt from.
    centring : float
        Years at which errors of corridors are half centred.
    """

    chains: Count
    warm_up: Count
    kept: Count
    most: Count
    target_accept: Share
    told: Count
    corridors: Count
    centring: Positive


class MirrorSettings(About):
    """Settings of `mirror`.

    Attributes
    ----------
    kinds : CountingKinds
    definitions : MoveDefinitions
    source : sequence of CountingSource
    priors : TrueFlowPriors
    sampler : MirrorSampler
    diagnostics : DiagnosticsSettings
        Limits of the gate.
    """

    kinds: CountingKinds
    definitions: MoveDefinitions
    source: Annotated[tuple[CountingSource, ...], Field(strict=False)]
    priors: TrueFlowPriors
    sampler: MirrorSampler
    diagnostics: DiagnosticsSettings
