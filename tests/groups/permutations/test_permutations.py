"""Permutations as arrays, their numbers and cosets, and Young's orthogonal form."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest
import torch

from steerable.groups import GroupError
from steerable.groups.permutations.permutations import (
    as_permutations,
    compose,
    coset_numbers,
    cosets,
    cycle_types,
    inverse,
    inversions,
    permutation_matrices,
    permutations_at,
    places,
)
from steerable.groups.permutations.young import orthogonal_form

EXCHANGES = {
    n: np.array([[*range(k), k + 1, k, *range(k + 2, n)] for k in range(n - 1)])
    for n in range(2, 9)
}


@pytest.fixture
def drawn():
    """Random permutations (count, n)."""
    random = np.random.default_rng(0)
    return lambda n, count=20: random.permuted(np.tile(np.arange(n), (count, 1)), axis=1)


def test_products_are_those_of_matrices(drawn):
    s, t = drawn(6), drawn(6)
    a, b = permutation_matrices(s), permutation_matrices(t)
    np.testing.assert_array_equal(permutation_matrices(compose(s, t)), a @ b)
    np.testing.assert_array_equal(permutation_matrices(inverse(s)), a.transpose(0, 2, 1))
    np.testing.assert_array_equal(a @ np.arange(6.0), inverse(s))
    for given in (s, a, torch.from_numpy(s), torch.from_numpy(a), s.tolist()):
        np.testing.assert_array_equal(as_permutations(given, 6), s)
    assert (
        as_permutations(np.zeros((0, 4)), 4).shape
        == as_permutations(np.zeros((0, 4, 4)), 4).shape
        == (0, 4)
    )


def test_cycle_types():
    assert cycle_types(
        np.array([[0, 1, 2, 3, 4], [1, 2, 0, 4, 3], [1, 2, 3, 4, 0], [1, 0, 3, 2, 4]])
    ) == [
        (1, 1, 1, 1, 1),
        (3, 2),
        (5,),
        (2, 2, 1),
    ]
    counts = cycle_types(np.array(list(permutations(range(6)))))
    assert (
        counts.count((4, 2)) == 90 and counts.count((3, 2, 1)) == 120 and counts.count((6,)) == 120
    )


@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_places_number_all_permutations(n):
    """Every number once, the identity 0; the digits above m tell the coset s S_m."""
    listed = cosets((1,) * n)
    assert listed.shape == (factorial(n), n) and {*map(tuple, listed.tolist())} == set(
        permutations(range(n))
    )
    np.testing.assert_array_equal(listed[0], np.arange(n))
    np.testing.assert_array_equal(places(listed), np.arange(factorial(n)))
    np.testing.assert_array_equal(permutations_at(np.arange(factorial(n)), n), listed)
    for m in range(1, n + 1):
        moved = places(listed, m)
        assert (np.bincount(moved) == factorial(m)).all()
        _, number = np.unique(listed[:, m:], axis=0, return_inverse=True)
        assert len(set(zip(moved.tolist(), number.ravel().tolist(), strict=True))) == factorial(
            n
        ) // factorial(m)


def test_inversions_factor_a_permutation(drawn):
    (s,) = drawn(7, 1)
    product = np.arange(7)
    for m, digit in reversed(list(enumerate(inversions(s[None])[0]))):
        for k in range(m - digit, m):
            product = compose(product, EXCHANGES[7][k])
    np.testing.assert_array_equal(product, s)


@pytest.mark.parametrize("parts", [(2, 2), (3, 1), (2, 1, 1), (2, 2, 2), (3, 2, 1), (4,)])
def test_cosets_are_words(parts, drawn):
    """The coset of s is the word that says which block every point comes from."""
    n, listed = sum(parts), cosets(parts)
    block = np.repeat(np.arange(len(parts)), parts)
    words = lambda s: [tuple(block[row]) for row in inverse(s)]  # noqa: E731
    assert sorted(words(listed)) == sorted(set(permutations(block)))
    np.testing.assert_array_equal(coset_numbers(listed, parts), np.arange(len(listed)))
    s = drawn(n)
    assert words(listed[coset_numbers(s, parts)]) == words(s)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([[0, 1, 2], [0, 0, 1]], r"Element 1 is no permutation of 0..2: \[0, 0, 1\]"),
        ([[0, 1, 3]], r"Element 0 is no permutation of 0..2: \[0, 1, 3\]"),
        ([[0, 1, -1]], "Element 0 is no permutation"),
        (np.full((1, 3, 3), 1 / 3), "Element 0 is no permutation"),
        (np.full((1, 3, 3), np.nan), "Element 0 is no permutation"),
        (-np.eye(3)[None], "Element 0 is no permutation"),
        (
            [[0, 1]],
            r"Permutations of 3 points are whole numbers \(p, 3\) or matrices \(p, 3, 3\); got "
            r"int64 \(1, 2\)",
        ),
        ([[0.0, 1.0, 2.0]], "got float64"),
        ([0, 1, 2], r"got int64 \(3,\)"),
    ],
)
def test_what_is_no_permutation(given, text):
    with pytest.raises(GroupError, match=text):
        as_permutations(given, 3)
    with pytest.raises(GroupError, match=text):
        orthogonal_form((2, 1), given)


def test_too_many_permutations():
    with pytest.raises(
        GroupError, match=r"takes 9!/1! = 362880 permutations; at most 8! = 40320 are listed"
    ):
        cosets((1,) * 9)
    with pytest.raises(GroupError, match="too many to be numbered; at most 20! are"):
        places(np.arange(21)[None])
    assert cosets((28, 2)).shape == (435, 30)
