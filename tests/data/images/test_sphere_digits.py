"""Pictures on the sphere.

The projection against its formula, rotations, and parts without a common picture.
"""

import math

import numpy as np
import pytest
import torch

from oracles.sphere import rotations
from steerable.data.images.digits import Digits
from steerable.data.images.sphere_digits import project, sphere_parts
from steerable.functions.spectra import power_spectrum
from steerable.functions.sphere import SphereGrid, SphereTransform

POINTS = SphereGrid("gauss", 20, 40).points()


def blobs(count, size=61):
    """Smooth pictures as functions of places in the plane, and the pictures."""
    axis = (torch.arange(size, dtype=torch.float64) + 0.5) * 3 / size - 1.5
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    centres = 0.4 * torch.randn(
        count, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )

    def function(k, x, y):
        return torch.exp(-((x - centres[k, 0]) ** 2 + (y - centres[k, 1]) ** 2) / 0.08)

    return function, torch.stack([function(k, x, y) for k in range(count)])


def test_the_projection_is_stereographic():
    function, images = blobs(3)
    x, y, z = POINTS.unbind(-1)
    found = project(images, POINTS)
    polar = torch.acos(y)
    radius = 2 * torch.tan(polar / 2)
    azimuth = torch.atan2(x, z)
    for k in range(3):
        expected = function(k, radius * azimuth.cos(), radius * azimuth.sin())
        torch.testing.assert_close(
            found[k], expected, atol=2e-2, rtol=0
        )  # what PyTorch's cubic allows
    assert found[:, polar > 2 * math.atan(1.5 * 2**0.5 / 2) + 0.1].eq(0).all()


def test_rotated_pictures_are_rotated_signals():
    _, images = blobs(4)
    turns = rotations(4)
    found = project(images, POINTS, turns)
    for k, turn in enumerate(turns):
        alone = project(images[k : k + 1], POINTS @ turn)[0]  # f(R^-1 p)
        torch.testing.assert_close(found[k], alone, atol=1e-12, rtol=0)
    grid = SphereGrid.resolving(40)
    transform = SphereTransform(16, grid).double()
    samples = project(images, grid.points(), turns), project(images, grid.points())
    powers = [power_spectrum(transform.analysis(f), transform.layout) for f in samples]
    torch.testing.assert_close(*powers, atol=5e-3 * float(powers[1].max()), rtol=0)


def test_pictures_that_touch_no_edge_keep_their_middle():
    image = torch.zeros(1, 28, 28)
    image[0, 13:15, 13:15] = 1.0
    pole = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
    # between four pixels the cubic of a = -3/4 weighs each by (19/32)^2
    assert project(image, pole)[0].tolist() == pytest.approx([1.41015625, 0, 0], abs=1e-6)
    assert project(image[:0], pole).shape == (0, 3)


def test_parts_share_no_picture_and_the_test_stays():
    digits = Digits(
        torch.rand(60, 5, 5, generator=torch.Generator().manual_seed(0)), torch.arange(60)
    )
    parts = sphere_parts(digits, (30, 10, 20), seed=3)
    assert [len(part) for part in parts] == [30, 10, 20]
    assert len({int(k) for part in parts for k in part.digits.label}) == 60
    for part in parts:
        assert torch.equal(part.digits.images, digits.images[part.digits.label])
        torch.testing.assert_close(
            part.rotations @ part.rotations.mT, torch.eye(3).expand(len(part), 3, 3)
        )
        assert torch.linalg.det(part.rotations).min() > 0.999
    fewer = sphere_parts(digits, (20, 20, 20), seed=3)
    assert torch.equal(fewer[2].rotations, parts[2].rotations)
    assert torch.equal(fewer[2].digits.label, parts[2].digits.label)
    assert not torch.equal(parts[0].rotations[:10], parts[1].rotations)
    assert not torch.equal(
        sphere_parts(digits, (30, 10, 20), seed=4)[2].rotations, parts[2].rotations
    )
    with pytest.raises(ValueError, match="There are 60 digits for 50 \\+ 10 \\+ 1"):
        sphere_parts(digits, (50, 10, 1))


def test_rotations_are_uniform():
    """Of the Haar measure.

    Where the pole goes has mean 0 and mean squares 1/3, and the mean of trace^2 is 1.
    """
    digits = Digits(torch.zeros(4000, 1, 1), torch.zeros(4000, dtype=torch.long))
    found = sphere_parts(digits, (3998, 1, 1))[0].rotations.double().numpy()
    np.testing.assert_allclose(found.mean(0), 0, atol=0.05)
    np.testing.assert_allclose((found**2).mean(0), 1 / 3, atol=0.03)
    np.testing.assert_allclose((np.trace(found, axis1=1, axis2=2) ** 2).mean(), 1, atol=0.1)


def test_one_rotation_for_each_picture():
    with pytest.raises(
        ValueError, match=r"Each of 2 pictures has one rotation, \(2, 3, 3\); got \(1, 3, 3\)"
    ):
        project(torch.zeros(2, 5, 5), POINTS, torch.eye(3)[None])
