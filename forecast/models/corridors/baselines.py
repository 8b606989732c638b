"""What `corridors` has to beat: last value, mean, last share of a total, gravity, on flows.

Each says one figure; how far from it the outcome may be, past errors say: the same rule at every
earlier origin, its errors on the log scale pooled over corridors of like size.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecast.contract import BY_NAME, FittedBase, ModelBase
from forecast.corridors import FLOW
from forecast.errors import TooShortError
from forecast.horizons import check_years
from forecast.models.assembly import assemble
from forecast.models.corridors.data import PairFlows, flows_by_source, pair_flows
from forecast.models.series.univariate import series_seed
from forecast.outlook import Forecast
from forecast.panel import Panel, Series
from forecast.series_key import SeriesKey

#: Classes of size in which errors are pooled, and the least errors of a class.
CLASSES, LEAST_ERRORS = 5, 20
#: Years whose mean is the total of `Share`, and on which `Gravity` is fitted.
RECENT = 3


class FlowRule(ModelBase):
    """A rule that says one figure of each corridor; widths come from its past errors."""

    measures = (FLOW,)

    def _figures(self, flows: PairFlows) -> np.ndarray:
        """Return what the rule says of every year after the last one, shape (n_pairs,).

        Parameters
        ----------
        flows : PairFlows
            What is known; NaN of a corridor without any figure.
        """
        raise NotImplementedError(f"{type(self).__name__} says no figures")

    def fit(self, panel: Panel, seed: int) -> FittedFlowRule:
        """Apply the rule at every earlier origin.

        Raises
        ------
        TooShortError
            If no flow has two usable figures.
        """
        sources = {}
        for source, series in flows_by_source(panel).items():
            flows = pair_flows(series, {})
            errors = self._errors(flows)
            if errors:
                sources[source] = (tuple(series), flows, errors)
        if not sources:
            raise TooShortError(
                f"no series can be forecast by {self.name!r}: no flow has two usable figures."
            )
        return FittedFlowRule(self, panel, seed, sources)

    def _errors(self, flows: PairFlows) -> dict[int, np.ndarray]:
        """Return (size, error) by steps ahead, on the scale of log(1 + persons)."""
        found: dict[int, list[np.ndarray]] = {}
        for origin in range(1, flows.n_years):
            said = np.log1p(self._figures(flows.until(origin)))
            for ahead in range(1, flows.n_years - origin + 1):
                error = np.log1p(flows.counts[origin + ahead - 1]) - said
                known = np.isfinite(error)
                found.setdefault(ahead, []).append(np.stack([said[known], error[known]], axis=1))
        joined = {ahead: np.concatenate(parts) for ahead, parts in found.items()}
        return {ahead: table for ahead, table in joined.items() if len(table)}


@dataclass(frozen=True, eq=False)
class FittedFlowRule(FittedBase):
    """A rule and its past errors.

    Attributes
    ----------
    model : FlowRule
    panel : Panel
    seed : int
    sources : dict of str to (series, flows, errors)
    """

    model: FlowRule
    panel: Panel
    seed: int
    sources: dict[str, tuple[tuple[Series, ...], PairFlows, dict[int, np.ndarray]]]

    def forecast(self, years: Sequence[int], draws: int) -> Forecast:
        """Draw futures; see `forecast.contract.FittedModel`."""
        wanted = check_years(self.panel, years)
        drawn: dict[SeriesKey, np.ndarray] = {}
        for source, (series, flows, errors) in self.sources.items():
            said = np.log1p(self.model._figures(flows))
            seed = series_seed(self.seed, self.model.name, (source, "", "futures"))
            place = np.random.default_rng(seed).uniform(size=(draws, len(said)))
            for at, one in enumerate(series):
                if not np.isfinite(said[at]):
                    continue
                steps = range(1, max(0, (wanted[-1] - one.origin) // one.step) + 1)
                paths = [said[at] + _quantiles(errors, h, said[at], place[:, at]) for h in steps]
                drawn[one.key] = np.maximum(np.expm1(np.array(paths).T), 0.0).reshape(draws, -1)
        return assemble(self.panel, drawn, wanted, model=self.model.name, seed=self.seed)


def _quantiles(
    errors: dict[int, np.ndarray], ahead: int, size: float, place: np.ndarray
) -> np.ndarray:
    """Return errors at some places of their distribution, among corridors of like size.

    Where no error is known so far ahead, the farthest ones grow with the root of the steps.
    """
    enough = [h for h, table in errors.items() if len(table) >= LEAST_ERRORS] or list(errors)
    known = min(enough, key=lambda h: (abs(h - ahead), h))
    table = errors[known]
    count = max(LEAST_ERRORS, len(table) // CLASSES)
    nearest = np.argsort(np.abs(table[:, 0] - size), kind="stable")[:count]
    ordered = np.sort(table[nearest, 1])
    grow = max(1.0, ahead / known) ** 0.5
    return np.asarray(grow * np.interp(place * (len(ordered) - 1), range(len(ordered)), ordered))


class LastFlow(FlowRule):
    """The last figure of a corridor."""

    name = "last-flow"
    recipe = BY_NAME

    def _figures(self, flows: PairFlows) -> np.ndarray:
        """Return the last figure of each corridor."""
        return flows.last


class MeanFlow(FlowRule):
    """The mean of all figures of a corridor."""

    name = "mean-flow"
    recipe = BY_NAME

    def _figures(self, flows: PairFlows) -> np.ndarray:
        """Return the mean of each corridor."""
        seen = np.isfinite(flows.counts)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(seen, flows.counts, 0.0).sum(axis=0) / seen.sum(axis=0))


class ShareFlow(FlowRule):
    """The last share of a corridor in all that leave its origin, times the mean of late totals."""

    name = "share-flow"
    recipe = BY_NAME

    def _figures(self, flows: PairFlows) -> np.ndarray:
        """Return last shares times the mean of the totals of `RECENT` years."""
        last = flows.last
        said = last.copy()
        late = flows.counts[-RECENT:]
        origins = np.array([origin for origin, _ in flows.pairs], dtype=object)
        for place in set(origins.tolist()):
            own = origins == place
            # Only corridors with all late figures: a total must not move with its coverage.
            whole = own & np.isfinite(late).all(axis=0)
            if whole.any() and late[-1, whole].sum() > 0:
                totals = late[:, whole].sum(axis=1)
                said[own] = last[own] * totals.mean() / totals[-1]
        return np.asarray(said)


class GravityFlow(FlowRule):
    """Poisson regression on gravity terms, origins and destinations (pseudo maximum likelihood).

    Santos Silva and Tenreyro (2006, doi:10.1162/rest.88.4.641), by statsmodels, on the mean of the
    last `RECENT` years that each corridor has.
    """

    name = "gravity-flow"
    recipe = BY_NAME

    def _figures(self, flows: PairFlows) -> np.ndarray:
        """Return what the regression says of each corridor."""
        import statsmodels.api as sm

        late = flows.counts[-RECENT:]
        seen = np.isfinite(late)
        counts = np.where(seen, late, 0.0).sum(axis=0)
        years = seen.sum(axis=0)
        known = years > 0
        if not counts[known].sum() > 0:
            return np.where(np.isfinite(flows.last), 0.0, np.nan)
        ends = [flows.members("origin"), flows.members("destination")]
        design = np.hstack([np.ones((flows.n_pairs, 1)), flows.gravity, *ends])
        model = sm.GLM(
            counts[known], design[known], family=sm.families.Poisson(),
            exposure=years[known].astype(float),
        )  # fmt: skip
        # A little shrinkage keeps finite what few corridors, or zeros alone, do not say.
        weights = np.full(design.shape[1], 1e-4)
        weights[0] = 0.0
        with warnings.catch_warnings():
            # The search stops where nothing improves, a hair from where it would be content.
            warnings.simplefilter("ignore")
            fitted = model.fit_regularized(alpha=weights, L1_wt=0.0, maxiter=200)
        said = np.exp(np.minimum(design @ np.asarray(fitted.params), 20.0))
        return np.asarray(np.where(np.isfinite(flows.last), said, np.nan))
