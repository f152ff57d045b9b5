"""Molecules of one data set as flat tensors with their edges, and batches cut out of them.

A batch is cut out of flat tensors with a handful of operations: collating PyG `Data` costs about a
millisecond per step more, and the neighbours of a molecule never change while a network trains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from steerable.ops import radius_graph

CHUNK = 256  # molecules per neighbour search: bounds its memory


class Batch(NamedTuple):
    """Some molecules as one graph without edges between them.

    `z` (atom,) atomic numbers, `pos` (atom, 3) in Angstrom, `batch` (atom,) the molecule of each
    atom, `edge_index` (2, edge), and `y` (molecule,) in the target's unit, float64.
    """

    z: Tensor
    pos: Tensor
    batch: Tensor
    edge_index: Tensor
    y: Tensor


@dataclass(frozen=True)
class Molecules:
    """Molecules one behind the other.

    The atoms of molecule m are `atoms[m]:atoms[m + 1]`, its edges likewise.

    Args:
        z: atomic numbers (atom,).
        pos: positions (atom, 3) in Angstrom.
        y: property (molecule,) in its unit, float64.
        atoms: first atom of each molecule, and the end (molecule + 1,).
        edge_index: pairs of atoms (2, edge), counted from the first of their molecule; int32.
        edges: first edge of each molecule, and the end (molecule + 1,).
    """

    z: Tensor
    pos: Tensor
    y: Tensor
    atoms: Tensor
    edge_index: Tensor
    edges: Tensor

    together: ClassVar[int] = 256
    certified: ClassVar[int] = 8  # in the graph that is certified

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, chosen: Tensor) -> Batch:
        """The molecules with the numbers `chosen` (m,), in that order."""
        atoms, count = _ranges(self.atoms, chosen)
        edges, edge_count = _ranges(self.edges, chosen)
        first = count.cumsum(0) - count
        edge_index = self.edge_index[:, edges] + first.repeat_interleave(edge_count)
        return Batch(self.z[atoms], self.pos[atoms], _numbers(count), edge_index, self.y[chosen])

    def numbers(self) -> list[Tensor]:
        """The atomic numbers (atom,) of each molecule."""
        return list(self.z.split(self.atoms.diff().tolist()))


def gather(dataset: Any, indices: ArrayLike, column: int, cutoff: float) -> Molecules:
    """Flat tensors of some molecules of a data set, with the edges of a radius graph.

    Args:
        dataset: `dataset[i]` is a PyG `Data` with `z`, `pos` and `y` (1, property); a float64
            `dataset.targets` (molecule, property) is preferred to `y`, which is float32 in PyG and
            rounds total energies to 1 meV.
        indices: which molecules.
        column: which property.
        cutoff: radius of the neighbourhoods, in Angstrom.

    Raises:
        ValueError: a position or a property is not finite.
    """
    chosen = torch.as_tensor(indices, dtype=torch.long)
    found = [dataset[int(i)] for i in chosen]
    pos = torch.cat([data.pos for data in found])
    targets = getattr(dataset, "targets", None)
    y = (
        torch.cat([data.y for data in found])
        if targets is None
        else torch.as_tensor(targets)[chosen]
    )
    y = y[:, column].double()
    if not y.isfinite().all():
        raise ValueError(
            f"Molecule {int(chosen[~y.isfinite()][0])} has no finite value of property {column}."
        )
    atoms = _ends(torch.tensor([len(data.z) for data in found]))
    return Molecules(
        torch.cat([data.z for data in found]), pos, y, atoms, *_edges(pos, atoms, cutoff)
    )


def _edges(pos: Tensor, atoms: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    """Edges (2, edge) counted inside each molecule.

    Also where those of each molecule begin and end.
    """
    pairs, counts = [], []
    for start in range(0, len(atoms) - 1, CHUNK):
        ends = atoms[start : start + CHUNK + 1]
        owner = _numbers(ends.diff())
        edge_index = radius_graph(pos[ends[0] : ends[-1]], cutoff, owner)
        molecule = owner[edge_index[1]]  # ascending: the edges come sorted by target
        pairs.append((edge_index - (ends - ends[0])[molecule]).int())
        counts.append(molecule.bincount(minlength=len(ends) - 1))
    return torch.cat(pairs, 1), _ends(torch.cat(counts))


def _numbers(counts: Tensor) -> Tensor:
    """0 counts[0] times, then 1 counts[1] times, and so on."""
    return torch.arange(len(counts)).repeat_interleave(counts)


def _ends(counts: Tensor) -> Tensor:
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0))


def _ranges(ends: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """All numbers `ends[m]:ends[m + 1]` of the chosen m, and the length of each range.

    One range follows the other.
    """
    start, count = ends[chosen], ends[chosen + 1] - ends[chosen]
    shift = start - (count.cumsum(0) - count)
    return torch.arange(int(count.sum())) + shift.repeat_interleave(count), count
