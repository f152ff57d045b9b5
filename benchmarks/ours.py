"""Our convolutions on one work, in the form of the peers."""

import torch
from peers import HIDDEN
from torch import Tensor, nn
from workload import CUTOFF, Work

from steerable.convs import PointConv
from steerable.filters import HarmonicFilter, ImplicitFilter


class Ours(nn.Module):
    """A PointConv with the face of a peer: it sees the positions themselves.

    Args:
        work: the graph.
        conv: the convolution.
        edge_attr: attributes of the edges.
    """

    def __init__(self, work: Work, conv: PointConv, edge_attr: Tensor | None = None) -> None:
        super().__init__()
        self.work, self.conv, self.edge_attr = work, conv, edge_attr

    def features(self) -> Tensor:
        return self.work.features

    def see(self, pos: Tensor) -> Tensor:
        return pos

    def forward(self, features: Tensor, pos: Tensor) -> Tensor:
        return self.conv(features, pos, self.work.edge_index, self.edge_attr)


def ours(work: Work, contraction: str) -> Ours:
    """Harmonics times the radial perceptron 8 -> 32 -> weights.

    Its last layer is the contraction.
    """
    radial = HarmonicFilter(work.max_degree, CUTOFF, channels=HIDDEN, hidden=())
    return Ours(
        work, PointConv(work.field, work.field, radial, contraction, neighbours=_neighbours(work))
    )


def ours_depthwise(work: Work) -> Ours:
    return ours(work, "depthwise")


def ours_full(work: Work) -> Ours:
    return ours(work, "full")


def ours_implicit(work: Work) -> Ours:
    """The layer of the official code for QM9.

    An equivariant perceptron of 3 layers, 8 hidden fields, 4 attributes.
    """
    implicit = ImplicitFilter("0e+1o+2e", CUTOFF, "4x0e", channels=8, hidden=8, layers=3)
    generator = torch.Generator().manual_seed(2)
    attributes = torch.randn(
        work.edge_index.shape[1], 4, generator=generator, dtype=torch.float32
    ).to(work.pos.dtype)
    return Ours(
        work, PointConv(work.field, work.field, implicit, neighbours=_neighbours(work)), attributes
    )


def _neighbours(work: Work) -> float:
    return work.edge_index.shape[1] / len(work.pos)
