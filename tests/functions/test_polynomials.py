"""Monomials and harmonic polynomials: counts, values, and Fischer's decomposition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from steerable.functions import solid_harmonics
from steerable.functions.polynomials import (
    exponents,
    exponents_up_to,
    factorials,
    harmonic_polynomials,
    monomials,
)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("degree", range(6))
def test_every_monomial_once(dim: int, degree: int) -> None:
    powers = exponents(dim, degree)
    assert (
        len({tuple(row) for row in powers.tolist()})
        == len(powers)
        == math.comb(degree + dim - 1, dim - 1)
    )
    assert (powers.sum(1) == degree).all()
    assert len(exponents_up_to(dim, degree)) == math.comb(degree + dim, dim)


def test_order_and_values() -> None:
    assert exponents(3, 2).tolist() == [
        [2, 0, 0],
        [1, 1, 0],
        [1, 0, 1],
        [0, 2, 0],
        [0, 1, 1],
        [0, 0, 2],
    ]
    assert factorials(exponents(3, 2)).tolist() == [2, 1, 1, 2, 1, 2]
    x = torch.tensor([[2.0, 3.0, 5.0]], dtype=torch.float64)
    assert monomials(x, exponents(3, 2)).tolist() == [[4, 6, 10, 9, 15, 25]]
    assert monomials(x[:0], exponents(3, 2)).shape == (0, 6)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("degree", range(8))
def test_harmonic_polynomials_have_the_values_of_solid_harmonics(dim: int, degree: int) -> None:
    x = torch.randn(50, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    harmonics = solid_harmonics(x, degree)
    values = monomials(x, exponents(dim, degree))
    parts = harmonic_polynomials(dim, degree)
    assert [j for j, _ in parts] == list(range(degree, -1, -2))
    for j, coefficients in parts:
        start, end = (j * j, (j + 1) ** 2) if dim == 3 else (max(2 * j - 1, 0), 2 * j + 1)
        expected = harmonics[:, start:end] * x.square().sum(1, keepdim=True) ** ((degree - j) // 2)
        torch.testing.assert_close(
            values @ torch.from_numpy(coefficients).T, expected, rtol=1e-11, atol=1e-10
        )


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("degree", range(6))
def test_they_are_a_basis_and_orthogonal_between_degrees(dim: int, degree: int) -> None:
    parts = [c for _, c in harmonic_polynomials(dim, degree)]
    whole = np.concatenate(parts)
    assert whole.shape == (len(exponents(dim, degree)),) * 2
    gram = whole * factorials(exponents(dim, degree)) @ whole.T  # Fischer's product
    expected = np.concatenate(
        [
            np.full(len(c), np.mean(np.diag(c * factorials(exponents(dim, degree)) @ c.T)))
            for c in parts
        ]
    )
    np.testing.assert_allclose(gram, np.diag(expected), atol=1e-9 * expected.max())


def test_bad_degrees_are_named() -> None:
    with pytest.raises(
        ValueError, match="at least one variable and a degree of 0 or more; got 0 and 2"
    ):
        exponents(0, 2)
