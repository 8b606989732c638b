"""What `models/corridors.toml` and `models/mirror.toml` may hold: flows between places."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.config import Count, Numbers, Pair, Positive, Settings, Share, Text
from forecast.models.settings import About, DiagnosticsSettings

type PositivePair = Annotated[tuple[Positive, Positive], Field(strict=False)]


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


class CountingKind(Settings):
    """What a kind of source is believed to do: see ``models/mirror.toml``.

    Attributes
    ----------
    coverage : (float, float)
        Share of the moves that its definition means and that it counts: median, and standard
        deviation of the log.
    pairs, accuracy : (float, float)
        How far it is off in one corridor in all years, and in one year besides, as standard
        deviation of the log: its median, and the standard deviation of its own log.
    reason : str
        What these numbers rest on.
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
        Registers of arrivals, and of departures.
    estimate : CountingKind
        Results of a model: nobody was counted.
    unknown : CountingKind
        Sources of which nothing is said.
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
        Median, and standard deviation of the log.
    reason : str
        What these numbers rest on.
    """

    factor: PositivePair
    reason: Text


class MoveDefinitions(Settings):
    """From when on a stay is a move.

    Attributes
    ----------
    any, three_months, six_months, nine_months, twelve_months, permanent : MoveDefinition
        From the registration of a dwelling on, after so many months, or for good.
    unknown : MoveDefinition
        Of sources that do not say it.
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
        The source, as in the panel.
    counts : str
        A kind of `CountingKinds`, or the code of the country whose office counts.
    definition : str
        A definition of `MoveDefinitions`.
    reason : str
        Where that is said.
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
        Log of the flow in the first year (persons per period): mean and standard deviation.
    change : (float, float)
        How much the log moves from year to year: median of that standard deviation, and
        standard deviation of its log.
    degrees_of_changes, degrees_of_counts : float
        Degrees of freedom of Student's t, of changes and of errors of counts.
    """

    log_flow: PositivePair
    change: PositivePair
    degrees_of_changes: Positive
    degrees_of_counts: Positive


class MirrorSampler(Settings):
    """Chains of `mirror`.

    Attributes
    ----------
    chains : int
        How many.
    warm_up, kept : int
        Draws of each chain that are thrown away, and kept at first.
    most : int
        Draws of each chain at the most, where the diagnostics ask for more.
    target_accept : float
        Share of proposals to be accepted.
    told : int
        Draws that the result keeps, at most.
    corridors : int
        From how many corridors coverage and accuracy are learnt, at most.
    centring : float
        Years told by others as well at which the error of a corridor is sampled half in units
        of its spread.
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
        What is believed of each kind of source.
    definitions : MoveDefinitions
        How many moves each definition makes.
    source : tuple of CountingSource
        What is known of single sources.
    priors : TrueFlowPriors
        Of the true flows.
    sampler : MirrorSampler
        How many draws are made.
    diagnostics : DiagnosticsSettings
        What they have to meet.
    """

    kinds: CountingKinds
    definitions: MoveDefinitions
    source: Annotated[tuple[CountingSource, ...], Field(strict=False)]
    priors: TrueFlowPriors
    sampler: MirrorSampler
    diagnostics: DiagnosticsSettings
