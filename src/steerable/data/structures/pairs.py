"""Pairs of neighbouring atoms of structures, with their distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from steerable.ops import radius_graph

from .items import neighbours_of
from .structures import Structures


class Pairs(NamedTuple):
    """Ordered pairs of neighbours.

    `structure` (pair,) they are in, atoms `source` and `target` (pair,) among all atoms, and their
    `distance` (pair,) in Angstrom, and the `step` (pair, 3) from target to source, which
    may be a periodic image.
    """

    structure: np.ndarray
    source: np.ndarray
    target: np.ndarray
    distance: np.ndarray
    step: np.ndarray


def pairs_within(structures: Structures, reach: float) -> Pairs:
    """All pairs of atoms of one structure that are closer than `reach` in Angstrom."""
    if not len(structures.z):
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, none, np.zeros(0), np.zeros((0, 3)))
    if not structures.is_periodic.any():  # takes an eighth of the time
        owner = np.repeat(np.arange(len(structures)), structures.sizes)
        pos = torch.from_numpy(structures.pos)
        source, target = radius_graph(pos, reach, torch.from_numpy(owner)).numpy()
        step = structures.pos[source] - structures.pos[target]
        return Pairs(owner[target], source, target, np.linalg.norm(step, axis=1), step)
    edge_index, shift, edges = neighbours_of(structures, reach)
    structure = np.repeat(np.arange(len(structures)), edges.diff().numpy())
    source, target = edge_index.numpy().astype(np.int64) + structures.ends[structure]
    cells = shift.numpy().astype(np.float64)
    moved = (cells[:, None] @ structures.cell[structure])[:, 0]
    step = structures.pos[source] + moved - structures.pos[target]
    return Pairs(structure, source, target, np.linalg.norm(step, axis=1), step)
