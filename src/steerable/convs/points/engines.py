"""The orders in which a convolution on points may be computed.

All give the same numbers to rounding.

What is summed over neighbours j is, for every path p, filter channel k, and copies c and o of input
and output,

    y_i[o] = sum_j sum_(p, k, c)  W_p[c, k, o] C_p(h_ij[k], f_j[c]),

with h_ij[k] = phi_ij[k] Y_ij where the filter is separable. No order forms the matrix of a kernel
at an edge.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor

from ...filters import Filter, SeparableFilter
from ...layers import Contraction
from ...ops import Inputs, Loops, moments


@dataclass(frozen=True)
class Work:
    """What an order of computation costs: multiplications and additions, and numbers written.

    Args:
        edge_flops: per edge.
        edge_numbers: per edge.
        node_flops: per node.
        node_numbers: per node.
    """

    edge_flops: float
    edge_numbers: float
    node_flops: float
    node_numbers: float


class Local(NamedTuple):
    """What a block sees.

    Args:
        slots: the numbers of its nodes and of the slots of each.
        values: edge tensors, a row per slot.
        features: tensors of the sources, a row per slot.
    """

    slots: tuple[int, int]
    values: Sequence[Tensor]
    features: Sequence[Tensor]


class Engine(ABC):
    """One order of computation."""

    name: str

    def applies(self, filter: Filter, contraction: Contraction) -> bool:
        """Whether it can compute this convolution."""
        return True

    @abstractmethod
    def work(self, filter: Filter, contraction: Contraction) -> Work:
        """What it costs."""

    @abstractmethod
    def values(self, filter: Filter, offset: Tensor, attributes: Tensor | None) -> list[Tensor]:
        """The edge tensors that it works on; the first is linear in the filter."""

    def prepare(self, contraction: Contraction, x: Tensor) -> list[Tensor]:
        """The source tensors that it works on."""
        return contraction.paths.split(x)

    def parameters(self, contraction: Contraction) -> list[Tensor]:
        """The parameters that a block reads."""
        return contraction.own_parameters()

    @abstractmethod
    def __call__(self, contraction: Contraction, local: Local) -> list[Tensor]:
        """The results by output irrep, (node, m_o, copy) each."""

    def loops(self, contraction: Contraction, inputs: Inputs) -> Loops | None:
        """What computes all targets at once; None where there is nothing, and blocks do."""
        return None

    def pull(
        self, contraction: Contraction, local: Local, grads: Sequence[Tensor], needs: Sequence[bool]
    ) -> list[Tensor] | None:
        """The gradients of values (that are needed), features and parameters.

        None where autograd is to find them.
        """
        return None

    def pull_twice(
        self,
        contraction: Contraction,
        local: Local,
        grads: Sequence[Tensor],
        tangents: Sequence[Tensor],
    ) -> tuple[list[Tensor], list[Tensor]] | None:
        """The derivative of the results along tangents of values and features.

        Also the gradients of its product with grads.

        None where autograd is to find them.
        """
        return None


class Aggregate(Engine):
    """Clebsch-Gordan tensors times the filter at the edge.

    The sum over neighbours with the features; weights.
    """

    name = "aggregate"

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        steered = filter.channels * sum(s.m_i * s.m_o for s in sizes)
        summed = filter.channels * sum(s.m_i * s.m_o * s.copies for s in sizes)
        moment = filter.channels * sum(s.m_o * s.copies for s in sizes)
        return Work(
            2 * (steered * filter.field.dim + summed),
            2 * steered,
            weight_flops(contraction),
            2 * moment,
        )

    def values(self, filter: Filter, offset: Tensor, attributes: Tensor | None) -> list[Tensor]:
        return [filter(offset, attributes).flatten(1)]

    def __call__(self, contraction: Contraction, local: Local) -> list[Tensor]:
        paths, (slots, (h,), features) = contraction.paths, local
        h = h.reshape(-1, paths.field_filter.dim)
        y = Sums(len(paths.irreps))
        for i, feature in enumerate(features):
            own = [k for k, path in enumerate(paths) if path.term == i]
            if not own:
                continue
            steered = (h @ paths.coupled(i)).view(*slots, -1, feature.shape[1])
            found = moments(steered, feature.unflatten(0, slots)).unflatten(
                1, (contraction.channels, -1)
            )
            start = 0
            for k in own:
                stop = start + paths.tensor(k).shape[2]
                y.add(
                    paths[k].out, contraction.weigh(k, found[:, :, start:stop].permute(0, 2, 3, 1))
                )
                start = stop
        return y.parts


class Moments(Engine):
    """The sum over neighbours of filter times features.

    Clebsch-Gordan tensors and weights at the node.
    """

    name = "moments"

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        plain = filter.channels * filter.field.dim * contraction.paths.field_in.dim
        steered = filter.channels * sum(s.m_h * s.m_i * s.m_o * s.copies for s in sizes)
        moment = filter.channels * sum(s.m_o * s.copies for s in sizes)
        return Work(2 * plain, 0, 2 * steered + weight_flops(contraction), 2 * plain + 4 * moment)

    def values(self, filter: Filter, offset: Tensor, attributes: Tensor | None) -> list[Tensor]:
        return [filter(offset, attributes).flatten(1)]

    def __call__(self, contraction: Contraction, local: Local) -> list[Tensor]:
        paths, channels, (slots, (h,), features) = contraction.paths, contraction.channels, local
        h = h.view(*slots, -1).transpose(1, 2)
        plain = [
            torch.bmm(h, f.reshape(*slots, -1)).view(slots[0] * channels, -1, *f.shape[1:])
            for f in features
        ]
        y = Sums(len(paths.irreps))
        for k, path in enumerate(paths):
            tensor = paths.tensor(k).flatten(0, 1).T
            found = tensor @ plain[path.term][:, path.at].flatten(1, 2)
            y.add(
                path.out,
                contraction.weigh(k, found.unflatten(0, (-1, channels)).permute(0, 2, 3, 1)),
            )
        return y.parts


class Messages(Engine):
    """Products of harmonics and features at the edge, which all radial functions share.

    Their sums; weights.
    """

    name = "messages"

    def applies(self, filter: Filter, contraction: Contraction) -> bool:
        return isinstance(filter, SeparableFilter)

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        message = sum(s.m_o * s.copies for s in sizes)
        products = sum(s.m_i * s.m_o * (s.copies + s.m_h) for s in sizes)
        moment = message * filter.channels
        return Work(2 * (products + moment), 2 * message, weight_flops(contraction), moment)

    def values(self, filter: Filter, offset: Tensor, attributes: Tensor | None) -> list[Tensor]:
        filter = cast(SeparableFilter, filter)  # as `applies` has seen
        return [filter.radial(offset, attributes), filter.harmonics(offset)]

    def __call__(self, contraction: Contraction, local: Local) -> list[Tensor]:
        paths, (slots, (phi, harmonics), features) = contraction.paths, local
        y = Sums(len(paths.irreps))
        for k, path in enumerate(paths):
            message = torch.bmm(
                steer(paths.tensor(k), harmonics[:, path.at]).transpose(1, 2), features[path.term]
            )
            summed = torch.bmm(message.view(*slots, -1).transpose(1, 2), phi.view(*slots, -1))
            y.add(
                path.out,
                contraction.weigh(k, summed.view(slots[0], -1, path.copies, contraction.channels)),
            )
        return y.parts


class Source(Engine):
    """Weights at the source, then one product with the filter per edge.

    For outputs of few channels.
    """

    name = "source"

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        made = filter.channels * sum(s.m_h * s.m_o * s.copies_out for s in sizes)
        first = weight_flops(contraction) / max(1, min(s.m_o for s in sizes)) + 2 * made * max(
            s.m_i for s in sizes
        )
        return Work(2 * made, made, first, made)

    def values(self, filter: Filter, offset: Tensor, attributes: Tensor | None) -> list[Tensor]:
        return [filter(offset, attributes).flatten(1)]

    def parameters(self, contraction: Contraction) -> list[Tensor]:
        return []

    def prepare(self, contraction: Contraction, x: Tensor) -> list[Tensor]:
        paths, parts = contraction.paths, contraction.paths.split(x)
        made = []
        for k, path in enumerate(paths):
            weighted = torch.einsum("nic,cku->nkiu", parts[path.term], contraction.weight(k))
            made.append(
                torch.einsum("nkiu,hio->nkhou", weighted, paths.tensor(k)).flatten(1, 2).flatten(2)
            )
        return made

    def __call__(self, contraction: Contraction, local: Local) -> list[Tensor]:
        paths, (slots, (h,), features) = contraction.paths, local
        h = h.unflatten(1, (contraction.channels, -1))
        y = Sums(len(paths.irreps))
        for k, (path, made) in enumerate(zip(paths, features, strict=True)):
            own = h[:, :, path.at].reshape(slots[0], 1, -1)
            found = torch.bmm(own, made.view(slots[0], own.shape[2], -1))
            y.add(path.out, found.view(slots[0], paths.tensor(k).shape[2], -1))
        return y.parts


class Sums:
    """Several sums that grow term by term."""

    def __init__(self, number: int) -> None:
        self._found: list[Tensor | None] = [None] * number

    def add(self, k: int, part: Tensor) -> None:
        """Add a part to sum k."""
        known = self._found[k]
        self._found[k] = part if known is None else known + part

    def add_product(self, k: int, a: Tensor, b: Tensor) -> None:
        """Add a b to sum k in place; `a` is overwritten."""
        known = self._found[k]
        self._found[k] = a.mul_(b) if known is None else known.addcmul_(a, b)

    @property
    def parts(self) -> list[Tensor]:
        """The sums that have a part."""
        return [part for part in self._found if part is not None]

    def like(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """All sums, zeros of the shape of `tensors` where there is no part."""
        pairs = zip(tensors, self._found, strict=True)
        return [torch.zeros_like(tensor) if part is None else part for tensor, part in pairs]


def steer(tensor: Tensor, harmonics: Tensor) -> Tensor:
    """The matrices (edge, m_i, m_o) of a constant tensor and harmonics.

    The tensor is (m_h, m_i, m_o), the harmonics (edge, m_h).
    """
    return (harmonics @ tensor.flatten(1)).unflatten(1, tensor.shape[1:])


def weight_flops(contraction: Contraction) -> float:
    """Multiplications and additions of the weights, per node."""
    sizes = contraction.paths.sizes()
    each = [s.m_o * s.copies * contraction.channels for s in sizes]
    return sum(2 * e * contraction.mixed(s.copies_out) for e, s in zip(each, sizes, strict=True))
