"""Cartesian tensors: against harmonics, cross products, and their symmetries."""

import pytest
import torch

from steerable.field import Field, FieldError
from steerable.functions import solid_harmonics
from steerable.groups import O2, O3, SO3, point_group
from steerable.models.tensor_of import (
    TensorOf,
    antisymmetric_matrices,
    cartesian_harmonics,
    tensor_field,
)

DOUBLE = torch.float64
GROUPS = [O3(), SO3(), point_group("C3v"), point_group("Oh")]


def rows(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def test_cartesian_harmonics():
    x = rows(7, 3)
    tensors = cartesian_harmonics(2)
    torch.testing.assert_close(
        torch.einsum("mij,nij->mn", tensors, tensors), torch.eye(5, dtype=DOUBLE)
    )
    assert tensors.diagonal(dim1=1, dim2=2).sum(1).abs().max() < 1e-15
    found = torch.einsum("mij,ni,nj->nm", tensors, x, x)
    ratio = solid_harmonics(x, 2)[:, 4:] / found
    torch.testing.assert_close(ratio, ratio[:1, :1].expand_as(ratio), atol=1e-12, rtol=0)
    assert ratio[0, 0] > 0


def test_antisymmetric_matrices_are_cross_products():
    x, axes = rows(5, 3), torch.eye(3, dtype=DOUBLE)
    matrices = antisymmetric_matrices()
    torch.testing.assert_close(
        torch.einsum("mij,nij->mn", matrices, matrices), torch.eye(3, dtype=DOUBLE)
    )
    for m in range(3):
        wanted = torch.linalg.cross(x, axes[m].expand(5, 3)) / 2**0.5
        torch.testing.assert_close(x @ matrices[m].T, wanted)


@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize(("degree", "axial"), [(0, False), (1, False), (2, False), (1, True)])
def test_components_turn_as_the_field(group, degree, axial):
    """The matrix takes a turned tensor to the turned features of the tensor."""
    field, matrix = tensor_field(group, degree, axial)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(field.dim, dtype=DOUBLE))
    x = rows(4, field.dim)
    for g in group.sample(5, torch.Generator().manual_seed(0)):
        tensor = x @ matrix
        if degree == 1 and not axial:
            turned = tensor @ g.T
        elif degree or axial:
            turned = (g @ tensor.view(4, 3, 3) @ g.T).flatten(1)
        else:
            turned = tensor
        torch.testing.assert_close(turned @ matrix.T, x @ field.matrix(g).T, atol=1e-12, rtol=0)


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_linear_maps_to_tensors_turn(group):
    torch.manual_seed(0)
    field = Field(group, tuple((2, irrep) for irrep in group.irreps(2)))
    x = rows(4, field.dim)
    for degree, axial in [(1, False), (2, False), (1, True)]:
        head = TensorOf(field, degree, axial).double()
        for g in group.sample(3, torch.Generator().manual_seed(0)):
            y = head(x)
            assert y.abs().max() > 1e-3
            wanted = y @ g.T if y.dim() == 2 else g @ y @ g.T
            torch.testing.assert_close(head(x @ field.matrix(g).T), wanted, atol=1e-12, rtol=0)


def test_groups_of_the_plane_have_no_tensors_of_space():
    with pytest.raises(FieldError, match=r"this is a field of O\(2\), a group of the plane"):
        tensor_field(O2(), 1)
