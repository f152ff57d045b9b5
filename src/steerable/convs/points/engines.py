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
from typing import NamedTuple

import torch
from torch import Tensor

from ...filters import Filter, SeparableFilter
from ...layers import Contraction, Recipe, Weights
from ...ops import Edges, Inputs, Loops, moments
from .filter_values import filter_values, separable_values
from .message_loops import MessageLoops


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


class Shapes(NamedTuple):
    """The shapes of what an order works on.

    Args:
        edge: of a row of every edge tensor.
        source: of a row of every source tensor.
        weights: of every weight.
    """

    edge: list[tuple[int, ...]]
    source: list[tuple[int, ...]]
    weights: list[tuple[int, ...]]


class Engine(ABC):
    """One order of computation."""

    name: str

    def applies(self, filter: Filter, contraction: Contraction) -> bool:
        """Whether it can compute this convolution."""
        return True

    @abstractmethod
    def work(self, filter: Filter, contraction: Contraction) -> Work:
        """What it costs by blocks."""

    def loop_work(self, filter: Filter, contraction: Contraction) -> Work | None:
        """What it costs by loops where these exist; None where it is computed by blocks anyway."""
        return None

    @abstractmethod
    def values(self, filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
        """The edge tensors that it works on; the first is linear in the filter."""

    def prepare(self, contraction: Contraction, x: Tensor) -> list[Tensor]:
        """The source tensors that it works on."""
        return contraction.paths.split(x)

    def weights(self, contraction: Contraction) -> list[Tensor]:
        """The parameters that a block reads."""
        return contraction.own_parameters()

    def shapes(self, recipe: Recipe) -> Shapes:
        """The shapes of what it works on."""
        values = (recipe.channels * recipe.layout.filter_dim,)
        features: list[tuple[int, ...]] = [(t.dim, t.copies) for t in recipe.layout.inputs]
        return Shapes([values], features, recipe.weight_shapes())

    @abstractmethod
    def __call__(self, weights: Weights, local: Local) -> list[Tensor]:
        """The results by output irrep, (node, m_o, copy) each."""

    def loops(self, weights: Weights, inputs: Inputs) -> Loops | None:
        """What computes all targets at once; None where there is nothing, and blocks do."""
        return None

    def pull(
        self, weights: Weights, local: Local, grads: Sequence[Tensor], needs: Sequence[bool]
    ) -> list[Tensor] | None:
        """The gradients of values (that are needed), features and weights.

        Returns None where autograd derives the gradients from the order itself.
        """
        return None

    def pull_twice(
        self,
        weights: Weights,
        local: Local,
        grads: Sequence[Tensor],
        tangents: Sequence[Tensor],
    ) -> tuple[list[Tensor], list[Tensor]] | None:
        """The derivative of the results along tangents of values and features.

        Also the gradients of its product with grads. None where they are derived from the order
        itself.
        """
        return None


class Aggregate(Engine):
    """Clebsch-Gordan tensors times the filter at the edge.

    The products are summed with the features over neighbours; the weights come last.
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

    def values(self, filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
        return [filter_values(filter, edges, attributes)]

    def __call__(self, weights: Weights, local: Local) -> list[Tensor]:
        slots, (h,), features = local
        h = h.reshape(-1, weights.layout.filter_dim)
        y = Sums(len(weights.layout.outputs))
        for i, feature in enumerate(features):
            numbers = [k for k, path in enumerate(weights) if path.term == i]
            if not numbers:
                continue
            steered = (h @ weights.coupled(i)).view(*slots, -1, feature.shape[1])
            moment = moments(steered, feature.unflatten(0, slots))
            moment = moment.unflatten(1, (weights.channels, -1))
            start = 0
            for k in numbers:
                stop = start + weights.layout.sizes[k].m_o
                rows = moment[:, :, start:stop].permute(0, 2, 3, 1)
                y.add(weights.layout.paths[k].out, weights.weigh(k, rows))
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

    def values(self, filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
        return [filter_values(filter, edges, attributes)]

    def __call__(self, weights: Weights, local: Local) -> list[Tensor]:
        slots, (h,), features = local
        channels = weights.channels
        h = h.view(*slots, -1).transpose(1, 2)
        plain = [
            torch.bmm(h, f.reshape(*slots, -1)).view(slots[0] * channels, -1, *f.shape[1:])
            for f in features
        ]
        y = Sums(len(weights.layout.outputs))
        for k, path in enumerate(weights):
            tensor = weights.tensor(k).flatten(0, 1).T
            moment = tensor @ plain[path.term][:, path.at].flatten(1, 2)
            rows = moment.unflatten(0, (-1, channels)).permute(0, 2, 3, 1)
            y.add(path.out, weights.weigh(k, rows))
        return y.parts


class Messages(Engine):
    """Products of harmonics and features at the edge, which all radial functions share.

    The products are summed over neighbours; the weights come last.
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

    def loop_work(self, filter: Filter, contraction: Contraction) -> Work | None:
        recipe = contraction.recipe
        if recipe.kind != "full" or recipe.groups > 1:
            return None
        work = self.work(filter, contraction)
        # Sums stay in registers and moments in the cache; small products take twice as long.
        return Work(work.edge_flops / 2, 0, work.node_flops, 0)

    def values(self, filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
        return separable_values(filter, edges, attributes)

    def prepare(self, contraction: Contraction, x: Tensor) -> list[Tensor]:
        return [x]  # blocks and loops bring the components of a term together by themselves

    def shapes(self, recipe: Recipe) -> Shapes:
        return whole_features(separable_shapes(super().shapes(recipe), recipe), recipe)

    def loops(self, weights: Weights, inputs: Inputs) -> Loops | None:
        return MessageLoops.of(weights, inputs)

    def __call__(self, weights: Weights, local: Local) -> list[Tensor]:
        slots, (phi, harmonics), (x,) = local
        features = weights.layout.split(x)
        y = Sums(len(weights.layout.outputs))
        for k, path in enumerate(weights):
            steered = steer(weights.tensor(k), harmonics[:, path.at])
            message = torch.bmm(steered.transpose(1, 2), features[path.term])
            summed = torch.bmm(message.view(*slots, -1).transpose(1, 2), phi.view(*slots, -1))
            moment = summed.view(slots[0], -1, path.copies, weights.channels)
            y.add(path.out, weights.weigh(k, moment))
        return y.parts


class Source(Engine):
    """Weights at the source, then one product with the filter per edge.

    Best for outputs of few channels.
    """

    name = "source"

    def work(self, filter: Filter, contraction: Contraction) -> Work:
        sizes = contraction.paths.sizes()
        entries = filter.channels * sum(s.m_h * s.m_o * s.copies_out for s in sizes)
        first = weight_flops(contraction) / max(1, min(s.m_o for s in sizes)) + 2 * entries * max(
            s.m_i for s in sizes
        )
        # Rows are gathered; the filter is written, gathered, and cut into what every path takes.
        filtered = filter.channels * (2 * filter.field.dim + sum(s.m_h for s in sizes))
        return Work(2 * entries, entries + filtered, first, entries)

    def values(self, filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
        return [filter_values(filter, edges, attributes)]

    def weights(self, contraction: Contraction) -> list[Tensor]:
        return []

    def shapes(self, recipe: Recipe) -> Shapes:
        sizes = recipe.layout.sizes
        features: list[tuple[int, ...]] = [
            (recipe.channels * s.m_h, s.m_o * s.copies_out) for s in sizes
        ]
        return super().shapes(recipe)._replace(source=features, weights=[])

    def prepare(self, contraction: Contraction, x: Tensor) -> list[Tensor]:
        weights, parts = contraction.bind(), contraction.paths.split(x)
        features = []
        for k, path in enumerate(weights):
            weighted = torch.einsum("nic,cku->nkiu", parts[path.term], weights.weight(k))
            steered = torch.einsum("nkiu,hio->nkhou", weighted, weights.tensor(k))
            features.append(steered.flatten(1, 2).flatten(2))
        return features

    def __call__(self, weights: Weights, local: Local) -> list[Tensor]:
        slots, (h,), features = local
        h = h.unflatten(1, (weights.channels, -1))
        y = Sums(len(weights.layout.outputs))
        for k, (path, feature) in enumerate(zip(weights, features, strict=True)):
            values = h[:, :, path.at].reshape(slots[0], 1, -1)
            sums = torch.bmm(values, feature.view(slots[0], values.shape[2], -1))
            y.add(path.out, sums.view(slots[0], weights.layout.sizes[k].m_o, -1))
        return y.parts


class Sums:
    """Several sums that grow term by term."""

    def __init__(self, number: int) -> None:
        self._totals: list[Tensor | None] = [None] * number

    def add(self, k: int, part: Tensor) -> None:
        """Add a part to sum k."""
        total = self._totals[k]
        self._totals[k] = part if total is None else total + part

    def add_product(self, k: int, a: Tensor, b: Tensor) -> None:
        """Add a b to sum k in place; `a` is overwritten."""
        total = self._totals[k]
        self._totals[k] = a.mul_(b) if total is None else total.addcmul_(a, b)

    @property
    def parts(self) -> list[Tensor]:
        """The sums that have a part."""
        return [part for part in self._totals if part is not None]

    def like(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """All sums, zeros of the shape of `tensors` where there is no part."""
        pairs = zip(tensors, self._totals, strict=True)
        return [torch.zeros_like(tensor) if part is None else part for tensor, part in pairs]


def separable_shapes(shapes: Shapes, recipe: Recipe) -> Shapes:
    """Those of an order that works on `separable_values`."""
    return shapes._replace(edge=[(recipe.channels,), (recipe.layout.filter_dim,)])


def whole_features(shapes: Shapes, recipe: Recipe) -> Shapes:
    """Those of an order that takes features as they lie."""
    width = sum(term.copies * term.dim for term in recipe.layout.inputs)
    return shapes._replace(source=[(width,)])


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
