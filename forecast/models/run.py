"""The verb `forecast`: a panel, a model and horizons in, a Forecast out."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.artifacts import caching
from forecast.contract import Model
from forecast.data import inputs
from forecast.errors import DataError
from forecast.horizons import check_years, default_horizons
from forecast.models import DEFAULT
from forecast.models.nowcast.joining import joined
from forecast.models.registry import model as find_model
from forecast.outlook import Forecast
from forecast.panel import Panel


def forecast(
    panel: Panel,
    model: str | Model = DEFAULT,
    horizons: Sequence[int | str] | None = None,
    draws: int = 2000,
    seed: int = 1,
    cache: bool = True,
    nowcast: Forecast | None = None,
) -> Forecast:
    """Forecast every series of a panel.

    Parameters
    ----------
    panel : Panel
        What is known. Each series is forecast from its own last year on.
    model : str or Model
        A registered name (see `forecast.models`) or a model of one's own.
    horizons : sequence of int or str, optional
        Target years after the data, or periods such as ``"2027-06"``. By default 2025, 2027 and
        2030; of months, quarters and half-years, every period of the next two years.
    draws : int
        Simulated futures, at least 100.
    seed : int
        The same seed gives the same numbers.
    cache : bool
        Read and keep what the members of an ensemble say at earlier origins
        (`forecast.artifacts`); the numbers are the same either way.
    nowcast : Nowcast, optional
        From `forecast.nowcast`: the year after the figures as the months that are in say it. Later
        years move along (`forecast.models.nowcast.joining`).

    Returns
    -------
    Forecast
        Series that the model cannot forecast are listed in its `notes` with the reason.

    Raises
    ------
    UnknownNameError
        If the model is not registered.
    DataError
        If a horizon is not after the data, no series can be forecast, or the nowcast is of no year
        or series of the forecast.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    >>> fc.forecast(panel, model="naive", horizons=(2027, 2030), draws=200)
    <Forecast: model naive, 3 series, 200 draws, target years 2027, 2030>
    """
    if not isinstance(panel, Panel):
        raise DataError(
            f"forecast() needs a Panel, not {type(panel).__name__}. "
            "Make one with forecast.read(), forecast.load() or Panel.from_frame()."
        )
    if not isinstance(draws, int) or not 100 <= draws <= 1_000_000:
        raise DataError(f"draws is {draws!r}; give a whole number from 100 to 1,000,000.")
    if not isinstance(seed, int) or seed < 0:
        raise DataError(f"seed is {seed!r}; give a whole number, zero or above.")
    chosen = find_model(model)
    years = check_years(panel, default_horizons(panel) if horizons is None else horizons)
    with caching(cache):
        outlook = inputs.fit(chosen, panel, seed).forecast(years, draws)
    return outlook if nowcast is None else joined(outlook, nowcast)
