"""The layout of the coefficients of signals on the sphere and on SO(3), as a field of irreps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """The order of coefficients: by degree, then by column, then the 2l + 1 components.

    The basis functions are sqrt(2l+1) D^l_mn(R), orthonormal in the mean over all rotations R. m is
    the row, which rotations of the signal mix, and n is the column. Degree l has the columns n of
    `orders` with |n| <= l. As a field of SO(3) this is one copy of the irrep l per column:

        sphere     orders 0         1x0 + 1x1 + 1x2 + ...   functions Y_l^m of |Y_l|^2 = 2l + 1
        rotations  orders -N .. N   1x0 + 3x1 + 5x2 + ...   min(2l+1, 2N+1) copies
        spin       orders -s, s     2xs + 2x(s+1) + ...

    Args:
        max_degree: the highest degree.
        orders: the columns, ascending.

    Raises:
        ValueError: the degree is negative, or the orders are not ascending or exceed it.
    """

    max_degree: int
    orders: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if self.max_degree < 0:
            raise ValueError(f"The highest degree is at least 0; got {self.max_degree}.")
        if not self.orders or sorted(set(self.orders)) != list(self.orders):
            raise ValueError(f"Orders of columns ascend, each once; got {self.orders}.")
        if max(map(abs, self.orders)) > self.max_degree:
            raise ValueError(
                f"Degree {self.max_degree} has orders up to {self.max_degree}; got {self.orders}."
            )

    @classmethod
    def sphere(cls, max_degree: int) -> Layout:
        """Signals on the sphere."""
        return cls(max_degree)

    @classmethod
    def rotations(cls, max_degree: int, max_order: int | None = None) -> Layout:
        """Signals on the rotations, with the columns |n| <= max_order; all by default."""
        top = max_degree if max_order is None else max_order
        return cls(max_degree, tuple(range(-top, top + 1)))

    @classmethod
    def spin(cls, max_degree: int, spin: int) -> Layout:
        """Fields of spin 1 (vectors that are tangent to the sphere) or higher."""
        if spin < 1:
            raise ValueError(f"A spin is at least 1; got {spin}. Scalars have Layout.sphere.")
        return cls(max_degree, (-spin, spin))

    def columns(self, degree: int) -> list[int]:
        """The orders n of the columns of a degree."""
        return [n for n in self.orders if abs(n) <= degree]

    @property
    def size(self) -> int:
        """The number of coefficients of a signal."""
        return sum(len(self.columns(l)) * (2 * l + 1) for l in range(self.max_degree + 1))

    def split(self, coefficients: Tensor) -> list[Tensor]:
        """Split coefficients (..., size) into one block (..., column, 2l + 1) per degree."""
        self.check(coefficients, "This layout")
        shapes = [(len(self.columns(l)), 2 * l + 1) for l in range(self.max_degree + 1)]
        blocks = coefficients.split([columns * rows for columns, rows in shapes], -1)
        return [block.unflatten(-1, shape) for block, shape in zip(blocks, shapes, strict=True)]

    def join(self, blocks: Sequence[Tensor]) -> Tensor:
        """The inverse of `split`."""
        return torch.cat([block.flatten(-2) for block in blocks], -1)

    def check(self, coefficients: Tensor, owner: str) -> None:
        """Raise ValueError unless the last axis of `coefficients` is that of this layout."""
        if coefficients.dim() == 0 or coefficients.shape[-1] != self.size:
            raise ValueError(
                f"{owner} expects {self.size} coefficients on the last axis, degrees up to "
                f"{self.max_degree} with orders {_range(self.orders)}; got shape "
                f"{tuple(coefficients.shape)}."
            )


def _range(orders: tuple[int, ...]) -> str:
    consecutive = len(orders) > 2 and orders == tuple(range(orders[0], orders[-1] + 1))
    return f"{orders[0]} to {orders[-1]}" if consecutive else ", ".join(map(str, orders))
