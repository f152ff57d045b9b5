"""Neighbour lists against vesin, matscipy and ASE: one molecule, crystals, and a batch of them.

`tree` is our search without vesin. All others but vesin return what we do, in no order; the error
is the share of edges that differ in number.

    python benchmarks/neighbours.py [--quick] [--threads N] [--json FILE]
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from harness import Case, Job, measure, parser, write
from torch import Tensor

from steerable.ops import NeighbourSkin, periodic_graph, radius_graph
from steerable.ops.neighbours import direct, periodic


class Crystals(NamedTuple):
    """Points of structures in their cells."""

    pos: Tensor
    cell: Tensor
    batch: Tensor

    def singles(self) -> list[tuple[np.ndarray, np.ndarray]]:
        parts = [self.pos[self.batch == k].numpy() for k in range(len(self.cell))]
        return list(zip(parts, self.cell.numpy(), strict=True))


def boxes(atoms: int, density: float, graphs: int = 1) -> Crystals:
    """Points at random in slightly skewed boxes, as many in each."""
    rng = np.random.default_rng(0)
    edge = (atoms / density) ** (1 / 3)
    cell = edge * (np.eye(3) + rng.uniform(-0.05, 0.05, size=(graphs, 3, 3)))
    batch = np.repeat(np.arange(graphs), atoms)
    pos = np.einsum("nk,nkd->nd", rng.uniform(size=(graphs * atoms, 3)), cell[batch])
    return Crystals(*[torch.from_numpy(array) for array in (pos, cell, batch)])


def silicon() -> Crystals:
    """64 atoms of silicon, disturbed."""
    corners = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0]])
    basis = np.concatenate([corners, corners + 1]) / 4
    cells = np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    pos = 5.43 * (basis + cells).reshape(-1, 3)
    pos = torch.from_numpy(pos + np.random.default_rng(0).normal(size=pos.shape) * 0.05)
    return Crystals(pos, 10.86 * torch.eye(3).double()[None], torch.zeros(64, dtype=torch.long))


def ours(work: Crystals, cutoff: float) -> int:
    batch = work.batch if len(work.cell) > 1 else None
    return periodic_graph(work.pos, cutoff, work.cell, True, batch)[0].shape[1]


def by_tree(work: Crystals, cutoff: float) -> int:
    with patch.object(periodic, "serves", lambda points, graphs: False):
        return ours(work, cutoff)


def by_vesin(work: Crystals, cutoff: float) -> int:
    from vesin import NeighborList

    total = 0
    for pos, cell in work.singles():
        search = NeighborList(cutoff=cutoff, full_list=True, n_threads=torch.get_num_threads())
        total += len(search.compute(pos, cell, True, "PS")[0])
    return total


def by_matscipy(work: Crystals, cutoff: float) -> int:
    from matscipy.neighbours import neighbour_list

    return sum(
        len(neighbour_list("ijS", cutoff=cutoff, positions=pos, cell=cell, pbc=[True] * 3)[0])
        for pos, cell in work.singles()
    )


def by_ase(work: Crystals, cutoff: float) -> int:
    from ase.neighborlist import primitive_neighbor_list

    return sum(
        len(primitive_neighbor_list("ijS", [True] * 3, cell, pos, cutoff)[0])
        for pos, cell in work.singles()
    )


def job(
    count: Callable[[Crystals, float], int], make: Callable[[], Crystals], cutoff: float
) -> Job:
    work = make()
    exact = by_tree(work, cutoff)
    return Job({"list": partial(count, work, cutoff)}, lambda: abs(count(work, cutoff) / exact - 1))


def molecule(atoms: int, few: int) -> Job:
    """The open list of one molecule, by comparing up to `few` points directly."""
    pos = boxes(atoms, 0.1).pos.float()

    def run() -> Tensor:
        with patch.object(direct, "_FEW_POINTS", few):
            return radius_graph(pos, 5.0)

    return Job({"list": run}, lambda: 0.0)


def walk(atoms: int, skin: float) -> Job:
    """The list of a step of a simulation: many steps to one list."""
    work = boxes(atoms, 0.1)
    neighbours = NeighbourSkin(6.0, skin)

    def run() -> None:
        neighbours(work.pos, work.cell)

    return Job({"list": run}, lambda: 0.0)


def cases(quick: bool) -> list[Case]:
    works = {
        "192 atoms as dense as water, 6 A": (partial(boxes, 192, 0.1), 6.0),
        "64 atoms of silicon, 6 A": (silicon, 6.0),
        "32 crystals of 50 atoms, 5 A": (partial(boxes, 50, 0.08, 32), 5.0),
        "4,000 atoms, 6 A": (partial(boxes, 4000, 0.1), 6.0),
    }
    rivals = {
        "steerable": ours,
        "tree": by_tree,
        "vesin": by_vesin,
        "matscipy": by_matscipy,
        "ASE": by_ase,
    }
    result = []
    for name, (make, cutoff) in list(works.items())[: 2 if quick else None]:
        builders = {rival: partial(job, count, make, cutoff) for rival, count in rivals.items()}
        result.append(Case(name, builders, rounds=5))
    few = {"steerable": partial(molecule, 20, 100), "tree": partial(molecule, 20, -1)}
    steps = {
        "steerable": partial(walk, 192, 0.5),
        "fresh": partial(job, ours, *next(iter(works.values()))),
    }
    return [*result, Case("molecule of 20 atoms", few), Case("192 atoms, a step", steps)]


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
