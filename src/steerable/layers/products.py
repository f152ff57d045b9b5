"""Products of features at a node, and what a perceptron makes of their invariants."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, require_same_group
from ..groups import Group, group_label
from .activation import copy_to_components, mean_square
from .linear import Linear
from .meaning import Meaningful


class Products(Meaningful, ConstantModule):
    """y_0 = x_0 + a and y_c = x_c + b_c u_c, with (a, b) = MLP(x_0, <u, v>, <u, u>).

    x_0 are the trivial irreps of the features and x_c the copies of all others, which turn. u and v
    are linear maps of these, and <u, v> has a number for each copy: the mean of the products of the
    components. A sum over neighbours of first degree so gives what depends on the angles between
    neighbours, at the cost of a few matrix products for each node.

    Args:
        field_in: type of the input.
        field_out: type of the output, `field_in` by default; or its trivial irreps alone, for a
            last block whose other features nobody reads.
        hidden: width of the perceptron; by default as many as there are trivial irreps.
        group: the group of fields given as text.

    Raises:
        ValueError: no irrep turns, so that there is nothing to multiply; or another output.

    Source: the update of Schuett, Unke, Gastegger 2021 (PaiNN), arXiv:2102.03150, for any group.

    Example::

        products = Products("64x0e+32x1o")
        y = products(x)
    """

    _mean: Tensor
    _spread: Tensor
    _invariant: Tensor
    _turning: Tensor
    _order: Tensor

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str | None = None,
        hidden: int | None = None,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        self.field_in = Field.parse(field_in, group)
        self.field_out = self.field_in if field_out is None else Field.parse(field_out, group)
        require_same_group("Products", self.field_in, self.field_out)
        invariants, turning = _part(self.field_in, True), _part(self.field_in, False)
        if not turning.dim:
            raise ValueError(
                f"{self.field_in} has trivial irreps alone, whose products a perceptron makes "
                "already. Give features with other irreps, or take an activation."
            )
        self.is_last = self.field_out.is_invariant and self.field_out.dim == invariants.dim
        if self.field_out != self.field_in and not self.is_last:
            raise ValueError(
                f"Products of {self.field_in} are of the same type or {invariants}; got "
                f"{self.field_out}."
            )
        count, copies = invariants.dim, turning.channels
        hidden = max(count, 1) if hidden is None else hidden
        self.maps = Linear(turning, turning + turning, bias=False)
        self.perceptron = nn.Sequential(
            nn.Linear(count + 2 * copies, hidden),
            nn.SiLU(),
            nn.Linear(hidden, count if self.is_last else count + copies),
        )
        places = _components(self.field_in, True), _components(self.field_in, False)
        # Views of features whose trivial irreps come first need no index, nor do their gradients.
        self._is_sorted = bool((torch.cat(places).diff() > 0).all())
        self._widths = [count, turning.dim]
        self.register_constant("_invariant", places[0])
        self.register_constant("_turning", places[1])
        self.register_constant("_order", torch.argsort(torch.cat(places)))
        self.register_constant("_mean", mean_square(turning))
        self.register_constant("_spread", copy_to_components(turning))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim)."""
        self.field_in.check(x, "Products")
        invariants, turning = self._parts(x)
        u, v = self.maps(turning).chunk(2, -1)
        squares = [(u * v) @ self._mean, (u * u) @ self._mean]
        factors = self.perceptron(torch.cat([invariants, *squares], -1))
        if self.is_last:
            result: Tensor = invariants + factors
            return result
        a, b = factors.split([self._widths[0], self._spread.shape[0]], -1)
        change = torch.cat([a, (b @ self._spread) * u], -1)
        return x + (change if self._is_sorted else change.index_select(-1, self._order))

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        """The trivial irreps of features, and the others."""
        if self._is_sorted:
            return x.split(self._widths, -1)
        return x.index_select(-1, self._invariant), x.index_select(-1, self._turning)

    def meaning(self) -> str:
        return f"{self.field_in} -> {self.field_out}, {group_label(self.field_in.group)}"


def _part(field: Field, trivial: bool) -> Field:
    """The terms that are trivial, or the others."""
    return Field(field.group, tuple(t for t in field if t.irrep.is_trivial == trivial))


def _components(field: Field, trivial: bool) -> Tensor:
    """The places of their components."""
    flags = [t.irrep.is_trivial == trivial for t in field for _ in range(t.dim)]
    return torch.nonzero(torch.tensor(flags, dtype=torch.bool)).flatten()
