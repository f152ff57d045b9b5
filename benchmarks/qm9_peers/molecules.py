"""Molecules in a file that every environment can read, and batches of them.

The environments of the peers have no steerable: a batch is selected here as in
`steerable.data.molecules`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

ARRAYS = ("z", "pos", "y", "atoms", "edge_index", "edges")


class Batch(NamedTuple):
    """Molecules as one graph: the inputs of a network, and its target `y` (molecule,)."""

    z: Tensor
    pos: Tensor
    batch: Tensor
    edge_index: Tensor
    y: Tensor


class Molecules(Protocol):
    """Flat tensors of molecules, as `steerable.data.molecules.Molecules` has them."""

    z: Tensor
    pos: Tensor
    y: Tensor
    atoms: Tensor
    edge_index: Tensor
    edges: Tensor


@dataclass(frozen=True)
class Facts:
    """What a network is told of the training molecules.

    y = sum over atoms of reference[z] + shift + scale * output of the network.
    """

    elements: list[int]
    reference: list[float]
    shift: float
    scale: float
    cutoff: float
    neighbours: float


@dataclass(frozen=True)
class Part:
    """The training, validation or test molecules; the arrays are those of `Molecules`."""

    z: Tensor
    pos: Tensor
    y: Tensor
    atoms: Tensor
    edge_index: Tensor
    edges: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, index: Tensor) -> Batch:
        """The molecules with the given indices (molecule,), in that order."""
        atoms, count = _ranges(self.atoms, index)
        edges, edge_count = _ranges(self.edges, index)
        first = count.cumsum(0) - count  # the first atom of every molecule in the batch
        edge_index = self.edge_index[:, edges] + first.repeat_interleave(edge_count)
        molecule = torch.arange(len(index)).repeat_interleave(count)
        return Batch(self.z[atoms], self.pos[atoms], molecule, edge_index, self.y[index])


def write(path: Path, parts: Mapping[str, Molecules], facts: Facts) -> None:
    """Write the parts by name, and the facts, to an `.npz` file."""
    arrays = {
        f"{name}_{array}": getattr(part, array).numpy()
        for name, part in parts.items()
        for array in ARRAYS
    }
    temporary = path.with_suffix(".tmp.npz")  # the file is complete or absent
    np.savez(temporary, facts=np.array(json.dumps(asdict(facts))), **arrays)
    temporary.replace(path)


def read_facts(path: str) -> Facts:
    """The facts of a file."""
    with np.load(path) as archive:
        return Facts(**json.loads(str(archive["facts"])))


def read_part(path: str, name: str) -> Part:
    """One part of a file: `train`, `validation` or `test`; the others are not read."""
    with np.load(path) as archive:
        return Part(*(torch.from_numpy(archive[f"{name}_{array}"]) for array in ARRAYS))


def _ranges(ends: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """The ranges `ends[m]:ends[m + 1]` of all m in `index`, concatenated, and their lengths."""
    start, count = ends[index], ends[index + 1] - ends[index]
    # 0, 1, 2, ... counts through the result; `shift` makes every range begin at its start.
    shift = start - (count.cumsum(0) - count)
    return torch.arange(int(count.sum())) + shift.repeat_interleave(count), count
