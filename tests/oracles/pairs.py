"""The second-order layer as fifteen operators, and graphs that tests share."""

import torch

from steerable.convs.pairs.pair_linear import PairLinear


def operators(x):
    """The 15 equivariant maps of x (graph, n, n, channel): (graph, n, n, 15, channel).

    Reductions are means.
    """
    n = x.shape[1]
    one = torch.eye(n, dtype=x.dtype)[None, :, :, None]
    diagonal, total = x.diagonal(dim1=1, dim2=2).transpose(1, 2), x.mean((1, 2))
    found = [x, x.transpose(1, 2)]
    for v in (diagonal, x.mean(2), x.mean(1)):
        found += [one * v[:, :, None], v[:, :, None].expand_as(x), v[:, None].expand_as(x)]
    for s in (diagonal.mean(1), total):
        found += [one * s[:, None, None], s[:, None, None].expand_as(x)]
    return torch.stack(found, 3)


def operator_weights(layer: PairLinear):
    """Its weights in the order of `operators` (15, channel in, channel out)."""
    into, out = layer.field_in.dim, layer.field_out.dim
    nodes = layer.nodes.matrix().view(3, into, 3, out).transpose(1, 2).flatten(0, 1)
    graphs = layer.graphs.matrix().view(2, into, 2, out).transpose(1, 2).flatten(0, 1)
    return torch.cat([layer.own.matrix()[None], layer.turned.matrix()[None], nodes, graphs])


def fifteen(layer: PairLinear, x):
    """What `layer` maps x (graph, n, n, channel) to, by one einsum over all operators."""
    return torch.einsum("gijkc,kcd->gijd", operators(x), operator_weights(layer))


def rings(*sizes):
    """The adjacency matrix of cycles."""
    return torch.block_diag(*[cayley([(k + 1) % n, (k - 1) % n] for k in range(n)) for n in sizes])


def cayley(neighbours):
    rows = list(neighbours)
    found = torch.zeros(len(rows), len(rows), dtype=torch.float64)
    for i, row in enumerate(rows):
        found[i, row] = 1
    return found


def rook():
    """Squares of a 4 x 4 board, joined if in one row or column."""
    return cayley(
        [b for b in range(16) if b != a and (b // 4 == a // 4 or b % 4 == a % 4)] for a in range(16)
    )


def shrikhande():
    """Z_4 x Z_4, joined if the difference is +-(0, 1), +-(1, 0) or +-(1, 1).

    Strongly regular like the rook's graph.
    """
    steps = [(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)]
    return cayley([4 * ((a // 4 + i) % 4) + (a + j) % 4 for i, j in steps] for a in range(16))
