"""The layout of coefficients: that of a field of SO(3) with one copy of an irrep per column."""

import pytest
import torch

from steerable.field import Field
from steerable.functions.layout import Layout
from steerable.groups import SO3


@pytest.mark.parametrize(
    ("layout", "field"),
    [
        (Layout.sphere(3), "1x0 + 1x1 + 1x2 + 1x3"),
        (Layout.rotations(3), "1x0 + 3x1 + 5x2 + 7x3"),
        (Layout.rotations(3, 1), "1x0 + 3x1 + 3x2 + 3x3"),
        (Layout.rotations(2, 0), "1x0 + 1x1 + 1x2"),
        (Layout.spin(3, 1), "2x1 + 2x2 + 2x3"),
        (Layout.spin(4, 3), "2x3 + 2x4"),
    ],
)
def test_it_is_that_of_a_field(layout, field):
    parsed = Field.parse(field, SO3())
    assert layout.size == parsed.dim
    coefficients = torch.arange(2.0 * layout.size).view(2, -1)
    blocks = [block for block in layout.split(coefficients) if block.numel()]
    for block, term, place in zip(blocks, parsed, parsed.slices(), strict=True):
        assert block.shape == (2, term.multiplicity, term.irrep.dim)
        assert torch.equal(block.flatten(1), coefficients[:, place])
    assert torch.equal(layout.join(layout.split(coefficients)), coefficients)


@pytest.mark.parametrize(
    ("band", "count"), [(1, 1), (4, 84), (8, 680), (16, 5456), (32, 43680), (64, 349504)]
)
def test_counts_on_the_rotations(band, count):
    assert Layout.rotations(band - 1).size == count


def test_counts_where_orders_end():
    assert [Layout.rotations(band - 1, 1).size for band in (8, 16, 32)] == [190, 766, 3070]
    assert Layout.rotations(4, 2).columns(1) == [-1, 0, 1] and Layout.spin(4, 2).columns(1) == []


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Layout(-1), "at least 0; got -1"),
        (lambda: Layout(3, (1, 0)), r"ascend, each once; got \(1, 0\)"),
        (lambda: Layout(3, ()), "ascend"),
        (lambda: Layout.rotations(2, 3), r"orders up to 2; got \(-3, -2"),
        (lambda: Layout.rotations(2, -1), "ascend"),
        (lambda: Layout.spin(2, 0), "at least 1; got 0"),
        (
            lambda: Layout.sphere(2).split(torch.zeros(4, 8)),
            r"9 coefficients .* orders 0; got shape \(4, 8\)",
        ),
        (
            lambda: Layout.rotations(2).split(torch.zeros(())),
            r"35 coefficients .* orders -2 to 2; got shape \(\)",
        ),
        (
            lambda: Layout.spin(2, 2).check(torch.zeros(9), "Rotate"),
            "Rotate expects 10 .* orders -2, 2",
        ),
    ],
)
def test_what_is_no_layout(make, text):
    with pytest.raises(ValueError, match=text):
        make()
