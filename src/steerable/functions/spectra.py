"""Rotations and rotation invariants of the coefficients of signals."""

from __future__ import annotations

import torch
from torch import Tensor

from ..constants import ConstantModule
from ..tracing import is_traced
from .clebsch_gordan import real_coupling
from .layout import Layout
from .wigner import pole_turns, swap, turn


class Rotate(ConstantModule):
    """Rotate signals by their coefficients: F^l -> D^l(R) F^l, that is f(x) -> f(R^-1 x).

    D^l(R) is never formed. A rotation is a product of turns about the pole, which combine pairs
    m, -m, and of constant matrices that exchange two axes. Rotating many signals, each by its own
    rotation, therefore takes one matrix product per degree. In float32 expect errors of 1e-5 at
    degree 31 and 7e-5 at degree 255, for coefficients of variance 1.

    Args:
        layout: the layout of the coefficients.
    """

    _swaps: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self._degrees = [l for l in range(layout.max_degree + 1) if layout.columns(l)]
        self.register_constant("_swaps", torch.cat([swap(l).flatten() for l in self._degrees]))

    def forward(self, coefficients: Tensor, rotation: Tensor) -> Tensor:
        """Rotate signals, each by its own rotation.

        Args:
            coefficients: (..., layout.size).
            rotation: orthogonal matrices R (..., 3, 3), whose leading axes broadcast with those of
                the coefficients.

        Returns:
            (..., layout.size).

        Raises:
            ValueError: the number of coefficients or a dtype does not fit, a matrix is not
                orthogonal, or a reflection is applied to signals with columns n other than 0.
        """
        self.layout.check(coefficients, "Rotate")
        if not coefficients.dtype == rotation.dtype == self._swaps.dtype:
            raise ValueError(
                f"Rotate works in {self._swaps.dtype}; got coefficients in {coefficients.dtype} "
                f"and rotations in {rotation.dtype}. Convert them with .to(...)."
            )
        angles, parity = pole_turns(rotation)
        if self.layout.orders != (0,) and not is_traced(parity) and bool((parity < 0).any()):
            raise ValueError(
                "Reflections act on signals on the sphere; these have the columns "
                f"{self.layout.orders[0]} to {self.layout.orders[-1]}. Give rotations, of "
                "determinant 1."
            )
        lead = torch.broadcast_shapes(coefficients.shape[:-1], parity.shape)
        blocks = self.layout.split(coefficients.expand(*lead, -1))
        swaps = self._swaps.split([(2 * l + 1) ** 2 for l in self._degrees])
        rotated = [
            turn(blocks[l], flat.view(2 * l + 1, 2 * l + 1), angles, parity)
            for l, flat in zip(self._degrees, swaps, strict=True)
        ]
        return self.layout.join(rotated)


def power_spectrum(coefficients: Tensor, layout: Layout) -> Tensor:
    """The power spectrum |F^l|^2 of every degree, which rotations do not change.

    It determines only some of the rotation invariants; `Bispectrum` generically gives all.

    Args:
        coefficients: (..., layout.size).
        layout: their layout.

    Returns:
        (..., max_degree + 1); the sum is the mean of the squared signal.
    """
    return torch.stack([block.square().sum((-2, -1)) for block in layout.split(coefficients)], -1)


class Bispectrum(ConstantModule):
    """The bispectrum b_(l1 l2 l3) = sum of C_abc f^l1_a f^l2_b f^l3_c of a signal on the sphere.

    It generically determines all rotation invariants. C is the coupling of l1 and l2 to l3 divided
    by sqrt(2 l3 + 1). Since exchanging degrees changes at most its sign, there is one number for
    each l1 >= l2 >= l3 >= l1 - l2; triples of odd sum with two equal degrees vanish and are left
    out. The numbers of odd sum change sign under reflections.

    Args:
        max_degree: the highest degree of the signal.

    Source: Kondor 2007, arXiv:cs/0701127; Cobb et al. 2021, arXiv:2010.11661.
    """

    _couplings: Tensor

    def __init__(self, max_degree: int) -> None:
        super().__init__()
        self.layout = Layout.sphere(max_degree)
        self.triples = _triples(max_degree)
        tensors = [real_coupling(a, b, c) / (2 * c + 1) ** 0.5 for a, b, c in self.triples]
        self.register_constant("_couplings", torch.cat([tensor.flatten() for tensor in tensors]))

    def forward(self, coefficients: Tensor) -> Tensor:
        """The bispectrum (..., triple), in the order of `triples`.

        Args:
            coefficients: (..., (max_degree + 1)^2), as in `SphereTransform`.
        """
        f = [block.squeeze(-2) for block in self.layout.split(coefficients)]
        sizes = [(2 * a + 1, 2 * b + 1, 2 * c + 1) for a, b, c in self.triples]
        flat = self._couplings.split([a * b * c for a, b, c in sizes])
        numbers = []
        for coupling, size, (a, b, c) in zip(flat, sizes, self.triples, strict=True):
            # Two factors at a time: for more torch.einsum asks for the number of signals, which
            # an exported program would keep.
            number = torch.einsum("abc,...a->...bc", coupling.view(size), f[a])
            number = torch.einsum("...bc,...b->...c", number, f[b])
            numbers.append((number * f[c]).sum(-1))
        return torch.stack(numbers, -1)


def _triples(max_degree: int) -> list[tuple[int, int, int]]:
    """The degrees a >= b >= c >= a - b whose number does not vanish."""
    triples = []
    for a in range(max_degree + 1):
        for b in range(a + 1):
            for c in range(a - b, b + 1):
                if (a + b + c) % 2 == 0 or a > b > c:
                    triples.append((a, b, c))
    return triples
