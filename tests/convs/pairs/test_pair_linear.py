"""Layers of second order: against the fifteen operators, loops and null spaces.

Flat, square and padded batches.
"""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from oracles.groups import EVERY, name
from oracles.pairs import fifteen, operators
from steerable.convs.pairs.pair_index import RaggedPairs, SquarePairs, pack, pairs_of, unpack
from steerable.convs.pairs.pair_linear import SYMMETRIES, PairLinear
from steerable.field import Field, FieldMismatchError
from steerable.groups import irreps, tensor_maps

DOUBLE = torch.float64
SIZES = [3, 0, 5, 1, 3]
BATCH = torch.arange(5).repeat_interleave(torch.tensor(SIZES))


def numbers(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def layer(field_in="2x0e+1x1o", field_out="1x0e+2x1o", *symmetries, dtype=DOUBLE, **options):
    torch.manual_seed(0)
    made = PairLinear(field_in, field_out, *symmetries, **options).to(dtype)
    if made.graphs is not None and made.graphs.bias is not None:
        torch.nn.init.normal_(made.graphs.bias)
    return made


def with_symmetry(x, symmetry):
    sign = SYMMETRIES[symmetry]
    return x if sign == 0 else (x + sign * x.transpose(1, 2)) / 2


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_it_equals_the_fifteen_operators(n):
    made, x = layer("5x0e", "4x0e", bias=False), numbers(3, n, n, 5)
    torch.testing.assert_close(made(x), fifteen(made, x), atol=1e-13, rtol=0)
    torch.testing.assert_close(
        made(x.flatten(0, 2), SquarePairs(3, n)), made(x).flatten(0, 2), atol=0, rtol=0
    )


@pytest.mark.parametrize(
    ("symmetry_in", "symmetry_out", "count"),
    [
        ("none", "none", 15),
        ("symmetric", "symmetric", 9),
        ("antisymmetric", "antisymmetric", 2),
        ("symmetric", "antisymmetric", 2),
        ("antisymmetric", "symmetric", 2),
        ("none", "symmetric", 11),
        ("none", "antisymmetric", 4),
        ("symmetric", "none", 11),
        ("antisymmetric", "none", 4),
    ],
)
def test_it_is_every_map_that_commutes(symmetry_in, symmetry_out, count):
    """Pairs hold 2, 3, 1, 1 copies of irreps of S_n, symmetric ones 2, 2, 1, 0.

    Products of both sides, summed.
    """
    n = 5
    made = layer("1x0e", "1x0e", symmetry_in, symmetry_out, bias=False)
    basis = with_symmetry(torch.eye(n * n, dtype=DOUBLE).view(-1, n, n, 1), symmetry_in)
    weights = list(made.parameters())
    found = []
    for weight in weights:
        for k in range(len(weight)):
            with torch.no_grad():
                for other in weights:
                    other.zero_()
                weight[k] = 1
                found.append(made(basis).flatten())
    assert len(found) == count == torch.linalg.matrix_rank(torch.stack(found))
    every = (
        torch.from_numpy(tensor_maps(n, 2, 2, symmetry_in, symmetry_out)) @ basis.view(-1, n * n).T
    )
    together = torch.cat([torch.stack(found), every.mT.flatten(1)])
    assert len(every) == count == torch.linalg.matrix_rank(together)


@pytest.mark.parametrize(("n", "rank"), [(2, 8), (3, 14), (4, 15), (5, 15)])
def test_small_graphs_have_fewer_maps(n, rank):
    basis = torch.eye(n * n, dtype=DOUBLE).view(-1, n, n, 1)
    assert torch.linalg.matrix_rank(operators(basis).transpose(0, 3).flatten(1)) == rank


@pytest.mark.parametrize("symmetry_out", SYMMETRIES)
@pytest.mark.parametrize("symmetry_in", SYMMETRIES)
def test_results_have_their_symmetry_and_agree_with_the_general_layer(symmetry_in, symmetry_out):
    made = layer("2x0e+1x1o", "1x0e+2x1o", symmetry_in, symmetry_out)
    x = with_symmetry(numbers(2, 4, 4, 5), symmetry_in)
    y = made(x)
    torch.testing.assert_close(y, with_symmetry(y, symmetry_out), atol=1e-14, rtol=0)
    assert y.abs().max() > 0.1
    order = torch.randperm(4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        made(x[:, order][:, :, order]), y[:, order][:, :, order], atol=1e-13, rtol=0
    )


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_it_commutes_with_permutations_and_the_group(group):
    field = Field(group, tuple((1, irrep) for irrep in irreps(group, 2)))
    made, x, generator = (
        layer(field, field),
        numbers(2, 4, 4, field.dim),
        torch.Generator().manual_seed(0),
    )
    for turn in field.matrix(group.sample(3, generator)):
        order = torch.randperm(4, generator=generator)
        found = made(x[:, order][:, :, order] @ turn.T)
        torch.testing.assert_close(
            found, (made(x) @ turn.T)[:, order][:, :, order], atol=1e-12, rtol=0
        )


def one_by_one(module, x, channels):
    """Every graph as a square of its own."""
    parts = x.split([n * n for n in SIZES])
    return torch.cat(
        [
            module(part.view(1, n, n, channels)).flatten(0, 2)
            for n, part in zip(SIZES, parts, strict=True)
        ]
    )


@pytest.mark.parametrize("symmetry_out", SYMMETRIES)
def test_graphs_of_any_size_are_computed_as_one_by_one(symmetry_out):
    made, pairs = layer("2x0e+1x1o", "1x0e+2x1o", "none", symmetry_out), pairs_of(BATCH)
    x = numbers(pairs.count, 5)
    assert isinstance(pairs, RaggedPairs) and pairs.count == sum(n * n for n in SIZES)  # no padding
    torch.testing.assert_close(made(x, pairs), one_by_one(made, x, 5), atol=1e-13, rtol=0)


def test_ragged_and_square_batches_agree():
    batch = torch.arange(3).repeat_interleave(4)
    square, ragged = pairs_of(batch), RaggedPairs(batch, 3)
    assert isinstance(square, SquarePairs)
    made, x = layer(), numbers(square.count, 5)
    torch.testing.assert_close(made(x, ragged), made(x, square), atol=1e-13, rtol=0)


def test_padded_batches():
    mask = torch.tensor([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
    made, dense = layer(), numbers(4, 4, 4, 5)
    x, pairs = pack(dense, mask)
    y = unpack(made(x, pairs), mask)
    for g in range(4):
        kept = torch.nonzero(mask[g]).flatten()
        own = dense[g : g + 1, kept][:, :, kept]
        torch.testing.assert_close(y[g : g + 1, kept][:, :, kept], made(own), atol=1e-13, rtol=0)
    assert y[~(mask[:, None] & mask[:, :, None])].eq(0).all()
    everywhere = torch.ones_like(mask)
    x, pairs = pack(dense, everywhere)
    torch.testing.assert_close(unpack(made(x, pairs), everywhere), made(dense), atol=1e-13, rtol=0)


def test_nothing():
    made = layer()
    assert made(numbers(0, 3, 3, 5)).shape == (0, 3, 3, 7) and made(numbers(2, 0, 0, 5)).shape == (
        2,
        0,
        0,
        7,
    )
    assert made(numbers(0, 5), pairs_of(BATCH[:0])).shape == (0, 7)


@pytest.mark.parametrize(
    ("symmetry_in", "symmetry_out"), [("none", "none"), ("symmetric", "symmetric")]
)
def test_it_starts_with_about_unit_variance(symmetry_in, symmetry_out):
    made = layer("64x0e", "64x0e", symmetry_in, symmetry_out, dtype=torch.float32, bias=False)
    x = numbers(2, 32, 32, 64, dtype=torch.float32)
    if symmetry_in == "symmetric":
        lower = torch.ones(32, 32, dtype=torch.bool).tril()[:, :, None]
        x = torch.where(lower, x, x.transpose(1, 2))
    assert made(x).var().item() == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("symmetry_in", SYMMETRIES)
def test_derivatives_of_first_and_second_order(symmetry_in):
    made, pairs = layer("1x0e+1x1o", "1x0e+1x1o", symmetry_in), pairs_of(torch.tensor([0, 0, 2]))
    x = numbers(pairs.count, 4).requires_grad_()
    assert gradcheck(lambda x: made(x, pairs), x) and gradgradcheck(
        lambda x: made(x, pairs).square(), x
    )


def test_derivatives_on_squares():
    module = PairLinear("3x0e", "2x0e").double()
    x = numbers(1, 2, 2, 3).requires_grad_()
    assert gradcheck(module, x) and gradgradcheck(module, x)
    pairs = pairs_of(torch.tensor([0, 0, 1]))
    assert gradgradcheck(lambda x: module(x, pairs), numbers(5, 3).requires_grad_())


def test_it_compiles():
    torch._dynamo.reset()
    module = PairLinear("5x0e", "4x0e")
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    x = numbers(2, 4, 4, 5, dtype=torch.float32)
    torch.testing.assert_close(compiled(x), module(x))
    x, pairs = numbers(44, 5, dtype=torch.float32), pairs_of(BATCH)
    torch.testing.assert_close(compiled(x, pairs), module(x, pairs))


def test_single_precision():
    x = numbers(2, 6, 6, 5)
    found = layer(dtype=torch.float32)(x.float())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, layer()(x).float(), atol=3e-6, rtol=0)


def test_errors():
    made = layer()
    with pytest.raises(ValueError, match=r"square, \(graph, n, n, channel\); got \(2, 3, 4, 5\)"):
        made(numbers(2, 3, 4, 5))
    with pytest.raises(ValueError, match="square"):
        made(numbers(9, 5))
    with pytest.raises(
        ValueError,
        match=r"PairLinear needs features of 44 pairs, n\^2 for every graph .* got \(43, 5\)",
    ):
        made(numbers(43, 5), pairs_of(BATCH))
    with pytest.raises(FieldMismatchError, match="PairLinear expects features of 2x0e"):
        made(numbers(44, 4), pairs_of(BATCH))
    with pytest.raises(ValueError, match="one of none, symmetric, antisymmetric; got 'even'"):
        PairLinear("1x0e", "1x0e", "even")
