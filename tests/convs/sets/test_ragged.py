"""Ragged batches at the door: what PyG's arguments mean, and all that is refused."""

import numpy as np
import pytest
import torch

from steerable.convs.sets.ragged import (
    check_aggregation,
    check_numbers,
    check_occupied,
    check_sets,
    check_sorted,
)

BATCH = torch.tensor([2, 0, 0, 2, 4])  # sets 1 and 3 are empty


@pytest.mark.parametrize("sizes", [[3, 0, 4, 1], [0, 0, 2], [5], [2, 0]])
def test_pointers_are_sets_that_lie_side_by_side(sizes):
    x, ptr = torch.zeros(sum(sizes), 2), torch.tensor([0, *np.cumsum(sizes)])
    index, size = check_aggregation("Pool", x, None, ptr, None, 0)
    assert size == len(sizes)
    assert index.tolist() == np.repeat(np.arange(len(sizes)), sizes).tolist()


def test_how_many_sets_there_are():
    x = torch.zeros(5, 2)
    assert check_sets("Pool", x, BATCH, None)[1] == 5
    assert check_sets("Pool", x, BATCH, 7)[1] == 7
    assert check_sets("Pool", x[:0], BATCH[:0], None)[1] == 0
    batch, size = check_sets("Pool", x, None, None)
    assert batch.tolist() == [0] * 5 and size == 1


@pytest.mark.parametrize(
    ("shape", "batch", "size", "text"),
    [
        ((1, 5, 2), None, None, r"behind the other, \(element, channel\); got .* padded sets"),
        ((5, 2), BATCH[:3], None, r"of the 5 elements, as integers \(5,\); got .*int64 \(3,\)"),
        ((5, 2), BATCH.double(), None, r"got torch.float64 \(5,\)"),
        ((5, 2), BATCH, 4, "Pool numbers the sets from 0 to 3; got set 4. Pass size."),
        ((5, 2), BATCH - 1, None, "numbers the sets from 0; got set -1"),
    ],
)
def test_batches_that_do_not_fit(shape, batch, size, text):
    with pytest.raises(ValueError, match=text):
        check_sets("Pool", torch.zeros(shape), batch, size)


def test_orders_empty_sets_and_numbers_that_are_none():
    check_sorted("Pool", BATCH.sort().values)
    check_occupied("Pool", torch.tensor([1, 0, 2]), 3)
    check_numbers(
        "Pool", torch.full((3, 2), 1e38)
    )  # the sum of these overflows, and all are finite
    with pytest.raises(ValueError, match="Pool needs the elements set after set"):
        check_sorted("Pool", BATCH)
    with pytest.raises(ValueError, match=r"sets \[1, 3, 5\] of 6 are empty"):
        check_occupied("Pool", BATCH, 6)
    x = torch.zeros(4, 2)
    x[1, 0], x[1, 1], x[3, 0] = torch.inf, -torch.inf, torch.nan
    with pytest.raises(ValueError, match=r"elements \[1, 3\] are NaN or infinite"):
        check_numbers("Pool", x)
    with pytest.raises(ValueError, match=r"rows of features .*; got \(4,\), dim=0"):
        check_aggregation("Pool", x[:, 0], None, None, None, 0)
