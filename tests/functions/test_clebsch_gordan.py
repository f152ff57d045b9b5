"""Clebsch-Gordan coefficients against tables, e3nn and the matrices that they couple."""

import pytest
import torch
from e3nn import o3
from sympy.physics.quantum.cg import CG

from steerable.functions.clebsch_gordan import clebsch_gordan, real_coupling
from steerable.functions.sphere import SphereTransform
from steerable.functions.wigner import wigner_matrix


def test_tabulated_values():
    assert clebsch_gordan(1, 1, 2)[1, 1, 2].item() == pytest.approx(6**0.5 / 3, abs=1e-15)
    assert clebsch_gordan(1, 1, 0)[2, 0, 0].item() == pytest.approx(3**-0.5, abs=1e-15)
    assert clebsch_gordan(2, 1, 3)[3, 0, 3].item() == pytest.approx(5**-0.5, abs=1e-15)
    assert clebsch_gordan(1, 1, 3).abs().max() == 0


@pytest.mark.parametrize("triple", [(1, 1, 1), (2, 1, 2), (2, 3, 4), (3, 3, 1)])
def test_every_sign_is_that_of_condon_and_shortley(triple):
    a, b, c = triple
    found = clebsch_gordan(a, b, c)
    for m1 in range(-a, a + 1):
        for m2 in range(-b, b + 1):
            m = m1 + m2
            expected = float(CG(a, m1, b, m2, c, m).doit()) if abs(m) <= c else 0
            column = found[m1 + a, m2 + b]
            assert column.sum().item() == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(("left", "right"), [(0, 3), (2, 2), (5, 3), (12, 9)])
def test_together_they_are_orthogonal(left, right):
    matrix = torch.cat(
        [clebsch_gordan(left, right, l) for l in range(abs(left - right), left + right + 1)], -1
    )
    matrix = matrix.flatten(0, 1)
    torch.testing.assert_close(
        matrix @ matrix.T, torch.eye(len(matrix), dtype=torch.float64), atol=1e-14, rtol=0
    )


@pytest.mark.parametrize("triple", [(0, 0, 0), (1, 1, 1), (2, 1, 2), (3, 2, 4), (5, 5, 5)])
def test_real_couplings_are_e3nns(triple):
    expected = (2 * triple[2] + 1) ** 0.5 * o3.wigner_3j(*triple, dtype=torch.float64)
    found = real_coupling(*triple)
    sign = torch.sign((found * expected).sum())
    torch.testing.assert_close(found, sign * expected, atol=1e-7, rtol=0)


@pytest.mark.parametrize("triple", [(2, 3, 4), (4, 2, 3), (20, 12, 25)])
def test_real_couplings_commute_with_rotations(triple):
    for seed in range(2):
        q = torch.linalg.qr(
            torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        )[0]
        a, b, c = (wigner_matrix(l, q * torch.linalg.det(q)) for l in triple)
        tensor = real_coupling(*triple)
        moved = torch.einsum("abc,ai,bj->ijc", tensor, a, b)
        torch.testing.assert_close(
            moved, torch.einsum("ijk,ck->ijc", tensor, c), atol=1e-13, rtol=0
        )


def test_gaunts_integral():
    """Of three harmonics with m = 0, degrees 1, 1, 2, each of square integral 1."""
    transform = SphereTransform(2).double()
    one, two = (transform.synthesis(torch.eye(9, dtype=torch.float64)[k]) for k in (2, 6))
    mean = transform.analysis(one * one * two)[0]
    gaunt = mean.item() / (4 * torch.pi) ** 0.5
    assert gaunt == pytest.approx(0.252313252202016, abs=1e-14)
    coupled = 3 / 5**0.5 * clebsch_gordan(1, 1, 2)[1, 1, 2].item() ** 2 / (4 * torch.pi) ** 0.5
    assert gaunt == pytest.approx(coupled, abs=1e-14)
