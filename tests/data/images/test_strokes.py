"""Digits drawn with a pen: pictures of lines, all different, the same for every seed."""

import numpy as np
import pytest

from steerable.data.images.strokes import _distance, strokes


def test_the_distance_from_a_segment_is_the_least_over_its_points():
    random = np.random.default_rng(0)
    for along in ((3.0, -1.0), (0.0, 2.0), (0.0, 0.0)):
        x, y = random.normal(0, 3, (2, 40))
        share = np.linspace(0, 1, 20_001)[:, None]
        points = np.hypot(x - share * along[0], y - share * along[1])
        np.testing.assert_allclose(_distance(x, y, *along), points.min(0), atol=1e-4)


def test_pictures_of_all_digits_in_turn():
    images, label = strokes(23)
    assert images.shape == (23, 28, 28) and images.dtype == np.float32
    assert label.tolist() == [k % 10 for k in range(23)] and label.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    ink = images.sum((1, 2))
    assert ink.min() > 30 and ink.max() < 250  # a line of about 2 points, 20 to 80 long
    border = np.ones((28, 28), bool)
    border[1:-1, 1:-1] = False
    assert images[:, border].max() < 1  # no line runs along the border


def test_seeds_and_counts():
    images, _ = strokes(12, seed=3)
    np.testing.assert_array_equal(strokes(5, seed=3)[0], images[:5])  # the first ones stay
    assert np.abs(strokes(12, seed=4)[0] - images).max() > 0.5
    assert np.abs(images[0] - images[10]).max() > 0.5  # two noughts
    assert strokes(0)[0].shape == (0, 28, 28)


@pytest.mark.parametrize("digit", range(10))
def test_digits_look_like_their_kind(digit):
    """The mean of many is nearer to one of its kind than the means of most others."""
    images, label = strokes(400)
    means = np.stack([images[label == k].mean(0) for k in range(10)])
    others, numbers = strokes(100, seed=1)
    errors = ((others[numbers == digit][:, None] - means) ** 2).sum((2, 3))
    assert np.median((errors < errors[:, [digit]]).sum(1)) <= 1
