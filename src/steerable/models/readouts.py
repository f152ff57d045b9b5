"""From features of atoms to numbers, vectors and matrices at the atoms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field
from ..layers import Gate, Linear
from .backbone import invariant_part
from .tensor_of import TensorOf, tensor_field


def invariant_readout(
    field: Field, invariants: Field, count: int = 1, bias: bool = True
) -> nn.Sequential:
    """From features to numbers; where they are all invariant, the last block mixed them.

    Args:
        field: type of the features.
        invariants: type of the hidden layers.
        count: how many numbers.
        bias: whether a constant is added to them.
    """
    width = invariants.dim
    first = [Linear(field, invariants), nn.SiLU()] if field != invariants else []
    last = nn.Linear(width, count, bias=bias)
    return nn.Sequential(*first, nn.Linear(width, width), nn.SiLU(), last)


class TensorReadout(nn.Sequential):
    """A Cartesian tensor of one degree: linear maps before and after a Gate.

    Args:
        field: type of the features; the Gate passes as many copies of the irreps of the tensor as
            the features have.
        degree: 0, 1 or 2.
        axial: whether reflections change the sign once more; for degree 1.
    """

    def __init__(self, field: Field, degree: int, axial: bool = False) -> None:
        irreps = {term.irrep for term in tensor_field(field.group, degree, axial, field).field}
        gate = Gate(Field(field.group, tuple(term for term in field if term.irrep in irreps)))
        super().__init__(
            Linear(field, gate.field_in), gate, TensorOf(gate.field_out, degree, axial)
        )


class MatrixReadout(ConstantModule):
    """Matrices (atom, 3, 3): a I + S, with S symmetric and traceless, and where wanted + A.

    A is antisymmetric.

    Args:
        field: type of the features.
        symmetric: whether A is left out.
    """

    _identity: Tensor

    def __init__(self, field: Field, symmetric: bool = True) -> None:
        super().__init__()
        self.mean = invariant_readout(field, invariant_part(field))
        self.anisotropy = TensorReadout(field, 2)
        self.antisymmetric = None if symmetric else TensorReadout(field, 1, axial=True)
        self.register_constant("_identity", torch.eye(3, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.mean(x).unsqueeze(2) * self._identity + self.anisotropy(x)
        return result if self.antisymmetric is None else result + self.antisymmetric(x)


class DipoleReadout(nn.Module):
    """Point charges and point dipoles at atoms: q_i and m_i of `Multipoles`, behind a perceptron.

    Args:
        field: type of the features.
    """

    def __init__(self, field: Field) -> None:
        super().__init__()
        # A constant would add the same charge to all atoms, which makes no dipole about their mean.
        self.charge = invariant_readout(field, invariant_part(field), bias=False)
        self.dipole = TensorReadout(field, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (atom, field.dim) to charges (atom,) and dipoles (atom, 3)."""
        return self.charge(x).squeeze(1), self.dipole(x)
