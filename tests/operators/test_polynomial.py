"""The algebra of matrix polynomials against their values at points."""

import math

import numpy as np
import pytest
import torch

from steerable.functions.polynomials import exponents
from steerable.operators import MatrixPolynomial
from steerable.operators.polynomial import monomial_map


def random_polynomial(variables, shape, orders, seed=0):
    rng = np.random.default_rng(seed)
    return MatrixPolynomial(
        variables,
        shape,
        {n: rng.normal(size=(len(exponents(variables, n)), *shape)) for n in orders},
    )


def points(count, variables, seed=1):
    return torch.randn(
        count, variables, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )


def by_hand(polynomial, x):
    """The sum over monomials, one by one."""
    value = np.zeros((len(x), *polynomial.shape))
    for n, part in polynomial.parts.items():
        for coefficient, row in zip(part, exponents(polynomial.variables, n), strict=True):
            value += math.prod(x[:, k] ** a for k, a in enumerate(row))[:, None, None] * coefficient
    return value


@pytest.mark.parametrize("variables", [1, 2, 3])
def test_values_are_the_sum_over_monomials(variables):
    polynomial = random_polynomial(variables, (2, 3), [0, 1, 2, 4])
    x = points(20, variables)
    np.testing.assert_allclose(
        polynomial.evaluate(x).numpy(), by_hand(polynomial, x.numpy()), rtol=1e-12, atol=1e-12
    )
    single = polynomial.evaluate(x.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), polynomial.evaluate(x), rtol=1e-4, atol=1e-4)
    assert polynomial.evaluate(x.view(4, 5, variables)).shape == (4, 5, 2, 3)
    assert polynomial.evaluate(x[:0]).shape == (0, 2, 3)
    torch.testing.assert_close(
        polynomial.evaluate(x)[3], polynomial.evaluate(x[3]), rtol=1e-14, atol=1e-14
    )


def test_values_can_be_differentiated_and_are_complex_where_asked():
    polynomial = random_polynomial(3, (2, 2), [0, 1, 2, 3])
    x = points(3, 3).requires_grad_()
    assert torch.autograd.gradcheck(polynomial.evaluate, x)
    assert torch.autograd.gradgradcheck(polynomial.evaluate, x)
    turned = polynomial.evaluate(1j * x.detach())
    expected = sum(1j**n * random_part(polynomial, n).evaluate(x.detach()) for n in range(4))
    torch.testing.assert_close(turned, expected)


def random_part(polynomial, n):
    return MatrixPolynomial(polynomial.variables, polynomial.shape, {n: polynomial.parts[n]})


@pytest.mark.parametrize("variables", [2, 3])
def test_operations_are_those_of_the_values(variables):
    p, q = (
        random_polynomial(variables, (2, 3), [0, 2, 3]),
        random_polynomial(variables, (2, 3), [1, 2], 5),
    )
    r = random_polynomial(variables, (3, 4), [0, 1, 2], 6)
    rng = np.random.default_rng(3)
    g, left, right = (
        rng.normal(size=(variables,) * 2),
        rng.normal(size=(5, 2)),
        rng.normal(size=(3, 4)),
    )
    x = points(30, variables)
    value = {name: a.evaluate(x).numpy() for name, a in {"p": p, "q": q, "r": r}.items()}
    cases = [
        (p + q, value["p"] + value["q"]),
        (p * 2.5, 2.5 * value["p"]),
        (p @ r, value["p"] @ value["r"]),
        (p.between(left, right), left @ value["p"] @ right),
        (p.substitute(g), p.evaluate(x @ torch.from_numpy(g).T).numpy()),
        (p.adjoint(), p.evaluate(-x).numpy().transpose(0, 2, 1)),
        (p.times_square(2), value["p"] * ((x**2).sum(1) ** 2).numpy()[:, None, None]),
    ]
    for polynomial, expected in cases:
        np.testing.assert_allclose(polynomial.evaluate(x).numpy(), expected, rtol=1e-11, atol=1e-11)
    assert sorted((p @ r).parts) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("variables", [2, 3])
@pytest.mark.parametrize("degree", range(5))
def test_monomials_of_a_turned_point(variables, degree):
    """A homomorphism, and orthogonal in Fischer's product for orthogonal matrices."""
    rng = np.random.default_rng(degree)
    a, b = (np.linalg.qr(rng.normal(size=(variables,) * 2))[0] for _ in range(2))
    np.testing.assert_allclose(
        monomial_map(a @ b, degree), monomial_map(a, degree) @ monomial_map(b, degree), atol=1e-13
    )
    scale = np.sqrt(
        [math.prod(map(math.factorial, row)) for row in exponents(variables, degree).tolist()]
    )
    turn = monomial_map(a, degree) / scale[:, None] * scale
    np.testing.assert_allclose(turn @ turn.T, np.eye(len(turn)), atol=1e-13)


def test_fischers_product_is_a_derivative_at_zero():
    """<P, Q> = P(d) Q at 0; orders are orthogonal, and turning both changes nothing."""
    p, q = random_polynomial(2, (1, 1), [0, 2, 3]), random_polynomial(2, (1, 1), [1, 2, 3], 4)
    expected = 0.0
    for n in (2, 3):
        for row, a, b in zip(
            exponents(2, n).tolist(), p.parts[n].ravel(), q.parts[n].ravel(), strict=True
        ):
            expected += a * b * math.factorial(row[0]) * math.factorial(row[1])
    assert p.inner(q) == pytest.approx(expected, rel=1e-14)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(2, 2)))
    assert p.substitute(turn).inner(q.substitute(turn)) == pytest.approx(expected, rel=1e-12)
    assert p.inner(MatrixPolynomial(2, (1, 1), {})) == 0


def test_print():
    def scalar(parts, variables=2):
        return str(
            MatrixPolynomial(
                variables, (1, 1), {n: np.reshape(c, (-1, 1, 1)) for n, c in parts.items()}
            )
        )

    assert scalar({2: [2, 0, -1]}) == "2 d_x^2 - d_y^2"
    assert scalar({0: [-3], 1: [-1, 0.5]}) == "-d_x + 0.5 d_y - 3"
    assert scalar({0: [1], 3: [0, 0, 1, 0]}) == "d_x d_y^2 + 1"
    assert scalar({2: [0, 0, 1, 0, -1, 0]}, 3) == "d_x d_z - d_y d_z"
    assert scalar({}) == scalar({1: [0, 0]}) == "0"
    assert scalar({1: [1, 1e-16]}) == "d_x"
    assert scalar({1: [1e-20, -2e-20]}) == "1e-20 d_x - 2e-20 d_y"
    matrix = MatrixPolynomial(2, (2, 2), {1: [[[0, 1], [2, 0]], [[-1, 0], [0, 3]]]})
    assert str(matrix) == "[ -d_y    d_x ]\n[ 2 d_x  3 d_y ]".replace("[ -d_y ", "[  -d_y ")
    assert str(MatrixPolynomial(2, (0, 3), {})) == ""


def test_bad_coefficients_are_named():
    with pytest.raises(
        ValueError,
        match=r"Order 2 of a polynomial in 2 variables has .* = \(3, 1, 1\); got \(2, 1, 1\)",
    ):
        MatrixPolynomial(2, (1, 1), {2: np.ones((2, 1, 1))})
    with pytest.raises(ValueError, match="finite numbers; those of order 0 are not"):
        MatrixPolynomial(2, (1, 1), {0: np.full((1, 1, 1), np.nan)})
    with pytest.raises(ValueError, match="a degree of 0 or more"):
        MatrixPolynomial(2, (1, 1), {-1: np.ones((1, 1, 1))})
    with pytest.raises(ValueError, match="1 to 3 variables; got 4"):
        MatrixPolynomial(4, (1, 1), {})


def test_coefficients_are_copied():
    given = np.broadcast_to(np.ones((2, 1, 1)), (2, 1, 1))[::-1]
    polynomial = MatrixPolynomial(2, (1, 1), {1: given})
    assert polynomial.evaluate(torch.tensor([1.0, 2.0])).item() == 3
    assert not np.shares_memory(given, polynomial.parts[1])


def test_polynomials_that_do_not_fit():
    p = random_polynomial(2, (2, 3), [1])
    with pytest.raises(
        ValueError,
        match=(
            r"sum needs polynomials of one kind; got MatrixPolynomial\(2 variables, 2 x 3, orders 1"
        ),
    ):
        p + random_polynomial(2, (1, 1), [1])
    with pytest.raises(ValueError, match="whose matrices follow each other"):
        p @ p
    with pytest.raises(ValueError, match="whose matrices follow each other"):
        p @ random_polynomial(3, (3, 1), [1])
    with pytest.raises(ValueError, match="matrix of its variables; got shape"):
        p.substitute(np.eye(3))
    for bad in (torch.zeros(4, 3), torch.zeros(4, 2, dtype=torch.int64), torch.tensor(1.0)):
        with pytest.raises(ValueError, match=r"real or complex points \(..., 2\)"):
            p.evaluate(bad)
