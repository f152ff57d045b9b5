"""Forces, stresses and Hessians of any energy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .outputs import Result, named_outputs

Energy = Callable[[Tensor, Tensor | None], Result]
"""From positions (atom, 3) and cells (structure, 3, 3) or None to energies (structure,)."""


def energy_derivatives(
    energy: Energy,
    pos: Tensor,
    batch: Tensor | None = None,
    cell: Tensor | None = None,
    create_graph: bool = False,
) -> dict[str, Tensor]:
    """An energy with its forces, and with the stress where there is a cell.

    F_i = -dE/dr_i and sigma = (1 / V) dE/d epsilon, where the strain epsilon takes positions and
    vectors of the cell, which are rows, to r (1 + epsilon). This is the sign of ASE: a stress is
    positive under tension.

    Args:
        energy: called as `energy(pos, cell)`; a result by name has `energy`, and its other parts
            are returned as well.
        pos: positions (atom, 3) in Angstrom.
        batch: structure of every atom (atom,); one structure if absent.
        cell: rows are its vectors in Angstrom (structure, 3, 3); zeros where there is none.
        create_graph: whether the derivatives can be differentiated again, as training needs.

    Returns:
        `energy` (structure,), `forces` (atom, 3), and with a cell `stress` (structure, 3, 3), which
        is symmetric, and NaN for structures without a volume. In eV, eV/Angstrom and
        eV/Angstrom^3 if the energy is in eV.

    Source: Knuth et al. 2015, Comput. Phys. Commun. 190, 33, for the strain.
    """
    with torch.enable_grad():
        place = pos.detach().requires_grad_() if pos.grad_fn is None else pos
        moved, box, strain = place, cell, None
        if cell is not None:
            strain = torch.zeros_like(cell, requires_grad=True)
            # Rotations change no energy, so the derivative by a symmetric strain is all there is.
            symmetric = (strain + strain.transpose(1, 2)) / 2
            owner = _owner(place, batch)
            moved = place + _turned(place, symmetric.index_select(0, owner))
            box = cell + cell @ symmetric
        outputs = named_outputs(energy(moved, box), "energy")
        total = outputs["energy"].sum()
        inputs = [place] if strain is None else [place, strain]
        gradients = torch.autograd.grad(
            total, inputs, create_graph=create_graph, materialize_grads=True
        )
        result = outputs | {"forces": -gradients[0]}
        if cell is not None:
            volume = torch.linalg.det(cell).abs()[:, None, None]
            # A division by zero or NaN would make gradients of all stresses NaN.
            stress = gradients[1] / torch.where(volume > 0, volume, 1.0)
            result["stress"] = torch.where(volume > 0, stress, torch.nan)
    return result if create_graph else {name: value.detach() for name, value in result.items()}


class Derivatives(nn.Module):
    """A network that returns energies, with their forces and stresses.

    In training mode these can be differentiated again.

    Args:
        network: called as `network(z, pos, batch, cell=..., pbc=..., ...)`; returns energies
            (structure,), or `energy` and others by name.

    Example::

        potential = Derivatives(network)
        potential(z, pos)["forces"]
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        z: Tensor,
        pos: Tensor,
        batch: Tensor | None = None,
        cell: Tensor | None = None,
        **others: Any,
    ) -> dict[str, Tensor]:
        """Energies and what `energy_derivatives` makes of them.

        The arguments are those of the network.
        """

        def energy(pos: Tensor, cell: Tensor | None) -> Result:
            cells = {} if cell is None else {"cell": cell}
            result: Result = self.network(z, pos, batch, **cells, **others)
            return result

        return energy_derivatives(energy, pos, batch, cell, self.training)


def hessian_product(energy: Callable[[Tensor], Tensor], pos: Tensor, vector: Tensor) -> Tensor:
    """H v, the derivative of the gradient along a vector, without the Hessian.

    Args:
        energy: from positions (atom, 3) to energies.
        pos: positions (atom, 3).
        vector: displacements (atom, 3).

    Returns:
        (atom, 3); in eV/Angstrom if the energy is in eV and the vector in Angstrom.
    """
    return next(_rows(energy, pos, [vector]))


def hessian(energy: Callable[[Tensor], Tensor], pos: Tensor, atoms: Tensor | None = None) -> Tensor:
    """The matrix of second derivatives d^2 E / dr_i dr_j, or the rows of some atoms.

    The memory is that of one gradient, besides the result.

    Args:
        energy: from positions (atom, 3) to energies.
        pos: positions (atom, 3).
        atoms: whose rows are computed (row,); all if absent.

    Returns:
        (row, 3, atom, 3); in eV/Angstrom^2 if the energy is in eV.
    """
    chosen = range(len(pos)) if atoms is None else atoms.tolist()
    units = []
    for atom in chosen:
        for axis in range(3):
            unit = torch.zeros_like(pos)
            unit[atom, axis] = 1.0
            units.append(unit)
    rows = list(_rows(energy, pos, units))
    if not rows:
        return pos.new_zeros(0, 3, len(pos), 3)
    return torch.stack(rows).view(-1, 3, len(pos), 3)


def _rows(
    energy: Callable[[Tensor], Tensor], pos: Tensor, vectors: list[Tensor]
) -> Iterator[Tensor]:
    """H v for each vector; the gradient is computed once."""
    with torch.enable_grad():
        place = pos.detach().requires_grad_()
        total = energy(place).sum()
        (gradient,) = torch.autograd.grad(total, place, create_graph=True)
    for vector in vectors:
        if not gradient.requires_grad:  # an energy that is linear in the positions
            yield torch.zeros_like(pos)
            continue
        (row,) = torch.autograd.grad(
            gradient, place, vector, retain_graph=True, materialize_grads=True
        )
        yield row


def _owner(pos: Tensor, batch: Tensor | None) -> Tensor:
    if batch is not None:
        return batch
    return torch.zeros(len(pos), dtype=torch.long, device=pos.device)


def _turned(vectors: Tensor, matrices: Tensor) -> Tensor:
    """Rows (row, 3) times matrices (row, 3, 3)."""
    return (vectors.unsqueeze(1) @ matrices).squeeze(1)
