"""Months and years as one answer: short horizons from months, long ones from years.

Each year that both forecast has two totals. Draws are first put into the same order (that of the
months' worlds), and then moved to the nearest pair that agrees, in the metric of their spreads: the
total is the mean of both, weighted by how certain each is. So the near year follows its months and
a far one the years. Ordered this way the mean is one of quantiles: two forecasts that look at the
same past do not become more certain by being two (Vincentization; Lichtendahl, Grushka-Cockayne &
Winkler 2013, doi:10.1287/mnsc.1120.1667). The months of a year are then moved so that they add up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from forecast import measures
from forecast.aggregation import by, ratio
from forecast.errors import DataError
from forecast.outlook import Forecast
from forecast.series_key import SeriesKey

#: The spread of a total is half the range of the middle 68 %: tails of counts are heavy.
_MIDDLE = (0.1587, 0.8413)


def together(months: Forecast, years: Forecast) -> tuple[Forecast, Forecast]:
    """Make a forecast by month and one by year agree in every draw.

    Parameters
    ----------
    months : Forecast
        By month, quarter or half-year.
    years : Forecast
        Of the same series by a longer period, usually to a later horizon; as many draws.

    Returns
    -------
    months, years : Forecast
        In every draw the months add up to the years that both reach; later years continue the
        same worlds. Series that only one forecast has stay as they were.

    Raises
    ------
    DataError
        If the draws are not as many, or no series has a year that both forecast.

    Examples
    --------
    >>> import pandas as pd
    >>> import forecast as fc
    >>> table = pd.DataFrame({"location": "KAZ", "measure": "immigration",
    ...     "value": np.random.default_rng(1).poisson(500, 144),
    ...     "period": [str(one) for one in pd.period_range("2012-01", periods=144, freq="M")]})
    >>> panel = fc.Panel.from_frame(table)
    >>> short = fc.forecast(panel, "naive", ("2025-12",), draws=200)
    >>> long = fc.forecast(panel.by("year"), "naive", (2025, 2030), draws=200)
    >>> short, long = together(short, long)
    >>> bool(np.allclose(short.by("year").paths[:, 0, 0], long.paths[:, 0, 0]))
    True
    """
    n = ratio(months.frequency, years.frequency)
    if months.paths.sizes["draw"] != years.paths.sizes["draw"]:
        raise DataError(
            f"{months.paths.sizes['draw']} draws by {months.frequency} and "
            f"{years.paths.sizes['draw']} by {years.frequency}: forecast as many of both."
        )
    totals = by(months, years.frequency)
    fine = months.paths.transpose("series", "draw", "year").to_numpy().copy()
    coarse = years.paths.transpose("series", "draw", "year").to_numpy().copy()
    fine_grid, coarse_grid = (one.paths["year"].to_numpy() for one in (months, years))
    agreed = 0
    for key, row in _common(totals, years):
        summed = totals.paths.isel(series=totals.keys.index(key)).transpose("draw", "year")
        whole = {int(year): summed.sel(year=year).to_numpy() for year in summed["year"].to_numpy()}
        whole = {year: drawn for year, drawn in whole.items() if not np.isnan(drawn).any()}
        places = {int(year): place for place, year in enumerate(coarse_grid)}
        at = {year: places[year] for year in whole if year in places}
        at = {year: to for year, to in at.items() if not np.isnan(coarse[row, :, to]).any()}
        if not at:
            continue
        agreed += 1
        coarse[row] = _same_worlds(coarse[row], [*at.values()], [whole[year] for year in at])
        place = months.keys.index(key)
        origin = int(months.paths["origin"].to_numpy()[place])
        signed = _signed(months, key)
        for year, column in at.items():
            inside = (fine_grid // n == year) & (fine_grid > origin)
            drawn = fine[place][:, inside]
            total = _weighted(whole[year], coarse[row, :, column])
            if not measures.find(key[2]).adds_over_time:
                # The way to the year's end bends evenly; figures of before stay.
                steps = np.arange(1, drawn.shape[1] + 1) / drawn.shape[1]
                moved = drawn + (total - drawn[:, -1])[:, None] * steps
                fine[place][:, inside] = moved if signed else np.maximum(moved, 0.0)
                coarse[row, :, column] = fine[place][:, inside][:, -1]
            else:
                observed = whole[year] - drawn.sum(axis=1)
                fine[place][:, inside] = _adding_up(drawn, total - observed, signed)
                coarse[row, :, column] = observed + fine[place][:, inside].sum(axis=1)
    if not agreed:
        raise DataError(
            f"no series has a {years.frequency} that both forecasts reach: forecast the "
            f"{months.frequency}s to the end of one, of the same source, place and measure."
        )
    return _with(months, fine), _with(years, coarse)


def _common(totals: Forecast, years: Forecast) -> list[tuple[SeriesKey, int]]:
    """Return the series that both have, with their rows among the years; a rate adds to nothing."""
    return [
        (key, row)
        for row, key in enumerate(years.keys)
        if key in totals.keys and measures.find(key[2]).kind != "rate"
    ]


def _signed(months: Forecast, key: SeriesKey) -> bool:
    series = months.history.find(key)
    return series is not None and series.signed


def _same_worlds(paths: np.ndarray, places: list[int], totals: list[np.ndarray]) -> np.ndarray:
    """Put whole paths of years (n_draws, n_years) into the order of the months' totals."""
    size = len(paths)
    low = sum(ndtri((rankdata(paths[:, place]) - 0.5) / size) for place in places)
    high = sum(ndtri((rankdata(total) - 0.5) / size) for total in totals)
    made = np.empty_like(paths)
    made[np.argsort(high, kind="stable")] = paths[np.argsort(low, kind="stable")]
    return made


def _weighted(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the nearest total to both, in the metric of their spreads."""
    spreads = [np.diff(np.quantile(one, _MIDDLE))[0] ** 2 for one in (first, second)]
    share = 0.5 if sum(spreads) <= 0 else spreads[1] / sum(spreads)
    return np.asarray(share * first + (1.0 - share) * second)


def _adding_up(drawn: np.ndarray, total: np.ndarray, signed: bool) -> np.ndarray:
    """Move months (n_draws, n) so that they add up: counts in proportion, nets evenly."""
    present = drawn.sum(axis=1)
    if signed:
        return np.asarray(drawn + ((total - present) / drawn.shape[1])[:, None])
    wanted = np.maximum(total, 0.0)[:, None]
    even = np.full(drawn.shape, 1.0 / drawn.shape[1])
    some = (present > 0)[:, None]
    share = np.divide(drawn, present[:, None], out=even, where=some)
    return np.asarray(wanted * share)


def _with(outlook: Forecast, values: np.ndarray) -> Forecast:
    """Return a forecast with other draws, of shape (n_series, n_draws, n_years)."""
    paths = outlook.paths.transpose("series", "draw", "year").copy(data=values)
    paths = paths.transpose(*outlook.paths.dims)
    paths.attrs = {**outlook.paths.attrs, "together": 1}
    return replace(outlook, paths=paths, explanation=None)
