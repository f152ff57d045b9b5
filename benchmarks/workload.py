"""The works of the benchmarks of convolutions: molecules like those of QM9, and clouds of points.

The molecules are random, with the sizes, the density and the shortest distance of QM9: 96 of them
have 1,828 atoms and 29,180 ordered pairs closer than 5 Angstrom, 16 neighbours an atom.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from e3nn import o3
from torch import Tensor

from steerable.ops import knn_graph, radius_graph

CUTOFF = 5.0  # Angstrom
BESSEL = 8  # radial functions


@dataclass(frozen=True)
class Work:
    """A graph with steerable features on its nodes.

    Args:
        pos: positions (node, 3) in Angstrom.
        edge_index: (2, edge), row 0 the source, row 1 the target, sorted by target.
        features: (node, field) in e3nn's layout.
        channels: copies of every irrep.
        max_degree: highest degree of features and harmonics.
    """

    pos: Tensor
    edge_index: Tensor
    features: Tensor
    channels: int
    max_degree: int

    @property
    def field(self) -> str:
        """The type of features and results, such as 32x0e+32x1o+32x2e."""
        return harmonic_irreps(self.max_degree, self.channels)

    @cached_property
    def geometry(self) -> tuple[Tensor, Tensor]:
        """What e3nn's layers see of the positions, computed once."""
        return geometry(self.pos, self.edge_index, self.max_degree)

    def double(self) -> "Work":
        """The same numbers in float64."""
        features = self.features.detach().double()
        return Work(self.pos.double(), self.edge_index, features, self.channels, self.max_degree)


def harmonic_irreps(max_degree: int, channels: int = 1) -> str:
    return "+".join(f"{channels}x{l}{'eo'[l % 2]}" for l in range(max_degree + 1))


def geometry(pos: Tensor, edge_index: Tensor, max_degree: int) -> tuple[Tensor, Tensor]:
    """Harmonics (edge, (max_degree + 1)^2) and Bessel functions (edge, 8).

    They are those of the relative positions.
    """
    offset = pos.index_select(0, edge_index[0]) - pos.index_select(0, edge_index[1])
    harmonics = o3.spherical_harmonics(harmonic_irreps(max_degree), offset, True, "component")
    distance = offset.norm(dim=1, keepdim=True)
    order = torch.arange(1, BESSEL + 1, dtype=pos.dtype) * math.pi / CUTOFF
    return harmonics, math.sqrt(2 / CUTOFF) * torch.sin(distance * order) / distance


def molecules(count: int = 96, copies: int = 1, channels: int = 32, max_degree: int = 2) -> Work:
    """`count` molecules, taken `copies` times."""
    pos, batch = _molecules(count)
    edges = radius_graph(pos.double(), CUTOFF, batch)
    shift = len(pos) * torch.arange(copies).view(-1, 1, 1)
    edges = (edges + shift).permute(1, 0, 2).flatten(1)
    return _work(pos.repeat(copies, 1), edges, channels, max_degree)


def cloud(nodes: int, neighbours: int, channels: int = 32, max_degree: int = 2) -> Work:
    """Points at random, each with its `neighbours` nearest, nearly all within the cutoff."""
    density = 4 * neighbours / (4 / 3 * math.pi * CUTOFF**3)
    side = (nodes / density) ** (1 / 3)
    pos = side * torch.rand(
        nodes, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float32
    )
    return _work(pos, knn_graph(pos, neighbours), channels, max_degree)


def _work(pos: Tensor, edge_index: Tensor, channels: int, max_degree: int) -> Work:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(
        len(pos), channels * (max_degree + 1) ** 2, generator=generator, dtype=torch.float32
    )
    return Work(pos, edge_index, features.requires_grad_(), channels, max_degree)


@cache
def _molecules(count: int) -> tuple[Tensor, Tensor]:
    """Positions and the molecule of every atom.

    10 to 26 atoms in a ball, none closer than 0.95 Angstrom.
    """
    generator = torch.Generator().manual_seed(0)
    clouds = []
    for _ in range(count):
        size = int(torch.randint(10, 27, (1,), generator=generator))
        radius = 1.28 * size ** (1 / 3)
        atoms: list[Tensor] = []
        while len(atoms) < size:
            atom = (torch.rand(3, generator=generator, dtype=torch.float32) * 2 - 1) * radius
            if atom.norm() > radius:
                continue
            if atoms and (torch.stack(atoms) - atom).norm(dim=1).min() < 0.95:
                radius *= 1.002  # a ball too full grows
                continue
            atoms.append(atom)
        clouds.append(torch.stack(atoms))
    sizes = torch.tensor([len(atoms) for atoms in clouds])
    return torch.cat(clouds), torch.arange(count).repeat_interleave(sizes)
