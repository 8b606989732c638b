"""The base of a model of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError, TooShortError
from forecast.models.own import OwnModel
from forecast.models.series.univariate import Prepared
from forecast.panel import Panel


class Still(OwnModel):
    """Stays where it is, with a known spread."""

    name = "still"

    def __init__(self, result: Any = None, measures: tuple[str, ...] | None = None) -> None:
        self.result, self.measures = result, measures

    def learn(self, series: Sequence[Prepared], seed: int) -> Any:
        return [one.series.key for one in series]

    def draw(
        self,
        learned: Any,
        series: Sequence[Prepared],
        n_ahead: int,
        n_draws: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        if self.result is not None:
            return np.full((n_draws, len(series), n_ahead), self.result)
        last = np.array([one.last for one in series])
        return np.broadcast_to(last[:, None], (n_draws, len(series), n_ahead))

    def diagnose(self, learned: Any) -> pd.DataFrame:
        return pd.DataFrame({"series": learned})

    def verdict(self, learned: Any) -> str:
        return f"{len(learned)} series were learned from."


def test_each_series_comes_back_in_persons_from_its_own_last_year(varied: Panel) -> None:
    outlook = fc.forecast(varied, Still(), horizons=(2026,), draws=100)
    assert outlook.model == "still"
    for series, (_, row) in zip(outlook.keys, outlook.series.iterrows()):
        known = varied.find(series)
        assert known is not None
        value = outlook.sample(
            location=row["location"], measure=row["measure"], source=row["source"], year=2026
        )
        assert np.ptp(value) == 0
        if known.measure in {"immigration", "emigration"}:
            assert value[0] == pytest.approx(known.values[-1])
    left = outlook.notes[outlook.notes["status"] == "not forecast"]
    assert left["location"].tolist() == ["KGZ"]
    assert "5 usable observed years" in left["reason"].item()
    assert "series were learned from" in str(outlook.paths.attrs["diagnostics"])


def test_a_value_that_a_flag_keeps_out_is_not_the_last(varied: Panel) -> None:
    table = varied.select(source="kz-bns", measure="immigration").to_frame()
    before = table["value"].iloc[-2]
    table.loc[table.index[-1], ["value", "flag"]] = [10 * before, "outlier"]
    outlook = fc.forecast(Panel.from_frame(table), Still(), (2026,), draws=100)
    assert outlook.intervals()["median"].item() == pytest.approx(before)


def test_only_the_measures_that_it_is_meant_for(varied: Panel) -> None:
    outlook = fc.forecast(varied, Still(measures=("net_migration",)), (2026,), draws=100)
    assert set(outlook.series["measure"]) == {"net_migration"}
    others = outlook.notes[outlook.notes["measure"] != "net_migration"]
    assert set(others["reason"]) == {"the model is not meant for it."}
    with pytest.raises(TooShortError, match=r"no series can be forecast by 'still'.*not meant"):
        fc.forecast(varied, Still(measures=("internal_net",)), (2026,), draws=100)


def test_what_it_says_of_its_fit(varied: Panel) -> None:
    fitted = Still().fit(varied, seed=1)
    assert fitted.diagnostics["series"].tolist() == fitted.learned


class Flat(Still):
    """Forgets the series."""

    def draw(self, *given: Any) -> np.ndarray:
        return super().draw(*given)[:, 0]


def test_draws_of_another_shape_or_without_numbers_are_refused(varied: Panel) -> None:
    with pytest.raises(DataError, match=r"returned shape \(100, \d+\); give \(n_draws, n_series"):
        fc.forecast(varied, Flat(), (2026,), draws=100)
    with pytest.raises(DataError, match="returned no numbers, first of"):
        fc.forecast(varied, Still(np.nan), (2026,), draws=100)


def test_it_is_backtested_like_any_other(walks: Any) -> None:
    track = fc.backtest(walks(), ["naive", Still()], origins=(2015, 2017), horizons=(1, 3))
    assert set(track.table["model"]) == {"naive", "still"}
    assert set(track.table["status"]) == {"scored"}
