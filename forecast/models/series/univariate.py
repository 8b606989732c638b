"""Time-series models fitted to each series of a panel by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from forecast import scales
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, FittedBase, ModelBase
from forecast.errors import DataError, TooShortError
from forecast.horizons import check_years, spans
from forecast.models.assembly import assemble, note
from forecast.models.registry import is_specified, specification
from forecast.models.series.representation import Nodes, SeriesPosterior, parameter_share, simulate
from forecast.models.series.statespace import condition
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series import UNUSED_FLAGS, last_break, unused, usable_years
from forecast.series_key import KEY, SeriesKey, rows_of

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.mlemodel import MLEResults

#: Fewest usable years since the last break. Below this the variance of the innovations
#: and one more parameter cannot be told apart, and intervals would be a guess.
MINIMUM_YEARS = 8


@dataclass(frozen=True)
class Prepared:
    """A series as a time-series model sees it.

    Attributes
    ----------
    series : Series
        The figures as they were observed.
    scale : Scale
        Their scale, and the way back to persons.
    values : ndarray, shape (n_years,)
        On the model's scale; NaN in gaps and in years whose flag keeps them out.
    breaks : ndarray of bool, shape (n_years,)
        Years that start a new level.
    """

    series: Series
    scale: scales.Scale
    values: np.ndarray
    breaks: np.ndarray

    @property
    def last(self) -> float:
        """The last value that can be used."""
        return float(self.values[~np.isnan(self.values)][-1])


def prepare(series: Series, kind: scales.Kind | None = None) -> Prepared:
    """Put a series on its scale, respecting its flags.

    Parameters
    ----------
    series : Series
        Persons per calendar year (or period).
    kind : {"log", "rate", "persons"}, optional
        The scale; by default log for counts, rates (or persons) for net flows.

    Returns
    -------
    Prepared

    Raises
    ------
    TooShortError
        If fewer than `MINIMUM_YEARS` years since the last break can be used.

    Examples
    --------
    >>> import forecast as fc
    >>> prepared = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
    >>> prepared.scale.kind
    'log'
    """
    scale = scales.choose(series, kind)
    values = np.where(usable_years(series), scale.values, np.nan)
    breaks, start = series.flagged("break"), last_break(series)
    usable = int((~np.isnan(values[start:])).sum())
    if usable < MINIMUM_YEARS:
        since = f" since the break of {series.years[start]}" if start else ""
        raise TooShortError(
            f"{usable} usable observed years{since}; at least {MINIMUM_YEARS} are needed."
            f"{_kept_out(series, start)}"
        )
    recent = values[start:]
    if np.nanmax(recent) == np.nanmin(recent):
        raise TooShortError(
            f"all {usable} usable values are equal ({series.values[-1]:g}); a series that never "
            "moves says nothing about how it may move."
        )
    return Prepared(series, scale, values, breaks)


def _kept_out(series: Series, start: int) -> str:
    """Return which observed years flags keep out of the fit, in words; empty if none."""
    said = ""
    for flag in UNUSED_FLAGS:
        out = unused(series, flag) & ~np.isnan(series.values)
        years = series.years[start:][out[start:]].tolist()
        if years:
            said += f" The flag {flag!r} keeps out {len(years)}: {spans(years, series.frequency)}."
            # Only this one is also set by reading; an outlier somebody has stated.
            if flag == "interpolated":
                said += " If these are real figures, read the table with carry=False."
    return said


def series_seed(seed: int, model: str, key: SeriesKey) -> np.random.SeedSequence:
    """Return a seed that belongs to one model and series, whatever else is in the panel.

    Parameters
    ----------
    seed : int
        Of the whole fit.
    model : str
        Name of the model, or of what is drawn.
    key : (source, location, measure)
        Of the series; empty texts for what belongs to none.

    Returns
    -------
    numpy.random.SeedSequence
    """
    digest = hashlib.sha256("\n".join((model, *key)).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4").tolist()
    return np.random.SeedSequence([seed, *words])


@dataclass(frozen=True)
class FittedSeriesModel(FittedBase):
    """A time-series model that has seen a panel.

    Attributes
    ----------
    model : StateSpaceModel
    panel : Panel
    seed : int
    fits : dict of (source, location, measure) to (Prepared, SeriesPosterior)
    notes : DataFrame
        One row per series, see `Forecast.notes`.
    """

    model: StateSpaceModel
    panel: Panel
    seed: int
    fits: dict[SeriesKey, tuple[Prepared, SeriesPosterior]]
    notes: pd.DataFrame

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row per series and parameter: posterior mean, and the innovation scale."""
        rows = []
        for key, (_, posterior) in self.fits.items():
            named = {name: posterior.mean(name) for name in posterior.nodes.parameters}
            variance = {"discount": posterior.mean("discount"), "innovation": posterior.spread}
            for parameter, estimate in {**named, **variance}.items():
                rows.append((*key, parameter, estimate))
        return pd.DataFrame(rows, columns=[*KEY, "parameter", "mean"])

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Simulate futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        drawn = {}
        for key, (prepared, posterior) in self.fits.items():
            series = prepared.series
            n_ahead = max(0, (wanted[-1] - series.origin) // series.step)
            drawn[key] = self.model.persons(prepared, posterior, n_ahead, draws, self.seed)
        return assemble(
            self.panel, drawn, wanted, self.notes, model=self.model.name, seed=self.seed
        )

    def statsmodels(
        self, series: Series | SeriesKey, *, variance: Literal["average", "present"] = "average"
    ) -> MLEResults:
        """Return a fitted series as results of statsmodels, with all of its tools.

        The matrices are those of the model's most probable parameters, the values are on the
        model's scale (`Forecast.notes` names it) and NaN where they do not steer; statsmodels
        filters, smooths, tests and forecasts. What only the forecasts of this package hold are
        uncertain parameters and a variance that drifts.

        Parameters
        ----------
        series : Series or (source, location, measure)
            One that the model forecasts.
        variance : {"average", "present"}
            The variance of the shocks: at the maximum of the likelihood, the same in all
            years, or that of the newest ones, which makes the intervals ahead.

        Returns
        -------
        statsmodels.tsa.statespace.mlemodel.MLEResults
            ``summary()``, ``states.smoothed``, ``get_forecast(steps)``, ``plot_diagnostics()``
            and so on; years are its index. With drivers ``get_forecast`` asks for ``exog``.

        Raises
        ------
        DataError
            If the model forecasts no such series; with the reason, if it is in the panel.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> fitted = model("naive").fit(panel, seed=1)
        >>> results = fitted.statsmodels(("kz-bns", "KAZ", "immigration"))
        >>> len(results.get_forecast(3).predicted_mean)
        3
        """
        from forecast.models.series.as_statsmodels import results

        key = series.key if isinstance(series, Series) else tuple(series)
        if key not in self.fits:
            reasons = self.notes.loc[rows_of(self.notes, key), "reason"].tolist()
            raise DataError(
                f"{self.model.name!r} has not been fitted to {key}: "
                f"{(reasons or ['the panel has no such series.'])[0]}"
            )
        prepared, posterior = self.fits[key]
        return results(self.model, prepared, posterior, present=variance == "present")

    def parameter_share(self, key: SeriesKey, n_ahead: int) -> np.ndarray:
        """Return the share of parameters and state; see `forecast.contract.FittedBase`."""
        return parameter_share(self.fits[key][1], n_ahead)


class StateSpaceModel(ModelBase):
    """Base of the time-series models: nodes in, forecasts of a panel out.

    A subclass gives `name` and `nodes`; one that treats the series first overrides
    `posterior` and `paths`.

    Attributes
    ----------
    kind : {"log", "rate", "persons"} or None
        Scale to use whatever the measure is; None chooses by measure.
    """

    separate = True
    #: Scale to use whatever the measure is; None chooses by measure.
    kind: scales.Kind | None = None

    def prepared(self, series: Series) -> Prepared:
        """Return a series as the model sees it; see `prepare`.

        Parameters
        ----------
        series : Series
            Persons per calendar year (or period).

        Returns
        -------
        Prepared

        Raises
        ------
        TooShortError
            If it is too short for the model.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> series = fc.load("central-asia").find(("kz-bns", "KAZ", "immigration"))
        >>> model("naive").prepared(series).scale.kind
        'log'
        """
        return prepare(series, self.kind)

    def nodes(self, prepared: Prepared) -> Nodes:
        """Return the parameter nodes for a series.

        Parameters
        ----------
        prepared : Prepared
            The series, see `prepare`.

        Returns
        -------
        Nodes
            State-space matrices at each node, with prior weights.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> one = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
        >>> len(model("naive").nodes(one).design)
        1
        """
        raise TypeError(f"{type(self).__name__} defines no nodes")

    @property
    def discounts(self) -> tuple[float, ...]:
        """Discounts of the variance that are weighed, as the model's TOML states them."""
        stated = specification(self.name) if is_specified(self.name) else {}
        return tuple(stated.get("discount", (1.0,)))

    def posterior(self, prepared: Prepared) -> SeriesPosterior:
        """Return what the series says about the nodes.

        Parameters
        ----------
        prepared : Prepared
            The series, see `prepare`.

        Returns
        -------
        SeriesPosterior

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> one = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
        >>> bool(model("naive").posterior(one).spread > 0)
        True
        """
        return self.weigh(self.nodes(prepared), prepared, prepared.values)

    def trend(self, prepared: Prepared) -> float:
        """Return what is taken out of the values before they are filtered; 0 here.

        Parameters
        ----------
        prepared : Prepared
            The series, see `prepare`.

        Returns
        -------
        float
            On the model's scale, per step.

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> one = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
        >>> model("naive").trend(one)
        0.0
        """
        return 0.0

    def weigh(self, nodes: Nodes, prepared: Prepared, values: np.ndarray) -> SeriesPosterior:
        """Weigh nodes by the figures of a series.

        Parameters
        ----------
        nodes : Nodes
            As `nodes` returns.
        prepared : Prepared
            Its breaks and rounding are respected.
        values : ndarray, shape (n_years,)
            On the model's scale; NaN in gaps.

        Returns
        -------
        SeriesPosterior

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> one = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
        >>> naive = model("naive")
        >>> naive.weigh(naive.nodes(one), one, one.values).spread == naive.posterior(one).spread
        True
        """
        return condition(nodes, values, prepared.breaks, prepared.scale.floor, self.discounts)

    def paths(
        self,
        prepared: Prepared,
        posterior: SeriesPosterior,
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Draw futures on the model's scale.

        Parameters
        ----------
        prepared : Prepared
            The series, see `prepare`.
        posterior : SeriesPosterior
            As `posterior` returns.
        n_ahead : int
            Steps after the series' last year.
        n_draws : int
            Simulated futures.
        generator : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        ndarray, shape (n_draws, n_ahead)

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> one = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
        >>> naive = model("naive")
        >>> naive.paths(one, naive.posterior(one), 3, 100, np.random.default_rng(1)).shape
        (100, 3)
        """
        return simulate(posterior, n_ahead, n_draws, generator)

    def remark(self, posterior: SeriesPosterior) -> str:
        """Return what the notes say of a series that is forecast; nothing by default.

        Parameters
        ----------
        posterior : SeriesPosterior
            As `posterior` returns.

        Returns
        -------
        str
        """
        return ""

    def seeded_as(self, posterior: SeriesPosterior) -> str:
        """Return the name whose random numbers a series takes; the model's own by default.

        Parameters
        ----------
        posterior : SeriesPosterior
            As `posterior` returns.

        Returns
        -------
        str
        """
        return self.name

    def fit(self, panel: Panel, seed: int) -> FittedSeriesModel:
        """Fit every series of a panel by itself.

        Returns
        -------
        FittedSeriesModel
            Series that are too short are listed in its notes with the reason.

        Raises
        ------
        TooShortError
            If no series of the panel can be fitted.
        """
        fits: dict[SeriesKey, tuple[Prepared, SeriesPosterior]] = {}
        notes = []
        for series in panel:
            try:
                prepared = self.prepared(series)
            except TooShortError as error:
                notes.append(note(series, NOT_FORECAST, str(error)))
                continue
            posterior = self.posterior(prepared)
            fits[series.key] = prepared, posterior
            notes.append(note(series, FORECAST, self.remark(posterior), prepared.scale.kind))
        table = pd.DataFrame(notes, columns=list(NOTE_COLUMNS))
        if not fits:
            first = table.iloc[0]
            raise TooShortError(
                f"no series can be forecast by {self.name!r}: {first['measure']} of "
                f"{first['location']}: {first['reason']} Add earlier years, "
                "or use a model that borrows strength from other series."
            )
        return FittedSeriesModel(self, panel, seed, fits, table)

    def draw_series(
        self, series: Series, n_ahead: int, n_draws: int, seed: int, **known: pd.DataFrame
    ) -> np.ndarray:
        """Forecast one series by itself; see `forecast.contract.ModelBase`."""
        prepared = self.prepared(series)
        posterior = self.posterior(prepared)
        return self.persons(prepared, posterior, n_ahead, n_draws, seed)

    def persons(
        self, prepared: Prepared, posterior: SeriesPosterior, n_ahead: int, n_draws: int, seed: int
    ) -> np.ndarray:
        """Draw futures in persons, by the series' own random numbers.

        Parameters
        ----------
        prepared : Prepared
            The series, see `prepare`.
        posterior : SeriesPosterior
            As `posterior` returns.
        n_ahead : int
            Steps after the series' last year.
        n_draws : int
            Simulated futures.
        seed : int
            Of the whole fit; it is spawned by model and series.

        Returns
        -------
        ndarray, shape (n_draws, n_ahead)
            Persons per calendar year (or period).

        Examples
        --------
        >>> import forecast as fc
        >>> from forecast.models.registry import model
        >>> one = prepare(fc.load("central-asia").find(("kz-bns", "KAZ", "immigration")))
        >>> naive = model("naive")
        >>> naive.persons(one, naive.posterior(one), n_ahead=3, n_draws=100, seed=1).shape
        (100, 3)
        """
        seeds = series_seed(seed, self.seeded_as(posterior), prepared.series.key)
        generator = np.random.default_rng(seeds)
        paths = self.paths(prepared, posterior, n_ahead, n_draws, generator)
        return prepared.scale.to_persons(paths)
