"""Counts of permutations."""

from math import factorial, prod


def class_size(cycles):
    """The number of permutations with the given cycle lengths."""
    repeats = [cycles.count(length) for length in set(cycles)]
    return factorial(sum(cycles)) // (prod(cycles) * prod(factorial(count) for count in repeats))
