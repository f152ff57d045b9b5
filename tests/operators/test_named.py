"""The operators of vector calculus: formulas written by hand, and identities."""

import numpy as np
import pytest
import torch

from steerable.field import Field
from steerable.groups import O2, O3, SO2, SO3, cyclic, point_group
from steerable.operators import named, symbol_basis

PLANE = [named.curl_2d, named.cauchy_riemann]
BOTH = [
    named.gradient,
    named.divergence,
    named.laplacian,
    named.vector_laplacian,
    named.biharmonic,
    named.grad_div,
    named.strain,
    named.hessian,
    named.traceless_hessian,
]
EVERY = [make(d) for make in BOTH for d in (2, 3)] + [make() for make in PLANE] + [named.curl()]


def norm(symbol):
    return symbol.norm()


@pytest.mark.parametrize("symbol", EVERY, ids=repr)
def test_all_commute_with_rotations_and_reflections(symbol):
    group = O2() if symbol.group.dim == 2 else O3()
    assert symbol.group == group
    elements = group.sample(20, torch.Generator().manual_seed(0)).numpy()
    assert (np.linalg.det(elements) < 0).any()
    assert symbol.steering_error(elements) < 1e-14
    below = symbol.restrict(cyclic(4) if symbol.group.dim == 2 else point_group("O"))
    assert below.is_steerable(1e-12)


@pytest.mark.parametrize("symbol", EVERY, ids=repr)
def test_all_are_found_by_the_basis(symbol):
    basis = symbol_basis(symbol.field_in, symbol.field_out, symbol.order, exact_order=True)
    weights = np.array([element.inner(symbol) for element in basis])
    assert (weights**2).sum() == pytest.approx(symbol.norm() ** 2, rel=1e-12)


@pytest.mark.parametrize("dim", [2, 3])
def test_values(dim):
    """Against numpy, at random xi."""
    xi = np.random.default_rng(0).normal(size=dim)
    square, eye = xi @ xi, np.eye(dim)
    at = {make.__name__: make(dim).evaluate(torch.from_numpy(xi)).numpy() for make in BOTH}
    matrices = named.symmetric_matrices(dim)
    np.testing.assert_allclose(at["gradient"], xi[:, None], atol=1e-14)
    np.testing.assert_allclose(at["divergence"], xi[None], atol=1e-14)
    np.testing.assert_allclose(at["laplacian"], [[square]], atol=1e-14)
    np.testing.assert_allclose(at["vector_laplacian"], square * eye, atol=1e-14)
    np.testing.assert_allclose(at["biharmonic"], [[square**2]], atol=1e-13)
    np.testing.assert_allclose(at["grad_div"], np.outer(xi, xi), atol=1e-14)
    sym = np.einsum("kij,kv->ijv", matrices, at["strain"])
    expected = (np.einsum("i,jv->ijv", xi, eye) + np.einsum("j,iv->ijv", xi, eye)) / 2
    np.testing.assert_allclose(sym, expected, atol=1e-14)
    np.testing.assert_allclose(
        np.einsum("kij,k->ij", matrices, at["hessian"][:, 0]), np.outer(xi, xi), atol=1e-14
    )
    traceless = np.einsum("kij,k->ij", matrices[1:], at["traceless_hessian"][:, 0])
    np.testing.assert_allclose(traceless, np.outer(xi, xi) - square / dim * eye, atol=1e-14)


@pytest.mark.parametrize("group", [O2(), O3()], ids=str)
def test_symmetric_matrices_turn_as_the_field(group):
    """g T g^-1 has the components rho(g) t, with the norm of T."""
    matrices = named.symmetric_matrices(group.dim)
    np.testing.assert_allclose(
        np.einsum("kij,lij->kl", matrices, matrices), np.eye(len(matrices)), atol=1e-14
    )
    field = named.hessian(group.dim).field_out
    elements = group.sample(6, torch.Generator().manual_seed(0))
    t = np.random.default_rng(0).normal(size=(group.dim,) * 2)
    t = t + t.T
    for g, rho in zip(elements.numpy(), field.matrix(elements).numpy(), strict=True):
        components = np.einsum("kij,ij->k", matrices, g @ t @ g.T)
        np.testing.assert_allclose(
            components, rho @ np.einsum("kij,ij->k", matrices, t), atol=1e-13
        )


def test_curls():
    xi, v = np.random.default_rng(0).normal(size=(2, 3))
    at = torch.from_numpy(xi)
    np.testing.assert_allclose(named.curl().evaluate(at).numpy() @ v, np.cross(xi, v), atol=1e-14)
    np.testing.assert_allclose(
        named.curl().adjoint().evaluate(at).numpy() @ v, np.cross(xi, v), atol=1e-14
    )
    assert str(named.curl_2d()) == "[ -d_y  d_x ]"
    assert str(named.curl_2d().adjoint()) == "[  d_y ]\n[ -d_x ]"
    assert str(named.cauchy_riemann()) == "[ d_x  -d_y ]\n[ d_y   d_x ]"


def test_identities_of_space():
    gradient, divergence, curl = named.gradient(3), named.divergence(3), named.curl()
    back = curl.adjoint()  # the curl of axial vectors
    assert norm(curl @ gradient) == 0 and norm(divergence @ back) == 0
    assert norm(back @ curl - (named.grad_div(3) - named.vector_laplacian(3))) < 1e-14
    assert norm(divergence @ gradient - named.laplacian(3)) == 0
    assert norm(named.laplacian(3) @ named.laplacian(3) - named.biharmonic(3)) == 0
    assert norm(gradient.adjoint() + divergence) == 0
    assert (
        norm(named.vector_laplacian(3) - named.identity(gradient.field_out).times_laplacian()) == 0
    )


@pytest.mark.parametrize("dim", [2, 3])
def test_elasticity(dim):
    """The divergence of the strain is half the Laplacian and half grad div."""
    strain = named.strain(dim)
    elastic = -strain.adjoint() @ strain
    assert norm(elastic - 0.5 * (named.vector_laplacian(dim) + named.grad_div(dim))) < 1e-14
    assert norm(named.hessian(dim) - strain @ named.gradient(dim)) == 0


def test_identities_of_the_plane():
    gradient, curl = named.gradient(2), named.curl_2d()
    assert norm(curl @ gradient) == 0 and norm(named.divergence(2) @ curl.adjoint()) == 0
    assert norm(curl.adjoint() @ curl - (named.grad_div(2) - named.vector_laplacian(2))) == 0
    cauchy_riemann = named.cauchy_riemann()
    assert norm(cauchy_riemann.adjoint() @ cauchy_riemann + named.vector_laplacian(2)) < 1e-14


def test_holomorphic_functions_solve_the_cauchy_riemann_equations():
    """(x + i y)^3 = v_x + i v_y."""
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def cube(p):
        z = torch.complex(p[0], p[1]) ** 3
        return torch.stack([z.real, z.imag])

    slope = torch.stack([torch.autograd.functional.jacobian(cube, p) for p in x])  # (point, v, d)
    part = torch.from_numpy(named.cauchy_riemann().parts[1])
    assert torch.einsum("iov,pvi->po", part, slope).abs().max() < 1e-12


def test_each_spans_the_operators_of_its_order():
    vector, scalar = Field.parse("1o"), Field.parse("0e")
    (gradient,) = symbol_basis(scalar, vector, 1)
    assert str(3**0.5 * gradient) == str(named.gradient(3))
    (divergence,) = symbol_basis(vector, scalar, 1)
    assert str(3**0.5 * divergence) == str(named.divergence(3))
    (curl,) = symbol_basis(vector, Field.parse("1e"), 1)
    assert norm(curl.inner(named.curl()) * curl - named.curl()) < 1e-14
    (_, laplacian) = symbol_basis(scalar, scalar, 2)
    assert str(6**0.5 * laplacian) == str(named.laplacian(3))
    second = symbol_basis(vector, vector, 2, exact_order=True)
    gram = [
        [element.inner(op) / op.norm() for element in second]
        for op in (named.vector_laplacian(3), named.grad_div(3))
    ]
    assert np.linalg.matrix_rank(gram) == len(second) == 2
    (curl_2d,) = symbol_basis(Field.parse("1", O2()), Field.parse("0o", O2()), 1)
    assert norm(curl_2d.inner(named.curl_2d()) * curl_2d - named.curl_2d()) < 1e-14


def test_rotations_alone_keep_names_and_numbers():
    for whole, group in ((named.strain(3), SO3()), (named.hessian(2), SO2())):
        below = whole.restrict(group)
        np.testing.assert_allclose(below.coefficients(), whole.coefficients(), atol=1e-14)
    assert str(named.strain(3).restrict(SO3()).field_out) == "1x0+1x2"


def test_other_dimensions_are_an_error():
    for make in BOTH:
        with pytest.raises(ValueError, match="2 or 3"):
            make(4)
