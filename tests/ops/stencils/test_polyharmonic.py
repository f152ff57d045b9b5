"""Polyharmonic splines against the system of the textbook."""

import numpy as np
import torch

from steerable.functions.polynomials import exponents_up_to, factorials, monomials
from steerable.ops import neighbourhoods
from steerable.ops.stencils.cloud import cloud_stencil


def test_rbf_solves_the_system_of_the_textbook():
    """phi = r^5 and polynomials of degree 2 around a point off the nodes.

    Derivatives of phi by differences.
    """
    x = np.random.default_rng(0).normal(size=(14, 2))
    offset = torch.from_numpy(x)
    found = cloud_stencil(
        offset, neighbourhoods(torch.stack([torch.arange(14), torch.zeros(14).long()]), 1), 2, "rbf"
    )
    powers = exponents_up_to(2, 2)
    basis = monomials(offset, powers).numpy()
    kernel = np.linalg.norm(x[:, None] - x, axis=2) ** 5
    system = np.block([[kernel, basis], [basis.T, np.zeros((6, 6))]])
    r = np.linalg.norm(x, axis=1)
    (a, b), one = -x.T, np.ones(14)
    first, second = (
        5 * r**3,
        15 * r,
    )  # d_i phi = first x_i, d_ij phi = second x_i x_j + first delta_ij
    phi = [
        r**5 * one,
        first * a,
        first * b,
        second * a * a + first,
        second * a * b,
        second * b * b + first,
    ]
    expected = np.linalg.solve(system, np.concatenate([phi, np.diag(factorials(powers))], 1).T)[:14]
    np.testing.assert_allclose(found.weight, expected, rtol=0, atol=1e-11 * abs(expected).max())
