"""The words of tables: which word stands for which column, measure, unit or remark."""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache, lru_cache

from forecast.shelf import shelf

_APOSTROPHES = re.compile("['`´ʻʼʽˈ‘’‛′]")
_NOT_A_LETTER = re.compile(r"[^\w+#№%‰]+|_")
#: Superscripts, asterisks and daggers behind a word or a number.
_MARKS = re.compile(r"[\s]*[*†‡§¹²³⁰⁴-⁹]+$")
_NUMBERED = re.compile(r"\s+\(?[0-9]{1,2}\)$|(?<=[^\W\d])[0-9]\)$")


@lru_cache(maxsize=65536)
def spaced(text: str) -> str:
    """Return a text with every kind of white space as one plain space, none at the ends."""
    return " ".join(text.replace("\ufeff", "").replace("\u200b", "").split())


def unmarked(text: str) -> tuple[str, str]:
    """Split a text into itself without footnote marks, and the marks.

    Examples
    --------
    >>> unmarked("1 234¹"), unmarked("Шымкент 2)"), unmarked("***")
    (('1 234', '¹'), ('Шымкент', '2)'), ('***', ''))
    """
    plain = spaced(text)
    marks = ""
    for pattern in (_MARKS, _NUMBERED, _MARKS):
        found = pattern.search(plain)
        if found and found.start() > 0:
            marks = found.group().strip() + marks
            plain = plain[: found.start()].rstrip()
    return plain, marks


@cache
def folded(text: str) -> str:
    """Return a text in the form in which words are compared.

    Small letters without accents, apostrophes and punctuation: ``"Oʻzbekiston "`` and
    ``"OʻZBEKISTON"`` are one word.
    """
    bare = _APOSTROPHES.sub("", text)
    apart = unicodedata.normalize("NFKD", bare.casefold())
    letters = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return " ".join(_NOT_A_LETTER.sub(" ", letters.replace("ı", "i")).split())


@cache
def _words() -> dict[str, dict[str, str]]:
    """Return {kind: {word: meaning}}; a word that keeps nothing when folded stays as it is."""
    table: dict[str, dict[str, str]] = {}
    with (shelf("data") / "table_words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            word = row["word"]
            known = table.setdefault(row["kind"], {})
            known.setdefault(folded(word) or word, row["meaning"])
            known.setdefault(word.casefold(), row["meaning"])
    return table


def meaning(kind: str, text: str) -> str | None:
    """Return what a whole text means as a word of a kind, or None.

    Parameters
    ----------
    kind : {"column", "measure", "scope", "unit", "total", "part", "missing", "footnote", \
"provisional"}
    text : str
    """
    known = _words()[kind]
    plain = text.casefold().strip()
    return known.get(plain) or known.get(folded(plain) or plain)


def meanings_inside(kind: str, text: str) -> set[str]:
    """Return what the words of a kind mean that stand somewhere in a text as whole words."""
    padded = f" {folded(text)} "
    return {sense for word, sense in _phrases(kind) if f" {word} " in padded}


@cache
def _phrases(kind: str) -> tuple[tuple[str, str], ...]:
    return tuple((word, sense) for word, sense in _words()[kind].items() if folded(word) == word)


def without(kind: str, text: str) -> str:
    """Return the folded text without the words of a kind."""
    padded = f" {folded(text)} "
    for word in sorted((word for word, _ in _phrases(kind)), key=len, reverse=True):
        while f" {word} " in padded:
            padded = padded.replace(f" {word} ", " ")
    return padded.strip()
