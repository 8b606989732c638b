"""Inputs of a model beside the panel: moves and drivers, as known at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from forecast.contract import FittedBase, FittedModel, Model, complete, complete_fitted
from forecast.data import package
from forecast.errors import unknown_name
from forecast.panel import Panel

_BUNDLED: dict[str, Callable[[], pd.DataFrame]] = {
    "moves": package.moves,
    "covariates": package.covariates,
}


def cut(table: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Return the rows of a table that were known when a panel ends.

    Parameters
    ----------
    table : DataFrame
        With a column ``year``, and perhaps ``as_of`` (YYYY-MM-DD), the day on which a row came out.

    Returns
    -------
    DataFrame
        Rows of years up to the panel's origin. Where the table has days, only rows that were out
        with the panel's newest release, and of each the newest. A table without days is cut by
        year alone: its figures are those of the newest release.
    """
    kept = table[table["year"] <= panel.origin]
    if "as_of" not in kept:
        return kept
    if panel.last_release:
        kept = kept[kept["as_of"].astype(str) <= panel.last_release]
    cells = [
        column
        for column in ("table", "location", "measure", "origin", "destination", "year")
        if column in kept
    ]
    return kept.sort_values("as_of", kind="stable").drop_duplicates(cells, keep="last").sort_index()


def known(names: Iterable[str], panel: Panel) -> dict[str, pd.DataFrame]:
    """Return bundled tables as they were known at the end of a panel.

    Parameters
    ----------
    names : iterable of {"moves", "covariates"}
        See `forecast.contract.ModelBase.inputs`.

    Raises
    ------
    UnknownNameError
        If there is no such table.
    """
    tables = {}
    for name in names:
        if name not in _BUNDLED:
            raise unknown_name("input of a model", name, _BUNDLED)
        tables[name] = cut(_BUNDLED[name](), panel)
    return tables


def fit(model: Model, panel: Panel, seed: int) -> FittedBase:
    """Fit a model to a panel and to what it declares to need beside it.

    Parameters
    ----------
    model : Model
        Any object with a name and a ``fit``.

    Returns
    -------
    FittedBase
        With every optional hook of the contract.
    """
    whole = complete(model)
    learn: Callable[..., FittedModel] = whole.fit
    return complete_fitted(learn(panel, seed, **known(whole.inputs, panel)))
