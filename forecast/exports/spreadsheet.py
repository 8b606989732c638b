"""Texts in tables for others: none is run as a formula by the spreadsheet that opens it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast.validation import clean

#: Starts of a text that spreadsheets take for a formula; full-width ones count in some languages.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def inactive(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, without control characters.

    References
    ----------
    OWASP, CSV Injection: https://owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> inactive("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    >>> inactive("un-wpp")
    'un-wpp'
    """
    cleaned = clean(text)
    return f"'{cleaned}" if cleaned.startswith(_ACTIVE) else cleaned


def inactive_columns(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table with the texts of some columns made `inactive`; what is no text stays."""
    changed = {}
    for column in columns:
        texts = [item for item in table[column].unique() if isinstance(item, str)]
        replaced = {text: inactive(text) for text in texts if inactive(text) != text}
        if replaced:
            changed[column] = table[column].replace(replaced)
    return table.assign(**changed) if changed else table
