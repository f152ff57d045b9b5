"""Pictures with a middle, in batches."""

import pytest
import torch

from steerable.data.images.digits import Digits
from steerable.data.images.pictures import Pictures


@pytest.mark.parametrize(
    ("size", "padded"), [((4, 4), (5, 5)), ((4, 7), (5, 7)), ((3, 6), (3, 7)), ((5, 5), (5, 5))]
)
def test_even_sizes_get_a_row_or_column_of_zeros_at_the_end(size, padded):
    images = torch.rand(3, *size) + 1
    pictures = Pictures(Digits(images, torch.tensor([7, 8, 9])))
    assert pictures.images.shape == (3, *padded) and len(pictures) == 3
    assert torch.equal(pictures.images[:, : size[0], : size[1]], images)
    assert float(pictures.images.sum()) == pytest.approx(float(images.sum()))


def test_batches_are_in_the_order_that_is_asked_for():
    pictures = Pictures(Digits(torch.arange(4.0).view(4, 1, 1), torch.tensor([5, 6, 7, 8])))
    images, y = pictures.batch(torch.tensor([3, 0, 3]))
    assert images.flatten().tolist() == [3, 0, 3] and y.tolist() == [8, 5, 8]
    assert pictures.batch(torch.tensor([], dtype=torch.long)).images.shape == (0, 1, 1)
