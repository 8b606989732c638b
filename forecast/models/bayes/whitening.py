"""Coordinates in which NUTS finds its way through hidden states; the law of a model stays as it is.

A PyMC transform changes what a sampler moves, never the distribution: whatever is changed in a
model, draws stay right, and those of a model close to the one stated here stay fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform
from pytensor.tensor.linalg import solve_triangular


def whitened(
    name: str,
    dim: str,
    size: int,
    figures: Any,
    deviations: Any,
    parameters: Sequence[Any],
    moved: Callable[..., Any],
    covariance: Callable[..., Any],
) -> Any:
    """Return standard normal news, sampled as what the figures leave open of them.

    News z that figures y depend on, y = A z + noise, are normal given the figures. Sampled are
    independent standard normal numbers that mean and a square root of the covariance turn into
    news, so that sizes of news and noise that differ from draw to draw make no funnel. With figures
    in units of their noise and C the Cholesky root of 1 + AAᵀ, that square root is
    1 − Aᵀ C⁻ᵀ (1 + C)⁻¹ A (Andrews 1968, AIAA Journal 6, 1165–1166).

    Parameters
    ----------
    name, dim : str
        Of the variable, and of its dimension.
    size : int
        How many news there are.
    figures, deviations : tensor, shape (n,)
        Distances of the figures from where no news would leave them; standard deviations of their
        noise.
    parameters : sequence of tensors
        What A depends on.
    moved : callable
        A z, of the news and the parameters.
    covariance : callable
        AAᵀ, of the parameters.

    Returns
    -------
    TensorVariable, shape (size,)

    Examples
    --------
    >>> with pm.Model(coords={"year": [2024, 2025]}) as model:
    ...     figures, one = pt.as_tensor([1.0, 2.0]), pt.ones(2)
    ...     size = pm.HalfNormal("size")
    ...     news = whitened(
    ...         "news", "year", 2, figures, one, [size], lambda z, s: s * z,
    ...         lambda s: s**2 * pt.eye(2),
    ...     )
    >>> model.rvs_to_values[news].name
    'news_whitened__'
    """

    class Whitened(Transform):  # type: ignore[misc]
        name = "whitened"
        ndim_supp = 0

        def given(self, inputs: Sequence[Any]) -> tuple[Any, ...]:
            # Before the parameters is the size, after them the generator.
            figures, deviations, *parameters = inputs[-len(parameters_) - 1 : -1]
            unit = pt.eye(deviations.shape[0])
            whole = covariance(*parameters) / deviations / deviations[:, None] + unit
            root, still = pt.linalg.cholesky(whole), pt.zeros(size)

            def forth(news: Any) -> Any:
                return moved(news, *parameters) / deviations

            def back(distances: Any) -> Any:
                return pt.grad((forth(still) * distances).sum(), still)

            return figures / deviations, root, root + unit, forth, back

        def backward(self, value: Any, *inputs: Any) -> Any:
            away, root, more, forth, back = self.given(inputs)
            left = _solve(root, away) - _solve(more, forth(value))
            return value + back(_solve(root, left, trans=1))

        def forward(self, value: Any, *inputs: Any) -> Any:
            away, root, more, forth, back = self.given(inputs)
            value = value - back(_solve(root, _solve(root, away), trans=1))
            return value + back(_solve(more, forth(value), trans=1))

        def log_jac_det(self, value: Any, *inputs: Any) -> Any:
            # Of all news together, in equal parts: the density of each is a number of its own.
            _, root, *_ = self.given(inputs)
            return pt.broadcast_to(-pt.log(pt.diag(root)).sum() / size, value.shape)

    parameters_ = (figures, deviations, *parameters)

    def stated(*given: Any) -> Any:
        return pm.Normal.dist(size=given[-1])

    def density(value: Any, *given: Any) -> Any:
        return pm.logp(pm.Normal.dist(), value)

    return pm.CustomDist(
        name, *parameters_, dist=stated, logp=density, dims=dim, transform=Whitened()
    )


def partly_centred(share: Any) -> Transform:
    """Return the coordinates in which a normal variable is sampled; its prior stays as it is.

    Parameters
    ----------
    share : ndarray
        How far each entry is centred: 0 samples the distance from the mean in units of the
        standard deviation, 1 the variable itself.

    Returns
    -------
    Transform
        What ``pm.Normal`` takes as ``transform``.

    Examples
    --------
    >>> partly_centred(0.0).name
    'partlycentred'
    """
    left = 1.0 - share

    class PartlyCentred(Transform):  # type: ignore[misc]
        name = "partlycentred"
        ndim_supp = 0

        def forward(self, value: Any, *inputs: Any) -> Any:
            *_, centre, spread = inputs
            return (value - left * centre) / spread**left

        def backward(self, value: Any, *inputs: Any) -> Any:
            *_, centre, spread = inputs
            return left * centre + spread**left * value

        def log_jac_det(self, value: Any, *inputs: Any) -> Any:
            return pt.broadcast_to(left * pt.log(inputs[-1]), value.shape)

    return PartlyCentred()


def _solve(root: Any, right: Any, trans: int = 0) -> Any:
    return solve_triangular(root, right, lower=True, trans=trans)


def standardised() -> Transform:
    """Return the coordinates in which an inverse gamma variable is sampled.

    Its log, less about its mean and over about its standard deviation, so that a shape that
    differs from draw to draw makes no funnel.

    Returns
    -------
    Transform

    Examples
    --------
    >>> standardised().name
    'standardised'
    """

    class Standardised(Transform):  # type: ignore[misc]
        name = "standardised"
        ndim_supp = 0

        def backward(self, value: Any, *inputs: Any) -> Any:
            mean, deviation = _of_log(*inputs)
            return pt.exp(mean + deviation * value)

        def forward(self, value: Any, *inputs: Any) -> Any:
            mean, deviation = _of_log(*inputs)
            return (pt.log(value) - mean) / deviation

        def log_jac_det(self, value: Any, *inputs: Any) -> Any:
            mean, deviation = _of_log(*inputs)
            return mean + deviation * value + pt.log(deviation)

    return Standardised()


def _of_log(*inputs: Any) -> tuple[Any, Any]:
    """Return about the mean and standard deviation of an inverse gamma variable's log."""
    *_, shape, rate = inputs
    return pt.log(rate / shape) + 0.5 / shape, (shape - 0.5) ** -0.5
