"""The linear map of sets.

Against loops over sets, under permutations and group elements, and its derivatives.
"""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from oracles.groups import EVERY, name
from oracles.states import weights_of
from steerable.convs.sets.set_linear import SetLinear, _SortedSum
from steerable.field import Field, FieldError, FieldMismatchError
from steerable.groups import SO3, irreps

BATCH = torch.tensor([2, 0, 0, 2, 2, 4, 0, 2])  # sets 1 and 3 are empty
DOUBLE = torch.float64


def rows(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def layer(field_in="3x0e+2x1o", field_out="2x0e+2x1o+1x2e", pool="mean", group=None, dtype=DOUBLE):
    torch.manual_seed(0)
    made = SetLinear(field_in, field_out, pool, group=group).to(dtype)
    if made.common.bias is not None:
        torch.nn.init.normal_(made.common.bias)
    return made


def by_hand(layer, x, batch):
    """Every set and every element by itself."""
    y = x.new_zeros(len(x), layer.field_out.dim)
    bias = layer.common(torch.zeros(layer.field_in.dim, dtype=x.dtype))
    for s in batch.unique():
        own = x[batch == s]
        middle = own.mean(0) if layer.pool == "mean" else own.amax(0)
        for i in torch.nonzero(batch == s).flatten():
            y[i] = (
                (x[i] - middle) @ layer.deviation.matrix() + middle @ layer.common.matrix() + bias
            )
    return y


def any_field(group):
    return Field(group, tuple((2, irrep) for irrep in irreps(group, 2)))


@pytest.mark.parametrize(
    "batch", [BATCH, BATCH.sort().values, torch.zeros(8, dtype=torch.long), torch.arange(8)]
)
@pytest.mark.parametrize("pool", ["mean", "max"])
def test_it_equals_a_loop_over_sets(batch, pool):
    made = layer("5x0e", "4x0e", pool) if pool == "max" else layer()
    x = rows(8, made.field_in.dim)
    torch.testing.assert_close(made(x, batch), by_hand(made, x, batch), atol=1e-13, rtol=0)
    torch.testing.assert_close(made(x, batch, 9), made(x, batch), atol=1e-14, rtol=0)
    torch.testing.assert_close(made(x, batch.int()), made(x, batch), atol=0, rtol=0)


def test_one_set_and_no_elements():
    made, x = layer(), rows(8, 9)
    torch.testing.assert_close(made(x), by_hand(made, x, torch.zeros(8)), atol=1e-13, rtol=0)
    assert made(x[:0]).shape == made(x[:0], BATCH[:0], 3).shape == (0, 13)
    torch.testing.assert_close(made(x, BATCH)[1:3], made(x[[1, 2, 6]])[:2], atol=1e-13, rtol=0)


def test_large_sets_go_block_by_block():
    made = layer()
    x, batch = (
        rows(20_000, 9),
        torch.randint(50, (20_000,), generator=torch.Generator().manual_seed(0)),
    )
    middle = torch.stack([x[batch == s].mean(0) for s in range(50)])[batch]
    wanted = (x - middle) @ made.deviation.matrix() + made.common(middle)
    torch.testing.assert_close(made(x, batch), wanted, atol=1e-12, rtol=0)


def test_large_fields_go_irrep_by_irrep():
    made = layer("80x0e+60x1o+30x2e", "80x0e+60x1o+30x2e")
    x = rows(8, made.field_in.dim)
    torch.testing.assert_close(made(x, BATCH), by_hand(made, x, BATCH), atol=1e-12, rtol=0)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_it_commutes_with_permutations_and_the_group(group):
    field = any_field(group)
    made = layer(field, field)
    x, generator = rows(8, field.dim), torch.Generator().manual_seed(1)
    for turn in field.matrix(group.sample(3, generator)):
        order = torch.randperm(8, generator=generator)
        found = made(x[order] @ turn.T, BATCH[order])
        torch.testing.assert_close(found, (made(x, BATCH) @ turn.T)[order], atol=1e-12, rtol=0)


def test_the_check_fails_for_what_sees_the_order():
    made, x, order = layer(), rows(8, 9), torch.arange(8).flip(0)
    broken = made(x) + made.deviation(x.cumsum(0))
    assert (made(x[order]) + made.deviation(x[order].cumsum(0)) - broken[order]).abs().max() > 0.1


def test_it_is_every_map_that_commutes():
    """The commutant of S_n x O(3) on n copies of 0e + 1o has 2 maps for every irrep.

    A null space by brute force.
    """
    n, field = 4, Field.parse("1x0e+1x1o")
    generator = torch.Generator().manual_seed(0)
    moves = []
    for turn in field.matrix(field.group.sample(3, generator)):
        order = torch.eye(n, dtype=DOUBLE)[torch.randperm(n, generator=generator)]
        moves += [
            torch.kron(order, torch.eye(4, dtype=DOUBLE)),
            torch.kron(torch.eye(n, dtype=DOUBLE), turn),
        ]
    eye = torch.eye(4 * n, dtype=DOUBLE)
    constraints = torch.cat([torch.kron(g, eye) - torch.kron(eye, g.T.contiguous()) for g in moves])
    assert int((torch.linalg.eigvalsh(constraints.T @ constraints) < 1e-9).sum()) == 4
    made = SetLinear(field, field, bias=False).double()
    found = []
    for weight in (made.deviation.weight, made.common.weight):
        for k in range(len(weight)):
            with torch.no_grad():
                made.deviation.weight.zero_(), made.common.weight.zero_()
                weight[k] = 1
            found.append(torch.stack([made(e.view(n, 4)).flatten() for e in eye]).flatten())
    assert torch.linalg.matrix_rank(torch.stack(found)) == 4


def test_the_form_of_deep_sets():
    """A sum over the set: y_i = x_i A + (sum x) G is A_c = A, A_m = A + n G."""
    made, x = layer("3x0e", "2x0e"), rows(6, 3)
    A, B = made.deviation.matrix(), made.common.matrix()
    G = (B - A) / 6
    torch.testing.assert_close(made(x), x @ A + x.sum(0) @ G + made.common.bias, atol=1e-14, rtol=0)


@pytest.mark.parametrize("size", [1, 2, 30])
def test_it_keeps_unit_variance_for_every_size(size):
    torch.manual_seed(0)
    made = SetLinear("128x0e", "128x0e")
    batch = torch.arange(6000 // size).repeat_interleave(size)
    assert made(torch.randn(len(batch), 128), batch).var().item() == pytest.approx(1, rel=0.05)


def test_derivatives_of_first_and_second_order():
    made = layer("2x0e+1x1o", "1x0e+1x1o")

    def function(x, *weights):
        return torch.func.functional_call(made, dict(zip(names, weights, strict=True)), (x, BATCH))

    names = [key for key, _ in made.named_parameters()]
    inputs = [
        rows(8, 5).requires_grad_(),
        *(p.detach().clone().requires_grad_() for p in made.parameters()),
    ]
    assert gradcheck(function, inputs) and gradgradcheck(function, inputs)


@pytest.mark.parametrize("batch", [BATCH, BATCH.sort().values])
def test_second_derivatives_in_single_precision(batch):
    """Where sets lie side by side their sums are another operation, in single precision alone."""
    found = []
    for dtype in (torch.float32, DOUBLE):
        made, x = layer(dtype=dtype), rows(8, 9).to(dtype).requires_grad_()
        first = torch.autograd.grad(
            made(x, batch).pow(3).sum(), [x, *made.parameters()], create_graph=True
        )
        second = torch.autograd.grad(
            sum(part.square().sum() for part in first), [x, *made.parameters()]
        )
        found.append([part.double() for part in (*first, *second)])
    for single, double in zip(*found, strict=True):
        torch.testing.assert_close(single, double, atol=1e-5 * double.abs().max().item(), rtol=1e-4)


def test_sums_of_neighbouring_rows():
    x, batch = rows(8, 3).requires_grad_(), BATCH.sort().values
    first = torch.bincount(batch, minlength=7).cumsum(0) - torch.bincount(batch, minlength=7)
    assert gradcheck(lambda x: _SortedSum.apply(x, batch, first), x)
    assert gradgradcheck(lambda x: _SortedSum.apply(x, batch, first).square(), x)
    torch.testing.assert_close(
        _SortedSum.apply(x, batch, first), torch.zeros(7, 3, dtype=DOUBLE).index_add(0, batch, x)
    )


def test_derivatives_at_coincident_points():
    made = layer("2x0e+1x1o", "1x0e+1x1o")
    x = torch.zeros(8, 5, dtype=DOUBLE, requires_grad=True)
    assert gradcheck(lambda x: made(x, BATCH), x) and gradgradcheck(lambda x: made(x, BATCH), x)


def test_an_exported_layer_is_told_the_number_of_sets():
    x, batch = rows(len(BATCH), 5), BATCH
    with pytest.raises(Exception, match=r"SetLinear finds the number of sets .*: pass size"):
        torch.export.export(layer("5x0e", "4x0e", "mean"), (x, batch))


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_it_compiles(pool):
    torch._dynamo.reset()
    made = layer("5x0e", "4x0e", pool)
    compiled = torch.compile(made, backend="aot_eager", fullgraph=True, dynamic=True)
    for elements in (8, 12):
        x, batch = rows(elements, 5).requires_grad_(), torch.arange(elements) % 4
        found, wanted = compiled(x, batch, 5), made(x, batch, 5)
        torch.testing.assert_close(found, wanted)
        gradients = [torch.autograd.grad(y.square().sum(), x)[0] for y in (found, wanted)]
        torch.testing.assert_close(*gradients)


def test_single_precision_and_autocast():
    made = layer(dtype=torch.float32)
    x = rows(8, 9, dtype=torch.float32)
    torch.testing.assert_close(
        made(x, BATCH), layer()(x.double(), BATCH).float(), atol=2e-6, rtol=0
    )
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(
            made(x, BATCH).float(), layer()(x.double(), BATCH).float(), atol=0.1, rtol=0
        )


def test_the_same_bits_at_every_call():
    made, x = layer(dtype=torch.float32), rows(5000, 9, dtype=torch.float32)
    batch = torch.arange(5000) % 7
    torch.use_deterministic_algorithms(True)
    try:
        assert torch.equal(made(x, batch), made(x, batch))
    finally:
        torch.use_deterministic_algorithms(False)


def test_state_is_weights_alone():
    assert weights_of(layer()) == {"deviation.weight", "common.weight", "common.bias"}
    assert str(layer("1x0e", "1x0e", "max")).startswith(
        "SetLinear(\n  1x0e -> 1x0e, O(3), pool='max'"
    )


def test_errors():
    with pytest.raises(ValueError, match="pool is 'mean' or 'max'; got 'sum'"):
        SetLinear("1x0e", "1x0e", "sum")
    with pytest.raises(
        FieldError, match=r"A maximum keeps invariant fields only; got 1x1o\. Take the mean"
    ):
        SetLinear("1x1o", "1x1o", "max")
    with pytest.raises(FieldMismatchError, match="SetLinear expects features of 3x0e"):
        layer()(rows(8, 4), BATCH)
    with pytest.raises(
        ValueError,
        match=r"the set of each of the 8 elements, as integers \(8,\); got torch.int64 \(3,\)",
    ):
        layer()(rows(8, 9), BATCH[:3])
    assert layer("2x0", "2x0", "max", SO3())(rows(8, 2), BATCH).shape == (8, 2)
    assert layer()(rows(8, 9) * torch.nan, BATCH).isnan().all()  # nothing hides it
