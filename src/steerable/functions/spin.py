"""Tangent vector fields on the sphere, such as wind, and fields of higher spin."""

from __future__ import annotations

import torch
from torch import Tensor

from .layout import Layout
from .rings import RingTransform
from .sphere import SphereGrid


class SpinTransform(RingTransform):
    """The Fourier transform of fields of spin s on the sphere, and its inverse.

    A field of spin s has two components (u, v) in the frame (south, east) of every point, which
    turn by s g if the frame turns by g. As the signal f(R) = u cos(s g) + v sin(s g) on the
    rotations it has only the columns n = -s and s: a field 2xs + 2x(s+1) + ... Fields of spin 1 are
    tangent vectors w = u south + v east; column n = 1 contains gradients and column n = -1 curls.
    The mean of u^2 + v^2 over the sphere is twice the sum of all squared coefficients.

    Args:
        max_degree: the highest degree.
        spin: s, at least 1.
        grid: the grid of the samples (2, ring, longitude); by default the smallest Gauss grid. Its
            `frames` are south and east.

    Raises:
        ValueError: the grid does not resolve the degree, or the spin is below 1 or above it.

    Source: Newman, Penrose 1966, J. Math. Phys. 7:863; Boyle 2016, J. Math. Phys. 57:092504.
    """

    def __init__(self, max_degree: int, spin: int = 1, grid: SphereGrid | None = None) -> None:
        self.grid = grid or SphereGrid.resolving(max_degree)
        self.grid.check(max_degree, "SpinTransform")
        each = self.grid.weights / (2 * self.grid.longitudes)
        weights = each[:, None].repeat(2, 1, self.grid.longitudes)
        super().__init__(Layout.spin(max_degree, spin), self.grid.polar, weights)

    def _waves(self, samples: Tensor) -> Tensor:
        u, v = torch.fft.rfft(samples)[..., : self.layout.max_degree + 1].unbind(1)
        return torch.stack([u + 1j * v, u - 1j * v], -1)

    def _signal(self, waves: Tensor) -> Tensor:
        minus, plus = waves.unbind(-1)
        return torch.fft.irfft(
            torch.stack([plus + minus, 1j * (plus - minus)], 1),
            self.grid.longitudes,
            norm="forward",
        )


def gradient(coefficients: Tensor) -> Tensor:
    """The gradient of a signal on the unit sphere, a field of spin 1.

    Args:
        coefficients: (..., (L + 1)^2), as in `SphereTransform`.

    Returns:
        (..., 2 (L + 1)^2 - 2), as in `SpinTransform`.
    """
    layout = Layout.sphere(_top(coefficients, 1))
    blocks = [_slope(l) * block for l, block in enumerate(layout.split(coefficients))][1:]
    parts = [torch.cat([torch.zeros_like(block), block], -2).flatten(-2) for block in blocks]
    return torch.cat(parts, -1) if parts else coefficients[..., :0]


def divergence(coefficients: Tensor) -> Tensor:
    """The divergence of a field of spin 1 on the unit sphere, a signal.

    The divergence of a `gradient` is the Laplacian: degree l is multiplied by -l (l + 1).

    Args:
        coefficients: (..., 2 (L + 1)^2 - 2), as in `SpinTransform`.

    Returns:
        (..., (L + 1)^2), as in `SphereTransform`.
    """
    return _derivative(coefficients, 1, -2.0)


def curl(coefficients: Tensor) -> Tensor:
    """The curl of a field of spin 1 on the unit sphere, a signal.

    It is positive where the field turns counter-clockwise, seen from outside.

    Args:
        coefficients: (..., 2 (L + 1)^2 - 2), as in `SpinTransform`.

    Returns:
        (..., (L + 1)^2), as in `SphereTransform`.
    """
    return _derivative(coefficients, 0, 2.0)


def _derivative(coefficients: Tensor, column: int, factor: float) -> Tensor:
    blocks = Layout.spin(_top(coefficients, 2), 1).split(coefficients)[1:]
    parts = [factor * _slope(l) * block[..., column, :] for l, block in enumerate(blocks, start=1)]
    return torch.cat([torch.zeros_like(parts[0][..., :1]), *parts], -1)


def _slope(degree: int) -> float:
    return (degree * (degree + 1) / 2) ** 0.5


def _top(coefficients: Tensor, columns: int) -> int:
    """The highest degree of a signal (1 column) or a field of spin 1 (2 columns)."""
    size = coefficients.shape[-1] if coefficients.dim() else 0
    square = size / columns + columns - 1
    top = round(square**0.5) - 1
    if top < columns - 1 or (top + 1) ** 2 != square:
        expected = "(L + 1)^2" if columns == 1 else "2 (L + 1)^2 - 2"
        raise ValueError(f"Coefficients of degrees up to L are {expected}; got {size}.")
    return top
