"""The words of a language, as translators edit them."""

from __future__ import annotations

import gettext
import io
from importlib.resources import files


def read_catalogue(code: str) -> gettext.GNUTranslations:
    """Read ``locale/CODE/LC_MESSAGES/forecast.po``; the text form needs no build step."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    path = files("forecast.reports") / "locale" / code / "LC_MESSAGES" / "forecast.po"
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
