"""The models: what each is, and what it makes of a panel.

`forecast.models` is the package and, called, the registry as a table.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class _CallableModule(ModuleType):
    """Lets the public verb ``forecast.models()`` share its name with this package."""

    def __call__(self) -> pd.DataFrame:
        from forecast.models.registry import table

        return table()


sys.modules[__name__].__class__ = _CallableModule
