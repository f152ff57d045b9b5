"""Steps of the Fourier transform over permutations against the sum over all of them."""

import numpy as np
import pytest
import torch

from steerable.groups.permutations.chain import Start, Step
from steerable.groups.permutations.permutations import cosets
from steerable.groups.permutations.tableaux import above, dimension, partitions
from steerable.groups.permutations.young import orthogonal_form


def draw(count, batch=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, count, dtype=torch.float64, generator=generator)


def climb(steps, values):
    """All steps, one after the other, from the values (batch, permutation)."""
    parts = {(1,): values[None, :, :, None]}
    for step in steps:
        parts = step.ascend(parts)
    return parts


@pytest.mark.parametrize("n", [2, 3, 4])
def test_steps_make_the_direct_sum(n):
    elements = cosets((1,) * n)
    values = draw(len(elements))
    parts = climb([Step(m, 1) for m in range(2, n + 1)], values)
    assert set(parts) == set(partitions(n))
    for shape, part in parts.items():
        direct = np.einsum("bs,sij->ibj", values, orthogonal_form(shape, elements))
        np.testing.assert_allclose(part[:, :, 0], direct, atol=1e-12)


@pytest.mark.parametrize(("m", "fixed"), [(3, 1), (4, 1), (4, 2), (5, 3)])
def test_descending_undoes_a_step(m, fixed):
    """With fewer columns where only vectors that S_fixed leaves take part."""
    step = Step(m, fixed)
    parts = {
        shape: draw(6 * m * step.dims[shape] * step.columns[shape], 1).view(
            step.dims[shape], 2, 3 * m, step.columns[shape]
        )
        for shape in step.above
    }
    whole = step.ascend(parts)
    numbers = sum(dimension(shape) * step.columns[shape] for shape in whole)
    assert numbers == m * sum(dimension(shape) * step.columns[shape] for shape in parts)
    assert set(whole) <= {target for shape in parts for target in above(shape)}
    for shape, part in step.descend(whole).items():
        torch.testing.assert_close(part, parts[shape], rtol=0, atol=1e-12)


@pytest.mark.parametrize("fixed", [1, 3])
def test_the_dense_start_is_its_steps(fixed):
    steps = [Step(m, fixed) for m in range(fixed + 1, fixed + 3)]
    start, values = Start(fixed, steps), draw(2 * (fixed + 1) * (fixed + 2))
    expected = {(fixed,): values[None, :, :, None]}
    for step in steps:
        expected = step.ascend(expected)
    parts = start.ascend(values)
    assert list(parts) == list(expected)
    for shape, part in parts.items():
        torch.testing.assert_close(part, expected[shape])
    torch.testing.assert_close(start.descend(parts), values)
