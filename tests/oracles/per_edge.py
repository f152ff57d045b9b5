"""The per-edge steerable kernel, written out: the oracle of every convolution on points, and nothing else."""

import torch
from torch import Tensor

from steerable.convs import PointConv
from steerable.groups import coupling
from steerable.layers import Contraction


def contraction_tensor(contraction: Contraction) -> Tensor:
    """The whole map W (filter channel, filter component, out, in) of a contraction: sum over paths of w C."""
    field_out, field_in, field_filter = contraction.field_out, contraction.field_in, contraction.field_filter
    weights = list(contraction.weights)
    channels = contraction.filter_channels
    whole = weights[0].new_zeros(channels, field_filter.dim, field_out.dim, field_in.dim)
    for (term_out, at_out), weight in zip(_places(field_out), weights, strict=True):
        start = 0
        for term_in, at_in in _places(field_in):
            paths = [
                (slice(at.start + copy * t.irrep.dim, at.start + (copy + 1) * t.irrep.dim), tensor)
                for t, at in _places(field_filter)
                for copy in range(t.multiplicity)
                for tensor in coupling(t.irrep, term_in.irrep, term_out.irrep)
            ]
            size = channels * len(paths) * term_in.multiplicity
            block = weight[start : start + size].view(channels, len(paths), term_in.multiplicity, term_out.multiplicity)
            start += size
            for p, (at_filter, tensor) in enumerate(paths):
                constant = torch.tensor(tensor * term_out.irrep.dim**0.5).to(weight)  # (out, filter, in)
                part = torch.einsum("hio,amb->hmoaib", block[:, p], constant)
                whole[:, at_filter, at_out, at_in] += part.reshape(
                    channels, constant.shape[1], term_out.dim, term_in.dim
                )
    return whole


def per_edge_conv(
    conv: PointConv,
    x: Tensor,
    pos: Tensor,
    edge_index: Tensor,
    edge_attr: Tensor | None = None,
    node_attr: Tensor | None = None,
) -> Tensor:
    """The sum over neighbours with a kernel matrix per edge: y_i = n^-1/2 sum_j K(x_ij, a_ij) f_j."""
    source, target = edge_index
    parts = [] if edge_attr is None else [edge_attr]
    parts += [] if node_attr is None else [node_attr[source], node_attr[target]]
    h = conv.filter(pos[source] - pos[target], torch.cat(parts, -1) if parts else None)
    tensor = contraction_tensor(conv.contraction)
    kernel = (h.flatten(1) @ tensor.flatten(2).flatten(0, 1)).view(-1, *tensor.shape[2:])
    message = torch.bmm(kernel, x.index_select(0, source).unsqueeze(-1)).squeeze(-1)
    return message.new_zeros(len(x), conv.field_out.dim).index_add(0, target, message) * conv.scale


def _places(field):
    return list(zip(field, field.slices(), strict=True))
