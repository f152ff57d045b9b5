"""Products of features of pairs: against matrices, and the graphs they tell apart."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from oracles.pairs import rings, rook, shrikhande
from steerable.convs.pairs.pair_index import pairs_of
from steerable.convs.pairs.pair_linear import PairLinear
from steerable.convs.pairs.pair_product import PairProduct

DOUBLE = torch.float64


SIZES = [3, 0, 5, 1, 3]


BATCH = torch.arange(5).repeat_interleave(torch.tensor(SIZES))


def numbers(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def graph_features(graph):
    return torch.stack([torch.eye(len(graph), dtype=DOUBLE), graph], -1)[None]


class SecondOrder(torch.nn.Module):
    """Two layers and a sum over all pairs: with products, or with linear maps alone."""

    def __init__(self, products):
        super().__init__()
        torch.manual_seed(0)
        made = PairProduct if products else lambda i, o: PairLinear(f"{i}x0e", f"{o}x0e")
        self.first, self.second = made(2, 8).double(), made(8, 8).double()

    def forward(self, x):
        return self.second(torch.nn.functional.silu(self.first(x))).mean((1, 2))


@pytest.mark.parametrize(("products", "difference"), [(False, 0), (True, 1e-5)])
def test_what_is_told_apart(products, difference):
    """Cycles need products (3-WL).

    Strongly regular graphs of the same parameters are beyond both.
    """
    net = SecondOrder(products)
    change = (net(graph_features(rings(6))) - net(graph_features(rings(3, 3)))).abs().max().item()
    assert change > difference if products else change < 1e-14
    regular = net(graph_features(rook())) - net(graph_features(shrikhande()))
    assert regular.abs().max() < 1e-13
    assert (net(graph_features(rings(6))) - net(graph_features(rings(4)))).abs().max() > 1e-4


def test_graphs_of_any_size_are_products_of_their_matrices():
    torch.manual_seed(0)
    product, pairs = PairProduct(5, 3, hidden=2).double(), pairs_of(BATCH)
    x = numbers(pairs.count, 5)
    wanted = []
    for n, part in zip(SIZES, x.split([n * n for n in SIZES]), strict=True):
        left, right = product.left(part).view(n, n, 2), product.right(part).view(n, n, 2)
        paths = torch.einsum("ikc,kjc->ijc", left, right) / max(n, 1) ** 0.5
        wanted.append(product.mix(torch.cat([part, paths.flatten(0, 1)], 1)))
    torch.testing.assert_close(product(x, pairs), torch.cat(wanted), atol=1e-13, rtol=0)
    square = x[-9:].view(1, 3, 3, 5)
    torch.testing.assert_close(product(square)[0].flatten(0, 1), wanted[-1], atol=1e-13, rtol=0)
    empty = pairs_of(BATCH[:0])
    assert product(x[:0], empty).shape == (0, 3)


def test_derivatives():
    module, x = PairProduct(3, 2).double(), numbers(1, 2, 2, 3).requires_grad_()
    assert gradcheck(module, x) and gradgradcheck(module, x)
    pairs = pairs_of(torch.tensor([0, 0, 1]))
    assert gradgradcheck(lambda x: module(x, pairs), numbers(5, 3).requires_grad_())


def test_it_compiles():
    torch._dynamo.reset()
    module, x = PairProduct(5, 4).double(), numbers(2, 4, 4, 5)
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), module(x))


def test_errors():
    with pytest.raises(ValueError, match="PairProduct expects 5 channels and got 4"):
        PairProduct(5, 3)(numbers(2, 3, 3, 4))
    with pytest.raises(ValueError, match=r"square, \(graph, n, n, channel\); got \(2, 3, 4, 5\)"):
        PairProduct(5, 3)(numbers(2, 3, 4, 5))
    with pytest.raises(ValueError, match="PairProduct needs features of 44 pairs"):
        PairProduct(5, 3)(numbers(43, 5), pairs_of(BATCH))
    with pytest.raises(ValueError, match="PairProduct"):
        PairProduct(5, 3)(torch.zeros(1, 3, 3, 5, dtype=torch.long))
