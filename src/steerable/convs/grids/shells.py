"""Values of a filter on a grid where only its radial functions are learned.

All the rest is summed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ...constants import ConstantModule
from ...filters import SeparableFilter


class Shells(ConstantModule):
    """h_o[k, m] = sum over shells r of A_o[m, r] phi_k(r).

    A_o[m, r] is the sum over points |z| = r of G_oz Y_m(z).

    A shell is all fine points z at one distance r. The radial functions phi are seen once a shell
    instead of at every point, and everything that is done with the values at the points is one
    matrix product.

    Args:
        points: z (point, d) of a square or cubic grid around 0, float64.
        harmonics: Y (point, component), float64.
        weights: G_oz (point,) for every offset o, float64.
    """

    _radii: Tensor
    _summed: Tensor

    def __init__(self, points: Tensor, harmonics: Tensor, weights: Iterable[Tensor]) -> None:
        super().__init__()
        squares = points.square().sum(1)
        squares = (
            (squares / squares[squares > 0].min()).round().long()
        )  # multiples of that of the nearest point
        radii, shell = squares.unique(return_inverse=True)
        first = radii.new_full(radii.shape, len(points)).scatter_reduce(
            0, shell, torch.arange(len(points)), "amin"
        )
        shell = shell.unsqueeze(1).expand_as(harmonics)
        nothing = harmonics.new_zeros(len(radii), harmonics.shape[1])
        summed = [nothing.scatter_add(0, shell, row.unsqueeze(1) * harmonics) for row in weights]
        self.register_constant("_radii", points[first])
        self.register_constant("_summed", torch.stack(summed).transpose(1, 2).contiguous())

    def forward(self, filter: SeparableFilter, attributes: Tensor | None) -> Tensor:
        """Values (sample, offset, channel, component) of a filter with these harmonics.

        Each sample has attributes of its own.
        """
        h = self._summed.flatten(0, 1) @ for_samples(filter.radial, self._radii, attributes)
        return h.unflatten(1, self._summed.shape[:2]).transpose(2, 3)


def for_samples(
    function: Callable[[Tensor, Tensor | None], Tensor], points: Tensor, attributes: Tensor | None
) -> Tensor:
    """A function of points and attributes, at all points for every sample: (sample, point, ...)."""
    samples = 1 if attributes is None else attributes.shape[0]
    spread = None if attributes is None else attributes.repeat_interleave(points.shape[0], 0)
    return function(points.repeat(samples, 1), spread).unflatten(0, (samples, points.shape[0]))
