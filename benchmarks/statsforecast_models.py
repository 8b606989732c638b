"""statsforecast's automatic models as models of this package, on the scale of their series."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

from forecast.contract import FORECAST, NOT_FORECAST, NOTE_COLUMNS, Model
from forecast.errors import TooShortError
from forecast.horizons import check_years
from forecast.models.assembly import assemble
from forecast.models.series.univariate import note, prepare
from forecast.outlook import Forecast
from forecast.panel import Panel

#: Central intervals that are asked for; a draw lies between their ends.
LEVELS = (20, 40, 60, 80, 90, 95, 98)


class Automatic:
    """One of statsforecast's automatic models, with the intervals that it states."""

    def __init__(self, name: str, maker: type) -> None:
        self.name, self.maker = name, maker

    def fit(self, panel: Panel, seed: int) -> _Fitted:
        return _Fitted(self, panel, seed)


class _Fitted:
    diagnostics = pd.DataFrame()

    def __init__(self, model: Automatic, panel: Panel, seed: int) -> None:
        self.model, self.panel, self.seed = model, panel, seed

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        wanted = check_years(self.panel, years)
        generator = np.random.default_rng(self.seed)
        drawn, notes = {}, []
        for one in self.panel:
            try:
                prepared = prepare(one)
            except TooShortError as error:
                notes.append(note(one, NOT_FORECAST, str(error)))
                continue
            start = int(np.flatnonzero(prepared.breaks)[-1]) if prepared.breaks.any() else 0
            # These models take no gaps.
            values = pd.Series(prepared.values[start:]).interpolate(limit_direction="both")
            ahead = (wanted[-1] - one.origin) // one.step
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said: dict[str, Any] = self.model.maker(season_length=1).forecast(
                    y=values.to_numpy(), h=ahead, level=list(LEVELS)
                )
            bounds = [(0.5 - level / 200, said[f"lo-{level}"]) for level in LEVELS]
            bounds += [(0.5, said["mean"])]
            bounds += [(0.5 + level / 200, said[f"hi-{level}"]) for level in LEVELS]
            bounds.sort(key=lambda pair: pair[0])
            at = np.array([level for level, _ in bounds])
            quantiles = np.sort(np.stack([value for _, value in bounds]), axis=0)
            uniform = (np.arange(draws) + generator.uniform(size=draws)) / draws
            paths = np.stack(
                [np.interp(generator.permutation(uniform), at, column) for column in quantiles.T],
                axis=1,
            )
            drawn[one.key] = prepared.scale.to_persons(paths)
            notes.append(note(one, FORECAST, "", prepared.scale))
        table = pd.DataFrame(notes, columns=list(NOTE_COLUMNS))
        return assemble(self.panel, drawn, wanted, table, model=self.model.name, seed=self.seed)


def automatic() -> list[Model]:
    makers = {"AutoETS": AutoETS, "AutoTheta": AutoTheta, "AutoARIMA": AutoARIMA}
    return [Automatic(name, maker) for name, maker in makers.items()]
