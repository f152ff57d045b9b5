"""Inverses of positive matrices, and of those that have none."""

import numpy as np
import torch

from steerable.ops.stencils.inverse import positive_inverse


def random_positive(batch, size, seed=0):
    a = torch.from_numpy(np.random.default_rng(seed).normal(size=(batch, size, size)))
    return a @ a.mT + torch.eye(size)


def test_inverses():
    matrix = random_positive(3, 4).requires_grad_()
    inverse, condition = positive_inverse(matrix, 1e8)
    torch.testing.assert_close(inverse, torch.linalg.inv(matrix.detach()))
    torch.testing.assert_close(condition, torch.linalg.cond(matrix.detach(), "fro"))


def test_inverses_of_what_has_none():
    matrix = random_positive(4, 3)
    matrix[1] = torch.outer(*[torch.tensor([1.0, 2, 2]).double()] * 2)
    matrix[2] = 0
    inverse, condition = positive_inverse(matrix, 1e8)
    torch.testing.assert_close(inverse[1], matrix[1] / 81)
    assert inverse[2].equal(torch.zeros(3, 3).double()) and condition.isinf().tolist() == [
        False,
        True,
        True,
        False,
    ]
    torch.testing.assert_close(inverse[[0, 3]], torch.linalg.inv(matrix[[0, 3]]))
    assert positive_inverse(matrix[:0], 1e8)[0].shape == (0, 3, 3)


def test_inverses_turn_along():
    """A -> R A R^T, for rotations and reflections, and for a matrix that has no inverse too."""
    turn, _ = torch.linalg.qr(random_positive(1, 4, seed=2)[0])
    matrix = random_positive(3, 4)
    matrix[1] = matrix[1, :, :2] @ matrix[1, :, :2].mT
    inverse, condition = positive_inverse(matrix, 1e8)
    assert condition.isinf().tolist() == [False, True, False]
    for element in (turn, -turn, turn * torch.tensor([1, 1, 1, -1])):
        moved, _ = positive_inverse(element @ matrix @ element.mT, 1e8)
        torch.testing.assert_close(moved, element @ inverse @ element.mT, rtol=1e-10, atol=1e-10)
