"""Measures: what may be counted, in which unit and words; those shipped, and one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from forecast.config import Settings, Text, read_toml
from forecast.errors import DataError, UnknownNameError, unknown_name
from forecast.language import LANGUAGES, Language, message
from forecast.shelf import shelf

Kind = Literal["count", "net", "stock", "amount", "rate"]
#: Beside a table, in a store or in a saved forecast: the measures that are declared there.
FILE = "measures.toml"
#: Names that mean something else in a table.
_TAKEN = {
    "arrivals", "as_of", "departures", "flag", "location", "measure", "net", "period",
    "precision", "source", "value", "year",
}  # fmt: skip
_NAME = re.compile("[a-z][a-z0-9_]{0,39}")
_EACH = {
    "year": message("{unit} a year"),
    "half-year": message("{unit} a half-year"),
    "quarter": message("{unit} a quarter"),
    "month": message("{unit} a month"),
}
#: Measures of changes of residence and of residents: their sentences speak of people.
RESIDENCE = {
    "net_migration", "immigration", "emigration", "internal_arrivals", "internal_departures",
    "internal_net", "net_all_flows", "population", "flow",
}  # fmt: skip
#: No count of people or events on Earth is larger; amounts of money are.
_LARGEST, _LARGEST_AMOUNT = 2e10, 1e18


class MeasureWords(Settings):
    """A text in the languages of the package; English stands in where one is missing."""

    en: Text
    ru: Text | None = None
    kk: Text | None = None
    ky: Text | None = None
    uz: Text | None = None

    def said(self, code: str) -> str:
        """Return the text in a language.

        Parameters
        ----------
        code : str
            ISO 639-1, one of `forecast.language.LANGUAGES`.
        """
        return str(getattr(self, code) or self.en)


def _in_english(given: object) -> object:
    return {"en": given} if isinstance(given, str) else given


type InWords = Annotated[MeasureWords, BeforeValidator(_in_english)]


class Measure(Settings):
    """What is counted, and how its figures may be used.

    Attributes
    ----------
    name : str
        How tables and commands call it: small letters, digits and ``_``.
    kind : {"count", "net", "stock", "amount", "rate"}
        Events in a period; in minus out; how many there are at one time; money or goods; a share.
    unit : MeasureWords
        What the figures are, such as ``"permits"``; one text serves all languages.
    sign : {"any", "positive"}
        Whether figures may be below zero; net measures may, unless it is said.
    adds_over_places, adds_over_time : bool
        Whether regions add up to the country, and months to the year. By default a rate does
        neither, and a stock does not over time.
    words : MeasureWords
        The heading; by default the name.
    """

    name: str
    kind: Kind
    unit: InWords = MeasureWords(en="persons")
    sign: Literal["any", "positive"] = "positive"
    adds_over_places: bool = True
    adds_over_time: bool = True
    words: InWords

    @model_validator(mode="before")
    @classmethod
    def _by_kind(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        kind = given.get("kind")
        usual = {
            "sign": "any" if kind == "net" else "positive",
            "adds_over_places": kind != "rate",
            "adds_over_time": kind not in ("rate", "stock"),
            "words": str(given.get("name", "")).replace("_", " ").capitalize(),
        }
        made = {**usual, **given}
        if isinstance(made["words"], Mapping):
            made["words"] = {"en": usual["words"], **made["words"]}
        return made

    @model_validator(mode="after")
    def _whole(self) -> Measure:
        if self.kind in ("amount", "rate") and "unit" not in self.model_fields_set:
            raise ValueError(f"lacks its unit. Say what the {self.kind} is in, such as USD or %.")
        if self.adds_over_time and self.kind in ("stock", "rate"):
            raise ValueError(f"is a {self.kind}, which does not add up over time.")
        return self

    @property
    def signed(self) -> bool:
        """Whether figures may be below zero."""
        return self.sign == "any"

    @property
    def largest(self) -> float:
        """The largest figure that is believed, in the measure's unit."""
        return _LARGEST_AMOUNT if self.kind == "amount" else _LARGEST

    @property
    def fractional(self) -> bool:
        """Whether decimals count: of rates, of amounts, and of what is counted in thousands."""
        return self.kind in ("rate", "amount") or self.unit.en.startswith(_MULTIPLES)

    def per(self, frequency: str = "year", step: int = 1) -> str:
        """Return the unit of figures in English, such as ``"persons per calendar year"``.

        Parameters
        ----------
        frequency : str
            What a period is, as of a `forecast.Panel`.
        step : int
            Years per row: 5 for five-year periods.

        Returns
        -------
        str

        Examples
        --------
        >>> find("immigration").per(), find("permit_quota").per("month"), find("population").per()
        ('persons per calendar year', 'permits per month', 'persons')
        """
        if self.kind in ("stock", "rate"):
            return self.unit.en
        if step > 1:
            return f"{self.unit.en} per {step} years"
        return f"{self.unit.en} per {'calendar year' if frequency == 'year' else frequency}"

    @property
    def moves(self) -> bool:
        """Whether it counts changes of residence, or residents, whom sentences speak of."""
        return self.name in RESIDENCE

    def each(self, words: Language, frequency: str = "year") -> str:
        """Return the unit of figures in a language, as on an axis: ``"persons a year"``.

        Parameters
        ----------
        words : Language
            Of the page.
        frequency : str
            What a period is.

        Returns
        -------
        str

        Examples
        --------
        >>> from forecast.language import language
        >>> find("permit_quota").each(language("en"), "quarter")
        'permits a quarter'
        """
        unit = words.lookup(self.unit.said(words.code))
        if self.kind in ("stock", "rate"):
            return unit
        if words.step > 1:
            return words.say("{unit} in {step} years", unit=unit, step=words.step)
        if self.unit == find("immigration").unit and frequency == "year":
            return words.say("persons a year")
        return words.say(_EACH[frequency], unit=unit)


_MULTIPLES = ("thousand", "million", "billion")
_declared: dict[str, Measure] = {}
_times: list[int] = []
_shipped: dict[str, Measure] = {}


def shipped() -> Mapping[str, Measure]:
    """Return the measures of the package by name, in the order in which they are shown."""
    if not _shipped:
        _shipped.update(_read(shelf("data") / FILE))
    return _shipped


def known() -> dict[str, Measure]:
    """Return every measure by name, one's own after those of the package."""
    return {**shipped(), **_declared}


def find(name: str) -> Measure:
    """Return a measure by its name.

    Parameters
    ----------
    name : str
        As in a table.

    Raises
    ------
    UnknownNameError
        If it is neither shipped nor declared; the message says how it is declared.

    Examples
    --------
    >>> find("remittances").unit.en
    'USD'
    """
    found = shipped().get(name) or _declared.get(name)
    if found is None:
        raise unknown(name)
    return found


def unknown(name: object) -> UnknownNameError:
    """Return the error for a measure that is not known.

    Parameters
    ----------
    name : object
        What was given.
    """
    return UnknownNameError(
        f"{unknown_name('measure', name, known())} A measure of your own is declared by "
        f"fc.measure(name, kind='count'), or in a file {FILE} beside the table."
    )


def position(name: str) -> int:
    """Return where a measure stands among others, as they are shown.

    Parameters
    ----------
    name : str
        Of a known measure.
    """
    return list(known()).index(name)


def measure(
    name: str,
    *,
    kind: Kind,
    unit: str | Mapping[str, str] | None = None,
    words: str | Mapping[str, str] | None = None,
    sign: Literal["any", "positive"] | None = None,
    adds_over_places: bool | None = None,
    adds_over_time: bool | None = None,
) -> Measure:
    """Declare a measure of one's own; tables, forecasts and reports then know it.

    Parameters
    ----------
    name : str
        How tables call it: small letters, digits and ``_``, such as ``"patents"``.
    kind : {"count", "net", "stock", "amount", "rate"}
        Events in a period; in minus out; how many there are at one time; money or goods; a share
        or a rate.
    unit : str or mapping of language to str, optional
        What the figures are, such as ``"patents"``; persons by default. An amount or a rate has to
        say it.
    words : str or mapping of language to str, optional
        The heading, such as ``{"en": "Patents sold", "ru": "Проданные патенты"}``; by default the
        name. English stands in for languages that are not given.
    sign : {"any", "positive"}, optional
        Whether figures may be below zero; by default those of net measures may.
    adds_over_places, adds_over_time : bool, optional
        Whether regions add up to the country, and months to the year; by default as the kind says.

    Returns
    -------
    Measure
        As it was declared; a later declaration of the same name takes its place.

    Raises
    ------
    DataError, UnknownNameError
        If the name is taken, the kind or a language is not known, or a unit is missing.

    Examples
    --------
    >>> import forecast as fc
    >>> fc.measure("patents", kind="count", unit="patents", words="Patents sold").per("month")
    'patents per month'
    """
    given = {
        "kind": kind, "unit": unit, "words": words, "sign": sign,
        "adds_over_places": adds_over_places, "adds_over_time": adds_over_time,
    }  # fmt: skip
    made = _made(name, {key: value for key, value in given.items() if value is not None}, "")
    _declare({name: made})
    return made


def _declare(fresh: Mapping[str, Measure]) -> None:
    if any(_declared.get(name) != one for name, one in fresh.items()):
        _declared.update(fresh)
        _times.append(len(_times))


def declared() -> int:
    """Return how often measures were declared; what is remembered of words is of one such time."""
    return len(_times)


def declare_beside(path: Path) -> None:
    """Declare the measures of a file ``measures.toml`` beside a table, if there is one.

    Parameters
    ----------
    path : Path
        Of the table.
    """
    if (file := path.parent / FILE).is_file():
        _declare(_read(file, own=True))


def _read(file: Path, *, own: bool = False) -> dict[str, Measure]:
    tables = read_toml(file)
    return {name: _made(name, table, file.name, own=own) for name, table in tables.items()}


def _made(name: object, table: object, file: str, *, own: bool = True) -> Measure:
    """Return a measure from what is said of it, with one message where that is not enough."""
    where = f"[{name}] of {file}" if file else f"measure {name!r}"
    if not isinstance(table, Mapping):
        raise DataError(
            f"{where} is {table!r}; write a table with kind, unit and words, headed by the name of "
            "the measure: [refusal_rate]."
        )
    if own and (name in _TAKEN or name in shipped()):
        what = "a measure of the package" if name in shipped() else "a word of tables"
        raise DataError(f"{where}: {name} is {what} already. Choose another name.")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DataError(f"{where}: write its name in small letters, digits and _.")
    if "name" in table:
        raise unknown_name(f"key in {where}", "name", list(Measure.model_fields)[1:])
    return Measure.of({"name": name, **table}, where)


def own(names: Iterable[str]) -> dict[str, Measure]:
    """Return those of some measures that are one's own, to be carried where figures go.

    Parameters
    ----------
    names : iterable of str
        Of known measures.
    """
    return {name: _declared[name] for name in names if name in _declared}


def carry(measures: Mapping[str, Measure]) -> None:
    """Declare measures that came with figures, unless they are declared here already.

    Parameters
    ----------
    measures : mapping of str to Measure
        As of `own`.
    """
    fresh = {name: one for name, one in measures.items() if name not in shipped()}
    _declare({**fresh, **_declared})


def to_toml(names: Iterable[str]) -> str:
    """Return the declarations of one's own measures as TOML, empty if there are none.

    Parameters
    ----------
    names : iterable of str
        Of known measures.
    """
    blocks = []
    for name, one in own(names).items():
        rows = [f"[{name}]"]
        for key, value in one.model_dump(exclude={"name"}, exclude_none=True).items():
            rows.append(f"{key} = {_toml(value)}")
        blocks.append("\n".join(rows) + "\n")
    return "\n".join(blocks)


def from_toml(text: str) -> None:
    """Declare what `to_toml` wrote, unless it is declared here already.

    Parameters
    ----------
    text : str
        The content of a file ``measures.toml``.
    """
    import tomllib

    carry({name: _made(name, table, FILE) for name, table in tomllib.loads(text).items()})


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    # Strings and truth values are written in TOML as in JSON.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


class Signs(Mapping[str, bool]):
    """Whether figures of each known measure may be below zero, by name."""

    def __getitem__(self, name: str) -> bool:
        found = shipped().get(name) or _declared.get(name)
        if found is None:
            raise KeyError(name)
        return found.signed

    def __iter__(self) -> Iterator[str]:
        return iter(known())

    def __len__(self) -> int:
        return len(known())


def unit_of(names: Iterable[str], frequency: str = "year", step: int = 1) -> str:
    """Return the unit of figures of several measures in English, each once.

    Parameters
    ----------
    names : iterable of str
        Of known measures.
    frequency, step
        As of `Measure.per`.

    Examples
    --------
    >>> unit_of(["immigration", "emigration"]), unit_of(["flow", "permit_quota"], "month")
    ('persons per calendar year', 'persons per month; permits per month')
    """
    return "; ".join(dict.fromkeys(find(name).per(frequency, step) for name in names))


def headings() -> Iterator[tuple[str, str]]:
    """Yield every heading in every language with the name of its measure."""
    for name, one in known().items():
        for code in LANGUAGES:
            yield one.words.said(code), name
