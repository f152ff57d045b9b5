"""The most general linear map between two fields."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, require_same_group
from ..groups import Group, group_label
from .meaning import Meaningful
from .memo import Memo

_DENSE_SIZE = 2**17


class Linear(Meaningful, ConstantModule):
    """y = sum_b w_b X_b x + bias, where the X_b span the maps that commute with the group.

    By Schur's lemma copies of one irrep mix with free weights, different irreps do not mix, and the
    bias lives on trivial irreps. At the start y has unit variance if x has. Small maps are one
    dense matrix product; large ones are one product per irrep.

    Args:
        field_in: type of the input, a Field or its text (of O(3) unless `group` is given).
        field_out: type of the output.
        bias: whether trivial irreps get a bias, 0 at the start.
        group: the group of fields given as text.

    Raises:
        FieldMismatchError: fields of two groups, or features that do not fit.
    """

    _position: Tensor
    _source: Tensor
    _coefficient: Tensor
    _invariant: Tensor

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        bias: bool = True,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        self.field_in, self.field_out = Field.parse(field_in, group), Field.parse(field_out, group)
        require_same_group("Linear", self.field_in, self.field_out)
        self._paths = _paths(self.field_in, self.field_out)
        self.is_dense = self.field_in.dim * self.field_out.dim <= _DENSE_SIZE
        self.weight = nn.Parameter(torch.empty(sum(path.weights for path in self._paths)))
        invariant = _invariant_channels(self.field_out)
        self.bias = nn.Parameter(torch.zeros(len(invariant))) if bias and len(invariant) else None
        self.register_constant("_invariant", invariant)
        position, source, coefficient = _scatter(
            self._paths if self.is_dense else [], self.field_out.dim
        )
        self.register_constant("_position", position)
        self.register_constant("_source", source)
        self.register_constant("_coefficient", coefficient)
        self._memo = Memo()
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights of variance 1 / fan-in and set the bias to 0."""
        with torch.no_grad():
            for path in self._paths:
                self.weight[path.start : path.start + path.weights].normal_(
                    generator=generator
                ).mul_(path.deviation)
            if self.bias is not None:
                self.bias.zero_()

    def matrices(self) -> list[tuple[int, int, int]]:
        """The matrices in `weight`, (place of the first number, copies out, copies in) of each."""
        return [
            (path.start + k * path.copies_out * path.copies_in, path.copies_out, path.copies_in)
            for path in self._paths
            for k in range(len(path.basis))
        ]

    def matrix(self) -> Tensor:
        """The map as a matrix (field_in.dim, field_out.dim), without the bias."""
        if not self.is_dense:
            return self._by_irrep(
                torch.eye(self.field_in.dim, dtype=self.weight.dtype, device=self.weight.device)
            )
        size = self.field_in.dim * self.field_out.dim
        entries = self.weight.index_select(0, self._source) * self._coefficient
        flat = entries.new_zeros(size).index_add(0, self._position, entries)
        return flat.view(self.field_in.dim, self.field_out.dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (..., field_in.dim) to (..., field_out.dim)."""
        self.field_in.check(x, "Linear")
        if not self.is_dense:
            y = self._by_irrep(x)
            return y if self.bias is None else y + self._bias(self.bias)
        weights = [self.weight] if self.bias is None else [self.weight, self.bias]
        matrix, bias = self._memo(self._affine, weights, x)
        if bias is None:
            return x @ matrix
        return torch.addmm(bias, x, matrix) if x.dim() == 2 else x @ matrix + bias

    def _affine(self) -> tuple[Tensor, Tensor | None]:
        """The map as a matrix, and the bias of every component."""
        return self.matrix(), None if self.bias is None else self._bias(self.bias)

    def _bias(self, bias: Tensor) -> Tensor:
        """The bias of every component (field_out.dim,): 0 but for trivial irreps."""
        return bias.new_zeros(self.field_out.dim).index_copy(0, self._invariant, bias)

    def _by_irrep(self, x: Tensor) -> Tensor:
        y = [x.new_zeros(())] * len(self.field_out)
        for path in self._paths:
            block = x[..., path.place_in].unflatten(-1, (path.copies_in, path.dim))
            weight = self.weight[path.start : path.start + path.weights].view(
                -1, path.copies_out, path.copies_in
            )
            if len(weight) == 1:
                part = torch.einsum("...md,om->...od", block, weight[0])
            else:
                turned = torch.einsum("tab,...mb->...tma", path.basis.to(x), block)
                part = torch.einsum("...tma,tom->...oa", turned, weight)
            y[path.term_out] = y[path.term_out] + part.flatten(-2)
        shape = x.shape[:-1]
        return torch.cat(
            [part.expand(*shape, t.dim) for part, t in zip(y, self.field_out, strict=True)], -1
        )

    def meaning(self) -> str:
        return f"{self.field_in} -> {self.field_out}, {group_label(self.field_in.group)}"


class _Path:
    """Copies of one irrep in a term of the input and in a term of the output.

    Holds the weights (map, out, in) of the block as well.
    """

    def __init__(self, field_in: Field, i: int, field_out: Field, o: int, start: int) -> None:
        term_in, term_out = field_in.terms[i], field_out.terms[o]
        irrep = term_in.irrep
        self.copies_in, self.copies_out, self.dim = (
            term_in.multiplicity,
            term_out.multiplicity,
            irrep.dim,
        )
        self.place_in, self.place_out = field_in.slices()[i], field_out.slices()[o]
        self.term_out = o
        self.basis = torch.from_numpy(irrep.endomorphisms() * irrep.dim**0.5)
        self.start = start
        self.weights = len(self.basis) * self.copies_in * self.copies_out
        self.deviation = 1.0


def _paths(field_in: Field, field_out: Field) -> list[_Path]:
    paths: list[_Path] = []
    start = 0
    for o, term_out in enumerate(field_out):
        row = []
        for i, term_in in enumerate(field_in):
            if term_in.irrep == term_out.irrep and term_in.multiplicity and term_out.multiplicity:
                row.append(_Path(field_in, i, field_out, o, start))
                start += row[-1].weights
        fan_in = sum(len(path.basis) * path.copies_in for path in row)
        for path in row:
            path.deviation = 1 / math.sqrt(fan_in)
        paths += row
    return paths


def _scatter(paths: list[_Path], width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where every weight goes in the flat matrix (in, out), as (place, weight, coefficient)."""
    places, sources, coefficients = (
        [torch.zeros(0, dtype=torch.long)],
        [torch.zeros(0, dtype=torch.long)],
        [],
    )
    for path in paths:
        t, a, b = torch.nonzero(path.basis.abs() > 1e-12, as_tuple=True)
        o = torch.arange(path.copies_out)[:, None, None]
        m = torch.arange(path.copies_in)[:, None]
        row = path.place_in.start + m * path.dim + b
        column = path.place_out.start + o * path.dim + a
        places.append((row * width + column).flatten())
        sources.append((path.start + (t * path.copies_out + o) * path.copies_in + m).flatten())
        coefficients.append(path.basis[t, a, b].expand_as(row * column).flatten())
    flat = torch.cat(coefficients) if coefficients else torch.zeros(0, dtype=torch.float64)
    return torch.cat(places), torch.cat(sources), flat


def _invariant_channels(field: Field) -> Tensor:
    places = [
        range(s.start, s.stop)
        for t, s in zip(field, field.slices(), strict=True)
        if t.irrep.is_trivial
    ]
    return torch.tensor([k for place in places for k in place], dtype=torch.long)
