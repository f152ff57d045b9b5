"""Atoms as a network sees them: kinds of elements, and pairs in units of covalent radii."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..functions import safe_norm
from ..ops import Edges

BONDS = 8
"""The numbers of a bond."""

STATE = 16
"""The numbers of a charge and spin."""


class Bond(ConstantModule):
    """Gaussians of t = r / (R_i + R_j), the distance in units of the covalent radii.

    Single bonds are at about t = 1, triple bonds at 0.8. The Gaussians end at 1.4, where nothing is
    bonded.

    Args:
        elements: atomic numbers, in the order of their kinds.
    """

    radii: Tensor
    centres: Tensor

    def __init__(self, elements: tuple[int, ...]) -> None:
        from ase.data import covalent_radii  # takes a moment to import

        super().__init__()
        self.register_constant("radii", torch.from_numpy(covalent_radii)[torch.tensor(elements)])
        self.register_constant("centres", torch.linspace(0.7, 1.4, BONDS, dtype=torch.float64))

    def forward(self, kind: Tensor, edges: Edges) -> Tensor:
        """Kinds (atom,) and edges to (edge, 8)."""
        source, target = edges.index
        distance = edges.shared("distance", safe_norm)
        radii = self.radii.index_select(0, kind)
        t = distance / (radii.index_select(0, source) + radii.index_select(0, target))
        return torch.exp(-(((t.unsqueeze(1) - self.centres) / 0.1) ** 2))


class OneHot(ConstantModule):
    """Kinds (atom,) to rows (atom, kind) that are 1 at the kind and 0 elsewhere.

    Args:
        count: number of kinds.
    """

    weight: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_constant("weight", torch.eye(count, dtype=torch.float64))

    def forward(self, kind: Tensor) -> Tensor:
        return self.weight.index_select(0, kind)


class State(nn.Module):
    """Total charge and spin of structures as attributes of their atoms.

    They are what a perceptron makes of the charge in e and of the number of unpaired electrons,
    which is the spin multiplicity 2S + 1 less one.

    Args:
        channels: of the features that `first` makes of the attributes.
        charge: whether the charge is an input.
        spin: whether the spin multiplicity is an input.
    """

    def __init__(self, channels: int, charge: bool, spin: bool) -> None:
        super().__init__()
        wanted = {"charge": charge, "spin": spin}
        self.names = tuple(name for name, is_input in wanted.items() if is_input)
        self.perceptron = nn.Sequential(
            nn.Linear(len(self.names), 2 * STATE), nn.SiLU(), nn.Linear(2 * STATE, STATE)
        )
        self.first = nn.Linear(STATE, channels, bias=False)

    def forward(
        self, charge: Tensor | None, spin: Tensor | None, batch: Tensor, size: int
    ) -> Tensor:
        """Attributes (atom, 16).

        Args:
            charge: total charges (structure,) in e.
            spin: spin multiplicities (structure,).
            batch: structure of every atom (atom,).
            size: number of structures.

        Raises:
            ValueError: an input that is missing.
        """
        values = {"charge": charge, "spin": None if spin is None else spin - 1}
        columns = []
        for name in self.names:
            value = values[name]
            if value is None:
                raise ValueError(
                    f"The network takes the {name} of every structure, ({size},); got none."
                )
            columns.append(value.to(self.first.weight.dtype))
        attributes: Tensor = self.perceptron(torch.stack(columns, 1)).index_select(0, batch)
        return attributes
