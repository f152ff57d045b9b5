"""PaiNN, written from the equations of its paper.

Source: Schütt, Unke and Gastegger, arXiv:2102.03150 (2021), section 4 and figure 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class PaiNN(nn.Module):
    """One number per molecule, the sum over its atoms.

    Args:
        cutoff: radius of the neighbourhoods in Angstrom.
        features: scalars and vectors of an atom.
        layers: message and update blocks.
        radial: radial functions.
    """

    def __init__(
        self, cutoff: float, features: int = 128, layers: int = 3, radial: int = 20
    ) -> None:
        super().__init__()
        self.cutoff, self.radial = cutoff, radial
        self.embed = nn.Embedding(100, features)
        self.messages = nn.ModuleList(Message(features, radial) for _ in range(layers))
        self.updates = nn.ModuleList(Update(features) for _ in range(layers))
        self.head = nn.Sequential(
            nn.Linear(features, features // 2), nn.SiLU(), nn.Linear(features // 2, 1)
        )

    def forward(
        self, z: Tensor, pos: Tensor, batch: Tensor, edge_index: Tensor, size: int
    ) -> Tensor:
        """Atomic numbers (atom,), positions (atom, 3) and edges (2, edge) to (molecule,)."""
        offset = pos.index_select(0, edge_index[0]) - pos.index_select(0, edge_index[1])
        distance = offset.norm(dim=1, keepdim=True)
        order = torch.arange(1, self.radial + 1, dtype=pos.dtype) * (math.pi / self.cutoff)
        basis = torch.sin(distance * order) / distance
        decay = 0.5 * (torch.cos(distance * (math.pi / self.cutoff)) + 1)
        direction = (offset / distance).unsqueeze(2)
        s = self.embed(z)
        v = s.new_zeros(len(s), 3, s.shape[1])
        for message, update in zip(self.messages, self.updates, strict=True):
            s, v = message(s, v, edge_index, basis, decay, direction)
            s, v = update(s, v)
        return s.new_zeros(size).index_add(0, batch, self.head(s).squeeze(1))


class Message(nn.Module):
    """Equations 7 and 8, with phi of s_j and filters W of the distance.

    s_i += sum_j phi_s W_s, v_i += sum_j v_j phi_vv W_vv + direction phi_vs W_vs.
    """

    def __init__(self, features: int, radial: int) -> None:
        super().__init__()
        self.phi = nn.Sequential(
            nn.Linear(features, features), nn.SiLU(), nn.Linear(features, 3 * features)
        )
        self.filter = nn.Linear(radial, 3 * features)

    def forward(
        self,
        s: Tensor,
        v: Tensor,
        edge_index: Tensor,
        basis: Tensor,
        decay: Tensor,
        direction: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Scalars (atom, feature) and vectors (atom, 3, feature) after the messages."""
        source, target = edge_index
        weights = self.phi(s).index_select(0, source) * (self.filter(basis) * decay)
        scalars, carried, new = weights.chunk(3, 1)
        vectors = v.index_select(0, source) * carried.unsqueeze(1) + direction * new.unsqueeze(1)
        return s.index_add(0, target, scalars), v.index_add(0, target, vectors)


class Update(nn.Module):
    """Equations 9 and 10: s += a_ss + a_sv <U v, V v>, v += a_vv U v, with a = a(s, |V v|)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.maps = nn.Linear(features, 2 * features, bias=False)
        self.a = nn.Sequential(
            nn.Linear(2 * features, features), nn.SiLU(), nn.Linear(features, 3 * features)
        )

    def forward(self, s: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Scalars (atom, feature) and vectors (atom, 3, feature) after the update."""
        left, right = self.maps(v).chunk(2, 2)
        length = (right.square().sum(1) + 1e-12).sqrt()  # the root of 0 has no derivative
        own, product, vector = self.a(torch.cat([s, length], 1)).chunk(3, 1)
        return s + own + product * (left * right).sum(1), v + vector.unsqueeze(1) * left
