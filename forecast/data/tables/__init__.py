"""Tables that people bring: from bytes to a Panel, with an account of what was understood."""

from __future__ import annotations

from forecast.data.tables.reading import Reading, Row
from forecast.data.tables.understand import understand

__all__ = ["Reading", "Row", "understand"]
