"""What every page is made with: the templates in one language, and the names of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.language import Language

if TYPE_CHECKING:
    from jinja2 import Environment


def stem(name: str, words: Language) -> str:
    """Return the name of a file without its ending; other languages than English add theirs.

    Parameters
    ----------
    name : str
        Name of the edition.
    words : Language
        Its code is added.

    Returns
    -------
    str
        Such as ``kaz`` or ``kaz.ru``.
    """
    return name if words.code == "en" else f"{name}.{words.code}"


def environment(words: Language) -> Environment:
    """Return the templates with the words of a language; everything put in is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("forecast.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined]
    return made
