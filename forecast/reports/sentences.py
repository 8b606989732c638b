"""The sentences of the report, each a pure function of one series and a language.

Numbers are rounded to two digits here, and nowhere else; a likelihood word never stands
without its number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast import labels
from forecast.corridors import FLOW, RESTS
from forecast.horizons import CONCEPTS
from forecast.language import Language, message, rounded
from forecast.reports.series_view import SeriesView

#: ICD 203 (Office of the Director of National Intelligence 2015): the word for each
#: probability up to and including the bound, and the sentence for a net loss.
LIKELIHOOD = (
    (0.05, message("almost no chance"), message("there is almost no chance of a net loss")),
    (0.20, message("very unlikely"), message("a net loss is very unlikely")),
    (0.45, message("unlikely"), message("a net loss is unlikely")),
    (0.55, message("roughly even chance"), message("the chance of a net loss is roughly even")),
    (0.80, message("likely"), message("a net loss is likely")),
    (0.95, message("very likely"), message("a net loss is very likely")),
    (1.00, message("almost certain"), message("a net loss is almost certain")),
)
#: What a count counts, with its range.
_COUNTED = {
    "immigration": message("From {low} to {high} people arrive to live"),
    "emigration": message("From {low} to {high} people leave to live elsewhere"),
    "internal_arrivals": message("From {low} to {high} people arrive from inside the country"),
    "internal_departures": message(
        "From {low} to {high} people leave for another part of the country"
    ),
    "population": message("From {low} to {high} people live there"),
}


def likelihood(probability: float, words: Language) -> str:
    """Return the ICD 203 word for a probability with the number beside it.

    ICD 203 is the standard of the US intelligence community for words of estimative probability.

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    words : Language
        Language of the word and of the number.

    Returns
    -------
    str
        Such as ``likely (70 %)``.
    """
    word = next(word for bound, word, _ in LIKELIHOOD if probability <= bound)
    return f"{words.say(word)} ({words.percent(probability)})"


def net_loss(drawn: np.ndarray, words: Language) -> str:
    """Say how likely it is that more people leave than arrive.

    Parameters
    ----------
    drawn : ndarray, shape (n_draws,)
        Net flows, an inflow positive.
    words : Language
        Language of the words and of the number.

    Returns
    -------
    str
        Part of a sentence, with the number in brackets.
    """
    chance = float((drawn < 0).mean())
    likelihood = next(likelihood for bound, _, likelihood in LIKELIHOOD if chance <= bound)
    return f"{words.say(likelihood)} ({words.percent(chance)})"


def net_range(lower: float, upper: float, words: Language) -> str:
    """Say what lies between two net flows, in words that need no sign.

    Parameters
    ----------
    lower, upper : float
        Persons, net inflow positive; rounded here to two digits.
    """
    low, high = rounded(lower), rounded(upper)
    if low >= 0 and high >= 0:
        shape = message("From {low} to {high} more people arrive than leave")
    elif low <= 0 and high <= 0:
        low, high = high, low
        shape = message("From {low} to {high} more people leave than arrive")
    else:
        shape = message("From {low} more people leaving to {high} more arriving")
    return words.say(shape, low=words.persons(abs(low)), high=words.persons(abs(high)))


def expectation(view: SeriesView, year: int, words: Language) -> str:
    """Say what is expected of one series in one year, with its 80 % interval.

    Parameters
    ----------
    view : SeriesView
        One series, in persons per calendar year.
    year : int
        Target year.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        For net flows with the chance of a net loss, for counts with the middle estimate,
        for a year already observed the figure.
    """
    known = view.observed(year)
    if known is not None and year in view.follows:
        figure = view.written(known, words)
        return words.say("Follows from figures already known: {figure}.", figure=figure)
    if known is not None:
        return words.say("Already observed: {figure}.", figure=view.written(known, words))
    if year <= view.series.origin:
        return words.say("No figure.")
    drawn = view.at(year)
    lower, middle, upper = np.quantile(drawn, [0.1, 0.5, 0.9])
    if view.series.measure not in _COUNTED and not (view.series.signed and view.counted.moves):
        return _figures(view, drawn, words)
    if view.series.signed:
        return words.say(
            "{range}, four chances in five; {loss}.",
            range=net_range(lower, upper, words),
            loss=net_loss(drawn, words),
        )
    shape = _COUNTED[view.series.measure]
    low, middle, high = (view.written(one, words, 2) for one in (lower, middle, upper))
    return words.say(
        "{range}, four chances in five; middle estimate {middle}.",
        range=words.say(shape, low=low, high=high),
        middle=middle,
    )


def _figures(view: SeriesView, drawn: np.ndarray, words: Language) -> str:
    """Say what is expected of what are no people, in the unit of the measure."""
    low, middle, high = (
        view.written(float(one), words, 2) for one in np.quantile(drawn, [0.1, 0.5, 0.9])
    )
    sentence = words.say(
        "From {low} to {high} {unit}, four chances in five; middle estimate {middle}.",
        low=low,
        high=high,
        unit=view.counted.unit.said(words.code),
        middle=middle,
    )
    if not view.series.signed:
        return sentence
    chance = likelihood(float((drawn < 0).mean()), words)
    return f"{sentence} {words.say('Below zero: {likelihood}.', likelihood=chance)}"


def total(view: SeriesView, year: int, words: Language) -> str:
    """Say what the years up to a target year add up to; empty where that says nothing new.

    Parameters
    ----------
    view : SeriesView
        A stock (the population) adds up to nothing, and has no sentence.
    year : int
        The last of the years; the first is the first forecast one.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        Persons; empty if there are fewer than two such years.
    """
    if not view.counted.adds_over_time or (view.years <= year).sum() < 2:
        return ""
    lower, middle, upper = np.quantile(view.total(year), [0.1, 0.5, 0.9])
    low, mid, high = (view.written(float(value), words, 2) for value in (lower, middle, upper))
    shape = (
        message(
            "All years from {first} to {last} together: {low} to {high} (80\u202f%), "
            "middle {middle}."
        )
        if view.series.season == 1
        else message(
            "From {first} to {last} together: {low} to {high} (80\u202f%), middle {middle}."
        )
    )
    return words.say(
        shape,
        first=view.named(view.years[0]),
        last=view.named(year),
        low=low,
        high=high,
        middle=mid,
    )


def above_recent(view: SeriesView, year: int, words: Language) -> str:
    """Say how the forecast compares with the mean of the last observed years.

    Parameters
    ----------
    view : SeriesView
        With at least one figure; the last five years count, see `SeriesView.recent`.
    year : int
        A forecast year.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    recent = view.recent()
    mean = float(recent.mean())
    chance = float((view.at(year) > mean).mean())
    if view.series.season > 1 or not view.counted.moves:
        return words.say(
            "Above the mean of the last figures ({first}–{last}: {mean}): {likelihood}.",
            first=view.named(view.series.years[~np.isnan(view.series.values)][-len(recent)]),
            last=view.last()[0],
            mean=view.written(mean, words, 2),
            likelihood=likelihood(chance, words),
        )
    return words.count(
        "Above the last observed figure ({mean}): {likelihood}.",
        "Above the mean of the last {n} observed years ({mean}): {likelihood}.",
        len(recent),
        mean=words.persons(rounded(mean), sign=view.series.signed),
        likelihood=likelihood(chance, words),
    )


def brief(view: SeriesView, year: int, words: Language) -> str:
    """Give median, 80\u202f% interval and chance of a net loss in the fewest words.

    Parameters
    ----------
    view : SeriesView
        The chance of a net loss is told of net flows only.
    year : int
        A forecast year.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    drawn = view.at(year)
    signed = view.series.signed
    lower, middle, upper = (
        view.written(float(value), words, 2) for value in np.quantile(drawn, [0.1, 0.5, 0.9])
    )
    sentence = words.say(
        "{year}: {middle}, 80\u202f% interval {low} to {high}",
        year=view.named(year),
        middle=middle,
        low=lower,
        high=upper,
    )
    return (
        f"{sentence}; {net_loss(drawn, words)}."
        if signed and view.counted.moves
        else f"{sentence}."
    )


def last_figure(view: SeriesView, words: Language) -> str:
    """Give the last observed figure.

    Parameters
    ----------
    view : SeriesView
        With at least one figure.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        The figure is not rounded.
    """
    year, value = view.last()
    figure = view.written(value, words)
    return words.say("Last observed, {year}: {figure}.", year=year, figure=figure)


def two_sources(first: SeriesView, second: SeriesView, words: Language) -> str:
    """Show two sources of the same measure side by side in the last year of both.

    Parameters
    ----------
    first, second : SeriesView
        Of one place and measure, a net flow.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
        Empty if no year has a figure of both.
    """
    ours = dict(zip(first.series.years.tolist(), first.series.values.tolist()))
    theirs = dict(zip(second.series.years.tolist(), second.series.values.tolist()))
    both = [y for y in ours if y in theirs and not np.isnan(ours[y]) and not np.isnan(theirs[y])]
    if not both:
        return ""
    year = first.named(max(both))
    return words.say(
        "For {year} the {first} says {one} and the {second} {two}. They measure different "
        "things and are forecast apart.",
        year=year,
        first=labels.source(first.series.source, words),
        second=labels.source(second.series.source, words),
        one=words.persons(ours[year], sign=True),
        two=words.persons(theirs[year], sign=True),
    )


def concept(country: str, words: Language) -> str:
    """Name the policy concept of a country and its target years; empty if there is none.

    Parameters
    ----------
    country : str
        Code of a country.
    words : Language
        Language of the sentence; the title where the catalogue has it.

    Returns
    -------
    str
    """
    if country not in CONCEPTS:
        return ""
    stated = CONCEPTS[country]
    years = stated.target_years
    title = words.lookup(stated.title)
    if len(stated.phases) > 1:
        phases = [f"{first}–{last}" for first, last in stated.phases]
        return words.say("{title}. Its phases: {phases}.", title=title, phases=words.listed(phases))
    return words.count(
        "{title}. Its target year: {years}.",
        "{title}. Its target years: {years}.",
        len(years),
        title=title,
        years=words.listed(years),
    )


def not_forecast(view: SeriesView, words: Language) -> str:
    """Say why a series was not forecast, and what its last figure is.

    Parameters
    ----------
    view : SeriesView
        A series without draws; its note has the reason.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
    """
    why = labels.reason(view.note, words)
    return words.say("Not forecast: {reason}", reason=why) + " " + last_figure(view, words)


def flags(view: SeriesView, words: Language, leave_out: frozenset[str] = frozenset()) -> str:
    """Say which years carry which flag; empty if none does.

    Sentences in `leave_out` were said already, of all series of a group.

    Parameters
    ----------
    view : SeriesView
        With the flags of each year.
    words : Language
        Language of the sentences.
    leave_out : frozenset of str
        See `shared_flags`.

    Returns
    -------
    str
    """
    return " ".join(
        sentence for sentence in flag_sentences(view, words) if sentence not in leave_out
    )


def flag_sentences(view: SeriesView, words: Language) -> list[str]:
    """Return one sentence for each flag that some year carries; first, what a corridor rests on.

    Parameters
    ----------
    view : SeriesView
        Only years with a figure count, unless the flag is about missing ones.
    words : Language
        Language of the sentences.

    Returns
    -------
    list of str
        In the order of `forecast.labels.FLAGS`.
    """
    sentences = []
    given = str(view.note["reason"]) if view.forecast and view.series.measure == FLOW else ""
    if RESTS in given:
        rests = labels.reason({"reason": given[given.index(RESTS) :]}, words)
        sentences.append(rests[:1].upper() + rests[1:])
    for flag, meaning in labels.FLAGS.items():
        carried = view.series.flagged(flag)
        if flag not in labels.MISSING:
            carried &= ~np.isnan(view.series.values)
        years = view.series.years[carried].tolist()
        if years:
            sentences.append(
                words.say(meaning, years=words.listed([view.named(one) for one in years]))
            )
    return sentences


def shared_flags(group: Sequence[SeriesView], words: Language) -> list[str]:
    """Return the sentences on flags that several series have in common.

    Parameters
    ----------
    group : sequence of SeriesView
        Series that stand together on the page.
    words : Language
        Language of the sentences.

    Returns
    -------
    list of str
        Empty for a single series. The same years have to carry the flag in all.
    """
    sentences = [flag_sentences(view, words) for view in group]
    return (
        [line for line in sentences[0] if all(line in own for own in sentences)]
        if len(sentences) > 1
        else []
    )


def fan_description(view: SeriesView, words: Language) -> str:
    """Describe a fan chart for those who cannot see it.

    Parameters
    ----------
    view : SeriesView
        The last figure, every target year and the flags are told.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
    """
    parts = [last_figure(view, words)]
    parts += [brief(view, year, words) for year in view.horizons if year in view.years]
    parts.append(flags(view, words))
    return " ".join(part for part in parts if part)


def ranking_description(ranked: list[SeriesView], year: int, words: Language) -> str:
    """Describe a ranked chart, highest median first.

    Parameters
    ----------
    ranked : list of SeriesView
        In the order of the chart, all forecast for the year.
    year : int
        Target year.
    words : Language
        Language of names and numbers.

    Returns
    -------
    str
    """
    shown = [
        (labels.place(s.series.location, words), rounded(float(np.median(s.at(year)))))
        for s in ranked
    ]
    listed = "; ".join(f"{place} {words.persons(value, sign=True)}" for place, value in shown)
    return words.say("Medians for {year}, highest first: {listed}.", year=year, listed=listed)
