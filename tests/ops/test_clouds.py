"""The clouds of a batch against loops, and positions that are refused."""

import pytest
import torch

from steerable.ops.clouds import check_finite, check_points, clouds

BATCH = torch.tensor([5, 0, 5, 2, 0, 5, 5])


def test_clouds_are_loops():
    parts = clouds(BATCH, torch.zeros(7, 3))
    members: dict[int, list[int]] = {0: [], 2: [], 5: []}
    for k, number in enumerate(BATCH.tolist()):
        members[number].append(k)
    assert parts.numbers.tolist() == list(members) and parts.widest == 4
    assert parts.counts.tolist() == [len(points) for points in members.values()]
    places, taken = parts.slots()
    rows = [row[mask].tolist() for row, mask in zip(places, taken, strict=True)]
    assert rows == list(members.values()) and not places[~taken].any()


def test_one_cloud_and_none():
    parts = clouds(None, torch.zeros(3, 2))
    assert parts.slots()[0].tolist() == [[0, 1, 2]] and parts.counts.tolist() == [3]
    empty = clouds(None, torch.zeros(0, 2))
    assert empty.widest == 0 and empty.slots()[0].shape == (0, 0)


@pytest.mark.parametrize(
    ("pos", "batch", "text"),
    [
        (torch.zeros(3), None, r"floating-point numbers \(point, d\); got torch.float32 \(3,\)"),
        (torch.zeros(3, 2, dtype=torch.long), None, r"got torch.int64 \(3, 2\)"),
        (torch.full((9, 2), torch.nan), None, r"those of points \[0, 1, 2, 3, 4\] are NaN"),
        (torch.zeros(3, 2), torch.zeros(2).long(), r"graph of every point: 3 integers; got"),
        (torch.zeros(3, 2), torch.zeros(3), r"3 integers; got torch.float32 \(3,\)"),
    ],
)
def test_bad_points(pos, batch, text):
    with pytest.raises(ValueError, match=text):
        check_points(pos, batch, "point")


def test_one_infinite_coordinate_is_seen_where_numbers_are():
    pos = torch.zeros(4, 3)
    check_points(pos, torch.zeros(4, dtype=torch.int32))
    pos[2, 1] = -torch.inf
    with pytest.raises(ValueError, match=r"those of nodes \[2\] are NaN or infinite"):
        check_finite(pos)
    torch.func.vmap(lambda x: check_finite(x) or x)(pos)  # a transform hides them
