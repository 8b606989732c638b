"""Sentences on an impact: outcome, how unusual it is, and the power of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast import labels
from forecast.impacts.placebo import LEVEL
from forecast.impacts.result import DEPENDS, ORDINARY, STANDS_OUT, UNDECIDED
from forecast.language import Language, rounded

if TYPE_CHECKING:
    from forecast.impacts.result import Impact


def sentence(impact: Impact, words: Language) -> str:
    """Give outcome, how unusual it is, power and limits in words.

    Parameters
    ----------
    impact : Impact
        An event with its counterfactual and its placebos.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
        Several sentences in one paragraph; plain text, nothing is escaped.
    """
    parts = [
        difference(impact, words),
        finding(impact, words),
        power(impact, words),
        impact.event.limited(words),
    ]
    return " ".join(part for part in parts if part)


def span(impact: Impact) -> str:
    """Return the years of the window as they are written."""
    first, last = impact.years[0], impact.years[-1]
    return str(first) if first == last else f"{first}–{last}"


def difference(impact: Impact, words: Language) -> str:
    """Give outcome, counterfactual, and their difference with its 80 % interval.

    Parameters
    ----------
    impact : Impact
        Its sum over all years of the window is told.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
        The interval is the calibrated one where there is one, else that of the model alone.
        Persons, a positive effect where more came (or fewer left) than was to be expected.
    """
    total = impact.total
    signed = impact.window.signed
    low, high = total["lower_calibrated"], total["upper_calibrated"]
    calibrated = not (np.isnan(low) or np.isnan(high))
    if not calibrated:
        low, high = total["lower"], total["upper"]
    sentence = words.say(
        "{measure}, {place}, {years}: {observed} came; from the years up to {origin}, {expected} "
        "were to be expected. The difference is {effect}, four chances in five {low} to {high}",
        place=labels.place(impact.event.location, words),
        measure=labels.measure(impact.event.measure, words),
        years=span(impact),
        observed=words.persons(rounded(total["observed"], 3), sign=signed),
        origin=impact.origin,
        expected=words.persons(rounded(total["expected"], 3), sign=signed),
        effect=words.persons(rounded(total["effect"]), sign=True),
        low=words.persons(rounded(low), sign=True),
        high=words.persons(rounded(high), sign=True),
    )
    if calibrated:
        return f"{sentence}."
    return words.say("{said}, as the model alone says.", said=sentence)


def finding(impact: Impact, words: Language) -> str:
    """Say what the placebos allow to say; never more than they do.

    Parameters
    ----------
    impact : Impact
        Its verdict decides what is said, its checks with other models are added.
    words : Language
        Language of the sentences.

    Returns
    -------
    str
    """
    found = impact.overall
    if impact.verdict == UNDECIDED:
        if not found.placebos:
            return words.say("Whether it moved cannot be decided: there is no placebo.")
        return words.count(
            "Whether it moved cannot be decided: with {n} placebo, p cannot fall below "
            "{smallest}, however large the effect; {far} was as far from its forecast.",
            "Whether it moved cannot be decided: with {n} placebos, p cannot fall below "
            "{smallest}, however large the effect; {far} were as far from their forecast.",
            found.placebos,
            smallest=probability(found.smallest, words),
            far=words.persons(found.as_far),
        )
    numbers = {"far": words.persons(found.as_far), "p": probability(found.p_value, words)}
    if impact.verdict == ORDINARY:
        return words.count(
            "It cannot be told apart from an ordinary error: of {n} placebo, {far} was as far "
            "from its forecast (p = {p}).",
            "It cannot be told apart from an ordinary error: of {n} placebos, {far} were as far "
            "from their forecast (p = {p}).",
            found.placebos,
            **numbers,
        )
    sentence = (
        words.count(
            "It stands out: of {n} placebo none was as far from its forecast (p = {p}). "
            "Something moved it; that it was this event, the figures cannot say.",
            "It stands out: of {n} placebos none was as far from its forecast (p = {p}). "
            "Something moved it; that it was this event, the figures cannot say.",
            found.placebos,
            p=numbers["p"],
        )
        if not found.as_far
        else words.count(
            "It stands out: of {n} placebo, {far} was as far from its forecast (p = {p}). "
            "Something moved it; that it was this event, the figures cannot say.",
            "It stands out: of {n} placebos, {far} were as far from their forecast (p = {p}). "
            "Something moved it; that it was this event, the figures cannot say.",
            found.placebos,
            **numbers,
        )
    )
    if impact.verdict == DEPENDS:
        sentence = words.say(
            "It depends on the model: with this one hardly a placebo was as far from its "
            "forecast (p = {p}), with others p is up to {highest}. That is not enough to say that "
            "anything moved it.",
            p=numbers["p"],
            highest=probability(max(impact.checks.values()), words),
        )
    elif impact.checks:
        sentence += " " + words.count(
            "{n} other model says the same.", "{n} other models say the same.", len(impact.checks)
        )
    tail = impact.total["tail"]
    if tail > LEVEL and impact.verdict == STANDS_OUT:
        sentence += " " + words.say(
            "The forecast’s own intervals, wide from earlier storms, did not exclude it (tail "
            "{tail}): the finding rests on the placebos alone.",
            tail=probability(tail, words),
        )
    return sentence


def power(impact: Impact, words: Language) -> str:
    """Say how large an effect would have had to be to be seen at 5 % four times in five.

    Parameters
    ----------
    impact : Impact
        Its ``power`` has the least rise and the least fall, in persons; NaN where none would be
        seen.
    words : Language
        Language of the sentence.

    Returns
    -------
    str
    """
    rise, fall = impact.power["rise"], impact.power["fall"]
    shares = {
        name: words.persons(rounded(abs(value)))
        for name, value in (("rise", rise), ("fall", fall))
        if not np.isnan(value)
    }
    if not shares:
        return words.say("No effect, however large, would have been seen at 5 %.")
    if "fall" not in shares:
        return words.say(
            "To be seen at 5 % four times in five, a rise would have had to be {rise} or more; "
            "no fall would have been seen.",
            **shares,
        )
    if "rise" not in shares:
        return words.say(
            "To be seen at 5 % four times in five, a fall would have had to be {fall} or more; "
            "no rise would have been seen.",
            **shares,
        )
    return words.say(
        "To be seen at 5 % four times in five, a rise would have had to be {rise} or more, a "
        "fall {fall} or more.",
        **shares,
    )


def probability(value: float, words: Language) -> str:
    """Write a p-value with two decimals; a very small one as a bound.

    Parameters
    ----------
    value : float
        Between 0 and 1.
    words : Language
        Language of the number and of "under".

    Returns
    -------
    str
    """
    if value < 0.01:
        return words.say("under {number}", number=words.decimal(0.01))
    return words.decimal(round(value, 2))
