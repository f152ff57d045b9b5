"""The order for depthwise contractions: radial weights times features at the edge, then sums with steered harmonics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from ...filters import Filter, SeparableFilter
from ...layers import Contraction, Depthwise
from .engines import Engine, Local, Sums, Work, steer


class Radial(Engine):
    """y = sum_p S_p L_p,  S_p = sum over neighbours of G_p^T F_p,  F_p = w_p f,  w = phi V,  G_p = C_p Y.

    The sum over neighbours and m_i is one matrix product per node and path, so that no message is written per edge.
    First and second derivatives are written out: autograd would keep and write several arrays of the size of all F.
    """

    name = "radial"

    def applies(self, filter: Filter, contraction: Contraction) -> bool:
        return isinstance(filter, SeparableFilter) and isinstance(contraction, Depthwise)

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        weighted = sum(s.m_i * s.copies for s in sizes)
        flops = sum((s.m_i * s.m_o + filter.channels) * s.copies + s.m_h * s.m_i * s.m_o for s in sizes)
        mixed = sum(s.m_o * s.copies * s.copies_out for s in sizes)
        return Work(2 * flops, weighted + sum(s.copies for s in sizes), 2 * mixed, sum(s.m_o * s.copies for s in sizes))

    def values(self, filter: Filter, offset: Tensor, attributes: Tensor | None) -> list[Tensor]:
        filter = cast(SeparableFilter, filter)  # as `applies` has seen
        return [filter.radial(offset, attributes), filter.harmonics(offset)]

    def __call__(self, contraction: Contraction, local: Local) -> list[Tensor]:
        assert isinstance(contraction, Depthwise)
        slots, (phi, harmonics), features = local
        weights = phi @ contraction.radial
        y = Sums(len(contraction.paths.irreps))
        for k, path in enumerate(contraction.paths):
            weighted = weights[:, contraction.columns(k)].unsqueeze(1) * features[path.term]
            steered = steer(contraction.paths.tensor(k), harmonics[:, path.at])
            y.add(path.out, _over_slots(slots, steered, weighted) @ contraction.mixing(k))
        return y.parts

    def pull(
        self, contraction: Contraction, local: Local, grads: Sequence[Tensor], needs: Sequence[bool]
    ) -> list[Tensor]:
        """Gradients of phi, the harmonics if needed, the features, V and every L."""
        assert isinstance(contraction, Depthwise)
        paths, (slots, (phi, harmonics), features) = contraction.paths, local
        weights = phi @ contraction.radial
        to_weights, to_harmonics = torch.empty_like(weights), torch.zeros_like(harmonics)
        to_features = Sums(len(features))
        to_mix = [torch.empty_like(mix) for mix in contraction.mix]
        for k, path in enumerate(paths):
            tensor, feature, columns, grad = (
                paths.tensor(k),
                features[path.term],
                contraction.columns(k),
                grads[path.out],
            )
            w = weights[:, columns].unsqueeze(1)
            steered, weighted = steer(tensor, harmonics[:, path.at]), w * feature
            to_mix[path.out][contraction.rows(k)] = _product(_over_slots(slots, steered, weighted), grad)
            to_sum = grad @ contraction.mixing(k).T
            to_weighted = _to_slots(slots, steered, to_sum)
            if needs[1]:
                to_harmonics[:, path.at].addmm_(_outer(slots, weighted, to_sum), tensor.flatten(1).T)
            _add_dot(to_weights[:, columns], to_weighted, feature, first=True)
            to_features.add_product(path.term, to_weighted, w)
        return [
            to_weights @ contraction.radial.T,
            to_harmonics,
            *to_features.like(features),
            phi.T @ to_weights,
            *to_mix,
        ]

    def pull_twice(
        self, contraction: Contraction, local: Local, grads: Sequence[Tensor], tangents: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Gradients of <tangents, pull> = <grads, dy>, dy the derivative of y along tangents of values and features.

        Returns:
            dy, which is the gradient with respect to `grads`, and those with respect to what `pull` gives gradients of.
        """
        assert isinstance(contraction, Depthwise)
        paths, (slots, (phi, harmonics), features) = contraction.paths, local
        d_phi, d_harmonics, *d_features = tangents
        weights, d_weights = phi @ contraction.radial, d_phi @ contraction.radial
        to_weights, to_d_weights = torch.empty_like(weights), torch.empty_like(weights)
        to_harmonics, to_features = torch.zeros_like(harmonics), Sums(len(features))
        to_mix = [torch.empty_like(mix) for mix in contraction.mix]
        dy = Sums(len(paths.irreps))
        for k, path in enumerate(paths):
            tensor, feature, columns, grad = (
                paths.tensor(k),
                features[path.term],
                contraction.columns(k),
                grads[path.out],
            )
            d_feature, w, d_w = (
                d_features[path.term],
                weights[:, columns].unsqueeze(1),
                d_weights[:, columns].unsqueeze(1),
            )
            steered, d_steered = (steer(tensor, h[:, path.at]) for h in (harmonics, d_harmonics))
            weighted, d_weighted = w * feature, (w * d_feature).addcmul_(d_w, feature)
            d_sum = _over_slots(slots, steered, d_weighted) + _over_slots(slots, d_steered, weighted)
            dy.add(path.out, d_sum @ contraction.mixing(k))
            to_mix[path.out][contraction.rows(k)] = _product(d_sum, grad)
            to_sum = grad @ contraction.mixing(k).T
            to_harmonics[:, path.at].addmm_(_outer(slots, d_weighted, to_sum), tensor.flatten(1).T)
            to_d_weighted, to_weighted = (_to_slots(slots, g, to_sum) for g in (steered, d_steered))
            _add_dot(to_d_weights[:, columns], to_d_weighted, feature, first=True)
            _add_dot(to_weights[:, columns], to_d_weighted, d_feature, first=True)
            _add_dot(to_weights[:, columns], to_weighted, feature)
            to_features.add_product(path.term, to_d_weighted, d_w)
            to_features.add_product(path.term, to_weighted, w)
        to_radial = (phi.T @ to_weights).addmm_(d_phi.T, to_d_weights)
        to_phi = to_weights @ contraction.radial.T
        return dy.parts, [to_phi, to_harmonics, *to_features.like(features), to_radial, *to_mix]


def _over_slots(slots: tuple[int, int], steered: Tensor, weighted: Tensor) -> Tensor:
    """Steered harmonics (edge, m_i, m_o) and weighted features (edge, m_i, copy) to sums (node, m_o, copy)."""
    left = steered.reshape(slots[0], -1, steered.shape[2]).transpose(1, 2)
    return torch.bmm(left, weighted.reshape(slots[0], -1, weighted.shape[2]))


def _to_slots(slots: tuple[int, int], steered: Tensor, to_sum: Tensor) -> Tensor:
    """Gradients of sums to those of weighted features."""
    found = torch.bmm(steered.view(slots[0], -1, steered.shape[2]), to_sum)
    return found.view(*steered.shape[:2], to_sum.shape[2])


def _outer(slots: tuple[int, int], weighted: Tensor, to_sum: Tensor) -> Tensor:
    """Gradients of sums to those of steered harmonics (edge, m_i m_o)."""
    found = torch.bmm(weighted.view(slots[0], -1, weighted.shape[2]), to_sum.transpose(1, 2))
    return found.view(len(weighted), -1)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Sum over nodes and components of a (node, m, i) b (node, m, j): (i, j)."""
    return a.flatten(0, 1).T @ b.flatten(0, 1)


def _add_dot(total: Tensor, a: Tensor, b: Tensor, first: bool = False) -> None:
    """Add the sum over m of a (edge, m, copy) b to `total` (edge, copy), or set it."""
    if first:
        torch.mul(a[:, 0], b[:, 0], out=total)
    for m in range(int(first), a.shape[1]):
        total.addcmul_(a[:, m], b[:, m])
