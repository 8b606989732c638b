"""A fitted series as statsmodels sees it: the same matrices, with statsmodels' filter and tools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.tsa.statespace.mlemodel import MLEModel, MLEResults, MLEResultsWrapper

from forecast.errors import DataError
from forecast.models.series.drivers import Driven
from forecast.models.series.representation import SeriesPosterior
from forecast.models.series.statespace import DIFFUSE, gains
from forecast.models.series.univariate import Prepared, StateSpaceModel


class SeriesStateSpace(MLEModel):  # type: ignore[misc]
    """One node of a `SeriesPosterior`, the most probable, as a model of statsmodels.

    Its parameters are those of the node, which stay, and the variance ``sigma2``, which may
    take any value. A state that nothing is known about has the same large variance as in
    `forecast.models.series.statespace`, at the start and at a break, and the years that only
    identify it do not count in the likelihood.

    Parameters
    ----------
    endog : array_like, shape (n_years,)
        The series on the model's scale, NaN in years that do not steer.
    exog : array_like, shape (n_years, K), optional
        What the drivers were the year before, for a regression.
    model : StateSpaceModel
    prepared : Prepared
    posterior : SeriesPosterior
        What was fitted.
    trend_offset : int
        Position of the first year of `endog`; above zero for years after the series.
    """

    #: Tells statsmodels that years ahead differ by their position.
    k_trend = 1

    def __init__(
        self,
        endog: Any,
        exog: Any = None,
        *,
        model: StateSpaceModel,
        prepared: Prepared,
        posterior: SeriesPosterior,
        trend_offset: int = 0,
    ) -> None:
        nodes, node = posterior.nodes, most_probable(posterior)
        super().__init__(endog, len(nodes.states), exog=exog)
        self.k_exog = 0 if exog is None else self.exog.shape[1]
        self.trend_offset = trend_offset
        self.given: dict[str, Any] = {"model": model, "prepared": prepared, "posterior": posterior}
        self.state_labels = list(nodes.states)
        self.node = {
            name: float(values[node])
            for name, values in {**nodes.parameters, **nodes.own}.items()
            if not (name.startswith("weight_") or np.isnan(values[node]))
        }
        size, steps = self.k_states, trend_offset + np.arange(self.nobs)
        self["selection"], self["transition"] = np.eye(size), nodes.transition[node]
        self["design"] = nodes.design[node][None, :]
        if self.k_exog:
            fixed = np.tile(nodes.design[node][: -self.k_exog, None], self.nobs)
            self["design"] = np.concatenate([fixed, self.exog.T])[None]
        trend = model.trend(prepared)
        intercept = posterior.shift + trend * steps
        self["obs_intercept"] = intercept[None, :] if trend else intercept[:1]
        self._noise = nodes.state_noise[node][:, :, None]
        # A break in the first year changes nothing: there is no level yet.
        breaks = np.flatnonzero(prepared.breaks[1:]) + 1
        if len(breaks):
            # statsmodels' noise of one year moves the state of the next.
            forgets = np.isin(steps + 1, breaks) * np.diag(nodes.level.astype(float))[:, :, None]
            self._noise = self._noise + DIFFUSE * forgets
        self._observation = nodes.observation_noise[node].reshape(1, 1)
        self._start = nodes.initial[node] + DIFFUSE * np.diag(nodes.diffuse.astype(float))
        self.burned = np.zeros(self.nobs, dtype=bool)
        if not trend_offset:
            observed, starts = ~np.isnan(self.endog[:, 0]), np.isin(steps, breaks)
            self.burned = gains(nodes, tuple(observed.tolist()), tuple(starts.tolist()))[2]
            self.loglikelihood_burn = int(np.flatnonzero(observed & ~self.burned)[0])

    @property
    def param_names(self) -> list[str]:
        """Parameters of the node, and the variance."""
        return [*self.node, "sigma2"]

    @property
    def start_params(self) -> np.ndarray:
        """Return the node with a variance of one, shape (n_parameters,)."""
        return np.array([*self.node.values(), 1.0])

    @property
    def state_names(self) -> list[str]:
        """Names of the states."""
        return self.state_labels

    @property
    def _res_classes(self) -> dict[str, tuple[type, type]]:
        return {"fit": (SeriesResults, MLEResultsWrapper)}

    def clone(self, endog: Any, exog: Any = None, **kwargs: Any) -> SeriesStateSpace:
        """Return the same model of other figures."""
        kwargs.setdefault("trend_offset", self.trend_offset)
        return SeriesStateSpace(endog, exog, **self.given, **kwargs)

    def update(
        self,
        params: Any,
        transformed: bool = True,
        includes_fixed: bool = False,
        complex_step: bool = False,
    ) -> None:
        """Set the variance; the dynamics are the node's.

        Raises
        ------
        DataError
            If another parameter is moved.
        """
        params = self.handle_params(params, transformed, includes_fixed)
        if not np.allclose(np.real(params[:-1]), list(self.node.values()), rtol=1e-12, atol=0):
            raise DataError(
                f"{', '.join(self.node)} stay at the most probable values, "
                f"{', '.join(f'{value:g}' for value in self.node.values())}; only sigma2 may be "
                "changed. To estimate them build a model of statsmodels' own."
            )
        variance = params[-1]
        self["state_cov"] = variance * self._noise
        self["obs_cov"] = variance * self._observation
        if not self.trend_offset:
            self.ssm.initialize_known(np.zeros(self.k_states), variance * self._start)

    def loglikeobs(self, params: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Return the log likelihood of each year, shape (n_years,)."""
        return np.where(self.burned, 0.0, super().loglikeobs(params, *args, **kwargs))

    def loglike(self, params: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the log likelihood."""
        return self.loglikeobs(params, *args, **kwargs).sum()


class SeriesResults(MLEResults):  # type: ignore[misc]
    """Results of `SeriesStateSpace`."""

    @property
    def llf_obs(self) -> np.ndarray:
        """Log likelihood of each year, shape (n_years,)."""
        return np.where(self.model.burned, 0.0, self.filter_results.llf_obs)

    @property
    def llf(self) -> float:
        """Log likelihood."""
        return float(self.llf_obs[self.loglikelihood_burn :].sum())

    def summary(self, *args: Any, **kwargs: Any) -> Any:
        """Return statsmodels' summary, with the names of the model and of its component."""
        model, posterior = self.model.given["model"], self.model.given["posterior"]
        node = most_probable(posterior)
        title = [model.name]
        for name, weight in posterior.nodes.parameters.items():
            if name.startswith("weight_") and weight[node]:
                title.append(name.removeprefix("weight_"))
        return super().summary(*args, **{"model_name": title, **kwargs})

    def extend(self, endog: Any, exog: Any = None, **kwargs: Any) -> Any:
        """Return results for years that follow; see `MLEResults.extend`."""
        kwargs.setdefault("trend_offset", self.model.trend_offset + self.nobs)
        return super().extend(endog, exog, **kwargs)


def most_probable(posterior: SeriesPosterior) -> int:
    """Return the position of the node with the largest posterior weight."""
    return int(posterior.weights.sum(axis=1).argmax())


def results(
    model: StateSpaceModel, prepared: Prepared, posterior: SeriesPosterior, *, present: bool
) -> MLEResultsWrapper:
    """Smooth a series with statsmodels, at the most probable parameters.

    Parameters
    ----------
    model : StateSpaceModel
    prepared : Prepared
    posterior : SeriesPosterior
    present : bool
        Whether the variance is that of the newest shocks rather than of all years.
    """
    series = prepared.series
    size = len(series.years)
    if series.frequency == "year":
        freq = "Y" if series.step == 1 else f"{series.step}Y"
        index = pd.period_range(str(series.years[0]), periods=size, freq=freq)
    else:
        # pandas has no half-years: six months each, counted from their first.
        first = f"{series.years[0] // series.season}-"
        first += f"{series.years[0] % series.season * 12 // series.season + 1:02d}"
        freq = {"month": "M", "quarter": "Q"}.get(series.frequency, "6M")
        index = pd.period_range(first, periods=size, freq=freq)
    name = f"{series.measure} of {series.location} ({prepared.scale.kind})"
    exog = None
    if isinstance(posterior, Driven):
        drivers = posterior.drivers
        exog = pd.DataFrame(drivers.lagged(series.years), index, list(drivers.names))
    form = SeriesStateSpace(
        pd.Series(prepared.values, index, name=name),
        exog,
        model=model,
        prepared=prepared,
        posterior=posterior,
    )
    if present:
        node = most_probable(posterior)
        discount = int(posterior.weights[node].argmax())
        variance = posterior.sum_squares[node, discount] / posterior.degrees[discount]
    else:
        filtered = form.filter(form.start_params, cov_type="none").filter_results
        squares = filtered.forecasts_error[0] ** 2 / filtered.forecasts_error_cov[0, 0]
        used = ~(np.isnan(form.endog[:, 0]) | form.burned)
        variance = squares[used].mean() + prepared.scale.floor**2
    return form.smooth([*form.node.values(), variance], cov_type="none")
