"""The order that turns every edge onto one axis, where paths join only components of equal |m|."""

from __future__ import annotations

from functools import cache
from typing import cast

import torch
from torch import Tensor

from ...filters import Filter, SeparableFilter
from ...functions import safe_norm
from ...groups import stretched
from ...layers import Contraction, Depthwise, DepthwiseWeights, Recipe, Weights
from ...ops import Edges
from .engines import Engine, Local, Shapes, Sums, Work
from .filter_values import radial_values

_AXIS = 1  # the polar axis of e3nn's harmonics is y


class Frame(Engine):
    """y_i = sum_j D(R_ij)^-1 K(|x_ij| e) D(R_ij) f_j with rotations R_ij x_ij = |x_ij| e.

    On the axis e only the component m = 0 of the harmonics is left, so a path joins m_o = m_i or
    m_o = -m_i: weights cost O(L) per path where the product of harmonics and features costs O(L^2),
    and one message of the size of the output is turned back. For separable filters of the groups
    O(3) and SO(3).

    Source: Passaro, Zitnick 2023, arXiv:2302.03655 (eSCN).
    """

    name = "frame"

    def applies(self, filter: Filter, contraction: Contraction) -> bool:
        group = contraction.paths.field_in.group
        return (
            isinstance(filter, SeparableFilter)
            and group.dim == 3
            and group.identity_component == "full"
        )

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        fields = contraction.paths.field_in, contraction.paths.field_out
        turned = sum(t.multiplicity * t.irrep.dim**2 for field in fields for t in field)
        inner = 1 if isinstance(contraction, Depthwise) else filter.channels
        moment = sum(min(s.m_i, s.m_o) * s.copies * inner for s in sizes)
        mixed = sum(min(s.m_i, s.m_o) * s.copies * inner * s.copies_out for s in sizes)
        max_degree = max(t.irrep.harmonic.degree for field in fields for t in field)
        degrees = sum((2 * l + 1) ** 3 for l in range(max_degree + 1))
        matrices = 4 * degrees + 9 * 8  # matrices D with what they are computed from, rotations
        return Work(2 * (turned + mixed + moment) + 18 * degrees, 2 * moment + matrices, 0, 0)

    def values(self, filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
        filter = cast(SeparableFilter, filter)  # as `applies` has seen
        return [radial_values(filter, edges, attributes), edges.offset]

    def shapes(self, recipe: Recipe) -> Shapes:
        return super().shapes(recipe)._replace(edge=[(recipe.channels,), (3,)])

    def __call__(self, weights: Weights, local: Local) -> list[Tensor]:
        slots, (phi, offset), features = local
        degrees_in = [term.degree for term in weights.layout.inputs]
        degrees_out = [irrep.degree for irrep in weights.layout.outputs]
        turns = wigner_matrices(rotation_to_axis(offset), max(degrees_in + degrees_out))
        turned = [torch.bmm(turns[l], f) for l, f in zip(degrees_in, features, strict=True)]
        # A point on top of another has no direction: only the invariant part of it counts.
        apart = (safe_norm(offset) > 0).to(phi.dtype).unsqueeze(1)
        y = Sums(len(degrees_out))
        for k, path in enumerate(weights):
            from_m, to_m, factors = _on_axis(weights.tensor(k))
            feature = turned[path.term].index_select(1, from_m) * factors.unsqueeze(1)
            scale = phi if path.at.stop - path.at.start == 1 else phi * apart
            if isinstance(weights, DepthwiseWeights):
                radial = scale @ weights.radial[:, weights.columns(k)]
                message = (feature * radial.unsqueeze(1)) @ weights.mixing(k)
            else:
                message = weights.weigh(k, feature.unsqueeze(3) * scale[:, None, None])
            whole = message.new_zeros(
                message.shape[0], weights.layout.sizes[k].m_o, message.shape[2]
            )
            y.add(path.out, whole.index_add(1, to_m, message))
        back = [turns[l].transpose(1, 2) for l in degrees_out]
        return [
            torch.bmm(b, part).unflatten(0, slots).sum(1)
            for b, part in zip(back, y.parts, strict=True)
        ]


def rotation_to_axis(offset: Tensor) -> Tensor:
    """Rotations (edge, 3, 3) that turn relative positions (edge, 3) onto the polar axis.

    The rotation at 0 is the identity.

    R = 1 + [v] + [v]^2 / (1 + c) with v = u x e, c = u e, u = x/|x|; where c < 0 onto -e first and
    then by half a turn, so that nothing is divided by less than 1. Which of all such rotations it
    is does not matter to a convolution.
    """
    length = safe_norm(offset).unsqueeze(1)
    axis = torch.zeros_like(offset)
    axis[:, _AXIS] = 1
    unit = torch.where(length > 0, offset / torch.where(length > 0, length, 1.0), axis)
    sign = torch.where(unit[:, _AXIS, None] < 0, -1.0, 1.0).to(unit.dtype)
    v = torch.linalg.cross(unit, axis * sign)
    zero = torch.zeros_like(v[:, 0])
    x, y, z = v.unbind(1)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).view(-1, 3, 3)
    cosine = (unit * axis * sign).sum(1)[:, None, None]
    turn = torch.eye(3, dtype=v.dtype, device=v.device) + skew + skew @ skew / (1 + cosine)
    half_turn = torch.cat([torch.ones_like(sign), sign, sign], 1)
    return half_turn.unsqueeze(2) * turn


def wigner_matrices(rotations: Tensor, max_degree: int) -> list[Tensor]:
    """The matrices D^l (edge, 2l+1, 2l+1) of rotations (edge, 3, 3) for l = 0 to `max_degree`.

    D^l is the part of degree l of D^(l-1) (x) D^1: a polynomial in the entries of the rotation.
    """
    matrices = [torch.ones_like(rotations[:, :1, :1]), rotations]
    for l in range(2, max_degree + 1):
        c = _stretched(l, rotations.dtype, rotations.device)
        half = torch.einsum("gij,jbn->gibn", matrices[-1], c)
        half = torch.einsum("gab,gibn->gian", rotations, half)
        matrices.append(torch.einsum("iam,gian->gmn", c, half))
    return matrices[: max_degree + 1]


@cache
def _stretched(degree: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(
        False
    ):  # else a first call in inference mode would leave what training cannot use
        return torch.from_numpy(stretched(degree)).to(device=device, dtype=dtype)


def _on_axis(tensor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The components m_i and m_o that a path joins on the axis.

    Returned with the factors of the products, which include the harmonics.
    """
    polar = tensor[tensor.shape[0] // 2] * tensor.shape[0] ** 0.5
    from_m, to_m = torch.nonzero(polar.abs() > 1e-6, as_tuple=True)
    return from_m, to_m, polar[from_m, to_m]
