"""Neighbour lists against brute force, as dense matrices and by the tree."""

import importlib

import numpy as np
import pytest
import torch

from steerable.ops import knn_graph, radius_graph

CUTOFF = 1.1


@pytest.fixture(params=["dense", "tree"])
def way(request, monkeypatch):
    """Both searches, whatever the size of the graph."""
    if request.param == "tree":
        monkeypatch.setattr(importlib.import_module("steerable.ops.neighbours"), "_DENSE_PAIRS", 0)


def cloud(count=40, dim=3, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(count).uniform(-1.5, 1.5, size=(count, dim))).to(dtype)


BATCHES = {
    "one graph": None,
    "sorted": torch.arange(40) // 9,
    "unsorted": torch.from_numpy(np.random.default_rng(0).permutation(np.arange(40) % 6)),
    "uneven, with gaps": torch.from_numpy(np.random.default_rng(0).permutation([0] * 30 + [3] * 9 + [7])),
}


def distances(pos, batch):
    """Between all pairs of different points of one graph, else infinite."""
    far = torch.cdist(pos.double(), pos.double(), compute_mode="donot_use_mm_for_euclid_dist")
    batch = torch.zeros(len(pos)) if batch is None else batch
    return far.masked_fill((batch[:, None] != batch) | torch.eye(len(pos), dtype=torch.bool), float("inf"))


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
    expected = []
    for i, row in enumerate(distances(pos, batch)):
        nearest = [int(j) for j in row.argsort()[:k] if row[j] < float("inf")]
        expected += [(j, i) for j in sorted(nearest)]
    assert knn_graph(pos, k, batch).equal(torch.tensor(expected).T)


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
    pos, batch = cloud(count), None if batch is None else torch.tensor(batch[:count], dtype=torch.long)
    for found in (radius_graph(pos, CUTOFF, batch), knn_graph(pos, 3, batch)):
        assert found.shape == (2, 0) and found.dtype == torch.long


def test_points_alone_in_their_graphs(way):
    pos, batch = torch.zeros(3, 3), torch.tensor([2, 0, 1])
    assert radius_graph(pos, CUTOFF, batch).shape == knn_graph(pos, 2, batch).shape == (2, 0)


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_coincident_points_are_neighbours(way, k):
    """Of six points in one place and two in another none is its own neighbour, and none is found twice."""
    pos = torch.tensor([[0.0, 0, 0]] * 6 + [[5.0, 0, 0]] * 2)
    far = distances(pos, None)
    source, target = radius_graph(pos, CUTOFF)
    assert len(source) == 6 * 5 + 2 and (source != target).all()
    source, target = knn_graph(pos, k)
    assert (source != target).all() and len(set(zip(source.tolist(), target.tolist(), strict=True))) == 8 * k
    expected = far.sort(1).values[:, :k].flatten()
    assert far[target, source].view(8, k).sort(1).values.flatten().equal(expected)


def test_large_graphs_are_searched_by_the_tree():
    pos = torch.from_numpy(np.random.default_rng(0).uniform(0, 12, size=(2500, 3)))
    source, target = radius_graph(pos, CUTOFF)
    far = distances(pos, None)
    assert len(source) == (far < CUTOFF).sum() and (far[target, source] < CUTOFF).all()
    assert len((target * 2500 + source).unique()) == len(source)
    source, target = knn_graph(pos, 3)
    torch.testing.assert_close(far[target, source].view(-1, 3).sort(1).values, far.topk(3, largest=False).values)


def test_neighbours_need_no_gradient(way):
    pos = cloud().requires_grad_()
    assert radius_graph(pos, CUTOFF).equal(radius_graph(pos.detach(), CUTOFF))
    assert knn_graph(pos, 2).equal(knn_graph(pos.detach(), 2))


@pytest.mark.parametrize(
    "build", [lambda pos, batch=None: radius_graph(pos, 1.0, batch), lambda *a: knn_graph(a[0], 2, *a[1:])]
)
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda pos: (pos.index_fill(0, torch.tensor([1, 3]), float("nan")),), r"nodes \[1, 3\] are NaN or infinite"),
        (lambda pos: (pos.index_fill(0, torch.tensor([2]), float("inf")),), r"nodes \[2\]"),
        (lambda pos: (pos[0],), r"\(node, d\); got torch.float64 \(3,\)"),
        (lambda pos: (pos.long(),), "floating-point numbers .*; got torch.int64"),
        (lambda pos: (pos, torch.zeros(4, dtype=torch.long)), r"40 numbers; got shape \(4,\)"),
    ],
)
def test_bad_points(build, change, text):
    with pytest.raises(ValueError, match=text):
        build(*change(cloud()))


@pytest.mark.parametrize("cutoff", [0, -1.0, float("nan"), float("inf")])
def test_bad_cutoffs(cutoff):
    with pytest.raises(ValueError, match=f"radius_graph needs a positive, finite cutoff; got {cutoff}"):
        radius_graph(cloud(), cutoff)


@pytest.mark.parametrize("k", [0, -2])
def test_bad_counts(k):
    with pytest.raises(ValueError, match=f"knn_graph needs k of at least 1; got {k}"):
        knn_graph(cloud(), k)
