"""Signals on the sphere sampled at arbitrary points: Lebedev's, or scattered ones."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor

from ..constants import ConstantModule
from ..tracing import is_traced
from .harmonics import spherical_harmonics
from .layout import Layout
from .quadrature import lebedev
from .rings import PrecisionWarning

_INEXACT = 1e-6  # the largest error of a quadrature that is accepted
_HIGHEST_CONDITION = 1e8
_SINGLE = 1e-4  # the relative error above which a warning is given


class PointTransform(ConstantModule):
    """`SphereTransform` for samples (..., point) at arbitrary points.

    With weights the analysis is a quadrature. Without weights it is the least-squares fit, which is
    exact for signals up to `max_degree`. The matrices are dense, so use it for up to a few thousand
    points and coefficients.

    Args:
        points: directions (point, 3), of any length but 0.
        max_degree: the highest degree.
        weights: the weight (point,) of every point in the mean over the sphere.

    Raises:
        ValueError: a point is at the origin or not finite, the points do not determine the
            coefficients, or the weights do not integrate products of two signals.
    """

    _values: Tensor
    _analysis: Tensor

    def __init__(self, points: Tensor, max_degree: int, weights: Tensor | None = None) -> None:
        super().__init__()
        self.layout = Layout.sphere(max_degree)
        exact = points.detach().to("cpu", torch.float64)
        _check_points(exact)
        values = spherical_harmonics(exact, max_degree)
        self.condition = 1.0
        if weights is None:
            analysis, self.condition = _fit(values)
        else:
            analysis = _quadrature(values, weights.detach().to(values))
        self.register_constant("_values", values.T.contiguous())
        self.register_constant("_analysis", analysis)

    @classmethod
    def lebedev(cls, max_degree: int) -> PointTransform:
        """The transform on Lebedev's points, two thirds as many as the points of a Gauss grid.

        The symmetries of the cube permute the points.

        Raises:
            ValueError: the degree is above 65, where the tables end.
        """
        points, weights = lebedev(2 * max_degree)
        return cls(torch.from_numpy(points), max_degree, torch.from_numpy(weights))

    def analysis(self, samples: Tensor) -> Tensor:
        """The coefficients (..., (max_degree + 1)^2) of samples (..., point).

        Raises:
            ValueError: the number of samples does not fit, or a sample is not finite.
        """
        if samples.dim() == 0 or samples.shape[-1] != self._analysis.shape[0]:
            raise ValueError(
                f"PointTransform expects samples (..., {self._analysis.shape[0]}); got shape "
                f"{tuple(samples.shape)}."
            )
        coefficients = samples @ self._analysis
        if is_traced(coefficients):
            return coefficients
        if not bool(coefficients[..., :1].isfinite().all()):
            raise ValueError(
                "PointTransform needs finite samples; got NaN or infinity. Leave such points out."
            )
        if (error := self.condition * torch.finfo(coefficients.dtype).eps) > _SINGLE:
            warnings.warn(
                f"The fit has condition {self.condition:.0e}: in {coefficients.dtype} expect "
                f"errors of {error:.0e} of the coefficients. Work in float64, or lower max_degree.",
                PrecisionWarning,
                stacklevel=2,
            )
        return coefficients

    def synthesis(self, coefficients: Tensor) -> Tensor:
        """The samples (..., point) of signals with coefficients (..., (max_degree + 1)^2)."""
        self.layout.check(coefficients, "PointTransform")
        return coefficients @ self._values


def _quadrature(values: Tensor, weights: Tensor) -> Tensor:
    """Values (point, size) times weights (point,), checked to be orthonormal to the values."""
    if weights.shape != values.shape[:1] or not bool(weights.isfinite().all()):
        raise ValueError(
            f"Weights are finite numbers ({len(values)},), one a point; got {tuple(weights.shape)}."
        )
    weighted = values * weights[:, None]
    error = float(
        (values.T @ weighted - torch.eye(values.shape[1], dtype=values.dtype)).abs().max()
    )
    if not error < _INEXACT:
        raise ValueError(
            "The weights integrate products of two signals of degree "
            f"{math.isqrt(values.shape[1]) - 1} with errors of {error:.0e}. Lower max_degree, or "
            "leave the weights out for a fit."
        )
    return weighted


def _fit(values: Tensor) -> tuple[Tensor, float]:
    """The transpose of the pseudo-inverse of values (point, size), and its condition."""
    count, size = values.shape
    if count < size:
        raise ValueError(
            f"{size} coefficients need at least as many points; got {count}. Lower max_degree."
        )
    q, r = torch.linalg.qr(values)
    singular = torch.linalg.svdvals(r)
    condition = float(singular[0] / singular[-1])
    if not condition < _HIGHEST_CONDITION:
        raise ValueError(
            f"{count} points leave some of the {size} coefficients open: condition "
            f"{condition:.0e}, at most {_HIGHEST_CONDITION:.0e}. Lower max_degree or cover the "
            "sphere more evenly."
        )
    return torch.linalg.solve_triangular(r, q.T, upper=True).T, condition


def _check_points(points: Tensor) -> None:
    if points.dim() != 2 or points.shape[1] != 3:
        raise ValueError(f"Points are (point, 3); got shape {tuple(points.shape)}.")
    bad = torch.nonzero(~points.isfinite().all(1)).flatten().tolist()
    if bad:
        raise ValueError(
            f"Points are finite; point {bad[0]} is not ({len(bad)} in all). Leave them out."
        )
    zero = torch.nonzero((points == 0).all(1)).flatten().tolist()
    if zero:
        raise ValueError(
            f"Point {zero[0]} is at the origin, where there is no direction ({len(zero)} in all). "
            "Leave them out."
        )
