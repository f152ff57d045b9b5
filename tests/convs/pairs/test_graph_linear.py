"""The first-order layer of graphs: against dense matrices, and against all maps there are."""

import itertools

import pytest
import torch
from torch.autograd import gradgradcheck

from steerable.convs.pairs.graph_linear import GraphLinear
from steerable.convs.sets.stacked import stack
from steerable.field import Field, FieldMismatchError
from steerable.groups import O3

DOUBLE = torch.float64


def graph(seed=0):
    """Two random simple undirected graphs of 5 and 4 nodes and one node alone.

    Adjacency and edges of the batch.
    """
    generator = torch.Generator().manual_seed(seed)
    upper = (torch.rand(10, 10, generator=generator) < 0.5).triu(1)
    batch = torch.tensor([0] * 5 + [1] * 4 + [2])
    upper &= batch[:, None] == batch
    adjacency = (upper | upper.T).double()
    return adjacency, torch.nonzero(adjacency).T.flip(0), batch


def layer(field_in="2x0e+1x1o", field_out="1x0e+2x1o", **options):
    torch.manual_seed(0)
    made = GraphLinear(field_in, field_out, **options).double()
    torch.nn.init.normal_(made.nodes.bias)
    return made


def dense(made, x, adjacency, batch):
    """The eight maps by matrices of the nodes."""
    A = adjacency / made.neighbours
    same = (batch[:, None] == batch).double()
    mean = same / same.sum(1, keepdim=True)
    degree = A.sum(1)
    density = mean @ degree
    local = [x, A @ x, degree[:, None] * x, density[:, None] * x]
    shared = [mean @ x, mean @ A @ x, density[:, None] * (mean @ x)]
    return (
        made.nodes(stack(local, made.field_in))
        + made.graphs(stack(shared, made.field_in))
        + degree[:, None] * made.degrees(mean @ x)
    )


def test_it_equals_matrices():
    adjacency, edges, batch = graph()
    x = torch.randn(10, 5, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    made = layer(neighbours=2.5)
    torch.testing.assert_close(
        made(x, edges, batch), dense(made, x, adjacency, batch), atol=1e-13, rtol=0
    )
    alone = made(x[:5], edges[:, (edges < 5).all(0)])
    torch.testing.assert_close(alone, made(x, edges, batch, 7)[:5], atol=1e-13, rtol=0)
    torch.testing.assert_close(
        made(x, edges[:, :0]), dense(made, x, 0 * adjacency, 0 * batch), atol=1e-13, rtol=0
    )
    assert made(x[:0], edges[:, :0]).shape == (0, 7)


def test_six_maps_are_linear_in_graph_and_features():
    """On all simple undirected graphs of 4 nodes.

    The commutant by brute force, and the layer's maps, are 6.
    """
    n = 4
    corners = list(itertools.combinations(range(n), 2))
    eye = torch.eye(n, dtype=DOUBLE)
    constraints = []
    for order in ([1, 0, 2, 3], [1, 2, 3, 0]):
        node = eye[order]
        edge = torch.zeros(6, 6, dtype=DOUBLE)
        for k, (i, j) in enumerate(corners):
            edge[corners.index(tuple(sorted((order.index(i), order.index(j))))), k] = 1
        pair = torch.kron(edge, node)
        constraints.append(
            torch.kron(node, torch.eye(24, dtype=DOUBLE)) - torch.kron(eye, pair.T.contiguous())
        )
    stacked = torch.cat(constraints)
    assert int((torch.linalg.eigvalsh(stacked.T @ stacked) < 1e-9).sum()) == 6
    made = GraphLinear("1x0e", "1x0e", bias=False).double()
    maps = []
    for weight, k in [(w, k) for w in made.parameters() for k in range(len(w))]:
        with torch.no_grad():
            for other in made.parameters():
                other.zero_()
            weight[k] = 1
        nothing = torch.stack([made(e[:, None], torch.zeros(2, 0, dtype=torch.long)) for e in eye])
        bilinear = [
            torch.stack([made(e[:, None], torch.tensor([c, c[::-1]]).T) for e in eye]) - nothing
            for c in corners
        ]
        maps.append(torch.stack(bilinear).flatten())
    assert len(maps) == 8 and torch.linalg.matrix_rank(torch.stack(maps)) == 6


def test_it_commutes_with_permutations_and_the_group():
    _, edges, batch = graph()
    field = Field.parse("2x0e+1x0o+1x1o+1x2e")
    made = GraphLinear(field, field, neighbours=2).double()
    x, generator = torch.randn(10, field.dim, dtype=DOUBLE), torch.Generator().manual_seed(0)
    for turn in field.matrix(O3().sample(4, generator)):
        order = torch.randperm(10, generator=generator)
        found = made(x[order] @ turn.T, order.argsort()[edges], batch[order])
        torch.testing.assert_close(
            found, (made(x, edges, batch) @ turn.T)[order], atol=1e-12, rtol=0
        )


def test_unit_variance_derivatives_and_compilation():
    torch.manual_seed(0)
    ring = torch.arange(2000)
    edges = torch.cat([torch.stack([ring, ring.roll(k)]) for k in (1, -1)], 1)
    made = GraphLinear("32x0e", "32x0e", neighbours=2)
    assert made(torch.randn(2000, 32), edges).var().item() == pytest.approx(
        0.875, rel=0.1
    )  # of means little is left
    _, edges, batch = graph()
    small, x = layer(), torch.randn(10, 5, dtype=DOUBLE).requires_grad_()
    assert gradgradcheck(lambda x: small(x, edges, batch).square(), x)
    torch._dynamo.reset()
    compiled = torch.compile(small, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, edges, batch, 3), small(x, edges, batch, 3))


def test_errors():
    _, edges, batch = graph()
    made, x = layer(), torch.zeros(10, 5, dtype=DOUBLE)
    with pytest.raises(
        ValueError, match="neighbours is the usual number of neighbours, above 0; got 0"
    ):
        GraphLinear("1x0e", "1x0e", neighbours=0)
    with pytest.raises(ValueError, match="edge_index holds source node numbers from 0 to 9"):
        made(x, edges + 5, batch)
    with pytest.raises(ValueError, match=r"GraphLinear needs the set of each of the 10 elements"):
        made(x, edges, batch[:4])
    with pytest.raises(FieldMismatchError, match="GraphLinear expects features"):
        made(x[:, :4], edges, batch)
