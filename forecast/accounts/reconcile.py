"""`reconcile`: a Forecast in, the same Forecast with draws that obey the accounts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from forecast import validation
from forecast.accounts.audit import about, complete, table_of, trusted
from forecast.accounts.identities import Identity, matrix
from forecast.accounts.projection import project
from forecast.accounts.reconciliation import (
    bottom_up,
    handed_down,
    nets_from_flows,
    of_draws,
    of_errors,
    order_of_the_country,
    top_down,
)
from forecast.errors import DataError, FitError, unknown_name
from forecast.outlook import Forecast
from forecast.series_key import SeriesKey

Method = Literal["mint", "bottom-up", "top-down", "middle-out"]
Covariance = Literal["draws", "changes", "diagonal"]
#: Fewest years of changes from which a covariance is taken.
_MINIMUM_CHANGES = 5


def reconcile(
    outlook: Forecast,
    method: Method = "mint",
    *,
    identities: Sequence[Identity] | None = None,
    covariance: Covariance | pd.DataFrame = "draws",
    strict: bool = True,
) -> Forecast:
    """Make every draw of a forecast obey its identities.

    Parameters
    ----------
    outlook : Forecast
        Draws of any model; series may end in different years.
    method : {"mint", "bottom-up", "top-down", "middle-out"}
        ``"mint"`` moves each draw to the nearest one that obeys, in the metric of the
        covariance, counts staying at or above zero (see `projection.project`).
        ``"bottom-up"`` recomputes nets and totals; ``"top-down"`` hands totals down by
        shares. ``"middle-out"`` makes the net of a country the difference of its arrivals
        and departures; its regions, in the order of the country's worlds, share by
        inhabitants what their middles leave open, and move like ``"mint"`` for the rest.
        Accounts without a country's flows are moved as by ``"mint"``.
    identities : sequence of Identity, optional
        By default those of `identities.stated` that the figures up to the origin obey.
    covariance : {"draws", "changes", "diagonal"} or DataFrame
        How uncertain each series is and what moves together: from the draws of each year
        (ranks and the middle 68 %), from the yearly changes up to the origin, that is the
        one-step errors of the naive forecast, or from the draws without dependence; or
        one-step errors of any model, one row per year and one column per (source,
        location, measure). All are shrunk; nothing after the origin is used.
    strict : bool
        Whether figures already observed that contradict each other are an error. Otherwise
        the identity that closes the contradiction is left open in that year; the
        attribute ``left_open`` says which, `check` by how much.

    Returns
    -------
    Forecast
        With ``reconciled`` among its attributes if there is any identity. Series in none,
        and years already observed, stay as they were.

    Raises
    ------
    DataError, UnknownNameError
        If the method cannot do it, or is not known.
    FitError
        If figures already observed contradict an identity of the year, and it is strict.

    Examples
    --------
    >>> import forecast as fc
    >>> from forecast.accounts import check
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> check(reconcile(fc.forecast(panel, "naive", draws=200)))["holds"].tolist()
    [True]
    """
    if method not in get_args(Method):
        raise unknown_name("method of reconciliation", method, get_args(Method))
    keys = outlook.keys
    chosen = about(keys, trusted(outlook.history, keys)[0] if identities is None else identities)
    values = complete(outlook)
    forecast = ~np.isnan(outlook.paths.transpose("draw", "series", "year").to_numpy()[0])
    counts = np.array([not validation.MEASURES[measure] for _, _, measure in keys])
    steady = _errors(outlook, keys, covariance)
    settled = np.zeros_like(forecast)
    if method == "middle-out":
        settled = nets_from_flows(values, forecast, keys, chosen)
        order_of_the_country(values, settled, keys, chosen)
    changed = values.copy()
    left_open: list[str] = []
    for year in range(values.shape[2]):
        known = ~np.isnan(values[0, :, year])
        there = {key for key, is_known in zip(keys, known) if is_known}
        used = [
            identity
            for identity in chosen
            if set(identity.keys) <= there and forecast[_columns(identity, keys), year].any()
        ]
        if not strict:
            # A forecast without any spread, such as the difference of known figures, is fixed too.
            moves = forecast[:, year] & (np.ptp(values[:, :, year], axis=0) > 0)
            used, open_ones = _obeyable(used, keys, values[0, :, year], moves)
            name = outlook.paths["year"].to_numpy()[year]
            left_open += [f"{name}: {identity.name}" for identity in open_ones]
        # Accounts that share no series do not touch each other, nor each other's shrinkage.
        for together in _connected(used):
            columns = sorted({column for one in together for column in _columns(one, keys)})
            here = [keys[column] for column in columns]
            rows = matrix(together, here)
            draws = values[:, columns, year]
            free = forecast[columns, year]
            metric = _metric(draws, steady, columns, covariance)
            metric = np.where(np.outer(free, free), metric, 0.0)
            held = settled[columns].any(axis=1) & (settled[columns, year] | ~free)
            if held.any() and free[~held].all():
                metric = np.where(np.outer(~held, ~held), metric, 0.0)
                draws = handed_down(draws, rows, outlook.history, here, held)
            if method in ("mint", "middle-out"):
                made = project(draws, rows, np.zeros(len(rows)), metric, counts[columns] & free)
            else:
                if not free.all():
                    raise DataError(
                        f"{method} needs all series to end in the same year; "
                        f"{here[int(np.flatnonzero(~free)[0])][1]} is already observed in "
                        f"{outlook.paths['year'].to_numpy()[year]}. Use method='mint'."
                    )
                made = (
                    bottom_up(draws, here, together)
                    if method == "bottom-up"
                    else top_down(draws, here, together, counts[columns], metric)
                )
                _verify(made, rows, method)
            changed[:, columns, year] = made
    final = np.where(forecast[None], changed, np.nan)
    paths = outlook.paths.transpose("draw", "series", "year").copy(data=final)
    paths.attrs = dict(outlook.paths.attrs)
    if chosen:
        paths.attrs["reconciled"] = label(method, covariance)
    if left_open:
        paths.attrs["left_open"] = "; ".join(left_open)
    return Forecast(paths, outlook.horizons, outlook.notes, outlook.history)


def label(method: Method, covariance: Covariance | pd.DataFrame) -> str:
    """Return how a forecast was reconciled, in short.

    Parameters
    ----------
    method : {"mint", "bottom-up", "top-down", "middle-out"}
        As of `reconcile`.
    covariance : {"draws", "changes", "diagonal"} or DataFrame
        As of `reconcile`; it is named where the method uses it.

    Returns
    -------
    str

    Examples
    --------
    >>> label("mint", "draws")
    'mint (draws)'
    """
    if method != "mint":
        return method
    return f"{method} ({covariance if isinstance(covariance, str) else 'errors'})"


def _columns(identity: Identity, keys: Sequence[SeriesKey]) -> list[int]:
    return [keys.index(key) for key in identity.keys]


def _connected(identities: Sequence[Identity]) -> list[list[Identity]]:
    """Part identities into groups that share no series, each in the order given."""
    groups: list[tuple[set[SeriesKey], list[Identity]]] = []
    for identity in identities:
        keys, together = set(identity.keys), [identity]
        apart = []
        for theirs, others in groups:
            if theirs & keys:
                keys, together = keys | theirs, [*others, *together]
            else:
                apart.append((theirs, others))
        groups = [*apart, (keys, together)]
    position = {identity: place for place, identity in enumerate(identities)}
    return [sorted(together, key=position.__getitem__) for _, together in groups]


def _obeyable(
    identities: Sequence[Identity], keys: Sequence[SeriesKey], values: np.ndarray, free: np.ndarray
) -> tuple[list[Identity], list[Identity]]:
    """Part identities into those that what is free can obey together, and the others.

    Parameters
    ----------
    identities : sequence of Identity
        Taken up one after the other.
    values : ndarray, shape (n_series,)
        Of one draw; what is not free is the same in all.
    free : ndarray of bool, shape (n_series,)
    """
    kept: list[Identity] = []
    left: list[Identity] = []
    for identity in identities:
        rows = matrix([*kept, identity], keys)
        fixed = np.where(free, 0.0, np.nan_to_num(values))
        right = -(rows * fixed).sum(axis=1)
        moving = rows[:, free]
        found = np.linalg.lstsq(moving, right, rcond=None)[0]
        gap = float(np.abs(moving @ found - right).max(initial=0.0))
        (left if gap > 1e-8 * (1.0 + np.abs(fixed).max()) else kept).append(identity)
    return kept, left


def _errors(
    outlook: Forecast, keys: Sequence[SeriesKey], covariance: Covariance | pd.DataFrame
) -> np.ndarray | None:
    """Return one-step errors of shape (n_years, n_series), or None if draws are asked for."""
    if isinstance(covariance, pd.DataFrame):
        given = [tuple(column) for column in covariance.columns]
        missing = [key for key in keys if key not in given]
        if missing:
            raise DataError(
                f"the one-step errors have no column {missing[0]}. Give one per series."
            )
        errors = covariance.set_axis(pd.Index(given, tupleize_cols=False), axis=1)
        return np.asarray(errors.loc[:, list(keys)].to_numpy(dtype=float))
    if covariance not in get_args(Covariance):
        raise unknown_name("covariance", covariance, get_args(Covariance))
    if covariance != "changes":
        return None
    first = min(int(series.years[0]) for series in outlook.history)
    years = list(range(first, outlook.history.origin + 1, outlook.history.step))
    return np.diff(table_of(outlook.history, keys, years), axis=0)


def _metric(
    draws: np.ndarray,
    errors: np.ndarray | None,
    columns: Sequence[int],
    covariance: Covariance | pd.DataFrame,
) -> np.ndarray:
    if errors is None:
        found = of_draws(draws)
        return np.diag(np.diag(found)) if covariance == "diagonal" else found
    theirs = errors[:, columns]
    theirs = theirs[~np.isnan(theirs).any(axis=1)]
    if len(theirs) < _MINIMUM_CHANGES:
        raise DataError(
            f"only {len(theirs)} years have a one-step error of every series; at least "
            f"{_MINIMUM_CHANGES} are needed. Use covariance='draws'."
        )
    return of_errors(theirs)


def _verify(made: np.ndarray, rows: np.ndarray, method: str) -> None:
    off = np.abs(made @ rows.T).max()
    if off > 1e-8 * (1.0 + np.abs(made).max()):
        raise FitError(
            f"{method} left identities open by up to {off:,.3g} persons: handing a figure along "
            "one of them breaks another. Use method='mint'."
        )
