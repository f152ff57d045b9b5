"""The sum over neighbours in plain operations that compilers, exporters and transforms follow.

All edges at once: for small graphs, and for programs that run without this library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ...layers import DepthwiseWeights, Weights
from .engines import Sums


def plain_sum(
    weights: Weights,
    values: Sequence[Tensor],
    features: Sequence[Tensor],
    index: Tensor,
    size: int,
) -> Tensor:
    """Y (target, width) from the values of a filter and the features of the sources.

    Args:
        weights: the contraction.
        values: radial functions (edge, channel) and harmonics (edge, component) of a separable
            filter, or the values (edge, channel * component) of any other.
        features: (source, m_i, copy) for every term of the input.
        index: (2, edge), row 0 the source, row 1 the target.
        size: number of targets.
    """
    ends = _gathered(features, index[0])
    if isinstance(weights, DepthwiseWeights):
        return _depthwise(weights, values, ends, index[1], size)
    return _weighed(weights, values, ends, index[1], size)


def _depthwise(
    weights: DepthwiseWeights,
    values: Sequence[Tensor],
    ends: Sequence[Tensor],
    target: Tensor,
    size: int,
) -> Tensor:
    """Radial weights at the edge, where a message has no channel of the filter; then sums; L."""
    separable = len(values) == 2
    radial = values[0] @ weights.radial if separable else None
    messages: list[list[Tensor]] = [[] for _ in weights.layout.outputs]
    for k, path in enumerate(weights):
        columns, tensor, feature = weights.columns(k), weights.tensor(k), ends[path.term]
        if radial is not None:
            matrices = _steered(tensor, values[1][:, path.at])
            message = _applied(matrices, feature) * radial[:, columns].unsqueeze(1)
        else:
            h = values[0].unflatten(1, (weights.channels, -1))[:, :, path.at]
            # One filter value for every copy: (edge, m_h, copy).
            per_copy = torch.einsum("ekh,kc->ehc", h, weights.radial[:, columns])
            # Two factors at a time: for three torch.einsum asks for the numbers of edges.
            products = per_copy.unsqueeze(2) * feature.unsqueeze(1)
            message = torch.einsum("hio,ehic->eoc", tensor, products)
        messages[path.out].append(message)
    # The sums of all paths to one irrep lie side by side, as the rows of L do.
    sums = _scattered([torch.cat(parts, 2) for parts in messages], target, size)
    mixed = [total @ mix for total, mix in zip(sums, weights.mix, strict=True)]
    return weights.layout.join(mixed)


def _weighed(
    weights: Weights,
    values: Sequence[Tensor],
    ends: Sequence[Tensor],
    target: Tensor,
    size: int,
) -> Tensor:
    """The moments of every path, (edge, m_o, copy, channel); their sums; weights at the node."""
    moments = []
    for k, path in enumerate(weights):
        tensor, feature = weights.tensor(k), ends[path.term]
        if len(values) == 2:
            message = _applied(_steered(tensor, values[1][:, path.at]), feature)
            moments.append(message.unsqueeze(3) * values[0][:, None, None])
        else:
            h = values[0].unflatten(1, (weights.channels, -1))[:, :, path.at]
            matrices = torch.einsum("ekh,hio->ekio", h, tensor)
            moments.append(torch.einsum("ekio,eic->eock", matrices, feature))
    y = Sums(len(weights.layout.outputs))
    for k, total in enumerate(_scattered(moments, target, size)):
        y.add(weights.layout.paths[k].out, weights.weigh(k, total))
    return weights.layout.join(y.parts)


def _gathered(features: Sequence[Tensor], source: Tensor) -> list[Tensor]:
    """The features at the sources of all edges, by one gather."""
    rows = torch.cat([f.flatten(1) for f in features], 1).index_select(0, source)
    parts = rows.split([f.shape[1] * f.shape[2] for f in features], 1)
    return [part.unflatten(1, f.shape[1:]) for part, f in zip(parts, features, strict=True)]


def _scattered(parts: Sequence[Tensor], target: Tensor, size: int) -> list[Tensor]:
    """The sums of rows (edge, ...) over the edges of every target, by one scatter."""
    rows = torch.cat([part.flatten(1) for part in parts], 1)
    sums = rows.new_zeros(size, rows.shape[1]).index_add(0, target, rows)
    pieces = sums.split([math.prod(part.shape[1:]) for part in parts], 1)
    return [piece.unflatten(1, part.shape[1:]) for piece, part in zip(pieces, parts, strict=True)]


def _steered(tensor: Tensor, harmonics: Tensor) -> Tensor:
    """The matrices (edge, m_i, m_o) of a constant tensor (m_h, m_i, m_o) at all edges."""
    return (harmonics[:, :, None, None] * tensor).sum(1)


def _applied(matrices: Tensor, feature: Tensor) -> Tensor:
    """Matrices (edge, m_i, m_o) times features (edge, m_i, copy): (edge, m_o, copy)."""
    return (matrices.unsqueeze(3) * feature.unsqueeze(2)).sum(1)
