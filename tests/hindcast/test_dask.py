"""The same folds on a Dask cluster, with a worker lost half-way."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pandas as pd
import pytest

import forecast as fc
from forecast.errors import DataError
from forecast.panel import Panel

distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]
OPTIONS = {"origins": range(2006, 2014), "horizons": (1, 3), "draws": 200}
MODELS = ["naive", "structural", "arima"]


def test_two_workers_one_killed_half_way_same_result(walks: Callable[..., Panel]) -> None:
    panel = walks()
    expected = fc.backtest(panel, MODELS, **OPTIONS)
    killed: list[int] = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:

        def kill_one(done: int, total: int) -> None:
            if done >= total // 2 and not killed:
                worker = next(iter(cluster.workers.values()))
                killed.append(worker.pid)
                os.kill(worker.pid, signal.SIGKILL)

        track = fc.backtest(
            panel,
            MODELS,
            **OPTIONS,
            engine="dask",
            scheduler=cluster.scheduler_address,
            progress=kill_one,
        )
    assert killed
    pd.testing.assert_frame_equal(track.table, expected.table, check_exact=True)
    pd.testing.assert_frame_equal(track.joint, expected.joint, check_exact=True)


def test_a_local_cluster_is_made_when_no_address_is_given(walks: Callable[..., Panel]) -> None:
    options = OPTIONS | {"origins": [2010]}
    track = fc.backtest(walks(), ["naive", "mean"], **options, engine="dask", jobs=2)
    expected = fc.backtest(walks(), ["naive", "mean"], **options)
    pd.testing.assert_frame_equal(track.table, expected.table, check_exact=True)


def test_an_address_where_nobody_answers(walks: Callable[..., Panel]) -> None:
    with pytest.raises(DataError, match="no Dask scheduler answers"):
        fc.backtest(walks(), ["naive"], **OPTIONS, engine="dask", scheduler="tcp://127.0.0.1:9")
