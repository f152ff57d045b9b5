"""Signals on the sphere that are known at any points: Lebedev's, or scattered ones."""

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

_INEXACT = 1e-6  # of a quadrature
_HIGHEST_CONDITION = 1e8
_SINGLE = 1e-4  # the error of float32 that is worth a warning


class PointTransform(ConstantModule):
    """`SphereTransform` for samples (..., point) at any points.

    Dense matrices, so for up to some thousand of both.

    With weights the analysis is their quadrature. Without, it is the least-squares fit: exact for
    signals of the degrees of the layout, and the best one for others.

    Args:
        points: directions (point, 3), of any length but 0.
        max_degree: the highest degree.
        weights: what every point contributes to the mean over the sphere (point,).

    Raises:
        ValueError: a point at the origin or that is not finite, points that do not determine the
            coefficients, or weights that do not integrate products of two signals.
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
        """On Lebedev's points, which the symmetries of the cube permute.

        Two thirds of the points of a Gauss grid.

        Raises:
            ValueError: a degree above 65, where the tables end.
        """
        points, weights = lebedev(2 * max_degree)
        return cls(torch.from_numpy(points), max_degree, torch.from_numpy(weights))

    def analysis(self, samples: Tensor) -> Tensor:
        """Samples (..., point) to coefficients (..., (max_degree + 1)^2).

        Raises:
            ValueError: another number of samples, or samples that are not finite.
        """
        if samples.dim() == 0 or samples.shape[-1] != self._analysis.shape[0]:
            raise ValueError(
                f"PointTransform expects samples (..., {self._analysis.shape[0]}); got shape "
                f"{tuple(samples.shape)}."
            )
        found = samples @ self._analysis
        if is_traced(found):
            return found
        if not bool(found[..., :1].isfinite().all()):
            raise ValueError(
                "PointTransform needs finite samples; got NaN or infinity. Leave such points out."
            )
        if (error := self.condition * torch.finfo(found.dtype).eps) > _SINGLE:
            warnings.warn(
                f"The fit has condition {self.condition:.0e}: in {found.dtype} expect errors of "
                f"{error:.0e} of the coefficients. Work in float64, or lower max_degree.",
                PrecisionWarning,
                stacklevel=2,
            )
        return found

    def synthesis(self, coefficients: Tensor) -> Tensor:
        """Coefficients (..., (max_degree + 1)^2) to samples (..., point)."""
        self.layout.check(coefficients, "PointTransform")
        return coefficients @ self._values


def _quadrature(values: Tensor, weights: Tensor) -> Tensor:
    """Values (point, size) times weights (point,), which must make them orthonormal."""
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
