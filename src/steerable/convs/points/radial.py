"""The order for depthwise contractions.

Radial weights times features at the edge, then sums with steered harmonics.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...filters import Filter, SeparableFilter
from ...layers import Contraction, Depthwise, DepthwiseWeights, PathLayout, Recipe, Weights
from ...ops import Edges, Inputs, Loops
from .engines import (
    Engine,
    Local,
    Shapes,
    Sums,
    Work,
    separable_shapes,
    whole_features,
)
from .filter_values import separable_values
from .radial_loops import RadialLoops


class Radial(Engine):
    """y = sum_p S_p L_p,  S_p = sum over neighbours of G_p^T F_p.

    Here F_p = w_p f, w = phi V and G_p = C_p Y.

    The sum over neighbours and m_i is one matrix product per node and path, so that no message is
    written per edge. Features lie as (node, m_i, slot, copy), so that their products with weights
    (node, slot, copy) run over long rows. First and second derivatives are written out: autograd
    would keep and write several arrays of the size of all F. So much for blocks; on a CPU with a C
    compiler `loops` does the same edge by edge and writes no F at all.
    """

    name = "radial"

    def applies(self, filter: Filter, contraction: Contraction) -> bool:
        return isinstance(filter, SeparableFilter) and isinstance(contraction, Depthwise)

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        weighted = sum(s.m_i * s.copies for s in sizes)
        flops = sum(
            (s.m_i * s.m_o + filter.channels) * s.copies + s.m_h * s.m_i * s.m_o for s in sizes
        )
        mixed = sum(s.m_o * s.copies * s.copies_out for s in sizes)
        return Work(
            2 * flops,
            weighted + sum(s.copies for s in sizes),
            2 * mixed,
            sum(s.m_o * s.copies for s in sizes),
        )

    def values(self, filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
        return separable_values(filter, edges, attributes)

    def prepare(self, contraction: Contraction, x: Tensor) -> list[Tensor]:
        return [x]  # blocks and loops bring the components of a term together by themselves

    def shapes(self, recipe: Recipe) -> Shapes:
        if recipe.kind != "depthwise":
            raise ValueError(
                f"The order radial is that of depthwise contractions; got {recipe.kind}."
            )
        return whole_features(separable_shapes(super().shapes(recipe), recipe), recipe)

    def loops(self, weights: Weights, inputs: Inputs) -> Loops | None:
        assert isinstance(weights, DepthwiseWeights)
        return RadialLoops.of(weights, inputs)

    def __call__(self, weights: Weights, local: Local) -> list[Tensor]:
        assert isinstance(weights, DepthwiseWeights)
        phi, harmonics, features = _apart(weights.layout, local)
        y = Sums(len(weights.layout.outputs))
        for k, path in enumerate(weights):
            weighted = _edge_weights(weights, k, phi) * features[path.term]
            steered = _steer(weights.tensor(k), harmonics[:, path.at])
            y.add(path.out, _over_slots(steered, weighted) @ weights.mixing(k))
        return y.parts

    def pull(
        self, weights: Weights, local: Local, grads: Sequence[Tensor], needs: Sequence[bool]
    ) -> list[Tensor]:
        """Gradients of phi, the harmonics if needed, the features, V and every L."""
        assert isinstance(weights, DepthwiseWeights)
        phi, harmonics, features = _apart(weights.layout, local)
        to_phi, to_harmonics = torch.zeros_like(phi), torch.zeros_like(harmonics)
        to_features, to_radial = Sums(len(features)), torch.empty_like(weights.radial)
        to_mix = [torch.empty_like(mix) for mix in weights.mix]
        for k, path in enumerate(weights):
            feature, w = features[path.term], _edge_weights(weights, k, phi)
            steered, weighted = _steer(weights.tensor(k), harmonics[:, path.at]), w * feature
            sums = _over_slots(steered, weighted)
            to_mix[path.out][weights.rows(k)] = _product(sums, grads[path.out])
            to_sum = grads[path.out] @ weights.mixing(k).T
            to_weighted = _to_slots(steered, to_sum).view_as(feature)
            if needs[1]:
                _add_outer(to_harmonics[:, path.at], weights.tensor(k), weighted, to_sum)
            to_w = _dot(to_weighted, feature)
            _add_product(to_phi, to_w, weights.radial[:, weights.columns(k)].T)
            to_radial[:, weights.columns(k)] = _product(phi, to_w)
            to_features.add_product(path.term, to_weighted, w)
        return [*_together(to_phi, to_harmonics, to_features.like(features)), to_radial, *to_mix]

    def pull_twice(
        self,
        weights: Weights,
        local: Local,
        grads: Sequence[Tensor],
        tangents: Sequence[Tensor],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Gradients of <tangents, pull> = <grads, dy>.

        dy is the derivative of y along tangents of values and features.

        Returns:
            dy, which is the gradient with respect to `grads`, and those with respect to what `pull`
            gives gradients of.
        """
        assert isinstance(weights, DepthwiseWeights)
        layout = weights.layout
        phi, harmonics, features = _apart(layout, local)
        changes = Local(local.slots, tangents[:2], tangents[2:])
        d_phi, d_harmonics, d_features = _apart(layout, changes)
        to_phi, to_harmonics = torch.zeros_like(phi), torch.zeros_like(harmonics)
        to_features, to_radial = Sums(len(features)), torch.empty_like(weights.radial)
        to_mix = [torch.empty_like(mix) for mix in weights.mix]
        dy = Sums(len(weights.layout.outputs))
        for k, path in enumerate(weights):
            tensor, columns = weights.tensor(k), weights.columns(k)
            feature, d_feature = features[path.term], d_features[path.term]
            w, d_w = _edge_weights(weights, k, phi), _edge_weights(weights, k, d_phi)
            steered = _steer(tensor, harmonics[:, path.at])
            d_steered = _steer(tensor, d_harmonics[:, path.at])
            weighted, d_weighted = w * feature, (w * d_feature).addcmul_(d_w, feature)
            d_sum = _over_slots(steered, d_weighted) + _over_slots(d_steered, weighted)
            dy.add(path.out, d_sum @ weights.mixing(k))
            to_mix[path.out][weights.rows(k)] = _product(d_sum, grads[path.out])
            to_sum = grads[path.out] @ weights.mixing(k).T
            _add_outer(to_harmonics[:, path.at], tensor, d_weighted, to_sum)
            to_d_weighted = _to_slots(steered, to_sum).view_as(feature)
            to_weighted = _to_slots(d_steered, to_sum).view_as(feature)
            to_d_w = _dot(to_d_weighted, feature)
            to_w = _dot(to_d_weighted, d_feature).add_(_dot(to_weighted, feature))
            _add_product(to_phi, to_w, weights.radial[:, columns].T)
            to_radial[:, columns] = _product(phi, to_w) + _product(d_phi, to_d_w)
            to_features.add_product(path.term, to_d_weighted, d_w)
            to_features.add_product(path.term, to_weighted, w)
        gradients = _together(to_phi, to_harmonics, to_features.like(features))
        return dy.parts, [*gradients, to_radial, *to_mix]


def _apart(layout: PathLayout, local: Local) -> tuple[Tensor, Tensor, list[Tensor]]:
    """A block as phi, harmonics and features.

    phi is (node, slot, channel), harmonics are (node, m_h, slot), and the features of every term
    (node, m_i, slot, copy).
    """
    slots, (phi, harmonics), (x,) = local
    apart = []
    parts = x.split([term.copies * term.dim for term in layout.inputs], 1)
    for term, part in zip(layout.inputs, parts, strict=True):
        feature = part.view(*slots, term.copies, term.dim)
        apart.append(feature.permute(0, 3, 1, 2).contiguous())
    return phi.unflatten(0, slots), harmonics.unflatten(0, slots).transpose(1, 2), apart


def _together(phi: Tensor, harmonics: Tensor, features: Sequence[Tensor]) -> list[Tensor]:
    """The inverse of `_apart`: a row for every edge."""
    terms = [part.permute(0, 2, 3, 1).flatten(2).flatten(0, 1) for part in features]
    return [phi.flatten(0, 1), harmonics.transpose(1, 2).flatten(0, 1), torch.cat(terms, 1)]


def _edge_weights(weights: DepthwiseWeights, k: int, phi: Tensor) -> Tensor:
    """The weights of path k, (node, 1, slot, copy)."""
    return (phi @ weights.radial[:, weights.columns(k)]).unsqueeze(1)


def _steer(tensor: Tensor, harmonics: Tensor) -> Tensor:
    """A constant tensor (m_h, m_i, m_o) times harmonics (node, m_h, slot).

    Returns matrices (node, m_o, (m_i, slot)).
    """
    matrices = torch.bmm(
        tensor.permute(2, 1, 0).flatten(0, 1).expand(len(harmonics), -1, -1), harmonics
    )
    return matrices.view(len(harmonics), tensor.shape[2], -1)


def _over_slots(steered: Tensor, weighted: Tensor) -> Tensor:
    """Steered harmonics and weighted features (node, m_i, slot, copy) to sums (node, m_o, copy)."""
    return torch.bmm(steered, weighted.flatten(1, 2))


def _to_slots(steered: Tensor, to_sum: Tensor) -> Tensor:
    """Gradients of sums to those of weighted features (node, (m_i, slot), copy)."""
    return torch.bmm(steered.transpose(1, 2), to_sum)


def _add_outer(total: Tensor, tensor: Tensor, weighted: Tensor, to_sum: Tensor) -> None:
    """Add gradients of sums (node, m_o, copy) to those of the harmonics (node, m_h, slot)."""
    to_steered = torch.bmm(to_sum, weighted.flatten(1, 2).transpose(1, 2))
    matrix = tensor.permute(0, 2, 1).flatten(1).expand(len(total), -1, -1)
    total.baddbmm_(matrix, to_steered.view(len(total), matrix.shape[2], -1))


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Sum over all axes but the last of a (..., i) b (..., j): (i, j)."""
    return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])


def _add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    """Add a b to `total` (node, slot, channel), for a (node, slot, copy)."""
    total.view(-1, total.shape[2]).addmm_(a.view(-1, a.shape[2]), b)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """The sum over m of a (node, m, slot, copy) b: (node, slot, copy)."""
    total = a[:, 0] * b[:, 0]
    for m in range(1, a.shape[1]):
        total.addcmul_(a[:, m], b[:, m])
    return total
