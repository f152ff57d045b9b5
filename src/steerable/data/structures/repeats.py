"""Structures that are one structure, however it is turned, moved or numbered."""

from __future__ import annotations

import numpy as np

from ..splits import Split
from .structures import Structures
from .traces import TOLERANCE, kinds, same, traces


def duplicates(structures: Structures, tolerance: float = TOLERANCE) -> np.ndarray:
    """The first structure that is the same as each one (structure,): itself where there is none.

    Two structures are the same where a rotation, a reflection, a shift and a permutation of the
    atoms lead from one to the other, and charge and spin agree. Labels do not matter. A crystal and
    its supercell differ.

    Args:
        structures: the structures.
        tolerance: by which positions may differ, in Angstrom.
    """
    return same(kinds(structures), traces(structures), tolerance)


def shared_duplicates(
    structures: Structures, split: Split, tolerance: float = TOLERANCE
) -> list[tuple[int, int]]:
    """Structures that are the same and are in different parts of a split.

    Args:
        structures: the structures.
        split: the split.
        tolerance: by which positions may differ, in Angstrom.

    Returns:
        For each structure of validation and test with a duplicate in an earlier part, the index of
        one there, and its own. Parts are ordered: training, validation, test.
    """
    first = duplicates(structures, tolerance)
    before: dict[int, int] = {}
    pairs = []
    for part in (split.train, split.validation, split.test):
        rows = part.tolist()
        pairs += [(before[first[row]], row) for row in rows if first[row] in before]
        for row in rows:
            before.setdefault(int(first[row]), row)
    return pairs
