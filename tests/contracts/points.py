"""Convolutions on points, and graphs for them, that pipelines are tried on."""

from functools import partial

import torch

from steerable.convs import NeighbourConv
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.layers import Depthwise, Full
from steerable.ops import radius_graph

FIELD = "2x0e+2x1o"
CONTRACTIONS = {
    "full": "full",
    "depthwise": "depthwise",
    "rank": partial(Depthwise, rank=1),
    "groups": partial(Full, groups=2),
}
KINDS = {  # a layer that sums in loops or recomputes by default, and one that keeps blocks
    "depthwise": {"contraction": "depthwise"},
    "full": {"contraction": "full"},
}


def conv_of(kind="depthwise", make=NeighbourConv, out=FIELD, **options):
    """A small layer in float64; kind is a contraction, or "implicit"."""
    torch.manual_seed(0)
    if kind == "implicit":
        filter = ImplicitFilter("0e+1o", 2.0, "1x0e+1x1o", channels=2, hidden=2, layers=2)
        options = {"contraction": "full", **options}
    else:
        filter = HarmonicFilter(1, 2.0, channels=3, hidden=(4,))
        options = {"contraction": CONTRACTIONS[kind], **options}
    return make(FIELD, out, filter, **{"neighbours": 4.0, **options}).double()


def graph(nodes=8, dtype=torch.float64, dim=3, width=8):
    """Features, positions and edges."""
    generator = torch.Generator().manual_seed(nodes)
    pos = torch.randn(nodes, dim, generator=generator, dtype=torch.float64)
    x = torch.randn(nodes, width, generator=generator, dtype=torch.float64)
    return x.to(dtype), pos.to(dtype), radius_graph(pos, 2.0)


def edge_attr(edges, width=4):
    """Attributes of edges, invariants and vectors."""
    generator = torch.Generator().manual_seed(width)
    return torch.randn(edges.shape[1], width, generator=generator, dtype=torch.float64)
