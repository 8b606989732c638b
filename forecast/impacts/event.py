"""Events as data: who, what, when; one TOML each on the shelf `models/impacts/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast import locations, measures
from forecast.config import read_toml
from forecast.errors import DataError, unknown_name
from forecast.language import Language
from forecast.shelf import shelf
from forecast.validation import MEASURES

_REQUIRED = ("location", "measure", "source", "start")
_TEXTS = ("title", "title_ru", "announced", "limit", "limit_ru")
_LISTS = ("exclude", "comparable")


@dataclass(frozen=True, slots=True)
class Event:
    """A policy or an event whose effect on one series is asked for.

    Attributes
    ----------
    name : str
        Short name, that of its file.
    location, measure, source : str
        The series.
    start : int
        The first year that may be affected.
    end : int or None
        The last year of the window; None takes what is observed.
    exclude : tuple of str
        Locations that the same event may have hit; they are no placebos at its date.
        Regions follow their country.
    comparable : tuple of str
        Sources whose series are comparable; empty for the rule of
        `forecast.impacts.placebo.comparable`.
    title, title_ru : str
        What it is, for readers; those of bundled events are in the catalogues of the languages.
    announced : str
        The document that says so.
    limit, limit_ru : str
        What else happened in the window: the event's own limit, in one sentence.
    """

    name: str
    location: str
    measure: str
    source: str
    start: int
    end: int | None = None
    exclude: tuple[str, ...] = ()
    comparable: tuple[str, ...] = ()
    title: str = ""
    title_ru: str = ""
    announced: str = ""
    limit: str = ""
    limit_ru: str = ""

    def called(self, words: Language) -> str:
        """Return the title in a language.

        Parameters
        ----------
        words : Language
            Language of the title.

        Returns
        -------
        str
            The English title where there is no other, else the name.

        Examples
        --------
        >>> from forecast.language import language
        >>> event("kz-arrivals-2022").called(language("en")) != ""
        True
        """
        return (
            (self.title_ru if words.code == "ru" else "") or words.lookup(self.title) or self.name
        )

    def limited(self, words: Language) -> str:
        """Return the event's own limit in a language.

        Parameters
        ----------
        words : Language
            Language of the sentence.

        Returns
        -------
        str
            The English sentence where there is no other; may be empty.

        Examples
        --------
        >>> from forecast.language import language
        >>> own = Event("own", "KAZ", "immigration", "kz-bns", 2022, limit="A new law.")
        >>> own.limited(language("ru"))
        'A new law.'
        """
        return (self.limit_ru if words.code == "ru" else "") or words.lookup(self.limit)


def names() -> list[str]:
    """Return the names of the bundled events."""
    return sorted(path.stem for path in (shelf("models") / "impacts").glob("*.toml"))


def event(given: str | Path | Event) -> Event:
    """Return an event by its bundled name or from a TOML file.

    Raises
    ------
    UnknownNameError
        If there is neither a bundled event nor a file of this name.
    DataError
        If the file is not an event; the message names the key, the value and the remedy.
    """
    if isinstance(given, Event):
        return given
    if str(given) in names():
        return _read(shelf("models") / "impacts" / f"{given}.toml")
    path = Path(given)
    if not path.is_file():
        raise unknown_name("event", str(given), names())
    return _read(path)


def make(given: Mapping[str, Any], name: str, where: str) -> Event:
    """Check the keys of an event and make it.

    Parameters
    ----------
    given : mapping
        As of a TOML: ``location, measure, source, start`` and optional keys of `Event`.
    name : str
        Name of the event, that of its file.
    where : str
        What is read, such as its path, for messages.

    Returns
    -------
    Event
        Places as codes; ``start`` and ``end`` are calendar years, both included.

    Raises
    ------
    DataError, UnknownNameError
        Naming where, the key, the value and the remedy.
    """
    known = (*_REQUIRED, "end", *_TEXTS, *_LISTS)
    for key in given:
        if key not in known:
            raise unknown_name(f"key in {where}", key, known)
    for key in ("location", "measure", "source"):
        if not isinstance(given.get(key), str) or not given[key]:
            raise DataError(f'{where} names no {key}. Add {key} = "...".')
    if given["measure"] not in MEASURES:
        raise unknown_name(f"measure in {where}", given["measure"], MEASURES)
    if measures.find(given["measure"]).kind == "rate":
        raise DataError(
            f"{where} is of {given['measure']}, a rate, and an effect is a sum over years. Take "
            "the counts that the rate is made of."
        )
    start, end = given.get("start"), given.get("end")
    if not _year(start):
        raise DataError(f"{where} has start = {start!r}; give the first affected calendar year.")
    if end is not None and (not _year(end) or end < start):
        raise DataError(f"{where} has end = {end!r}; give a calendar year from {start} on.")
    for key in _TEXTS:
        if not isinstance(given.get(key, ""), str):
            raise DataError(f"{where} has {key} = {given[key]!r}; give a text.")
    for key in _LISTS:
        value = given.get(key, [])
        if not isinstance(value, list | tuple) or not all(isinstance(x, str) for x in value):
            raise DataError(f"{where} has {key} = {value!r}; give a list of texts.")
    return Event(
        name=name,
        location=locations.canonical(given["location"]),
        measure=given["measure"],
        source=given["source"],
        start=int(start),  # type: ignore[arg-type]
        end=None if end is None else int(end),
        exclude=tuple(locations.canonical(code) for code in given.get("exclude", ())),
        comparable=tuple(given.get("comparable", ())),
        **{key: given.get(key, "") for key in _TEXTS},
    )


def _year(value: object) -> bool:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return False
    return 1800 <= int(value) <= 2200


def _read(path: Path) -> Event:
    return make(read_toml(path), path.stem, str(path))
