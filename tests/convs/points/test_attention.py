"""Attention of edges: the softmax written out by neighbours, and its invariance."""

import math

import pytest
import torch

from convs.points.test_engines import field_of
from oracles.groups import EVERY, name
from steerable.convs.points.attention import Attention
from steerable.groups import O3

DOUBLE = torch.float64
EDGES = torch.tensor([[0, 1, 2, 0, 3, 3, 3], [1, 1, 1, 0, 3, 3, 0]])  # target 2 has no neighbours


def test_it_is_the_softmax_over_neighbours():
    field = field_of(O3(), 2)
    attention = Attention(field).double()
    source, target = torch.randn(2, 4, field.dim, dtype=DOUBLE)
    with torch.no_grad():
        key, query = source @ attention.key.matrix(), target @ attention.query.matrix()
    wanted = []
    for j, i in EDGES.T:
        logits = [float(query[i] @ key[k]) / math.sqrt(field.dim) for k in EDGES[0][EDGES[1] == i]]
        share = float(query[i] @ key[j]) / math.sqrt(field.dim)
        wanted.append(math.exp(share) / sum(map(math.exp, logits)))
    result = attention(source, target, EDGES)
    torch.testing.assert_close(result, torch.tensor(wanted, dtype=DOUBLE), atol=1e-14, rtol=0)
    assert attention(source, target, EDGES[:, :0]).shape == (0,)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_it_is_invariant_and_not_constant(group):
    field = field_of(group, 2)
    attention = Attention(field).double()
    source, target = 3 * torch.randn(2, 4, field.dim, dtype=DOUBLE)
    weights = attention(source, target, EDGES)
    for g in field.matrix(group.sample(3, torch.Generator().manual_seed(0))):
        result = attention(source @ g.T, target @ g.T, EDGES)
        torch.testing.assert_close(result, weights, atol=1e-12, rtol=0)
    assert weights[:3].std() > 1e-3


def test_large_features_overflow_nothing():
    attention = Attention(field_of(O3(), 2))
    x = 1e4 * torch.randn(4, attention.query.field_in.dim)
    weights = attention(x, x, EDGES)
    totals = torch.zeros(4).index_add(0, EDGES[1], weights)
    torch.testing.assert_close(totals, torch.tensor([1.0, 1.0, 0.0, 1.0]))
