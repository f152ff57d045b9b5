"""Attention by learned points: against loops over sets and heads."""

import pytest
import torch
from torch.autograd import gradgradcheck

from steerable.convs.sets import set_attention
from steerable.convs.sets.set_attention import InducedSetAttention

DOUBLE = torch.float64


BATCH = torch.tensor([2, 0, 0, 2, 2, 4, 0, 2, 5, 5])  # sets 1 and 3 are empty


def rows(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def attention(dtype=DOUBLE):
    torch.manual_seed(0)
    return InducedSetAttention(8, points=3, heads=2).to(dtype)


def by_hand(layer, x):
    """One set, head by head, as in the paper."""

    def look(block, query, seen):
        key, value = block.seen(seen).chunk(2, -1)
        parts = []
        for q, k, v in zip(
            block.query(query).split(4, -1), key.split(4, -1), value.split(4, -1), strict=True
        ):
            parts.append((q @ k.T / 2).softmax(-1) @ v)
        h = block.first(query + block.out(torch.cat(parts, -1)))
        return block.last(h + block.feed(h))

    return look(layer.spread, x, look(layer.gather, layer.points, x))


def test_attention_equals_a_loop_over_sets(monkeypatch):
    layer, x = attention(), rows(10, 8)
    wanted = torch.zeros_like(x)
    for s in BATCH.unique():
        wanted[s == BATCH] = by_hand(layer, x[s == BATCH])
    torch.testing.assert_close(layer(x, BATCH), wanted, atol=1e-13, rtol=0)
    torch.testing.assert_close(layer(x), by_hand(layer, x), atol=1e-13, rtol=0)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(x[order], BATCH[order]), wanted[order], atol=1e-12, rtol=0)
    assert layer(x[:0], BATCH[:0], 3).shape == (0, 8)
    monkeypatch.setattr(set_attention, "_Blocks", set_attention._Rows)  # what is compiled
    torch.testing.assert_close(layer(x, BATCH), wanted, atol=1e-13, rtol=0)


def test_attention_on_large_batches():
    layer, batch = (
        attention(),
        torch.randint(60, (6000,), generator=torch.Generator().manual_seed(0)),
    )
    x = rows(6000, 8)
    wanted = torch.zeros_like(x)
    for s in batch.unique():
        wanted[s == batch] = by_hand(layer, x[s == batch])
    torch.testing.assert_close(layer(x, batch), wanted, atol=1e-13, rtol=0)


def test_attention_has_derivatives_and_compiles():
    layer, x = attention(), rows(6, 8).requires_grad_()
    assert gradgradcheck(lambda x: layer(x, BATCH[:6]), x)
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    x = rows(10, 8)
    torch.testing.assert_close(compiled(x, BATCH, 6), layer(x, BATCH, 6))


def test_errors():
    with pytest.raises(
        ValueError, match="3 heads share the channels evenly; 8 channels are no multiple"
    ):
        InducedSetAttention(8, heads=3)
    with pytest.raises(
        ValueError, match=r"InducedSetAttention expects \(element, 8\); got \(10, 3\)"
    ):
        attention()(rows(10, 3))
