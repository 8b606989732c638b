"""The verdict on past forecasts of one series, and how far ahead it was reached, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.evaluate.verdicts import MISCALIBRATED, NO_BETTER, SKILFUL, TOO_LITTLE, says_nothing
from forecast.language import Language, message

_VERDICTS = {
    SKILFUL: message("better than assuming no change"),
    NO_BETTER: message("not shown to be better than assuming no change"),
    MISCALIBRATED: message("intervals did not hold what they promise"),
    TOO_LITTLE: message("too few past forecasts to judge"),
}
#: The same verdicts as they open a sentence of the first screen, and in a table.
_OPENING = {
    SKILFUL: message("Better than assuming no change so far"),
    NO_BETTER: message("Not shown to be better than assuming no change"),
    MISCALIBRATED: message("Such intervals did not hold what they promise"),
    TOO_LITTLE: message("Too few past forecasts to judge"),
}
_CELL = {
    SKILFUL: message("better"),
    NO_BETTER: message("no better"),
    MISCALIBRATED: message("intervals off"),
    TOO_LITTLE: message("too few"),
}


@dataclass(frozen=True, eq=False)
class Judged:
    """What a backtest says of one series so many years ahead.

    Attributes
    ----------
    row : mapping
        The row of ``Track.verdicts`` at the horizon nearest to the one asked for.
    asked : int
        Years ahead that the sentence is about.
    """

    row: Mapping[str, Any]
    asked: int

    @property
    def tried(self) -> int:
        """Years ahead at which the verdict was reached."""
        return int(self.row["horizon"])

    @property
    def far(self) -> bool:
        """Whether so much less was tried that the verdict says nothing of what was asked."""
        return says_nothing(self.tried, self.asked)


def ahead(horizons: Sequence[int], words: Language) -> str:
    """Say how many years ahead."""
    return words.count(
        "{years} year ahead", "{years} years ahead", horizons[-1], years=words.listed(horizons)
    )


def in_short(judged: Judged | None, words: Language) -> str:
    """Give the verdict on one series as a sentence; empty without one.

    The distance at which it was reached is named where it is not the one asked for.
    """
    if judged is None:
        return ""
    if judged.far:
        return words.count(
            "Not tried so far ahead, only up to {n} year.",
            "Not tried so far ahead, only up to {n} years.",
            judged.tried,
        )
    said = words.say(_OPENING[str(judged.row["verdict"])])
    if judged.tried == judged.asked:
        return f"{said}."
    when = ahead([judged.tried], words)
    return words.say("{verdict} (tried {when}).", verdict=said, when=when)


def in_cell(judged: Judged | None, words: Language) -> str:
    """Give the verdict on one series for a cell of a table; empty without one."""
    if judged is None:
        return ""
    if judged.far:
        return words.count(
            "not tried so far ahead (up to {n} year)",
            "not tried so far ahead (up to {n} years)",
            judged.tried,
        )
    said = cell(str(judged.row["verdict"]), words)
    if judged.tried == judged.asked:
        return said
    return words.say("{verdict} ({when})", verdict=said, when=ahead([judged.tried], words))


def cell(name: str, words: Language) -> str:
    """Return a verdict in a word or two, for a table."""
    return words.say(_CELL[name])


def legend(words: Language) -> str:
    """Say what the words of the table mean."""
    said = [
        f"{words.say(_CELL[name])}: {words.say(meaning)}" for name, meaning in _VERDICTS.items()
    ]
    return "; ".join(said) + "."


def verdict(judged: Judged | None, words: Language) -> str:
    """Give the verdict on one series with its numbers; empty without one."""
    if judged is None:
        return ""
    if judged.far:
        return words.count(
            "Track record: not tried so far ahead, only up to {n} year.",
            "Track record: not tried so far ahead, only up to {n} years.",
            judged.tried,
        )
    row = judged.row
    when = ahead([judged.tried], words)
    name = words.say(_VERDICTS[str(row["verdict"])])
    if row["verdict"] == TOO_LITTLE:
        return words.say("Track record {when}: {verdict}.", when=when, verdict=name)
    skill = float(row["skill"])
    return words.say(
        "Track record {when}: {verdict} ({error}; the 80\u202f% interval held {coverage} of the "
        "time; past forecasts: {origins}).",
        when=when,
        verdict=name,
        error=_error(skill, words),
        coverage=words.share(float(row["coverage"])),
        origins=int(row["origins"]),
    )


def _error(skill: float, words: Language) -> str:
    if round(100 * skill) == 0:
        return words.say("error the same, within 1\u202f%")
    shape = message("error smaller by {share}") if skill > 0 else message("error larger by {share}")
    return words.say(shape, share=words.share(abs(skill)))
