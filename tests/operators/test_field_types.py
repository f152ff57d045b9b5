"""Types of operators: a Field or any representation, against block diagonal matrices."""

import numpy as np
import pytest
import torch
from scipy.linalg import block_diag

from steerable.field import Field
from steerable.groups import O3, Product, dihedral, irrep, point_group, regular
from steerable.operators.field_types import irreducible_parts, matrices, restrict

TYPES = {
    "field": Field.parse("2x1o+1x0e+1x2e", O3()),
    "representation": Product(irrep(O3(), "1o"), irrep(O3(), "1o")),
    "regular": regular(dihedral(4)),
}


def draw(kind, count=6):
    """Random elements of the group of a type, reflections among them."""
    elements = kind.group.sample(count, torch.Generator().manual_seed(0)).numpy()
    assert (np.linalg.det(elements) < 0).any() and (np.linalg.det(elements) > 0).any()
    return elements


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_irreducible_parts_are_blocks(kind):
    parts, elements = irreducible_parts(kind), draw(kind)
    change = np.concatenate([isometry for _, isometry in parts], axis=1)
    np.testing.assert_allclose(change @ change.T, np.eye(kind.dim), atol=1e-12)
    for g, matrix in zip(elements, matrices(kind, elements), strict=True):
        blocks = block_diag(*(irrep.matrices(g[None])[0] for irrep, _ in parts))
        np.testing.assert_allclose(change.T @ matrix @ change, blocks, atol=1e-12)


@pytest.mark.parametrize("name", TYPES)
def test_a_restriction_is_the_same_action_in_other_components(name):
    kind = TYPES[name]
    subgroup = dihedral(2) if name == "regular" else point_group("D4h")
    below, change = restrict(kind, subgroup)
    assert below.group == subgroup and isinstance(below, Field) == isinstance(kind, Field)
    np.testing.assert_allclose(change @ change.T, np.eye(kind.dim), atol=1e-12)
    elements = subgroup.representatives
    moved = change @ matrices(kind, elements) @ change.T
    np.testing.assert_allclose(matrices(below, elements), moved, atol=1e-12)


def test_a_field_and_its_representation_have_the_same_parts():
    """Two vectors make a scalar, an axial vector and a traceless matrix."""
    names = sorted(irrep.name for irrep, _ in irreducible_parts(TYPES["representation"]))
    assert names == ["0e", "1e", "2e"]
    assert [irrep.name for irrep, _ in irreducible_parts(TYPES["field"])] == [
        "1o",
        "1o",
        "0e",
        "2e",
    ]
