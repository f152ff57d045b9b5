"""Splits: sizes, no overlap, the same for the same seed."""

import numpy as np
import pytest

from steerable.data import split, stratified


def parts(drawn):
    return drawn.train, drawn.validation, drawn.test


@pytest.mark.parametrize(
    ("name", "sizes"), [("110k", (110_000, 10_000, 10_831)), ("100k", (100_000, 17_748, 13_083))]
)
def test_the_named_splits_take_every_molecule_once(name, sizes):
    drawn = split(name, 130_831)
    assert tuple(map(len, parts(drawn))) == sizes
    np.testing.assert_array_equal(np.sort(np.concatenate(parts(drawn))), np.arange(130_831))


def test_a_split_never_changes():
    drawn = split("n", 10, train=4, validation=3, test=3)
    assert [part.tolist() for part in parts(drawn)] == [[7, 3, 0, 5], [9, 1, 6], [2, 8, 4]]
    assert all(part.dtype == np.int64 for part in parts(drawn))


def test_the_seed_decides():
    first, again, other = (split("n", 1000, 100, 50, 50, seed=seed) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(parts(first), parts(again), strict=True))
    assert not (first.train == other.train).all()


def test_learning_curves_share_their_test_and_nest_their_training():
    small, large = split("n", 1000, 10, 50, 60), split("n", 1000, 890, 50, 60)
    np.testing.assert_array_equal(small.test, large.test)
    np.testing.assert_array_equal(small.validation, large.validation)
    np.testing.assert_array_equal(small.train, large.train[:10])
    assert len(set(large.train) | set(large.validation) | set(large.test)) == 1000


def test_sizes_of_zero_are_empty_parts():
    assert tuple(map(len, parts(split("n", 5, train=5, validation=0, test=0)))) == (5, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("100", 130_831), "no split '100': choose one of '110k', '100k', 'n'"),
        (
            ("110k", 120_000),
            "takes 110000 [+] 10000 [+] 1 = 120001 items and the data set has 120000",
        ),
        (("100k", 130_830), "the data set has 130830"),
        (("110k", 130_831, 5000), "'110k' has fixed sizes: leave train, validation and test out"),
        (
            ("n", 100, 10, 10),
            "needs train >= 1, validation >= 0 and test >= 0, and got train=10.*test=None",
        ),
        (("n", 100, 0, 10, 10), "got train=0"),
        (("n", 100, 10, -1, 10), "validation=-1"),
        (("n", 100, 60, 20, 21), "60 [+] 20 [+] 21 = 101"),
    ],
)
def test_what_cannot_be_drawn_says_so(arguments, message):
    with pytest.raises(ValueError, match=message):
        split(*arguments)


def test_a_stratified_split_takes_its_share_of_every_class():
    label = np.array([0] * 50 + [1] * 3 + [2] * 20)
    kept, given = stratified(label, 0.1)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, given])), np.arange(73))
    assert np.bincount(label[given]).tolist() == [5, 1, 2]
    assert (np.diff(kept) > 0).all() and (np.diff(given) > 0).all()
    assert given.tolist() == stratified(label, 0.1)[1].tolist()
    assert given.tolist() != stratified(label, 0.1, seed=1)[1].tolist()


@pytest.mark.parametrize(
    ("label", "share", "message"),
    [
        ([0, 0], 1.0, "between 0 and 1; got 1.0"),
        ([0, 0, 1], 0.5, "class 1 has 1 items, too few to give 1 of them"),
    ],
)
def test_a_stratified_split_that_cannot_be_drawn_says_so(label, share, message):
    with pytest.raises(ValueError, match=message):
        stratified(label, share)
