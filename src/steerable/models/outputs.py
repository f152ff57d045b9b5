"""The results of networks by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from torch import Tensor

Result = Tensor | Mapping[str, Tensor]
"""What a network returns: one tensor, or tensors by name."""


class Outputs(TypedDict, total=False):
    """What a network of atoms may return; any other names may stand beside these.

    The units are those of ASE. Forces are the negative gradient of the energy, stress its
    derivative by a strain, per volume. A network that returns such derivatives computes them under
    `torch.enable_grad()` and creates their graph only in training mode: validation, prediction and
    certificates run without gradients.

    Attributes:
        energy: (graph,) in eV.
        forces: (atom, 3) in eV/Angstrom.
        stress: (graph, 3, 3) in eV/Angstrom^3.
        dipole: (graph, 3) in e Angstrom.
        polarizability: (graph, 3, 3) in Angstrom^3.
        charges: (atom,) in e.
    """

    energy: Tensor
    forces: Tensor
    stress: Tensor
    dipole: Tensor
    polarizability: Tensor
    charges: Tensor


ATOMWISE = ("forces", "charges")
"""Outputs that have a row for each atom. All others have one for each graph."""


def named_outputs(result: Result, name: str = "prediction") -> dict[str, Tensor]:
    """The result of a network by name.

    Args:
        result: one tensor, or tensors by name.
        name: of a result that is one tensor.
    """
    return {name: result} if isinstance(result, Tensor) else dict(result)
