"""Farthest-point sampling against a loop in float64."""

import numpy as np
import pytest
import torch

from steerable.ops import farthest_point_sampling

COUNTS = [9, 1, 30, 4]


def cloud(count=60, dim=3, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dim)))


def by_loop(pos, count, first=None):
    """Indices of one cloud, one point after the other."""
    if first is None:
        first = int((pos - pos.mean(0)).norm(dim=1).argmax())
    taken = [first]
    while len(taken) < min(count, len(pos)):
        rest = [i for i in range(len(pos)) if i not in taken]
        taken.append(
            max(rest, key=lambda i: (min(float((pos[i] - pos[j]).norm()) for j in taken), -i))
        )
    return taken


def orthogonal(dim, rng):
    return torch.from_numpy(np.linalg.qr(rng.normal(size=(dim, dim)))[0])


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("count", [1, 7, 60, 100])
def test_one_cloud_is_a_loop(dim, count):
    pos = cloud(dim=dim)
    found = farthest_point_sampling(pos, count)
    assert found.dtype == torch.long and found.tolist() == by_loop(pos, count)


@pytest.mark.parametrize("order", ["sorted", "unsorted"])
@pytest.mark.parametrize("count", [1, 5, 0.3, 1.0])
def test_a_batch_is_its_clouds_one_by_one(order, count):
    """By cloud, though numbers are missing.

    Of a small cloud all points, of every cloud at least one.
    """
    batch = torch.tensor([5, 0, 2, 9]).repeat_interleave(torch.tensor(COUNTS))
    if order == "unsorted":
        batch = batch[torch.from_numpy(np.random.default_rng(1).permutation(len(batch)))]
    pos = cloud(len(batch))
    expected = []
    for k in sorted(set(batch.tolist())):
        nodes = torch.nonzero(batch == k).flatten()
        size = count if isinstance(count, int) else int(np.ceil(count * len(nodes)))
        expected += nodes[by_loop(pos[nodes], size)].tolist()
    assert farthest_point_sampling(pos, count, batch).tolist() == expected


@pytest.mark.parametrize("dim", [2, 3])
def test_it_commutes_with_motions_and_orders(dim):
    """A rotated, reflected, shifted and reordered cloud gives the same points in the same order."""
    rng = np.random.default_rng(2)
    pos, batch = cloud(dim=dim), torch.arange(60) % 2
    found = farthest_point_sampling(pos, 12, batch)
    for _ in range(5):
        order = torch.from_numpy(rng.permutation(60))
        moved = pos @ orthogonal(dim, rng).T + torch.from_numpy(rng.normal(size=dim))
        assert order[farthest_point_sampling(moved[order], 12, batch[order])].equal(found)


def test_a_break_of_the_symmetry_would_be_seen():
    """From the point farthest along an axis the sample would not commute with rotations."""
    rng = np.random.default_rng(3)
    pos = cloud()
    turned = pos @ orthogonal(3, rng).T
    assert by_loop(pos, 12, int(pos[:, 0].argmax())) != by_loop(
        turned, 12, int(turned[:, 0].argmax())
    )


def test_the_sample_covers_the_cloud_better_than_chance():
    pos = cloud(500)
    rng = np.random.default_rng(4)
    farthest = torch.cdist(pos, pos[farthest_point_sampling(pos, 32)]).amin(1).max()
    by_chance = [torch.cdist(pos, pos[rng.permutation(500)[:32]]).amin(1).max() for _ in range(20)]
    assert farthest < min(by_chance)


def test_coincident_points_come_last_and_once():
    pos = torch.tensor([[0.0, 0], [0, 0], [3, 0], [0, 0], [3, 0], [1, 0]])
    assert farthest_point_sampling(pos, 6).tolist() == [2, 0, 5, 1, 3, 4]
    assert farthest_point_sampling(torch.ones(4, 3), 3).tolist() == [0, 1, 2]


def test_no_points_and_one():
    nothing = torch.zeros(0, dtype=torch.long)
    for batch in (None, nothing):
        found = farthest_point_sampling(torch.zeros(0, 3), 4, batch)
        assert found.dtype == torch.long and found.shape == (0,)
    assert farthest_point_sampling(torch.ones(1, 3), 0.01).tolist() == [0]


def test_the_part_is_rounded_up_but_not_by_a_rounding_error():
    """0.7 * 10 is a little more than 7 in floating point."""
    assert [
        len(farthest_point_sampling(cloud(10), part)) for part in (0.05, 0.1, 0.7, 0.71, 1.0)
    ] == [1, 1, 7, 8, 10]


def test_a_generator_draws_the_first_points():
    pos, batch = cloud(), torch.arange(60) // 20
    draws = [
        farthest_point_sampling(pos, 4, batch, torch.Generator().manual_seed(seed))
        for seed in range(100)
    ]
    assert draws[0].equal(farthest_point_sampling(pos, 4, batch, torch.Generator().manual_seed(0)))
    firsts = torch.stack([found[::4] for found in draws])
    assert all(len(column.unique()) == 20 for column in firsts.T)
    for cloud_ in range(3):
        nodes = torch.arange(20) + 20 * cloud_
        assert (
            draws[0][4 * cloud_ :][:4].tolist()
            == nodes[by_loop(pos[nodes], 4, int(firsts[0, cloud_]) % 20)].tolist()
        )


def test_it_asks_for_no_gradient_and_leaves_points_alone():
    pos = cloud().requires_grad_()
    before = pos.detach().clone()
    assert farthest_point_sampling(pos, 9).equal(farthest_point_sampling(before, 9)) and pos.equal(
        before
    )
    assert farthest_point_sampling(pos.float(), 9).shape == (9,)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((cloud(), 0), "needs a count of at least 1; got 0"),
        ((cloud(), -3), "needs a count of at least 1; got -3"),
        ((cloud(), 0.0), r"part of the points to take, in \(0, 1\]; got 0.0"),
        ((cloud(), 256.0), r"in \(0, 1\]; got 256.0"),
        ((cloud(), float("nan")), r"in \(0, 1\]; got nan"),
        ((cloud()[0], 2), r"\(node, d\); got torch.float64 \(3,\)"),
        (
            (cloud().index_fill(0, torch.tensor([3]), float("nan")), 2),
            r"nodes \[3\] are NaN or infinite",
        ),
        (
            (cloud(), 2, torch.zeros(4, dtype=torch.long)),
            r"every node: 60 integers; got torch.int64 \(4,\)",
        ),
    ],
)
def test_bad_input(arguments, text):
    with pytest.raises(ValueError, match=text):
        farthest_point_sampling(*arguments)
