"""Periodic neighbour lists against those of ASE, by every search."""

from functools import cache

import numpy as np
import pytest
import torch
from ase.geometry import complete_cell
from ase.neighborlist import primitive_neighbor_list

from steerable.ops import Edges, periodic_graph, radius_graph
from steerable.ops.neighbours import by_vesin as VESIN
from steerable.ops.neighbours import dense as DENSE
from steerable.ops.neighbours import memory as MEMORY
from steerable.ops.neighbours import periodic as PERIODIC

ALL = (True, True, True)
KINDS = ("crystal", "skewed", "tiny", "slab", "wire", "cluster", "left-handed")


def choose(monkeypatch, way):
    """Let one of the searches do it all."""
    if way == "vesin" and not VESIN.is_installed():
        pytest.skip("vesin is not installed")
    served = way == "vesin"
    monkeypatch.setattr(
        PERIODIC, "serves", lambda points, graphs: served and len(points) and points.shape[1] == 3
    )
    monkeypatch.setattr(PERIODIC, "_uses_tree", lambda points: way == "tree")
    monkeypatch.setattr(DENSE, "_compares_all", lambda pos: way == "all pairs")


@pytest.fixture(params=["vesin", "tree", "all pairs", "bins"])
def way(request, monkeypatch):
    choose(monkeypatch, request.param)
    return request.param


def structure(kind, seed):
    """Random points, a cell, what is periodic, and a cutoff for which ASE takes a moment."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    count = int(rng.integers(1, 4 if kind == "tiny" else 10))
    cell = rng.uniform(-0.7, 0.7, size=(3, 3)) + 3 * np.eye(3)
    pbc = np.array(ALL)
    if kind == "skewed":
        cell[1] += rng.integers(-2, 3) * cell[0]
        cell[2] += rng.integers(-2, 3) * cell[1]
    if kind == "left-handed":
        cell = cell[[1, 0, 2]]
    if kind == "tiny":
        cell = cell / 3
    pos = rng.uniform(-1, 2, size=(count, 3)) @ cell  # also outside of the cell
    if kind in ("slab", "wire", "cluster"):
        free = rng.permutation(3)[: 1 + ("slab", "wire", "cluster").index(kind)]
        pbc[free] = False
        cell[free] *= rng.integers(0, 2)  # their vectors may be zero
    cutoff = rng.uniform(0.3, 2.5 if kind == "tiny" else 4.0)
    return *[torch.from_numpy(array) for array in (pos, cell, pbc)], cutoff


@cache
def case(kind, seed):
    """A structure and its edges by ASE."""
    *arrays, cutoff = structure(kind, seed)
    return *arrays, cutoff, by_ase(arrays[0], cutoff, *arrays[1:])


def by_ase(pos, cutoff, cell, pbc):
    """Edges (edge, 5) of target, source and shift, sorted, strictly closer than the cutoff."""
    # ASE takes seconds for short vectors in directions without period.
    box = complete_cell(np.where(pbc[:, None], cell, 0.0))
    box[~pbc.numpy()] *= 50
    target, source, shift, distance = primitive_neighbor_list(
        "ijSd", pbc.tolist(), box, pos.numpy(), float(cutoff)
    )
    rows = np.column_stack([target, source, shift])[distance < cutoff]
    return rows[np.lexsort(rows.T[::-1])]


def rows(edge_index, shift):
    return torch.cat([edge_index.flip(0).T, shift], 1).numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_edges_are_those_of_ase(way, kind):
    for seed in range(45):
        pos, cell, pbc, cutoff, expected = case(kind, seed)
        edge_index, shift = periodic_graph(pos, cutoff, cell, pbc)
        assert edge_index.dtype == shift.dtype == torch.long
        assert np.array_equal(rows(edge_index, shift), expected), seed


def test_structures_with_different_cells_at_once(way):
    """The points of the graphs are mixed, and graph 3 has none."""
    singles = [structure(kind, 1) for kind in KINDS]
    singles.insert(3, (torch.zeros(0, 3).double(), torch.eye(3).double(), torch.tensor(ALL), 1.0))
    batch = torch.cat([torch.full((len(s[0]),), k) for k, s in enumerate(singles)])
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(batch)))
    pos, batch = torch.cat([s[0] for s in singles])[order], batch[order]
    cell, pbc = torch.stack([s[1] for s in singles]), torch.stack([s[2] for s in singles])
    edge_index, shift = periodic_graph(pos, 1.7, cell, pbc, batch)
    expected = []
    for k in range(len(singles)):
        nodes = torch.nonzero(batch == k).flatten().numpy()
        if len(nodes):
            edges = by_ase(pos[nodes], 1.7, cell[k], pbc[k])
            expected.append(np.column_stack([nodes[edges[:, 0]], nodes[edges[:, 1]], edges[:, 2:]]))
    expected = np.concatenate(expected)
    assert np.array_equal(rows(edge_index, shift), expected[np.lexsort(expected.T[::-1])])
    edges = Edges.between(pos, edge_index, shift, cell, batch)
    assert edges.count > 50 and edges.offset.norm(dim=1).max() < 1.7


def test_one_cell_for_all_graphs(way):
    pos, cell, pbc, cutoff = structure("skewed", 0)
    batch = torch.arange(len(pos)) % 2
    many = periodic_graph(pos, cutoff, cell.expand(2, 3, 3), pbc.expand(2, 3), batch)
    one = periodic_graph(pos, cutoff, cell, True, batch)
    assert many[0].equal(one[0]) and many[1].equal(one[1])


@pytest.mark.parametrize("kind", KINDS)
def test_every_edge_has_its_reverse(way, kind):
    pos, cell, pbc, cutoff = structure(kind, 2)
    edges = rows(*periodic_graph(pos, cutoff + 2, cell, pbc))
    reverse = np.column_stack([edges[:, 1], edges[:, 0], -edges[:, 2:]])
    assert len(edges) and np.array_equal(reverse[np.lexsort(reverse.T[::-1])], edges)


@pytest.mark.parametrize("kind", ["crystal", "slab", "wire"])
def test_lattice_shifts_of_points_change_the_shifts_alone(way, kind):
    pos, cell, pbc, cutoff = structure(kind, 3)
    moves = torch.randint(-3, 4, pos.shape, generator=torch.Generator().manual_seed(0)) * pbc
    edge_index, shift = periodic_graph(pos, cutoff + 1, cell, pbc)
    moved_index, moved_shift = periodic_graph(pos + moves.double() @ cell, cutoff + 1, cell, pbc)
    source, target = moved_index
    back = rows(moved_index, moved_shift + moves[source] - moves[target])
    assert len(back) and np.array_equal(back[np.lexsort(back.T[::-1])], rows(edge_index, shift))


def test_a_supercell_has_so_many_times_the_edges(way):
    pos, cell, _, _ = structure("crystal", 4)
    cells = torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(1)).double()
    many = (pos + (cells @ cell)[:, None]).flatten(0, 1)
    sizes = torch.tensor([[2.0], [3], [1]])
    one, whole = periodic_graph(pos, 4.0, cell, ALL), periodic_graph(many, 4.0, cell * sizes, ALL)
    assert whole[0].shape[1] == 6 * one[0].shape[1] > 0
    counts = torch.bincount(whole[0][1], minlength=6 * len(pos)).view(6, -1)
    assert (counts == torch.bincount(one[0][1], minlength=len(pos))).all()


def test_without_periods_it_is_the_radius_graph(way):
    pos = structure("cluster", 5)[0].float()
    edge_index, shift = periodic_graph(pos, 6.0, torch.zeros(3, 3), (False, False, False))
    assert edge_index.equal(radius_graph(pos, 6.0)) and edge_index.shape[1] and not shift.any()


@pytest.mark.parametrize("far", [0, 1000])
def test_the_radius_itself_is_outside(way, far):
    """In a cubic lattice the neighbours at 1, sqrt 2, ... are exactly that far, wherever it is."""
    pos, cell = torch.full((1, 3), float(far), dtype=torch.float64), torch.eye(3).double()
    assert periodic_graph(pos, 1.0, cell, ALL)[0].shape == (2, 0)
    assert periodic_graph(pos, float(np.nextafter(1, 2)), cell, ALL)[0].shape == (2, 6)
    assert periodic_graph(pos, 2.0, cell, ALL)[0].shape == (2, 26)
    pair = torch.cat([pos, pos + torch.tensor([0.5, 0, 0])])
    assert periodic_graph(pair, 0.5, cell, ALL)[0].shape == (2, 0)
    assert periodic_graph(pair, 0.75, cell, ALL)[1].tolist() == [
        [-1, 0, 0],
        [0] * 3,
        [0] * 3,
        [1, 0, 0],
    ]


@pytest.mark.parametrize("dim", [1, 2])
def test_other_spaces(way, dim):
    """As points of space with a cell that has no period elsewhere."""
    rng = np.random.default_rng(dim)
    pos, cell = torch.from_numpy(rng.normal(size=(7, dim))), torch.eye(dim).double() * 1.5 + 0.2
    edge_index, shift = periodic_graph(pos, 2.0, cell, True)
    pad = 3 - dim
    space = torch.nn.functional.pad(cell, (0, pad, 0, pad))
    expected = by_ase(torch.nn.functional.pad(pos, (0, pad)), 2.0, space, torch.arange(3) < dim)
    assert np.array_equal(rows(edge_index, shift), expected[:, : 2 + dim])


def test_no_points(way):
    edge_index, shift = periodic_graph(torch.zeros(0, 3), 1.0, torch.eye(3), True)
    assert edge_index.shape == (2, 0) and shift.shape == (0, 3)
    batch = torch.zeros(0, dtype=torch.long)
    edge_index, shift = periodic_graph(torch.zeros(0, 3), 1.0, torch.eye(3), True, batch)
    assert edge_index.shape == (2, 0) and shift.shape == (0, 3)


def test_edges_need_no_gradient(way):
    pos, cell, pbc, cutoff = structure("skewed", 6)
    edge_index, shift = periodic_graph(pos.requires_grad_(), cutoff, cell.requires_grad_(), pbc)
    again = periodic_graph(pos.detach(), cutoff, cell.detach(), pbc)
    assert edge_index.equal(again[0]) and shift.equal(again[1])


def test_many_points_far_from_the_origin(way):
    rng = np.random.default_rng(0)
    cell = torch.diag(torch.tensor([20.0, 17, 23])).double()
    cell[0, 1] = 6
    pos = torch.from_numpy(rng.uniform(-300, 300, size=(900, 3)))
    edge_index, shift = periodic_graph(pos, 3.1, cell, ALL)
    assert np.array_equal(rows(edge_index, shift), by_ase(pos, 3.1, cell, torch.tensor(ALL)))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pos": torch.full((4, 3), float("nan"))}, r"nodes \[0, 1, 2, 3\] are NaN"),
        ({"cutoff": 0.0}, "periodic_graph needs a positive, finite cutoff; got 0.0"),
        ({"cutoff": float("nan")}, "positive, finite cutoff"),
        ({"cell": torch.eye(3) * float("inf")}, "cells must be finite"),
        ({"cell": torch.eye(2)}, r"cell is \(3, 3\), or \(1, 3, 3\) for 1 graphs; got \(2, 2\)"),
        ({"pbc": (True, True)}, r"of the 3 directions .*; got \(2,\)"),
        ({"cell": torch.diag(torch.tensor([1.0, 1, 0]))}, r"in graph 0 the cell is .* pbc \[True"),
        ({"cell": torch.ones(3, 3)}, "do not depend on each other"),
        ({"batch": torch.tensor([0, 0, 1, -1])}, "from 0 to 1; got -1 to 1"),
        (
            {"batch": torch.tensor([0, 0, 3, 1]), "cell": torch.eye(3).expand(3, 3, 3)},
            "to 2; got 0",
        ),
        ({"batch": torch.zeros(4)}, "4 integers"),
    ],
)
def test_bad_input(change, text):
    arguments = {"pos": torch.zeros(4, 3), "cutoff": 1.0, "cell": torch.eye(3), "pbc": True}
    with pytest.raises(ValueError, match=text):
        periodic_graph(**(arguments | change))


def test_a_direction_without_period_needs_no_vector():
    cell = torch.diag(torch.tensor([1.0, 1, 0]))
    assert periodic_graph(torch.zeros(1, 3), 1.1, cell, (True, True, False))[0].shape == (2, 4)


def test_a_list_beyond_memory_is_refused(monkeypatch):
    monkeypatch.setattr(MEMORY, "free_bytes", lambda device: 1e9)
    pos = torch.rand(1000, 3).double() * 10
    with pytest.raises(
        ValueError, match=r"cutoff 30 would make about 1.1e\+08 edges of 1,000 .* 1 "
    ):
        periodic_graph(pos, 30.0, 10 * torch.eye(3), True)
    needle = torch.tensor([[1.0, 0, 0], [1e3, 1, 0], [0, 1e3, 1]]).double()
    with pytest.raises(ValueError, match="images of the points.*shorter vectors"):
        PERIODIC._halves_of_images(pos, 300.0, PERIODIC.lattices(needle, True, 1, 3), None)


def test_pairs_are_expected_where_points_are_spread_evenly():
    rng = np.random.default_rng(0)
    for pbc, sizes in (
        (ALL, (9, 9, 9)),
        ((True, True, False), (9, 9, 20)),
        ((True, False, False), (9, 20, 20)),
    ):
        cell = torch.diag(torch.tensor(sizes, dtype=torch.float64))
        pos = torch.from_numpy(rng.uniform(size=(700, 3))) @ cell
        edges = periodic_graph(pos, 4.0, cell, pbc)[0].shape[1]
        lattice = PERIODIC.lattices(cell, pbc, 1, 3)
        expected = MEMORY.expected_pairs(
            np.array([700]), np.array([sizes], dtype=float), 4.0, lattice
        )
        assert 0.7 < edges / expected < 1.3, pbc
