"""A network and molecules small enough to train in a second."""

import copy

import torch
from torch import nn
from torch_geometric.data import Data

from steerable.certify import POSITIONS, Role
from steerable.groups import O3
from steerable.models import Claim
from steerable.ops import radius_graph


class Pairs(nn.Module):
    """A sum over atoms and pairs: invariant, and called as the Regressor is."""

    def __init__(
        self, elements, hidden="4", layers=1, cutoff=5.0, reference=None, shift=0.0, scale=1.0, **_
    ):
        super().__init__()
        self.cutoff = cutoff
        self.register_buffer("statistics", torch.tensor([shift, scale], dtype=torch.float64))
        self.register_buffer("reference", torch.zeros(119, dtype=torch.float64))
        self.reference[list(elements)] = torch.tensor(
            reference or [0.0] * len(elements), dtype=torch.float64
        )
        self.register_buffer("basis", torch.linspace(0.5, cutoff, 6), persistent=False)
        self.embed = nn.Embedding(119, 6)
        self.out = nn.Sequential(nn.Linear(6, 8), nn.SiLU(), nn.Linear(8, 1))

    def forward(self, z, pos, batch=None, edge_index=None):
        batch = torch.zeros_like(z) if batch is None else batch
        edge_index = radius_graph(pos, self.cutoff, batch) if edge_index is None else edge_index
        source, target = edge_index
        distance = (pos[source] - pos[target]).norm(dim=1, keepdim=True)
        message = (
            torch.exp(-((distance - self.basis) ** 2))
            * self.embed(z)[source]
            * (1 - distance / self.cutoff) ** 2
        )
        x = self.embed(z).index_add(0, target, message)
        shift, scale = self.statistics
        atoms = self.out(x)[:, 0].to(scale) * scale + self.reference[z]
        return (
            torch.zeros(int(batch.max()) + 1, dtype=atoms.dtype).index_add(0, batch, atoms) + shift
        )

    def certifiable(self, z, pos, batch):
        learned = copy.deepcopy(self)
        learned.reference.zero_()
        learned.statistics[0] = 0.0
        inputs = [(z, Role()), (pos, POSITIONS), (batch, Role())]
        return Claim(learned, inputs, Role(rows="graph"), O3())


def random_molecules():
    """Sixty random molecules whose property 12 depends on their atoms and distances."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(60):
        size = int(torch.randint(2, 9, (1,), generator=generator))
        z = torch.tensor([1, 6, 8])[torch.randint(3, (size,), generator=generator)]
        pos = 1.5 * torch.randn(size, 3, generator=generator)
        y = torch.zeros(1, 19)
        y[0, 12] = -2.0 * z.sum() + torch.exp(-torch.cdist(pos, pos)).sum()
        found.append(Data(z=z, pos=pos, y=y))
    return found
