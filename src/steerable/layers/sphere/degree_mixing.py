"""Which pairs of degrees a product of signals couples to make a degree."""

from __future__ import annotations

import numpy as np


def degree_pairs(max_degree: int, degree: int, mixing: str = "tree") -> list[tuple[int, int]]:
    """Pairs l1 <= l2 <= max_degree with l2 - l1 <= l <= l1 + l2.

    The product of a degree with itself makes degree l.

    Those are about L^2 / 2. As edges between degrees they connect all of them, and so does their
    minimum spanning tree, of L edges, for the cost (2 l1 + 1) (2 l2 + 1) of a product: with it
    every degree still depends on all others. Equal degrees, which are no edges, are left out; but
    degree 0 is made from nothing else, and keeps them all.

    Args:
        max_degree: L.
        degree: l.
        mixing: "tree", or "full" for all pairs that do not vanish.

    Raises:
        ValueError: another mixing.

    Source: Cobb et al. 2021, arXiv:2010.11661, section 3.
    """
    if mixing not in ("tree", "full"):
        raise ValueError(f"mixing is tree or full; got {mixing!r}.")
    pairs = [
        (a, b)
        for a in range(max_degree + 1)
        for b in range(a, max_degree + 1)
        if b - a <= degree <= a + b and not (a == b and degree % 2)
    ]
    if mixing == "full" or degree == 0:
        return pairs
    from scipy.sparse.csgraph import minimum_spanning_tree  # takes a moment to import

    cost = np.zeros((max_degree + 1, max_degree + 1))
    for a, b in pairs:
        cost[a, b] = (2 * a + 1) * (2 * b + 1) if a < b else 0
    tree = minimum_spanning_tree(cost).toarray()
    return [(int(a), int(b)) for a, b in np.argwhere(tree)]
