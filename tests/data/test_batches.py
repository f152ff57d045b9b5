import pytest
import torch

from steerable.data.batches import Batches
from steerable.data.molecules.molecules import gather


def test_each_epoch_has_every_molecule_in_another_order(molecules):
    batches = Batches(gather(molecules, range(10), 12, 5.0), 4, seed=0)
    first, second = ([y for batch in batches for y in batch.y.tolist()] for _ in range(2))
    assert len(batches) == 3
    assert sorted(first) == sorted(second) == sorted(batches.items.y.tolist())
    assert first != second


def test_batches_without_a_seed_keep_the_order(molecules):
    batches = Batches(gather(molecules, range(10), 12, 5.0), 4)
    for _ in range(2):
        assert [y for batch in batches for y in batch.y.tolist()] == batches.items.y.tolist()


@pytest.mark.parametrize("stop", range(1, 8))
def test_batches_go_on_where_they_were_left(molecules, stop):
    data = gather(molecules, range(10), 12, 5.0)
    whole, half, rest = (Batches(data, 4, seed=1) for _ in range(3))
    expected = [batch.y.tolist() for _ in range(3) for batch in whole]
    seen = []
    while len(seen) < stop:
        for batch in half:
            seen.append(batch.y.tolist())
            if len(seen) == stop:
                break
    rest.load_state_dict(half.state_dict())
    while len(seen) < len(expected):
        seen += [batch.y.tolist() for batch in rest]
    assert seen == expected


def test_changes_are_drawn_anew_in_each_epoch_and_are_the_same_after_a_stop(molecules):
    def shaken(batch, generator):
        return batch._replace(pos=batch.pos + torch.randn(batch.pos.shape, generator=generator))

    data = gather(molecules, range(10), 12, 5.0)
    whole, rest, plain = (
        Batches(data, 4, 1, shaken),
        Batches(data, 4, 1, shaken),
        Batches(data, 4, 1),
    )
    first, second = ([batch.pos for batch in whole] for _ in range(2))
    rest.load_state_dict({"epoch": 1, "position": 1})
    assert (
        all(map(torch.equal, rest_of_second := [batch.pos for batch in rest], second[1:]))
        and rest_of_second
    )
    assert [batch.y.tolist() for batch in plain] == [
        batch.y.tolist() for batch in Batches(data, 4, 1, shaken)
    ]
    noise = torch.cat(
        [(a - b.pos).flatten() for a, b in zip(first, Batches(data, 4, 1), strict=True)]
    )
    assert len(noise.unique()) == len(noise)
    assert not torch.equal(torch.cat(second).sort(0).values, torch.cat(first).sort(0).values)
