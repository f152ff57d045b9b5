"""Operators whose coefficients are made of the features at every point.

The features are fields of irreps of any group.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...constants import ConstantModule
from ...field import Field, Term, invariant_field, require_same_group
from ...functions import Array
from ...groups import Irrep, coupling, group_label, irreps
from ...layers import MLP, Linear, Meaningful

Differentiate = Callable[..., Tensor]
"""From numbers (point, channel) to all their derivatives (point, channel, operator).

With weights (point, group, channel, operator) as well to their sum over operators, for channels
that are (group, copy, channel).
"""

_FLOOR = 0.01  # added to the mean square of coefficients: small ones stay small, and none gives 0


class TensorProducts(Meaningful, ConstantModule):
    """y = L sum over paths p of C_p(c_p(f) (x) D f), for features of irreps of any group.

    D f in V_h (x) V_in are all derivatives of f. The coefficients c(f), made by an MLP, are
    features of irreps V_c, and the C_p are all equivariant maps V_c (x) V_h (x) V_in -> V_out: so c
    gives a small matrix at every point, which all copies of an irrep in one of `channels` groups
    share. Invariant c alone are a steerable PDO with coefficients that depend on the point; a
    vector v(f) gives v . grad f; and so on. The coefficients of a group are divided by their root
    mean square, which no symmetry changes. L is a Linear.

    Args:
        field_filter: V_h, the irreps of the derivatives.
        field_in: type of the features f.
        field_out: type of the result y.
        channels: groups of copies that have coefficients of their own; by default as many as divide
            all multiplicities of `field_in` and 4.
        hidden: the irreps of V_c and of the hidden layer; by default scalars and those of
            `field_in`.
        width: copies of each in the hidden layer.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: `channels` that does not divide a multiplicity, an irrep of `field_out` that
            cannot be made.

    Source: He et al. 2023 (Neural ePDOs, ICLR), whose theorem is taken to irreps.
    """

    _matrix: Tensor

    def __init__(
        self,
        field_filter: Field,
        field_in: Field,
        field_out: Field,
        channels: int | None = None,
        hidden: Field | None = None,
        width: int = 8,
    ) -> None:
        super().__init__()
        group = require_same_group("NeuralPDO", field_filter, field_in, field_out)
        multiplicities = [term.multiplicity for term in field_in]
        self.channels = math.gcd(4, *multiplicities) if channels is None else channels
        if self.channels < 1 or any(n % self.channels for n in multiplicities):
            raise ValueError(
                f"channels={channels} does not divide every multiplicity of {field_in}."
            )
        self.field_filter = field_filter
        self.field_in, self.field_out = field_in, field_out
        kinds = list(
            dict.fromkeys(term.irrep for term in invariant_field(group, 1) + (hidden or field_in))
        )
        solution = _solve(field_filter, field_in, field_out, kinds)
        self._outs, self._columns = solution.outs, solution.columns
        self.register_constant("_matrix", solution.matrix)
        coefficients = tuple(
            Term(count * self.channels, irrep) for irrep, count in solution.counts.items()
        )
        one = Field(group, tuple(Term(1, irrep) for irrep in kinds))
        self.generate = MLP(field_in, one, width, Field(group, coefficients), 2, "product")
        self.mix = Linear(solution.field, field_out)

    def forward(self, x: Tensor, differentiate: Differentiate) -> Tensor:
        """Features (point, field_in.dim) to (point, field_out.dim)."""
        derivatives = differentiate(x)
        c = self.generate(x)
        parts = [
            c[:, place].unflatten(1, (self.channels, -1))
            for place in self.generate.field_out.slices()
        ]
        matrices = unit_mean_square(torch.cat(parts, 2)) @ self._matrix
        products = []
        terms = zip(self.field_in, self.field_in.slices(), self._columns, self._outs, strict=True)
        for (copies, _), place, columns, sizes in terms:
            if sizes:
                matrix = matrices[..., columns].unflatten(2, (-1, sum(sizes)))
                copied = (
                    derivatives[:, place]
                    .unflatten(1, (self.channels, copies // self.channels, -1))
                    .flatten(3)
                )
                products += [z.flatten(1) for z in (copied @ matrix).flatten(1, 2).split(sizes, 2)]
        y: Tensor = self.mix(torch.cat(products, 1))
        return y

    def meaning(self) -> str:
        group = group_label(self.field_in.group)
        return (
            f"{self.field_filter} (x) {self.field_in} -> {self.field_out}, {group}, "
            f"channels={self.channels}"
        )


class _Solution(NamedTuple):
    """All maps c (x) D f -> irreps of the output.

    Args:
        counts: how often every irrep occurs in c.
        matrix: from c to the matrices (m_i, operator, m_o) of all terms of the input, one behind
            the other.
        columns: the place of each.
        outs: for every term of the input the dimensions m_o of the irreps that are made.
        field: type of the results of all terms, copy by copy.
    """

    counts: dict[Irrep, int]
    matrix: Tensor
    columns: list[slice]
    outs: list[list[int]]
    field: Field


def _solve(field_filter: Field, field_in: Field, field_out: Field, kinds: list[Irrep]) -> _Solution:
    wanted = dict.fromkeys(term.irrep for term in field_out if term.multiplicity)
    rows: dict[Irrep, list[tuple[int, Array]]] = {kind: [] for kind in kinds}
    columns, outs, terms, start = [], [], [], 0
    for multiplicity, irrep in field_in:
        tensors = {
            out: list(_maps(field_filter, irrep, out, kinds)) for out in wanted if multiplicity
        }
        reached = [out for out in tensors if tensors[out]]
        shape, at = (irrep.dim, field_filter.dim, sum(out.dim for out in reached)), 0
        for out in reached:
            for kind, place, tensor in tensors[out]:
                block = np.zeros((kind.dim, *shape))
                block[:, :, place, at : at + out.dim] = (
                    tensor * (out.dim / len(tensors[out])) ** 0.5
                )
                rows[kind].append((start, block.reshape(kind.dim, -1)))
            at += out.dim
        columns.append(slice(start, start + math.prod(shape)))
        outs.append([out.dim for out in reached])
        terms += [Term(multiplicity, out) for out in reached]
        start += math.prod(shape)
    produced = {term.irrep for term in terms}
    missing = [out for out in wanted if out not in produced]
    if missing:
        raise ValueError(
            f"No coefficients of {', '.join(kind.name for kind in kinds)} and derivatives of "
            f"{field_filter} make {missing[0]} from {field_in}. Raise the order, give `hidden` "
            "more irreps, or drop that irrep from the output."
        )
    matrix = torch.zeros(
        sum(kind.dim * len(blocks) for kind, blocks in rows.items()), start, dtype=torch.float64
    )
    row = 0
    for at, block in itertools.chain.from_iterable(rows.values()):
        matrix[row : row + len(block), at : at + block.shape[1]] = torch.from_numpy(block)
        row += len(block)
    counts = {kind: len(blocks) for kind, blocks in rows.items()}
    return _Solution(counts, matrix, columns, outs, Field(field_in.group, tuple(terms)))


def _maps(
    field_filter: Field, irrep_in: Irrep, irrep_out: Irrep, kinds: list[Irrep]
) -> Iterator[tuple[Irrep, slice, Array]]:
    """Maps V_c (x) V_h (x) V_in -> V_out for one irrep of each.

    Given are c, the place of h, and (c, in, h, out) of norm 1.
    """
    for term, place in zip(field_filter, field_filter.slices(), strict=True):
        degree = term.irrep.harmonic.degree + irrep_in.harmonic.degree
        for inner in irreps(field_filter.group, degree):
            for first in coupling(term.irrep, irrep_in, inner):
                for kind in kinds:
                    for second in coupling(kind, inner, irrep_out):
                        yield (
                            kind,
                            place,
                            np.einsum("ocu,uhi->ciho", second, first) * inner.dim**0.5,
                        )


def unit_mean_square(coefficients: Tensor) -> Tensor:
    """Coefficients (point, channel, number), those of every channel over their root mean square."""
    return coefficients * torch.rsqrt(coefficients.square().mean(-1, keepdim=True) + _FLOOR)
