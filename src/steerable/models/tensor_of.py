"""Cartesian tensors as fields, and linear maps from features to them."""

from __future__ import annotations

import torch
from torch import Tensor

from ..constants import ConstantModule
from ..field import Field, FieldError, Restriction, Term
from ..functions import solid_harmonics
from ..groups import Group, Harmonic, decompose
from ..layers import Linear


class TensorOf(ConstantModule):
    """A Linear to the harmonics of one degree, written as a Cartesian tensor.

    Degree 2 is (.., 3, 3), symmetric and traceless; axial vectors are (.., 3, 3), antisymmetric.

    Args:
        field_in: type of the features.
        degree: 0, 1 or 2.
        axial: whether reflections change the sign once more; for degree 1.

    Raises:
        FieldError: features of a group of the plane.
    """

    _tensors: Tensor

    def __init__(self, field_in: Field, degree: int, axial: bool = False) -> None:
        super().__init__()
        field, tensors = tensor_field(field_in.group, degree, axial, field_in)
        self.rank = 2 if axial else degree
        self.linear = Linear(field_in, field)
        self.register_constant("_tensors", tensors)

    def forward(self, x: Tensor) -> Tensor:
        return (self.linear(x) @ self._tensors).view(x.shape[0], *[3] * self.rank)


def tensor_field(
    group: Group, degree: int, axial: bool = False, features: Field | None = None
) -> Restriction:
    """The Cartesian tensors of one degree as a field of a group of space.

    Args:
        group: the group.
        degree: 0 for numbers, 1 for vectors, 2 for symmetric traceless matrices.
        axial: whether reflections change the sign once more; degree 1 gives antisymmetric matrices.
        features: named in the error.

    Returns:
        The field, and a matrix of orthonormal rows (field.dim, 3^rank) from the components of a
        tensor to features.

    Raises:
        FieldError: a group of the plane.
    """
    if group.dim != 3:
        raise FieldError(
            f"Moments are tensors of space; {features or 'this'} is a field of {group}, a group of "
            "the plane."
        )
    parts = decompose(Harmonic(group, degree, (-1) ** (degree + axial)))
    change = torch.cat([torch.from_numpy(isometry).T for _, isometry in parts])
    basis = antisymmetric_matrices() if axial else cartesian_harmonics(degree)
    field = Field(group, tuple(Term(1, irrep) for irrep, _ in parts))
    return Restriction(field, change @ basis.reshape(2 * degree + 1, -1))


def cartesian_harmonics(degree: int) -> Tensor:
    """Orthonormal tensors T_m (2 degree + 1, 3, ..) of degree 0, 1 or 2.

    Y_m(x) is proportional to T_m(x, ..).
    """
    axes = torch.eye(3, dtype=torch.float64)
    if degree == 0:
        return torch.ones(1, dtype=torch.float64)
    if degree == 1:
        return axes
    corners = axes.unsqueeze(0) + axes.unsqueeze(1)
    squares = solid_harmonics(axes, 2)[:, 4:]
    form = (
        solid_harmonics(corners, 2)[..., 4:] - squares.unsqueeze(0) - squares.unsqueeze(1)
    )  # 2 x^T S y
    return torch.nn.functional.normalize(form.flatten(0, 1).T, dim=1).view(5, 3, 3)


def antisymmetric_matrices() -> Tensor:
    """Orthonormal matrices A_m (3, 3, 3) with A_m x proportional to the cross product x, axis m."""
    axes = torch.eye(3, dtype=torch.float64)
    first, second = axes.unsqueeze(1).expand(3, 3, 3), axes.unsqueeze(0).expand(3, 3, 3)
    # The components (i, j, m) of e_i x e_j are those of the Levi-Civita symbol.
    return torch.linalg.cross(first, second).permute(2, 0, 1) / 2**0.5
