"""SchNet, DimeNet++ and ViSNet of PyTorch Geometric, on neighbours that are given.

Its own `radius_graph` and `SparseTensor` need packages that have no releases for recent PyTorch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import DimeNetPlusPlus, SchNet
from torch_geometric.nn.models import ViSNet, dimenet

Triplets = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


class GivenSchNet(nn.Module):
    """`SchNet` with its default sizes.

    Args:
        cutoff: radius of the neighbourhoods in Angstrom.
        **arguments: of `SchNet`.
    """

    def __init__(self, cutoff: float, **arguments: Any) -> None:
        super().__init__()
        self.edges = GivenEdges()
        self.model = SchNet(cutoff=cutoff, interaction_graph=self.edges, **arguments)

    def forward(
        self, z: Tensor, pos: Tensor, batch: Tensor, edge_index: Tensor, size: int
    ) -> Tensor:
        """One number per molecule (molecule,)."""
        self.edges.index = edge_index
        energy: Tensor = self.model(z, pos, batch)
        return energy.squeeze(1)


class GivenEdges:
    """Returns the edges that it was given, in place of a search."""

    index: Tensor

    def __call__(self, pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Edges (2, edge) and their lengths (edge,)."""
        source, target = self.index
        return self.index, (pos[source] - pos[target]).norm(dim=1)


class GivenDimeNet(nn.Module):
    """`DimeNetPlusPlus` with the sizes of its paper.

    Args:
        cutoff: radius of the neighbourhoods in Angstrom.
        **arguments: of `DimeNetPlusPlus`.
    """

    def __init__(self, cutoff: float, **arguments: Any) -> None:
        super().__init__()
        sizes = {
            "hidden_channels": 128,
            "out_channels": 1,
            "num_blocks": 4,
            "int_emb_size": 64,
            "basis_emb_size": 8,
            "out_emb_channels": 256,
            "num_spherical": 7,
            "num_radial": 6,
        }
        self.model = DimeNetPlusPlus(cutoff=cutoff, **(sizes | arguments))
        self.edge_index = torch.empty(2, 0, dtype=torch.long)
        # Its forward takes both functions from its module.
        dimenet.radius_graph = lambda *_, **__: self.edge_index
        dimenet.triplets = triplets

    def forward(
        self, z: Tensor, pos: Tensor, batch: Tensor, edge_index: Tensor, size: int
    ) -> Tensor:
        """One number per molecule (molecule,)."""
        self.edge_index = edge_index
        energy: Tensor = self.model(z, pos, batch)
        return energy.squeeze(1)


class GivenViSNet(nn.Module):
    """`ViSNet`, whose graph has every atom as a neighbour of itself.

    Args:
        cutoff: radius of the neighbourhoods in Angstrom.
        **arguments: of `ViSNet`.
    """

    def __init__(self, cutoff: float, **arguments: Any) -> None:
        super().__init__()
        self.model = ViSNet(cutoff=cutoff, **arguments)
        self.model.prior_model = None  # the references are added outside
        self.distance = GivenDistance()
        self.model.representation_model.distance = self.distance

    def forward(
        self, z: Tensor, pos: Tensor, batch: Tensor, edge_index: Tensor, size: int
    ) -> Tensor:
        """One number per molecule (molecule,)."""
        self.distance.index = edge_index
        energy: Tensor = self.model(z, pos, batch)[0]
        return energy.squeeze(1)


class GivenDistance(nn.Module):
    """Relative positions along the edges that it was given, and from every atom to itself."""

    index: Tensor

    def forward(self, pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Edges (2, edge), their lengths (edge,) and relative positions (edge, 3)."""
        itself = torch.arange(len(pos)).expand(2, -1)
        source, target = index = torch.cat([self.index, itself], 1)
        offset = pos[source] - pos[target]
        return index, offset.norm(dim=1), offset


def triplets(edge_index: Tensor, num_nodes: int) -> Triplets:
    """All pairs of edges k -> j -> i with k != i, in what DimeNet calls them.

    Args:
        edge_index: (2, edge), row 0 the source, row 1 the target, sorted by target.
        num_nodes: number of atoms.

    Returns:
        i and j (edge,), then i, j, k and the numbers of the edges k -> j and j -> i (triplet,).
    """
    source, target = edge_index
    count = torch.bincount(target, minlength=num_nodes)
    first = count.cumsum(0) - count  # the first edge that enters an atom
    # Every edge j -> i meets the edges that enter j, which stand together.
    meetings = count[source]
    outgoing = torch.arange(len(source)).repeat_interleave(meetings)
    rank = torch.arange(len(outgoing)) - (meetings.cumsum(0) - meetings)[outgoing]
    incoming = first[source[outgoing]] + rank
    apart = source[incoming] != target[outgoing]
    incoming, outgoing = incoming[apart], outgoing[apart]
    i, j, k = target[outgoing], source[outgoing], source[incoming]
    return target, source, i, j, k, incoming, outgoing
