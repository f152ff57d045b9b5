"""Neighbour lists against brute force, by every search."""

import numpy as np
import pytest
import torch

from steerable.ops import knn, knn_graph, radius, radius_graph
from steerable.ops.neighbours import dense as DENSE
from steerable.ops.neighbours import direct as DIRECT
from steerable.ops.neighbours import tree as TREE

CUTOFF = 1.1


@pytest.fixture(params=["all pairs", "tree", "few"])
def way(request, monkeypatch):
    """Every search, whatever the device and the number of points."""
    monkeypatch.setattr(DIRECT, "_FEW_POINTS", 1000 if request.param == "few" else -1)
    monkeypatch.setattr(DENSE, "_compares_all", lambda pos: request.param == "all pairs")


def cloud(count=40, dim=3, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(count).uniform(-1.5, 1.5, size=(count, dim))).to(
        dtype
    )


BATCHES = {
    "one graph": None,
    "sorted": torch.arange(40) // 9,
    "unsorted": torch.from_numpy(np.random.default_rng(0).permutation(np.arange(40) % 6)),
    "uneven, with gaps": torch.from_numpy(
        np.random.default_rng(0).permutation([0] * 30 + [3] * 9 + [7])
    ),
}


def between(source, target, batch_source, batch_target):
    """Distances (target, source), infinite between graphs."""
    far = torch.cdist(target.double(), source.double(), compute_mode="donot_use_mm_for_euclid_dist")
    batch_source = torch.zeros(len(source)) if batch_source is None else batch_source
    batch_target = torch.zeros(len(target)) if batch_target is None else batch_target
    return far.masked_fill(batch_target[:, None] != batch_source, float("inf"))


def distances(pos, batch):
    """Between all pairs of different points of one graph, else infinite."""
    return between(pos, pos, batch, batch).fill_diagonal_(float("inf"))


def nearest(far, k):
    """The k nearest of every row, of equal ones the first, as edges."""
    pairs = []
    for i, row in enumerate(far.tolist()):
        ranked = sorted((d, j) for j, d in enumerate(row) if d < float("inf"))
        pairs += [(j, i) for j in sorted(j for _, j in ranked[:k])]
    return torch.tensor(pairs, dtype=torch.long).view(-1, 2).T


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pairs_within_a_radius(way, batch, dim, dtype):
    """Row 0 is the source and row 1 the target; the order is by target, then source."""
    pos = cloud(dim=dim, dtype=dtype)
    target, source = torch.nonzero(distances(pos, batch) < CUTOFF, as_tuple=True)
    found = radius_graph(pos, CUTOFF, batch)
    assert found.dtype == torch.long and found.equal(torch.stack([source, target]))


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("k", [1, 4, 100])
def test_the_nearest_points(way, batch, dim, k):
    pos = cloud(dim=dim)
    assert knn_graph(pos, k, batch).equal(nearest(distances(pos, batch), k))


def test_nearest_is_not_symmetric(way):
    pos = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1.5, 0, 0]])
    assert knn_graph(pos, 1).tolist() == [[1, 2, 1], [0, 1, 2]]


def test_the_radius_itself_is_outside(way):
    pos = torch.tensor([[0.0, 0, 0], [1, 0, 0]])
    assert radius_graph(pos, 1.0).shape == (2, 0)
    assert radius_graph(pos, 1.0001).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("batch", [None, [0, 0]])
def test_no_points_and_one(way, count, batch):
    pos, batch = (
        cloud(count),
        None if batch is None else torch.tensor(batch[:count], dtype=torch.long),
    )
    for found in (radius_graph(pos, CUTOFF, batch), knn_graph(pos, 3, batch)):
        assert found.shape == (2, 0) and found.dtype == torch.long


def test_points_alone_in_their_graphs(way):
    pos, batch = torch.zeros(3, 3), torch.tensor([2, 0, 1])
    assert radius_graph(pos, CUTOFF, batch).shape == knn_graph(pos, 2, batch).shape == (2, 0)


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_coincident_points_are_neighbours(way, k):
    """Six points in one place and two in another.

    None is its own neighbour, and none comes twice.
    """
    pos = torch.tensor([[0.0, 0, 0]] * 6 + [[5.0, 0, 0]] * 2)
    source, target = radius_graph(pos, CUTOFF)
    assert len(source) == 6 * 5 + 2 and (source != target).all()
    found = knn_graph(pos, k)
    assert found.shape == (2, 8 * k) and found.equal(nearest(distances(pos, None), k))


@pytest.mark.parametrize("k", [1, 3, 7, 8, 26, 27, 40])
@pytest.mark.parametrize("blocks", [False, True])
def test_of_equally_near_points_the_first_are_taken(way, k, blocks, monkeypatch):
    """On a lattice every point has 6 neighbours at distance 1, 12 at sqrt 2, ...

    Twice, for coincident points too.
    """
    if blocks:
        monkeypatch.setattr(TREE, "_TIED_PAIRS", 500)
    lattice = torch.cartesian_prod(*[torch.arange(4.0)] * 3)
    source = torch.cat([lattice, lattice])[
        torch.from_numpy(np.random.default_rng(0).permutation(128))
    ]
    batch = torch.arange(128) % 2
    assert knn(source, lattice, k).equal(nearest(between(source, lattice, None, None), k))
    assert knn_graph(source, k, batch).equal(nearest(distances(source, batch), k))


BIPARTITE = {
    "one graph": (None, None),
    "sorted": (torch.arange(40) // 9, torch.arange(15) // 3),
    "unsorted": tuple(
        torch.from_numpy(np.random.default_rng(n).permutation(np.arange(n) % 6)) for n in (40, 15)
    ),
    "graphs with points in one set alone": (torch.arange(40) % 4 * 3, torch.arange(15) % 5 + 2),
    "no graph in common": (torch.zeros(40, dtype=torch.long), torch.ones(15, dtype=torch.long)),
    "one absent": (torch.arange(40) % 3, None),
}


@pytest.mark.parametrize("batches", BIPARTITE.values(), ids=BIPARTITE)
@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_between_two_sets(way, batches, dim, dtype):
    """Row 0 counts sources, row 1 targets; the order is by target, then source.

    A target may lie on a source.
    """
    source, target = cloud(40, dim, dtype), cloud(15, dim, dtype)
    target[:3] = source[[5, 0, 39]]
    far = between(source, target, *batches)
    i, j = torch.nonzero(far < CUTOFF, as_tuple=True)
    assert radius(source, target, CUTOFF, *batches).equal(torch.stack([j, i]))
    for k in (1, 4, 100):
        assert knn(source, target, k, *batches).equal(nearest(far, k))


@pytest.mark.parametrize("counts", [(0, 5), (5, 0), (0, 0), (1, 1)])
def test_empty_sets(way, counts):
    source, target = (torch.zeros(count, 3) for count in counts)
    edges = min(counts)
    for found in (radius(source, target, CUTOFF), knn(source, target, 3)):
        assert found.shape == (2, edges) and found.dtype == torch.long


def test_a_set_and_itself_are_its_graph_and_loops(way):
    pos, batch = cloud(), BATCHES["unsorted"]
    source, target = radius(pos, pos, CUTOFF, batch, batch)
    assert torch.stack([source, target])[:, source != target].equal(
        radius_graph(pos, CUTOFF, batch)
    )
    assert (source == target).sum() == len(pos)
    source, target = knn(pos, pos, 5, batch, batch)
    assert torch.stack([source, target])[:, source != target].equal(knn_graph(pos, 4, batch))


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_any_unit_and_any_batch_numbers(way, scale):
    """Graphs are kept apart by their numbers.

    The sizes of the clouds and of the numbers do not matter.
    """
    pos, batch = cloud() * scale, torch.tensor([-7, 0, 10**9])[torch.arange(40) % 3]
    i, j = torch.nonzero(distances(pos / scale, batch) < CUTOFF, as_tuple=True)
    assert radius_graph(pos, CUTOFF * scale, batch).equal(torch.stack([j, i]))
    assert radius_graph(pos, 1e300, batch).shape[1] == (distances(pos, batch) < float("inf")).sum()
    assert knn_graph(pos, 3, batch).equal(nearest(distances(pos, batch), 3))


def test_large_graphs():
    pos = torch.from_numpy(np.random.default_rng(0).uniform(0, 12, size=(2500, 3)))
    source, target = radius_graph(pos, CUTOFF)
    far = distances(pos, None)
    assert len(source) == (far < CUTOFF).sum() and (far[target, source] < CUTOFF).all()
    assert len((target * 2500 + source).unique()) == len(source)
    source, target = knn_graph(pos, 3)
    torch.testing.assert_close(
        far[target, source].view(-1, 3).sort(1).values, far.topk(3, largest=False).values
    )


def test_neighbours_need_no_gradient(way):
    pos = cloud().requires_grad_()
    assert radius_graph(pos, CUTOFF).equal(radius_graph(pos.detach(), CUTOFF))
    assert knn_graph(pos, 2).equal(knn_graph(pos.detach(), 2))


@pytest.mark.parametrize(
    "build",
    [lambda pos, batch=None: radius_graph(pos, 1.0, batch), lambda *a: knn_graph(a[0], 2, *a[1:])],
)
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda pos: (pos.index_fill(0, torch.tensor([1, 3]), float("nan")),),
            r"nodes \[1, 3\] are NaN or infinite",
        ),
        (lambda pos: (pos.index_fill(0, torch.tensor([2]), float("inf")),), r"nodes \[2\]"),
        (lambda pos: (pos[0],), r"\(node, d\); got torch.float64 \(3,\)"),
        (lambda pos: (pos.long(),), "floating-point numbers .*; got torch.int64"),
        (
            lambda pos: (pos, torch.zeros(4, dtype=torch.long)),
            r"every node: 40 integers; got torch.int64 \(4,\)",
        ),
        (lambda pos: (pos, torch.zeros(40)), r"every node: 40 integers; got torch.float32 \(40,\)"),
    ],
)
def test_bad_points(build, change, text):
    with pytest.raises(ValueError, match=text):
        build(*change(cloud()))


@pytest.mark.parametrize(
    "build", [lambda *a: radius(*a[:2], 1.0, *a[2:]), lambda *a: knn(*a[:2], 2, *a[2:])]
)
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda pos: (pos, pos.index_fill(0, torch.tensor([1]), float("nan"))),
            r"of target nodes \[1\] are NaN",
        ),
        (
            lambda pos: (pos.index_fill(0, torch.tensor([2]), float("inf")), pos),
            r"of source nodes \[2\]",
        ),
        (lambda pos: (pos, pos[0]), r"\(target node, d\); got torch.float64 \(3,\)"),
        (lambda pos: (pos, pos[:, :2]), "points of one space; got 3-d and 2-d"),
        (
            lambda pos: (pos, pos[:4], torch.zeros(4, dtype=torch.long)),
            r"every source node: 40 integers",
        ),
        (
            lambda pos: (pos, pos[:4], None, torch.zeros(40, dtype=torch.long)),
            r"every target node: 4 integers",
        ),
    ],
)
def test_bad_sets(build, change, text):
    with pytest.raises(ValueError, match=text):
        build(*change(cloud()))


@pytest.mark.parametrize("cutoff", [0, -1.0, float("nan"), float("inf")])
def test_bad_cutoffs(cutoff):
    with pytest.raises(
        ValueError, match=f"radius_graph needs a positive, finite cutoff; got {cutoff}"
    ):
        radius_graph(cloud(), cutoff)
    with pytest.raises(ValueError, match=f"radius needs a positive, finite cutoff; got {cutoff}"):
        radius(cloud(), cloud(), cutoff)


@pytest.mark.parametrize("k", [0, -2])
def test_bad_counts(k):
    with pytest.raises(ValueError, match=f"knn_graph needs k of at least 1; got {k}"):
        knn_graph(cloud(), k)
    with pytest.raises(ValueError, match=f"knn needs k of at least 1; got {k}"):
        knn(cloud(), cloud(), k)
