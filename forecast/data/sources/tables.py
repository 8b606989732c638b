"""What the readers share: covariate tables, and codes that stand for no single country."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast.data.sources.source import Source
from forecast.errors import DataError

#: Columns of a table of drivers, as of `forecast.data.package.covariates`.
COVARIATES = ["location", "measure", "year", "value", "unit", "source"]


def located(table: pd.DataFrame, column: str, source: Source) -> pd.DataFrame:
    """Return the rows of places with an ISO 3166 code, the code in ``location``.

    What is left out is every group of countries, which no model may mistake for a place.

    Raises
    ------
    DataError
        If nothing is left.
    """
    codes = {code: source.location(str(code)) for code in table[column].unique()}
    kept = table.assign(location=table[column].map(codes))
    kept = kept[kept["location"].notna()].reset_index(drop=True)
    if kept.empty:
        shown = ", ".join(map(str, list(codes)[:5])) or "none"
        raise DataError(
            f"no place of {source.name} has a code of ISO 3166; found: {shown}. The source may "
            "have changed its codes."
        )
    return kept


def covariates(pieces: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one table of drivers, sorted, without empty figures.

    Raises
    ------
    DataError
        If a place has a year twice.
    """
    table = pd.concat(pieces, ignore_index=True)[COVARIATES].dropna(subset=["value"])
    doubled = table.duplicated(["location", "measure", "year"])
    if doubled.any():
        row = table[doubled].iloc[0]
        raise DataError(
            f"{row['measure']} of {row['location']} has the year {row['year']} twice in what the "
            "source sent. Fetch it again later."
        )
    table = table.astype({"year": int, "value": float})
    return table.sort_values(["measure", "location", "year"], ignore_index=True)


class NothingOfTheKindError(DataError):
    """The source has no migration series, or no drivers, and was never meant to."""


def no_covariates(source: Source) -> NothingOfTheKindError:
    """Return the error for a source that has no drivers."""
    return NothingOfTheKindError(
        f"{source.name} holds migration series and no drivers. Use it with --data {source.name}."
    )


def no_panel(source: Source) -> NothingOfTheKindError:
    """Return the error for a source that has no migration series."""
    return NothingOfTheKindError(
        f"{source.name} holds drivers, not migration of a year, so there is nothing to forecast. "
        f"Print them: forecast data covariates {source.name}"
    )
