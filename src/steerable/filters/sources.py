"""Filters in closed form.

What a point sends to the sphere around another, without radial functions to learn.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..field import Field
from ..functions import bump_harmonics, coulomb_harmonics
from ..groups import O3, Group
from ..layers.sphere import sphere_field
from ..tracing import is_traced


class CoulombFilter(nn.Module):
    """h_k(x) = the Coulomb potential 1 / |r_k u - x| of a point x.

    It is a signal of u on the unit sphere.

    Args:
        max_degree: the highest degree.
        radii: r_k of the spheres, in the unit of x; points on none of them.
        group: O(3), by default, or SO(3).
    """

    def __init__(self, max_degree: int, radii: Sequence[float], group: Group | None = None) -> None:
        super().__init__()
        self.field = sphere_field(max_degree, group or O3())
        self.max_degree, self.radii = max_degree, tuple(radii)
        self.channels, self.attributes = len(self.radii), Field(self.field.group, ())

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, 3) to (edge, channels, field.dim), in the inverse unit.

        Raises:
            ValueError: a radius that is not positive, or points on a sphere.
        """
        return torch.stack(
            [coulomb_harmonics(offset, self.max_degree, radius) for radius in self.radii], 1
        )

    def extra_repr(self) -> str:
        return f"{self.field}, radii={self.radii}"


class BumpFilter(nn.Module):
    """h_k(x) = exp(s_k (u.x/|x| - 1)), a bump of height 1 in the direction of a point x.

    It is a signal of u.

    Args:
        max_degree: the highest degree.
        sharpness: s_k; a bump is about 1 / sqrt(s_k) radians wide.
        group: O(3), by default, or SO(3).
    """

    def __init__(
        self, max_degree: int, sharpness: Sequence[float], group: Group | None = None
    ) -> None:
        super().__init__()
        self.field = sphere_field(max_degree, group or O3())
        self.max_degree, self.sharpness = max_degree, tuple(sharpness)
        self.channels, self.attributes = len(self.sharpness), Field(self.field.group, ())

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, 3) to (edge, channels, field.dim).

        Raises:
            ValueError: a point at the origin, which has no direction.
        """
        if not is_traced(offset) and bool((offset == 0).all(-1).any()):
            raise ValueError("A point at the origin has no direction, so no bump. Leave it out.")
        bumps = [
            torch.e ** (-s) * bump_harmonics(offset, self.max_degree, s) for s in self.sharpness
        ]
        return torch.stack(bumps, 1)

    def extra_repr(self) -> str:
        return f"{self.field}, sharpness={self.sharpness}"
