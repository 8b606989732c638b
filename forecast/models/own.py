"""The base of a model of one's own: it says what it learns and how it draws, the rest is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast import scales
from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, FittedBase, ModelBase, meant_for
from forecast.errors import DataError, TooShortError
from forecast.horizons import check_years
from forecast.models.assembly import assemble, note
from forecast.models.series.univariate import Prepared, prepare
from forecast.outlook import Forecast
from forecast.panel import Panel


class OwnModel(ModelBase):
    """A model that learns from all series together, and draws their paths on the model's scale.

    A subclass gives a `name`, `learn` and `draw`. Done here for it: series are put on their scale
    without the years that flags keep out, those too short are listed with the reason, and draws
    become persons and a `Forecast`.

    Attributes
    ----------
    measures : tuple of str or None
        The only measures that it forecasts; None for all.
    kind : {"log", "rate", "persons"} or None
        The scale of every series; None chooses by measure (`forecast.scales`).

    Examples
    --------
    >>> import numpy as np
    >>> import forecast as fc
    >>> class Shuffled(OwnModel):
    ...     '''Next year's change is one of the changes seen.'''
    ...     name = "shuffled"
    ...     def learn(self, series, seed):
    ...         return [np.diff(one.values[np.isfinite(one.values)]) for one in series]
    ...     def draw(self, learned, series, n_ahead, n_draws, generator):
    ...         steps = [generator.choice(one, (n_draws, n_ahead)) for one in learned]
    ...         last = np.array([one.last for one in series])
    ...         return last[:, None] + np.cumsum(np.stack(steps, axis=1), axis=-1)
    >>> panel = fc.load("central-asia").select(source="un-wpp")
    >>> fc.forecast(panel, Shuffled(), (2027, 2030), draws=200)
    <Forecast: model shuffled, 5 series, 200 draws, target years 2027, 2030>
    """

    kind: scales.Kind | None = None

    def learn(self, series: Sequence[Prepared], seed: int) -> Any:
        """Learn from the series that can be used; what is returned is handed to `draw`.

        Parameters
        ----------
        series : sequence of Prepared
            ``one.values`` are on the model's scale, NaN in gaps and in years kept out by a flag;
            ``one.last`` is the last that is known, ``one.series`` has years, place and measure.
        seed : int

        Returns
        -------
        object
            Whatever `draw` needs.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no learn")

    def draw(
        self,
        learned: Any,
        series: Sequence[Prepared],
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Draw futures on the model's scale.

        Parameters
        ----------
        learned : object
            What `learn` returned.
        series : sequence of Prepared
            The same as `learn` was given, in the same order.
        n_ahead : int
            Steps after the last year, enough for the series that ends first.
        n_draws : int
        generator : numpy.random.Generator
            The only source of chance, so that a seed gives the same draws again.

        Returns
        -------
        ndarray, shape (n_draws, n_series, n_ahead)
            Steps after each series' own last year. Draw *i* is one world: the same parameters in
            every series and year.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no draw")

    def diagnose(self, learned: Any) -> pd.DataFrame:
        """Return one row per parameter: whether the fit can be trusted; no rows by default.

        Parameters
        ----------
        learned : object
            What `learn` returned.

        Returns
        -------
        DataFrame
        """
        return pd.DataFrame()

    def verdict(self, learned: Any) -> str:
        """Return a sentence on the fit, which the report prints; empty by default.

        Parameters
        ----------
        learned : object
            What `learn` returned.

        Returns
        -------
        str
        """
        return ""

    def fit(self, panel: Panel, seed: int) -> FittedOwnModel:
        """Learn from the series of a panel that the model is meant for.

        Raises
        ------
        TooShortError
            If it can use none of them.
        """
        meant, used, notes = meant_for(self, panel), [], []
        for series in panel:
            try:
                if series.key not in meant:
                    raise TooShortError("the model is not meant for it.")
                used.append(prepare(series, self.kind))
                notes.append(note(series, FORECAST, "", used[-1].scale.kind))
            except TooShortError as error:
                notes.append(note(series, NOT_FORECAST, str(error)))
        table = pd.DataFrame(notes, columns=list(NOTE_COLUMNS))
        if not used:
            first = table.iloc[0]
            raise TooShortError(
                f"no series can be forecast by {self.name!r}: {first['measure']} of "
                f"{first['location']}: {first['reason']} Add series or earlier years."
            )
        return FittedOwnModel(self, panel, seed, tuple(used), table, self.learn(used, seed))


@dataclass(frozen=True, eq=False)
class FittedOwnModel(FittedBase):
    """What a model of one's own has learned.

    Attributes
    ----------
    model : OwnModel
    panel : Panel
        What it was fitted to.
    seed : int
    used : tuple of Prepared
        The series that it can use.
    notes : DataFrame
        A row per series: whether it is forecast, and why not.
    learned : object
        What the model's `learn` returned.
    """

    model: OwnModel
    panel: Panel
    seed: int
    used: tuple[Prepared, ...]
    notes: pd.DataFrame
    learned: Any

    @property
    def diagnostics(self) -> pd.DataFrame:
        """What the model says of its fit; see `OwnModel.diagnose`."""
        return self.model.diagnose(self.learned)

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Draw the years after the data.

        Raises
        ------
        DataError
            If the draws have another shape than `OwnModel.draw` promises, or are no numbers.
        """
        years = check_years(self.panel, years)
        step = self.panel.step
        ahead = [max(0, (max(years) - one.series.origin) // step) for one in self.used]
        generator = np.random.default_rng(np.random.SeedSequence(self.seed).spawn(1)[0])
        paths = self.model.draw(self.learned, self.used, max(ahead), draws, generator)
        self._check(paths, (draws, len(self.used), max(ahead)))
        drawn = {
            one.series.key: one.scale.to_persons(paths[:, position, :steps])
            for position, (one, steps) in enumerate(zip(self.used, ahead))
        }
        name = self.model.name
        outlook = assemble(self.panel, drawn, years, self.notes, model=name, seed=self.seed)
        outlook.paths.attrs["diagnostics"] = self.model.verdict(self.learned)
        return outlook

    def _check(self, paths: np.ndarray, shape: tuple[int, int, int]) -> None:
        got = np.shape(paths)
        if got != shape:
            raise DataError(
                f"draw() of model {self.model.name!r} returned shape {got}; give (n_draws, "
                f"n_series, n_ahead), here {shape}."
            )
        if not np.isfinite(paths).all():
            where = int(np.argwhere(~np.isfinite(paths))[0, 1])
            raise DataError(
                f"draw() of model {self.model.name!r} returned no numbers, first of "
                f"{'/'.join(self.used[where].series.key)}. Look at `last` and at gaps in `values`."
            )
