"""Relative positions, in cells and out of them, and what layers share."""

import itertools
import sys

import pytest
import torch

from steerable.convs import NeighbourConv
from steerable.filters import HarmonicFilter
from steerable.ops import Edges, neighbourhoods, radius_graph
from steerable.ops.edges import check_edge_index, shared

DOUBLE = torch.float64


def test_offsets_lead_from_the_target_to_the_source():
    pos = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
    edges = Edges.between(pos, torch.tensor([[1], [0]]))
    assert edges.offset.tolist() == [[1.0, 2.0, 3.0]]
    assert (edges.size, edges.count) == (2, 1)


@pytest.mark.parametrize("several", [False, True])
def test_shifts_count_cells(several):
    generator = torch.Generator().manual_seed(0)
    pos = torch.rand(6, 3, generator=generator, dtype=DOUBLE)
    cells = torch.eye(3, dtype=DOUBLE) + 0.3 * torch.rand(2, 3, 3, generator=generator)
    batch = torch.tensor([0, 0, 0, 1, 1, 1])
    index, shift = [], []
    for first in (0, 3):
        steps = itertools.product(range(-1, 2), repeat=3)
        for i, j, step in itertools.product(range(3), range(3), steps):
            index.append((first + j, first + i))
            shift.append(step)
    index = torch.tensor(index).T
    shift = torch.tensor(shift)
    cell = cells if several else cells[0]
    edges = Edges.between(pos, index, shift, cell, batch if several else None)
    for e, (j, i) in enumerate(index.T.tolist()):
        own = cells[int(batch[i])] if several else cells[0]
        expected = pos[j] - pos[i] + sum(int(n) * own[k] for k, n in enumerate(shift[e]))
        torch.testing.assert_close(edges.offset[e], expected, atol=1e-14, rtol=0)


def test_a_crystal_is_the_same_in_every_supercell():
    torch.manual_seed(0)
    conv = NeighbourConv("2x0e", "2x0e+2x1o", HarmonicFilter(1, 1.2), neighbours=8.0).double()
    pos, cell, x = torch.rand(3, 3, dtype=DOUBLE), torch.eye(3, dtype=DOUBLE), torch.randn(3, 2)
    results = []
    for size in (1, 2):
        origins = list(itertools.product(range(size), repeat=3))
        points = torch.cat([pos + torch.tensor(o, dtype=DOUBLE) for o in origins])
        index, shift = [], []
        for step in itertools.product(range(-2, 3), repeat=3):
            moved = points + size * torch.tensor(step, dtype=DOUBLE)
            distance = torch.cdist(points, moved)
            i, j = torch.nonzero((distance < 1.2) & (distance > 0), as_tuple=True)
            index.append(torch.stack([j, i]))
            shift.append(torch.tensor(step).expand(len(i), 3))
        edges = Edges.between(points, torch.cat(index, 1), torch.cat(shift), size * cell)
        results.append(conv(x.double().repeat(len(origins), 1), edges))
    torch.testing.assert_close(results[1][:3], results[0], atol=1e-12, rtol=0)


def test_layers_share_what_is_computed_from_the_offsets(monkeypatch):
    calls = []

    def counted(name, function):
        def call(*args, **kwargs):
            calls.append(name)
            return function(*args, **kwargs)

        return call

    module = sys.modules["steerable.filters.harmonic"]
    monkeypatch.setattr(
        module, "spherical_harmonics", counted("harmonics", module.spherical_harmonics)
    )
    torch.manual_seed(0)
    layers = [NeighbourConv("4x0e", "4x0e", HarmonicFilter(1, 2.0), neighbours=4.0) for _ in "123"]
    pos = torch.randn(9, 3, requires_grad=True)
    index = radius_graph(pos, 2.0)
    calls.clear()
    edges, x = Edges.between(pos, index), torch.randn(9, 4)
    together = x
    for layer in layers:
        together = layer(together, edges)
    assert calls == ["harmonics"]
    apart = x
    for layer in layers:
        apart = layer(apart, Edges.between(pos, index))
    torch.testing.assert_close(together, apart, rtol=0, atol=0)
    gradients = [torch.autograd.grad(y.square().sum(), pos)[0] for y in (together, apart)]
    torch.testing.assert_close(*gradients)


def test_a_value_without_a_graph_does_not_serve_where_one_is_needed():
    pos = torch.randn(5, 3, requires_grad=True)
    edges = Edges.between(pos, radius_graph(pos, 3.0))
    with torch.no_grad():
        assert not edges.shared("length", torch.norm).requires_grad
    with torch.inference_mode():
        edges.shared("length", torch.norm)
    assert edges.shared("length", torch.norm).requires_grad
    assert shared(edges.offset, "length", torch.norm).requires_grad


def test_another_precision_is_the_same_edges():
    pos = torch.randn(5, 3, dtype=DOUBLE)
    edges = Edges.between(pos, neighbourhoods(radius_graph(pos, 3.0), 5))
    single = edges.to(torch.float32)
    assert single.offset.dtype == torch.float32 and edges.to(torch.float32) is single
    assert edges.to(DOUBLE) is edges and single.hood is edges.hood


INDEX = torch.tensor([[0, 1], [1, 0]])
POS = torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((POS / 0, INDEX), "Positions must be finite"),
        ((POS, INDEX.int()), "edge_index is a torch.long tensor"),
        ((POS, INDEX + 1), "node numbers from 0 to 1; got"),
        (((POS, POS[:1]), INDEX), "target node numbers from 0 to 0; got 0 to 1"),
        ((POS, neighbourhoods(INDEX, 3)), "neighbourhoods are of 3 nodes; there are 2 targets"),
        ((POS, INDEX, torch.zeros(2, 3)), "both `shift` and `cell`"),
        ((POS, INDEX, torch.zeros(1, 3), torch.eye(3)), "a row of 3 numbers for each of the 2"),
        ((POS, INDEX, torch.zeros(2, 3), torch.eye(3)[None]), "without batch"),
        ((POS, INDEX, torch.zeros(2, 3), torch.eye(3) / 0), "vectors of cells must be finite"),
        ((POS, INDEX, torch.zeros(2, 3), torch.eye(3)[None], INDEX[0, :1]), r"target \(2,\); got"),
        ((POS, INDEX, torch.zeros(2, 3), torch.eye(3)[None], INDEX[0]), "from 0 to 0; got 0 to 1"),
        (((POS[:1], POS), neighbourhoods(INDEX, 2)), "sources up to number 1; there are 1 sources"),
    ],
)
def test_faults_are_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        Edges.between(*arguments)


def test_a_graph_has_fewer_edges_than_32_bits_count():
    edges = torch.zeros(1, dtype=torch.long).expand(2, 2**31)
    with pytest.raises(ValueError, match="fewer than 2\\^31 edges"):
        check_edge_index(edges, 1, 1)
