"""What the readers share: answers in JSON, page by page, and tables of drivers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forecast.data.sources.catalogue import Get, Source
from forecast.errors import DataError, ForecastError

#: Columns of a table of drivers, as of `forecast.data.package.covariates`.
COVARIATES = ["location", "measure", "year", "value", "unit", "source"]
#: More pages than any table of a source has.
_MOST_PAGES = 200


class WrongKindError(DataError):
    """The source has no migration series, or no drivers, and was never meant to."""


_REFUSED = {
    "covariates": "{0} holds migration series and no drivers. Use it with --data {0}.",
    "panel": "{0} holds drivers, not migration of a year, so there is nothing to forecast. "
    "Print them: forecast data covariates {0}",
}


def wrong_kind(source: Source, kind: Literal["panel", "covariates"]) -> WrongKindError:
    """Return the error for a source that has no migration series, or no drivers."""
    return WrongKindError(_REFUSED[kind].format(source.name))


def covariate_table(pieces: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one table of drivers, sorted, without empty figures.

    Raises
    ------
    DataError
        If a place has a year twice.
    """
    table = pd.concat(pieces, ignore_index=True)[COVARIATES].dropna(subset=["value"])
    repeated = table.duplicated(["location", "measure", "year"])
    if repeated.any():
        row = table[repeated].iloc[0]
        raise DataError(
            f"{row['measure']} of {row['location']} has the year {row['year']} twice in what the "
            "source sent. Fetch it again later."
        )
    table = table.astype({"year": int, "value": float})
    return table.sort_values(["measure", "location", "year"], ignore_index=True)


@contextmanager
def documented_form(where: str) -> Iterator[None]:
    """Turn what a reader trips over, if an answer has another form, into one message."""
    try:
        yield
    except ForecastError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        shown = repr(error)[:200]
        raise DataError(
            f"{where}: the answer is not of the documented form ({shown}). "
            "The interface may have changed."
        ) from None


def parsed(path: Path, where: str) -> Any:
    """Return the content of a JSON file; DataError if it is damaged."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: damaged JSON ({str(error)[:200]}). Try again later.") from None


def pages(
    get: Get, path: str, role: str, where: str, count: Callable[[Any, str], int]
) -> Iterator[Any]:
    """Fetch an answer in JSON page by page and yield the content of each.

    Parameters
    ----------
    path : str
        With ``{page}`` in the place of the page's number, from 1.
    role, where : str
        Role of the files; what is fetched, for messages.
    count : callable
        How many pages an answer says that there are.
    """
    page, last = 1, 1
    while page <= last:
        here = f"{where}, page {page}"
        content = parsed(get(path.replace("{page}", str(page)), "json", role), here)
        with documented_form(here):
            last = count(content, here)
        if last > _MOST_PAGES:
            raise DataError(f"{where}: {last} pages cannot be right.")
        yield content
        page += 1
