"""From lists of atoms to structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .columns import Column
from .structures import Structures

PART = 1000  # structures that a reader returns at once


def assemble(
    numbers: Sequence[np.ndarray],
    positions: Sequence[np.ndarray],
    columns: Mapping[str, Column],
    source: str,
    frames: Sequence[int],
) -> Structures:
    """Structures without cells.

    Args:
        numbers: the atomic numbers (atom,) of each structure.
        positions: the positions (atom, 3) of each structure, in Angstrom.
        columns: the quantities.
        source: the name of the file.
        frames: the number of each structure in the file.
    """
    sizes = np.array([len(one) for one in numbers], dtype=np.int64)
    return Structures(
        np.concatenate([np.zeros(0), *numbers]).astype(np.int64),
        np.concatenate([np.zeros((0, 3)), *positions]),
        np.concatenate([[0], sizes.cumsum()]).astype(np.int64),
        np.zeros((len(sizes), 3, 3)),
        np.zeros((len(sizes), 3), dtype=bool),
        dict(columns),
        np.full(len(sizes), source),
        np.array(frames, dtype=np.int64),
    )
