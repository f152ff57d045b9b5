"""NequIP and MACE, as their packages on PyPI build them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .molecules import Facts


class NequIP(nn.Module):
    """`nequip.model.NequIPGNNModel` without forces.

    Args:
        facts: of the training molecules.
        compiled: whether the package compiles it.
        **arguments: of `NequIPGNNModel`.
    """

    kind: Tensor

    def __init__(self, facts: Facts, compiled: bool, **arguments: Any) -> None:
        from nequip.model import NequIPGNNModel
        from nequip.utils.global_state import set_global_state

        super().__init__()
        set_global_state()
        self.register_buffer("kind", _kinds(facts))
        self.model = NequIPGNNModel(
            seed=torch.initial_seed(),
            model_dtype="float32",
            type_names=[f"Z{number}" for number in facts.elements],
            r_max=facts.cutoff,
            avg_num_neighbors=facts.neighbours,
            per_type_energy_scales=1.0,  # the scale and the references are added outside
            per_type_energy_shifts=0.0,
            do_derivatives=False,
            compile_mode="compile" if compiled else "eager",
            **arguments,
        )

    def forward(
        self, z: Tensor, pos: Tensor, batch: Tensor, edge_index: Tensor, size: int
    ) -> Tensor:
        """One number per molecule (molecule,)."""
        data = {
            "pos": pos,
            "edge_index": edge_index.flip(0),  # the centre comes first
            "atom_types": self.kind[z],
            "batch": batch,
            "num_atoms": torch.bincount(batch, minlength=size),
        }
        energy: Tensor = self.model(data)["total_energy"]
        return energy.squeeze(1)


class MACE(nn.Module):
    """`mace.modules.MACE` without forces.

    Args:
        facts: of the training molecules.
        compiled: whether the package prepares it for `torch.compile`.
        hidden: irreps of the features of an atom.
        **arguments: of `mace.modules.MACE`.
    """

    kind: Tensor

    def __init__(self, facts: Facts, compiled: bool, hidden: str, **arguments: Any) -> None:
        # e3nn 0.4.4, which MACE asks for, has slices in the file of its constants.
        torch.serialization.add_safe_globals([slice])
        from e3nn import o3
        from mace import modules
        from mace.tools.compile import prepare

        super().__init__()
        # The package asks for gradients to positions, which energies alone do not need.
        modules.utils.get_edge_vectors_and_lengths = _edge_vectors
        count = len(facts.elements)
        self.register_buffer("kind", _kinds(facts))
        self.register_buffer("attributes", torch.eye(count))
        self.model = (prepare(modules.MACE) if compiled else modules.MACE)(
            r_max=facts.cutoff,
            interaction_cls=modules.RealAgnosticResidualInteractionBlock,
            interaction_cls_first=modules.RealAgnosticInteractionBlock,
            num_elements=count,
            hidden_irreps=o3.Irreps(hidden),
            MLP_irreps=o3.Irreps("16x0e"),
            atomic_energies=torch.zeros(count),  # the references are added outside
            avg_num_neighbors=facts.neighbours,
            atomic_numbers=facts.elements,
            gate=nn.functional.silu,
            **arguments,
        )
        if compiled:
            self.model.compile(dynamic=True)

    def forward(
        self, z: Tensor, pos: Tensor, batch: Tensor, edge_index: Tensor, size: int
    ) -> Tensor:
        """One number per molecule (molecule,)."""
        atoms = torch.bincount(batch, minlength=size)
        data = {
            "positions": pos,
            "edge_index": edge_index,
            "shifts": pos.new_zeros(edge_index.shape[1], 3),
            "cell": pos.new_zeros(size, 3, 3),
            "node_attrs": self.attributes[self.kind[z]],
            "batch": batch,
            "ptr": nn.functional.pad(atoms.cumsum(0), (1, 0)),
        }
        energy: Tensor = self.model(data, training=True, compute_force=False)["energy"]
        return energy


def _edge_vectors(positions: Tensor, edge_index: Tensor, shifts: Tensor) -> tuple[Tensor, Tensor]:
    """MACE's relative positions (edge, 3) and lengths (edge, 1), without a gradient."""
    positions = positions.detach()
    vectors = positions[edge_index[1]] - positions[edge_index[0]] + shifts
    return vectors, torch.linalg.vector_norm(vectors, dim=1, keepdim=True)


def _kinds(facts: Facts) -> Tensor:
    """The kind of each atomic number, -1 for elements that are not there."""
    kinds = torch.full((119,), -1)
    kinds[facts.elements] = torch.arange(len(facts.elements))
    return kinds
