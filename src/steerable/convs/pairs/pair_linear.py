"""The linear map of features of pairs of nodes that commutes with every permutation of nodes."""

from __future__ import annotations

import torch
from torch import Tensor

from ...field import Field
from ...groups import Group, group_label
from ...groups.permutations import TensorSymmetry
from ...layers import Linear, Meaningful
from ..sets.stacked import stack, stacked_field, unstack
from .pair_index import Pairs, SquarePairs, check_square

SYMMETRIES: dict[str, int] = {"none": 0, "symmetric": 1, "antisymmetric": -1}


class PairLinear(Meaningful):
    """Every linear map of features of pairs x_ij that commutes with permutations S_n and with G.

    S_n permutes the nodes.

        y_ij = A x_ij + B x_ji + r_i + c_j + [i = j] d_i,
        (d_i, r_i, c_i) = W (x_ii, mean_j x_ij, mean_j x_ji) + s
        s = V (mean_i x_ii, mean_ij x_ij) + b

    A and B mix channels on all n^2 pairs; the nine matrices of W do so on n nodes, the four of V
    once a graph (they add to d and r): the 15 maps between general pairs at the price of two.
    Reductions are means, so that n may vary. For symmetric and antisymmetric x or y the terms that
    vanish or repeat are left out: 9 maps from symmetric to symmetric, 2 from either to the other
    and from antisymmetric to antisymmetric. Every matrix is equivariant, one set of weights per
    irrep of G.

    Args:
        field_in: type of x_ij, a Field or its text (of O(3) unless `group` is given).
        field_out: type of y_ij.
        symmetry_in: what x_ji is: `symmetric` (x_ij), `antisymmetric` (-x_ij), on which the layer
            relies, or `none`.
        symmetry_out: what y_ji is to be.
        bias: whether trivial irreps get two biases, for the diagonal and for all pairs, 0 at the
            start.
        group: the group of fields given as text.

    Raises:
        FieldMismatchError: fields of two groups, or features that do not fit.
        ValueError: another symmetry.

    Source: Maron et al. 2019 (invariant and equivariant graph networks), arXiv:1812.09902, appendix
    A.
    """

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        symmetry_in: TensorSymmetry = "none",
        symmetry_out: TensorSymmetry = "none",
        bias: bool = True,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        for symmetry in (symmetry_in, symmetry_out):
            if symmetry not in SYMMETRIES:
                raise ValueError(
                    f"A symmetry of pairs is one of {', '.join(SYMMETRIES)}; got {symmetry!r}."
                )
        self.field_in, self.field_out = Field.parse(field_in, group), Field.parse(field_out, group)
        self._from, self._to = SYMMETRIES[symmetry_in], SYMMETRIES[symmetry_out]
        self.own = self.turned = self.graphs = None
        if self._from * self._to >= 0:
            self.own = Linear(self.field_in, self.field_out, bias=False)
        if self._from == self._to == 0:
            self.turned = Linear(self.field_in, self.field_out, bias=False)
        read, write = (
            stacked_field(self.field_in, _VECTORS[self._from]),
            stacked_field(self.field_out, _VECTORS[self._to]),
        )
        self.nodes = Linear(read, write, bias=False)
        if self._to >= 0:
            means = stacked_field(self.field_in, _NUMBERS[self._from])
            self.graphs = Linear(
                means, stacked_field(self.field_out, _NUMBERS[self._to]), bias=bias
            )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights so that y_ij has unit variance.

        This holds if n is large and the x_ij have unit variance and are independent.
        """
        transposes = 0 if self.own is None else 2 if self._from == 0 else 1
        terms = max(transposes + _NUMBERS[self._from], 1)
        read = {
            self.own: 1,
            self.turned: 1,
            self.nodes: _VECTORS[self._from],
            self.graphs: _NUMBERS[self._from],
        }
        for linear, copies in read.items():
            if linear is not None:
                linear.reset_parameters(generator)
                with torch.no_grad():
                    linear.weight.mul_((copies / terms) ** 0.5)

    def forward(self, x: Tensor, pairs: Pairs | None = None) -> Tensor:
        """Map.

        Args:
            x: features of all pairs of a graph's nodes, (pair, field_in.dim), or (graph, n, n,
                field_in.dim).
            pairs: where they lie, of `pairs_of` or `pack`; not needed for (graph, n, n,
                field_in.dim).

        Returns:
            y in the shape of x, with field_out.dim channels.

        Raises:
            ValueError: arrays that are not square, or another number of pairs than the graphs have.
        """
        self.field_in.check(x, "PairLinear")
        if pairs is None:
            check_square(x)
            return self._map(x, SquarePairs(x.shape[0], x.shape[1]))
        pairs.check(x, "PairLinear")
        return self._map(pairs.form(x), pairs).reshape(x.shape[0], self.field_out.dim)

    def _map(self, x: Tensor, pairs: Pairs) -> Tensor:
        y = x.new_zeros(*x.shape[:-1], self.field_out.dim) if self.own is None else self.own(x)
        if self.turned is not None:
            y = y.add_(pairs.transpose(self.turned(x)))
        elif self._from == 0:
            y = y + self._to * pairs.transpose(y)
        summaries = [pairs.row_mean(x)]
        if self._from >= 0:
            summaries.insert(0, pairs.diagonal(x))
        if self._from == 0:
            summaries.append(pairs.column_mean(x))
        node_values = unstack(
            self.nodes(stack(summaries, self.field_in)), self.field_out, _VECTORS[self._to]
        )
        if self.graphs is None:
            return pairs.add_(y, node_values[0], -node_values[0], None)
        numbers = summaries[: _NUMBERS[self._from]] or [summaries[0][..., :0]]
        shared = self.graphs(stack([pairs.graph_mean(v) for v in numbers], self.field_in))
        diagonal, every = unstack(pairs.to_nodes(shared), self.field_out, 2)
        columns = node_values[2] if self._to == 0 else node_values[1]
        return pairs.add_(y, node_values[1] + every, columns, node_values[0] + diagonal)

    def meaning(self) -> str:
        names = {sign: name for name, sign in SYMMETRIES.items()}
        return (
            f"{names[self._from]} {self.field_in} -> {names[self._to]} {self.field_out}, "
            f"{group_label(self.field_in.group)}"
        )


# What pairs of each symmetry hold of functions on nodes (diagonal, rows, columns), and of numbers
# (mean of each).
_VECTORS = {0: 3, 1: 2, -1: 1}
_NUMBERS = {0: 2, 1: 2, -1: 0}
