"""Which atoms of structures are bonded, by their distances."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from steerable.ops import Edges, radius_graph

from .structures import Structures

BOND = 1.3  # in units of the sum of the covalent radii: nothing is bonded beyond
_CHUNK = 256  # structures per neighbour search, which bounds its memory


def chunks(structures: Structures) -> Iterator[Structures]:
    """Some structures at a time, in order."""
    for start in range(0, len(structures), _CHUNK):
        yield structures.select(range(start, min(start + _CHUNK, len(structures))))


def contacts(structures: Structures) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of atoms (2, pair) that are bonded, both ways, and their distances (pair,) in Angstrom.

    A pair is bonded within 1.3 times the sum of its covalent radii. Periodic images count.
    """
    from ase.data import covalent_radii  # takes a moment to import

    radii = covalent_radii[structures.z]
    if not len(radii):
        return np.zeros((2, 0), dtype=np.int64), np.zeros(0)
    pairs, distance = close_pairs(structures, float(2 * BOND * radii.max()))
    bonded = distance <= BOND * radii[pairs].sum(0)
    return pairs[:, bonded], distance[bonded]


def fragments(count: int, pairs: np.ndarray) -> np.ndarray:
    """The smallest atom that each atom (atom,) is connected with, by pairs (2, pair)."""
    label = np.arange(count)
    while True:
        least = label.copy()
        np.minimum.at(least, pairs[1], label[pairs[0]])
        # Labels are atoms, so the label of a label is as good, and paths get half as long.
        least = least[least]
        if (least == label).all():
            return label
        label = least


def close_pairs(structures: Structures, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of atoms (2, pair) within a cutoff, both ways, and their distances (pair,)."""
    pos = torch.from_numpy(structures.pos)
    owner = torch.from_numpy(np.repeat(np.arange(len(structures)), structures.sizes))
    if structures.is_periodic.any():
        from steerable.ops import periodic_graph

        cell, pbc = torch.from_numpy(structures.cell), torch.from_numpy(structures.pbc)
        index, shift = periodic_graph(pos, cutoff, cell, pbc, owner)
        edges = Edges.between(pos, index, shift, cell, owner)
    else:
        index = radius_graph(pos, cutoff, owner)
        edges = Edges.between(pos, index)
    return index.numpy(), edges.offset.norm(dim=1).numpy()
