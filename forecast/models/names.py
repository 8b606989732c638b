"""Names that are needed before any model is loaded."""

from __future__ import annotations

#: The model that is used when none is named.
DEFAULT = "ensemble"
