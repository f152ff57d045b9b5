"""Clebsch-Gordan tensors of the classical and of other groups."""

from itertools import product

import numpy as np
import pytest

from steerable.groups import GroupError, Product, coupling, intertwiners, irrep, irreps


def moved(tensor, left, right, out, elements):
    """sigma_out(g)^T C (sigma_left(g) x sigma_right(g)) at every element."""
    a, b, c = (part.matrices(elements) for part in (left, right, out))
    return np.einsum("gxo,pxyz,gyl,gzr->gpolr", c, tensor, a, b)


@pytest.mark.parametrize("name", ["SO(3)", "O(3)"])
def test_the_closed_form_is_the_null_space_up_to_sign(groups, name):
    found = irreps(groups[name], max_degree=2)
    for left, right, out in product(found, repeat=3):
        closed = coupling(left, right, out)
        solved = intertwiners(Product(left, right), out).reshape(-1, out.dim, left.dim, right.dim)
        assert closed.shape == solved.shape
        for a, b in zip(closed, solved, strict=True):
            assert min(np.abs(a - b).max(), np.abs(a + b).max()) < 1e-12


@pytest.mark.parametrize("name", ["SO(3)", "O(3)"])
def test_degrees_and_parities_that_couple(groups, name):
    """Paths exist for |l1 - l2| <= l3 <= l1 + l2 with parities that multiply to one.

    They have norm 1 and a positive first entry.
    """
    found = irreps(groups[name], max_degree=4)
    for left, right, out in list(product(found, repeat=3))[::7]:
        a, b, c = ((part.dim - 1) // 2 for part in (left, right, out))
        odd = "".join(part.name for part in (left, right, out)).count("o") % 2
        tensor = coupling(left, right, out)
        assert len(tensor) == (abs(a - b) <= c <= a + b and not odd)
        for path in tensor:
            assert np.linalg.norm(path) == pytest.approx(1, abs=1e-12)
            assert path[np.abs(path) > 1e-8][0] > 0


@pytest.mark.parametrize("l", [0, 1, 2, 5])
def test_the_product_to_an_invariant_is_the_dot_product(groups, l):
    part = irrep(groups["SO(3)"], str(l))
    tensor = coupling(part, part, irrep(groups["SO(3)"], "0"))
    np.testing.assert_allclose(tensor[0, 0], np.eye(part.dim) / part.dim**0.5, atol=1e-12)


def test_the_product_of_vectors_to_a_vector_is_the_cross_product(groups):
    vector, axial = irrep(groups["O(3)"], "1o"), irrep(groups["O(3)"], "1e")
    tensor = coupling(vector, vector, axial)[0]
    cross = np.einsum(
        "ia,jb,kab->kij",
        np.eye(3),
        np.eye(3),
        np.cross(np.eye(3)[:, None], np.eye(3)).transpose(2, 0, 1),
    )
    np.testing.assert_allclose(tensor * np.sign(tensor[0, 1, 2]), cross / 6**0.5, atol=1e-12)
    assert coupling(vector, vector, vector).shape == (0, 3, 3, 3)


@pytest.mark.parametrize(
    "name", ["SO(3)", "O(3)", "O(2)", "SO(2)", "T", "I_h", "C_3v", "S_4", "C_inf", "D_infh"]
)
def test_couplings_are_equivariant(groups, draw, name):
    group = groups[name]
    found = irreps(
        group, max_degree=4 if group.dim == 3 and group.axis is None and not group.order else 2
    )
    elements = draw(group, 4)
    for left, right, out in list(product(found, repeat=3))[::3]:
        tensor = coupling(left, right, out)
        expected = np.broadcast_to(tensor, (4, *tensor.shape))
        np.testing.assert_allclose(moved(tensor, left, right, out, elements), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["T", "O", "I", "C_3v", "S_4", "plane_D_6"])
def test_paths_are_counted_by_characters(groups, name):
    elements = groups[name].representatives
    found = irreps(groups[name])
    chi = {part.name: np.trace(part.matrices(elements), axis1=1, axis2=2) for part in found}
    for left, right, out in product(found, repeat=3):
        expected = (chi[left.name] * chi[right.name] * chi[out.name]).mean()
        assert len(coupling(left, right, out)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("one", "other"), [("O(3)", "SO(3)"), ("T", "O"), ("C_3v", "C_inf")])
def test_irreps_of_two_groups_are_an_error(groups, place, one, other):
    parts = [irreps(groups[one], max_degree=1)[-1]] * 3
    parts[place] = irreps(groups[other], max_degree=1)[-1]
    with pytest.raises(GroupError, match="one group"):
        coupling(*parts)
