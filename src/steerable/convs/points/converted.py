"""Convolutions of e3nn as PointConv."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ...field import Field
from ...functions import safe_norm, spherical_harmonics
from ...layers import Full
from .point_conv import PointConv

if TYPE_CHECKING:
    from e3nn.o3 import FullyConnectedTensorProduct


def from_e3nn(
    product: FullyConnectedTensorProduct,
    radial: nn.Sequential,
    basis: Callable[[Tensor], Tensor],
    neighbours: float = 1.0,
) -> PointConv:
    """The PointConv that gives the same as a convolution with a tensor product of e3nn.

    y_i = n^(-1/2) sum over j of product(f_j, Y(x_ij), radial(basis(|x_ij|))).

    The last layer of `radial` is linear, so it moves behind the sum over neighbours: what enters
    it, and a constant 1 for its bias, are the radial functions of a separable filter, and its
    weights are those of a full contraction. Y are e3nn's spherical harmonics of
    `product.irreps_in2`, with `normalization="component"` and `normalize=True`, of x_ij = pos_j -
    pos_i. Weights are copied, and so is a `basis` that is a module.

    Args:
        product: made with `shared_weights=False`.
        radial: layers such as nn.Linear and activations, or e3nn's FullyConnectedNet; (edge, number
            of basis functions) to (edge, product.weight_numel).
        basis: functions of the distance, (edge,) to (edge, number of basis functions).
        neighbours: n.

    Raises:
        ValueError: a product with weights of its own, harmonics of the wrong parity, or a
            perceptron that does not end in a linear layer for all weights of the product.
    """
    if product.shared_weights:
        raise ValueError(
            "from_e3nn takes a product whose weights come from the radial perceptron: "
            "shared_weights=False."
        )
    if any(irrep.p != (-1) ** irrep.l for _, irrep in product.irreps_in2):
        raise ValueError(f"Harmonics of degree l have parity (-1)^l; got {product.irreps_in2}.")
    hidden, matrix, bias = _split(radial, basis, product.weight_numel)
    filter = _Radial(product.irreps_in2.ls, hidden, basis, matrix.shape[0])
    conv = PointConv(
        str(product.irreps_in1), str(product.irreps_out), filter, neighbours=neighbours
    ).double()
    _set_weights(conv, product, torch.cat([matrix, bias.unsqueeze(0)]).double().cpu())
    return conv.to(matrix)


class _Radial(nn.Module):
    """The outputs of a perceptron, and the constant 1, times harmonics of some degrees."""

    _columns: Tensor

    def __init__(
        self, degrees: list[int], hidden: nn.Module, basis: Callable[[Tensor], Tensor], width: int
    ) -> None:
        super().__init__()
        self.degrees = sorted(set(degrees))
        field = Field.parse("+".join(f"{l}{'eo'[l % 2]}" for l in self.degrees))
        self.field, self.attributes, self.channels = field, Field(field.group, ()), width + 1
        self.hidden, self.basis = copy.deepcopy(hidden), copy.deepcopy(basis)
        columns = [k for l in self.degrees for k in range(l * l, (l + 1) ** 2)]
        self.register_buffer("_columns", torch.tensor(columns), persistent=False)

    def forward(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        return self.radial(offset).unsqueeze(2) * self.harmonics(offset).unsqueeze(1)

    def radial(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        values: Tensor = self.hidden(self.basis(safe_norm(offset)))
        return torch.cat([values, torch.ones_like(values[:, :1])], 1)

    def harmonics(self, offset: Tensor) -> Tensor:
        return spherical_harmonics(offset, self.degrees[-1]).index_select(1, self._columns)


def _split(
    radial: nn.Sequential, basis: Callable[[Tensor], Tensor], count: int
) -> tuple[nn.Sequential, Tensor, Tensor]:
    """All layers but the last, and the last as a matrix (in, out) and a bias."""
    *first, last = radial.children()
    hidden = nn.Sequential(*first)
    with torch.no_grad():
        like = next(radial.parameters())
        unit = torch.eye(hidden(basis(like.new_ones(1)).to(like)).shape[-1]).to(like)
        bias = last(0 * unit[:1])[0]
        matrix = last(unit) - bias
        is_linear = torch.allclose(last(3 * unit), 3 * matrix + bias, atol=1e-4)
    if not is_linear or matrix.shape[1] != count:
        raise ValueError(
            f"The radial perceptron ends in a linear layer for the {count} weights of the product; "
            f"got {last}."
        )
    return hidden, matrix, bias


@torch.no_grad()
def _set_weights(conv: PointConv, product: FullyConnectedTensorProduct, last: Tensor) -> None:
    """Weights W_p[c, k, o] from the last layer (k, weight of the product), path by path."""
    from e3nn.o3 import wigner_3j

    contraction, paths = conv.contraction, conv.contraction.paths
    assert isinstance(contraction, Full)
    places = paths.layout.places([path.copies * contraction.channels for path in paths])
    at = dict(
        zip(
            (term.irrep.harmonic.degree for term in paths.field_filter),
            paths.field_filter.slices(),
            strict=True,
        )
    )
    for weight in contraction.weights:
        weight.zero_()
    start = 0
    for step in product.instructions:
        stop = start + math.prod(step.path_shape)
        ends = (
            (product.irreps_in1, step.i_in1),
            (product.irreps_in2, step.i_in2),
            (product.irreps_out, step.i_out),
        )
        degrees = [irreps[i].ir.l for irreps, i in ends]
        out = paths.field_out.terms[step.i_out]
        wanted = step.i_in1, at[degrees[1]], paths.irreps.index(out.irrep)
        k = next(k for k, path in enumerate(paths) if (path.term, path.at, path.out) == wanted)
        theirs = wigner_3j(*degrees, dtype=torch.float64).transpose(0, 1)
        scale = step.path_weight * (paths.tensor(k) * theirs).sum() / out.irrep.dim
        weights = (
            last[:, start:stop].unflatten(1, step.path_shape).sum(2)
        )  # all copies of a harmonic are the same
        first = sum(
            term.multiplicity
            for term in paths.field_out.terms[: step.i_out]
            if term.irrep == out.irrep
        )
        block = (scale * weights).transpose(0, 1).flatten(0, 1)
        contraction.weights[wanted[2]][0, places[k], first : first + out.multiplicity] += block
        start = stop
