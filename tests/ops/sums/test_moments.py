"""Moments of neighbourhoods against the sum written out."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.ops import moments


def draw(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize(
    ("nodes", "slots", "rows", "channels", "components"), [(3, 4, 2, 5, 3), (1, 1, 1, 1, 1)]
)
def test_moments_are_the_sum_written_out(nodes, slots, rows, channels, components):
    weight, features = (
        draw(nodes, slots, rows, components),
        draw(nodes, slots, components, channels, seed=1),
    )
    expected = torch.zeros(nodes, rows, channels, dtype=torch.float64)
    for i, s, r, c, m in np.ndindex(nodes, slots, rows, channels, components):
        expected[i, r, c] += weight[i, s, r, m] * features[i, s, m, c]
    torch.testing.assert_close(moments(weight, features), expected)


@pytest.mark.parametrize(("nodes", "slots"), [(0, 4), (3, 0)])
def test_moments_of_nothing(nodes, slots):
    result = moments(torch.zeros(nodes, slots, 2, 3), torch.zeros(nodes, slots, 3, 5))
    assert result.equal(torch.zeros(nodes, 2, 5))


def test_forces_may_train_through_moments():
    inputs = draw(2, 3, 2, 3).requires_grad_(), draw(2, 3, 3, 2, seed=1).requires_grad_()
    assert gradcheck(moments, inputs) and gradgradcheck(moments, inputs)
