"""How clouds are turned, stretched and shaken.

The distributions, and that they come from the generator alone.
"""

import math

import pytest
import torch

from steerable.data.shapes.clouds import ROTATIONS, Augmentation, Clouds, rotations

COUNT = 20_000
NEAR = 5 / COUNT**0.5


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def clouds():
    return Clouds(torch.randn(6, 40, 3, generator=generator()), torch.arange(6))


def turns(name):
    """Rotations as an augmentation applies them.

    They are read off three vectors whose lengths tell them apart.
    """
    length = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    found = Augmentation(name, points=3).of(torch.diag(length).expand(COUNT, 3, 3), generator(1))
    order = found.norm(dim=2)[0].argsort()
    return (found[:, order] / length[:, None]).mT


@pytest.mark.parametrize("name", ROTATIONS)
def test_rotations_are_rotations(name):
    found = turns(name)
    assert torch.allclose(
        found @ found.mT, torch.eye(3, dtype=torch.float64).expand_as(found), atol=1e-12
    )
    assert torch.allclose(torch.linalg.det(found), torch.ones(COUNT, dtype=torch.float64))


def test_aligned_clouds_stay():
    assert torch.equal(turns("aligned"), torch.eye(3, dtype=torch.float64).expand(COUNT, 3, 3))


def test_rotations_about_z_hold_z_and_are_uniform():
    found = turns("z")
    z = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    assert torch.allclose(found @ z, z.expand(COUNT, 3))
    angle = torch.atan2(found[:, 1, 0], found[:, 0, 0])
    for k in (1, 2, 3):  # of the uniform measure every Fourier coefficient but the zeroth vanishes
        assert torch.exp(1j * k * angle).mean().abs() < NEAR


def test_rotations_of_space_are_haar():
    trace = turns("so3").diagonal(dim1=1, dim2=2).sum(1)
    # The trace is the character of l = 1: its moments count the invariants in the powers of a
    # vector.
    for power, invariants in ((1, 0), (2, 1), (3, 1), (4, 3)):
        spread = float((trace**power).std()) / COUNT**0.5
        assert float((trace**power).mean()) == pytest.approx(invariants, abs=5 * spread)
    angle = torch.acos(((trace - 1) / 2).clamp(-1, 1))
    assert float(angle.mean()) == pytest.approx(math.pi / 2 + 2 / math.pi, abs=0.03)


def test_the_groups_of_the_protocols():
    assert [rotations(name).name for name in ROTATIONS] == ["trivial", "Cinf", "SO(3)"]


def test_stretch_and_jitter_have_their_sizes():
    points = torch.ones(COUNT, 1, 3)
    factor = Augmentation("aligned", 1, stretch=0.2).of(points, generator())[:, 0]
    assert 0.8 <= float(factor.min()) < 0.81 and 1.19 < float(factor.max()) <= 1.2
    assert torch.allclose(factor.std(0), torch.full((3,), 0.2 / 3**0.5), atol=0.003)
    assert torch.corrcoef(factor.T).fill_diagonal_(0).abs().max() < NEAR
    noise = Augmentation("aligned", 1, jitter=0.05).of(torch.zeros(COUNT, 1, 3), generator())
    assert float(noise.std()) == pytest.approx(0.05, rel=0.02)


def test_points_are_a_random_choice_and_some_are_dropped(clouds):
    kept = Augmentation("aligned", 25).of(clouds.points, generator())
    assert kept.shape == (6, 25, 3)
    known = {tuple(row) for row in clouds.points[2].tolist()}
    assert len({tuple(row) for row in kept[2].tolist()} & known) == 25
    sizes = [
        Augmentation("aligned", 40, drop=0.5).of(clouds.points, generator(seed)).shape[1]
        for seed in range(200)
    ]
    assert 20 <= min(sizes) < 24 and 36 < max(sizes) <= 40


def test_a_batch_is_changed_like_its_clouds_and_the_same_from_the_same_generator(clouds):
    augmentation = Augmentation("so3", 30, 0.1, 0.01, 0.2)
    batch = clouds.batch(torch.tensor([4, 1]))
    first, second, other = (augmentation(batch, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first.pos, second.pos)
    assert first.pos.shape != other.pos.shape or not torch.equal(first.pos, other.pos)
    assert torch.equal(
        first.pos.unflatten(0, (2, -1)), augmentation.of(clouds.points[[4, 1]], generator())
    )
    assert first.batch.bincount().tolist() == [len(first.pos) // 2] * 2
    assert first.y.tolist() == [4, 1]


def test_clouds_changed_once_keep_their_labels(clouds):
    found = Augmentation("z", 10).once(clouds, seed=3)
    assert torch.equal(found.label, clouds.label)
    assert found.points.shape == (6, 10, 3)
    assert not torch.equal(found.points, Augmentation("z", 10).once(clouds, seed=4).points)
