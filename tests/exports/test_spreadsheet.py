"""Texts that spreadsheets would run as formulas, and tables that hold some."""

from __future__ import annotations

import pandas as pd
import pytest

from forecast.exports.files import inactive, inactive_columns


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@x", "'@x"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("\t=1", "'\t=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\x1b=1", "'=1"),
        ("\u202e=1", "'=1"),
        ("a\x00\x07b", "ab"),
        ("a\u2066b\u2069", "ab"),
        ("plain = text", "plain = text"),
        ("", ""),
    ],
)
def test_active_texts(given: str, kept: str) -> None:
    assert inactive(given) == kept
    assert inactive(kept) == kept


def test_only_the_texts_of_the_columns_named_are_changed() -> None:
    table = pd.DataFrame(
        {"source": ["=1", "un-wpp", None], "note": ["=1", "-", "+"], "value": [-1.0, 2.0, 3.0]}
    )
    changed = inactive_columns(table, ["source"])
    assert changed["source"].tolist()[:2] == ["'=1", "un-wpp"]
    assert changed["source"].isna().tolist() == [False, False, True]
    pd.testing.assert_frame_equal(changed.drop(columns="source"), table.drop(columns="source"))
    assert inactive_columns(table, ["value"]) is table
