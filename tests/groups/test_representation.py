"""Harmonics as representations: Wigner matrices, parities, products."""

import numpy as np
import pytest
import torch
from e3nn import o3

from steerable.functions import solid_harmonics
from steerable.groups import O3, SO3, Harmonic, Product, Representation, rotation

Y_AXIS = (0, 1, 0)
POLES = [
    np.eye(3),
    rotation(1e-9, (1, 2, 3)),
    rotation(0.7, Y_AXIS),
    rotation(-3.0, Y_AXIS),
    rotation(np.pi, Y_AXIS),
    rotation(np.pi, (1, 0, 0)),
    rotation(np.pi - 1e-9, (1, 0, 2)),
]


def harmonics(points, degree):
    """Y_l at points (n, 3), as columns."""
    value = solid_harmonics(torch.from_numpy(points), degree).numpy()
    return value[:, degree**2 :].T


@pytest.mark.parametrize("degree", range(9))
def test_wigner_matrices_are_those_of_e3nn(degree, draw, float64):
    rotations = draw(SO3(), 20)
    expected = o3.Irrep(degree, 1).D_from_matrix(torch.from_numpy(rotations)).numpy()
    np.testing.assert_allclose(Harmonic(SO3(), degree, 1).matrices(rotations), expected, atol=1e-12)


@pytest.mark.parametrize("degree", [1, 2, 3, 5, 8])
def test_wigner_matrices_about_the_polar_axis_are_those_of_e3nn(degree, float64):
    angles = torch.tensor([0.0, 1e-9, 0.3, 3.1, torch.pi, -2.0])
    expected = o3.wigner_D(degree, angles, 0 * angles, 0 * angles).numpy()
    rotations = np.stack([rotation(float(a), Y_AXIS) for a in angles])
    np.testing.assert_allclose(Harmonic(SO3(), degree, 1).matrices(rotations), expected, atol=1e-12)


@pytest.mark.parametrize("degree", range(9))
def test_harmonics_of_moved_points(degree, draw):
    """D^l(g) Y_l(x) = Y_l(g x) for rotations and for reflections of the natural parity.

    At the poles too.
    """
    points = np.random.default_rng(0).normal(size=(7, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    elements = np.concatenate([draw(O3(), 10), np.stack(POLES), -np.stack(POLES)])
    matrices = Harmonic(O3(), degree, (-1) ** degree).matrices(elements)
    for g, d in zip(elements, matrices, strict=True):
        np.testing.assert_allclose(
            d @ harmonics(points, degree), harmonics(points @ g.T, degree), atol=1e-12
        )


@pytest.mark.parametrize("degree", [1, 2, 6])
def test_a_rotation_by_a_hair_keeps_its_digits(degree, float64):
    """(D(R) - 1) / angle is the generator, also where angles from an arc cosine would be lost."""
    generators = o3.so3_generators(degree).numpy()
    for axis in np.eye(3):
        d = Harmonic(SO3(), degree, 1).matrices(rotation(1e-9, axis)[None])[0]
        np.testing.assert_allclose(
            (d - np.eye(len(d))) / 1e-9, axis @ generators.transpose(1, 0, 2), atol=1e-5
        )


@pytest.mark.parametrize("name", ["O(3)", "SO(3)", "I_h", "C_infv", "O(2)", "SO(2)", "plane_D_6"])
@pytest.mark.parametrize("degree", [0, 1, 2, 5])
@pytest.mark.parametrize("parity", [1, -1])
def test_harmonics_are_orthogonal_representations(groups, draw, name, degree, parity):
    group = groups[name]
    g, h = draw(group, 8), draw(group, 8, seed=1)
    for rep in (
        Harmonic(group, degree, parity),
        Product(Harmonic(group, 1, -1), Harmonic(group, degree, parity)),
    ):
        assert isinstance(rep, Representation) and hash(rep) == hash(rep)
        a, b, ab = rep.matrices(g), rep.matrices(h), rep.matrices(g @ h)
        assert a.shape == (8, rep.dim, rep.dim)
        np.testing.assert_allclose(a @ b, ab, atol=1e-12)
        np.testing.assert_allclose(
            a @ a.transpose(0, 2, 1), np.broadcast_to(np.eye(rep.dim), a.shape), atol=1e-12
        )
        np.testing.assert_allclose(
            rep.matrices(np.eye(group.dim)[None])[0], np.eye(rep.dim), atol=1e-15
        )


@pytest.mark.parametrize("degree", range(4))
@pytest.mark.parametrize("parity", [1, -1])
def test_the_inversion_acts_as_the_parity(degree, parity):
    matrix = Harmonic(O3(), degree, parity).matrices(-np.eye(3)[None])[0]
    np.testing.assert_allclose(matrix, parity * np.eye(2 * degree + 1), atol=1e-15)


@pytest.mark.parametrize("frequency", range(4))
def test_circular_harmonics(groups, draw, frequency):
    """Of the plane: sqrt(2) r^k (cos k t, sin k t) of moved points.

    An odd degree 0 is the determinant.
    """
    elements, points = draw(groups["O(2)"], 12), np.random.default_rng(0).normal(size=(5, 2))
    part = slice(0, 1) if frequency == 0 else slice(2 * frequency - 1, 2 * frequency + 1)

    def value(x):
        return solid_harmonics(torch.from_numpy(x), frequency).numpy()[:, part].T

    for g, d in zip(
        elements, Harmonic(groups["O(2)"], frequency, 1).matrices(elements), strict=True
    ):
        np.testing.assert_allclose(d @ value(points), value(points @ g.T), atol=1e-12)
    odd = Harmonic(groups["O(2)"], 0, -1).matrices(elements)[:, 0, 0]
    np.testing.assert_allclose(odd, np.linalg.det(elements), atol=1e-12)


def test_a_product_is_the_kronecker_product(draw):
    left, right = Harmonic(O3(), 1, -1), Harmonic(O3(), 2, 1)
    elements = draw(O3())
    product = Product(left, right)
    assert (product.dim, product.group) == (15, O3())
    for g, both in zip(elements, product.matrices(elements), strict=True):
        expected = np.kron(left.matrices(g[None])[0], right.matrices(g[None])[0])
        np.testing.assert_allclose(both, expected, atol=1e-15)
