"""From points to signals on the sphere.

A sum over points of steerable functions of their places.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...field import FieldMismatchError, check_floating
from ...filters import Filter
from ...functions import Layout
from ...layers import SphereSignals, reset
from ...layers.sphere import sphere_field
from ...ops import segment_sum
from ...tracing import is_traced


class PointSphere(nn.Module):
    """f_i = sum over points j of q_j h(x_ij).

    What points around i look like from there, as signals on the sphere.

    A sum over a set (DeepSets) whose functions h^l(x) = h_l(|x|) Y_l(x/|x|) are steerable: exact
    under permutations and rotations, without a grid, and differentiable in the places. The filter
    says which functions: HarmonicFilter learned radial ones, CoulombFilter and BumpFilter closed
    forms, whose signals are those of the whole potential and of bumps. With radial functions the
    signals see the whole ball, not only a sphere.

    There is a signal for every channel of the filter and every kind of weight, weights last. They
    are features of SO(3), that PointConv, Linear and every other layer take, too:
    `SphereSignals.read` says which features of convolutions on points are signals, and Linear maps
    any others to these and back.

    Args:
        filter: makes the harmonics of O(3) or SO(3) up to some degree, such as HarmonicFilter.
        weights: kinds of weights q of a point: charges, species, or any invariants.

    Raises:
        FieldMismatchError: a filter whose field is not that of harmonics, or of another group.

    Source: Zaheer et al. 2017, arXiv:1703.06114; Cohen et al. 2018, arXiv:1801.10130, for molecules
    on spheres.
    """

    def __init__(self, filter: Filter, weights: int = 1) -> None:
        super().__init__()
        degree = len(filter.field) - 1
        if filter.field != sphere_field(degree, filter.field.group):
            raise FieldMismatchError(
                "PointSphere needs a filter of the harmonics of space, 1x0e+1x1o+1x2e+...; got one "
                f"of {filter.field}."
            )
        self.filter, self.weights = filter, weights
        self.signals = SphereSignals(Layout.sphere(degree), filter.channels * weights)
        self.field_out = self.signals.field

    def forward(
        self,
        x: Tensor,
        weight: Tensor | None = None,
        index: Tensor | None = None,
        size: int | None = None,
    ) -> Tensor:
        """Sum over points.

        Args:
            x: places x_ij of points as seen from i (point, 3).
            weight: q (point, weights), or (point,) for one kind; 1 if absent.
            index: number of the sphere i of every point (point,); one sphere if absent.
            size: number of spheres; by default the largest in `index` plus one.

        Returns:
            (sphere, field_out.dim); spheres without points are 0.

        Raises:
            ValueError: places that are no finite numbers (point, 3), or weights of another shape.
        """
        if x.dim() != 2 or x.shape[1] != 3:
            raise ValueError(f"PointSphere expects places (point, 3); got {tuple(x.shape)}.")
        check_floating(x, "PointSphere", "places")
        if not is_traced(x) and not bool(x.isfinite().all()):
            raise ValueError("PointSphere expects finite places; got NaN or infinity.")
        q = (
            x.new_ones(x.shape[0], self.weights)
            if weight is None
            else weight.reshape(weight.shape[0], -1)
        )
        if q.shape != (x.shape[0], self.weights):
            raise ValueError(
                f"PointSphere expects weights ({x.shape[0]}, {self.weights}); got {tuple(q.shape)}."
            )
        if index is None:
            index, size = torch.zeros(x.shape[0], dtype=torch.long, device=x.device), 1
        spheres = size if size is not None else (int(index.max()) + 1 if index.shape[0] else 0)
        terms = self.filter(x, None).unsqueeze(2) * q[:, None, :, None]
        return self.signals.join(segment_sum(terms.flatten(1, 2), index, spheres))

    def reset_parameters(self) -> None:
        """Draw the weights of the filter anew."""
        reset(self.filter)

    def extra_repr(self) -> str:
        return f"{self.signals}, weights={self.weights}"
