"""The order for depthwise contractions: radial weights times features at the edge, then sums with steered harmonics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..filters import Filter, SeparableFilter
from ..layers import Contraction, Depthwise
from .engines import Order, Sums, Work, steer


class Radial(Order):
    """y = sum_p L_p (sum over neighbours and m_i of G_p[m_i, m_o] w_p f[m_i]),  w = phi V,  G_p = C_p Y.

    The sum over neighbours is one matrix product per node and path, so no message is written per edge. The gradients
    are written out because autograd would keep three arrays of the size of all weighted features.
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
        assert isinstance(filter, SeparableFilter)
        return [filter.radial(offset, attributes), filter.harmonics(offset)]

    def __call__(
        self, contraction: Contraction, slots: tuple[int, int], values: Sequence[Tensor], features: Sequence[Tensor]
    ) -> list[Tensor]:
        assert isinstance(contraction, Depthwise)
        phi, harmonics = values
        weights = phi @ contraction.radial
        y = Sums(contraction.paths.irreps)
        for k, path in enumerate(contraction.paths):
            w = weights[:, contraction.columns(k)]
            steered = steer(contraction.paths.tensor(k), harmonics[:, path.at])
            y.add(path.out, _summed(slots, w, steered, features[path.term])[1] @ contraction.mixing(k))
        return y.parts

    def pull(
        self,
        contraction: Contraction,
        slots: tuple[int, int],
        values: Sequence[Tensor],
        features: Sequence[Tensor],
        grads: Sequence[Tensor],
        needs: Sequence[bool],
    ) -> list[Tensor]:
        """Gradients of phi, the harmonics if needed, the features, V and every L."""
        assert isinstance(contraction, Depthwise)
        paths, (phi, harmonics) = contraction.paths, values
        weights, to_weights = phi @ contraction.radial, phi.new_empty(len(phi), contraction.radial.shape[1])
        to_harmonics = torch.zeros_like(harmonics)
        to_features: list[Tensor | None] = [None] * len(features)
        to_mix = [torch.empty_like(mix) for mix in contraction.mix]
        for k, path in enumerate(paths):
            tensor, feature, columns = paths.tensor(k), features[path.term], contraction.columns(k)
            w = weights[:, columns]
            steered = steer(tensor, harmonics[:, path.at])
            weighted, summed = _summed(slots, w, steered, feature)
            grad = grads[path.out]
            to_mix[path.out][contraction.rows(k)] = summed.flatten(0, 1).T @ grad.flatten(0, 1)
            to_summed = grad @ contraction.mixing(k).T
            to_weighted = torch.bmm(steered.view(slots[0], -1, steered.shape[2]), to_summed).view_as(feature)
            if needs[1]:
                to_steered = torch.bmm(weighted, to_summed.transpose(1, 2)).view(len(phi), -1)
                to_harmonics[:, path.at].addmm_(to_steered, tensor.flatten(1).T)
            torch.mul(to_weighted[:, 0], feature[:, 0], out=to_weights[:, columns])
            for m in range(1, feature.shape[1]):
                to_weights[:, columns].addcmul_(to_weighted[:, m], feature[:, m])
            known = to_features[path.term]
            if known is None:
                to_features[path.term] = to_weighted.mul_(w.unsqueeze(1))
            else:
                known.addcmul_(to_weighted, w.unsqueeze(1))
        made = [torch.zeros_like(f) if g is None else g for f, g in zip(features, to_features, strict=True)]
        return [to_weights @ contraction.radial.T, to_harmonics, *made, phi.T @ to_weights, *to_mix]


def _summed(slots: tuple[int, int], w: Tensor, steered: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted features (node, (slot, m_i), copy), and their sums with the steered harmonics (node, m_o, copy)."""
    weighted = (w.unsqueeze(1) * feature).view(slots[0], -1, feature.shape[2])
    return weighted, torch.bmm(steered.view(slots[0], -1, steered.shape[2]).transpose(1, 2), weighted)
