"""Structures with their neighbours and targets as flat tensors, from which batches are taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from steerable.ops import periodic_graph, radius_graph

from ..ranges import ranges
from .domain import multiplicity, total_charge
from .structures import Structures

_CHUNK = 256  # structures per neighbour search, which bounds its memory


class AtomBatch(NamedTuple):
    """A batch of structures as one graph: the arguments of a network of atoms, and the labels.

    `z` (atom,), `pos` (atom, 3) in Angstrom, float64, `batch` (atom,) the structure of each atom,
    `cell` (structure, 3, 3), `pbc` (structure, 3), `edge_index` (2, edge), `shift` (edge, 3), the
    total `charge` in e and the `spin` multiplicity (structure,) or None, and labels `y` by name, in
    which a row with a NaN is missing.
    """

    z: Tensor
    pos: Tensor
    batch: Tensor
    cell: Tensor
    pbc: Tensor
    edge_index: Tensor | None
    shift: Tensor | None
    charge: Tensor | None
    spin: Tensor | None
    y: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class AtomItems:
    """Structures in flat tensors: structure s has the atoms `ends[s]:ends[s + 1]`.

    Args:
        structures: the structures.
        edge_index: pairs of atoms (2, edge), relative to the first atom of the structure; int32.
        shift: how many cells the source of each edge is shifted by (edge, 3); int16.
        edges: the first edge of each structure, and the number of edges (structure + 1,).
        labels: values of each target by name, a row a structure or an atom; NaN where missing.
        per_atom: names of the targets with a row for each atom.
        states: which of `charge` and `spin` are inputs.
    """

    structures: Structures
    edge_index: Tensor
    shift: Tensor
    edges: Tensor
    labels: Mapping[str, Tensor]
    per_atom: frozenset[str]
    states: tuple[str, ...] = ()

    together: ClassVar[int] = 64
    certified: ClassVar[int] = 4  # in the graph that is certified

    def __len__(self) -> int:
        return len(self.structures)

    @property
    def neighbours(self) -> float:
        """The mean number of neighbours of an atom."""
        return self.edge_index.shape[1] / max(len(self.structures.z), 1)

    def batch(self, index: Tensor) -> AtomBatch:
        """The structures with the given indices (structure,), in that order."""
        part = self.structures
        ends = torch.from_numpy(part.ends)
        atoms, count = ranges(ends, index)
        edges, edge_count = ranges(self.edges, index)
        first = count.cumsum(0) - count  # the first atom of every structure in the batch
        owner = torch.arange(len(index)).repeat_interleave(count)
        labels = {
            name: values[atoms if name in self.per_atom else index]
            for name, values in self.labels.items()
        }
        return AtomBatch(
            torch.from_numpy(part.z)[atoms],
            torch.from_numpy(part.pos)[atoms],
            owner,
            torch.from_numpy(part.cell)[index],
            torch.from_numpy(part.pbc)[index],
            self.edge_index[:, edges] + first.repeat_interleave(edge_count),
            self.shift[edges].long(),
            _numbers(total_charge(part))[index] if "charge" in self.states else None,
            _numbers(multiplicity(part))[index] if "spin" in self.states else None,
            labels,
        )


def _numbers(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64))


def neighbours_of(structures: Structures, cutoff: float) -> tuple[Tensor, Tensor, Tensor]:
    """The neighbours within a cutoff in Angstrom, as `AtomItems` keeps them.

    Returns:
        edge_index (2, edge) relative to the first atom of each structure, shift (edge, 3), and the
        first edge of each structure and the number of edges (structure + 1,).
    """
    pairs, shifts, counts = [], [], []
    for part in _chunks(structures):
        ends = torch.from_numpy(part.ends)
        owner = torch.arange(len(part)).repeat_interleave(ends.diff())
        edge_index, shift = _edges(part, cutoff, owner)
        structure = owner[edge_index[1]]  # ascending: the edges are sorted by target
        pairs.append((edge_index - ends[:-1][structure]).int())
        shifts.append(shift.to(torch.int16))
        counts.append(structure.bincount(minlength=len(part)))
    edges = torch.nn.functional.pad(torch.cat(counts).cumsum(0), (1, 0))
    return torch.cat(pairs, 1), torch.cat(shifts), edges


def _edges(structures: Structures, cutoff: float, owner: Tensor) -> tuple[Tensor, Tensor]:
    pos = torch.from_numpy(structures.pos)
    if not structures.pbc.any():  # a list without images is found sooner
        edge_index = radius_graph(pos, cutoff, owner)
        return edge_index, torch.zeros(edge_index.shape[1], 3, dtype=torch.long)
    cell, pbc = torch.from_numpy(structures.cell), torch.from_numpy(structures.pbc)
    return periodic_graph(pos, cutoff, cell, pbc, owner)


def _chunks(structures: Structures) -> Iterator[Structures]:
    for start in range(0, len(structures), _CHUNK):
        yield structures.select(range(start, min(start + _CHUNK, len(structures))))
