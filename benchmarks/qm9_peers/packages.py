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
        compiled: whether `mace.tools.compile` prepares it for `torch.compile`.
        **arguments: of `mace.modules.MACE`; `hidden_irreps` is a text.
    """

    def __init__(self, facts: Facts, compiled: bool, **arguments: Any) -> None:
        super().__init__()
        raise NotImplementedError


def _kinds(facts: Facts) -> Tensor:
    """The kind of each atomic number, -1 for elements that are not there."""
    kinds = torch.full((119,), -1)
    kinds[facts.elements] = torch.arange(len(facts.elements))
    return kinds
