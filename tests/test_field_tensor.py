"""Tensor products of fields against Kronecker products of their matrices."""

import pytest
import torch

from steerable import Field, FieldMismatchError
from steerable.groups import O3, SO2, SO3, point_group

CASES = [
    (O3(), "2x0e+1x1o", "1x1o+2x2e"),
    (SO3(), "1x1", "2x1+1x0"),
    (SO2(), "1x0+2x1", "1x2"),
    (point_group("D4"), "2x0+1x4", "3x1+2x4"),
    (point_group("C3"), "1x0+2x1", "2x1"),
]


@pytest.mark.parametrize(("group", "left", "right"), CASES, ids=lambda case: str(case))
def test_tensor_product(group, left, right):
    a, b = Field.parse(left, group), Field.parse(right, group)
    product, change = a.tensor(b)
    assert product.dim == a.dim * b.dim
    assert (change @ change.T - torch.eye(product.dim, dtype=change.dtype)).abs().max() < 1e-12
    for g in group.sample(3, torch.Generator().manual_seed(0)):
        moved = change @ torch.kron(a.matrix(g), b.matrix(g))
        assert (moved - product.matrix(g) @ change).abs().max() < 1e-12


def test_of_two_groups():
    with pytest.raises(FieldMismatchError, match="A tensor product needs fields of one group"):
        Field.parse("1x0e").tensor(Field.parse("1x0", SO3()))
