"""Time-series models fitted to each series of a panel by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast import scales
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, ModelBase
from forecast.errors import TooShortError
from forecast.models.assembly import note
from forecast.models.registry import is_specified, specification
from forecast.models.series.fitted_series import FittedSeriesModel
from forecast.models.series.posterior import SeriesPosterior, simulate
from forecast.models.series.prepared import MINIMUM_YEARS, Prepared, prepare
from forecast.models.series.representation import Nodes
from forecast.models.series.seeds import series_seed
from forecast.models.series.statespace import condition
from forecast.panel import Panel, Series
from forecast.series_key import SeriesKey


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
        """Return a series as the model sees it; see `prepare`."""
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


__all__ = [
    "MINIMUM_YEARS",
    "FittedSeriesModel",
    "Prepared",
    "StateSpaceModel",
    "prepare",
    "series_seed",
]
