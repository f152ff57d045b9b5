"""NeuralPDO: its symmetry, steerable PDOs, points and grids, and bad input."""

import copy
import itertools
from functools import partial

import pytest
import torch

from contracts.sweeps import sweep
from convs.grids.test_grid_conv import symmetry_error
from convs.pdos.test_depthwise_products import COSETS, depthwise
from convs.pdos.test_pdo import cloud
from convs.pdos.test_tensor_products import features, field_of, randomised
from oracles.groups import EVERY, name
from oracles.states import weights_of
from steerable import Field, FieldMismatchError
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs.pdos.depthwise_products import DepthwiseProducts, function_field
from steerable.convs.pdos.neural_pdo import GridNeuralPDO, NeuralPDO
from steerable.convs.pdos.pdo import GridPDO, SteerablePDO
from steerable.functions.polynomials import exponents_up_to, factorials, monomials
from steerable.groups import (
    O2,
    O3,
    SO2,
    cyclic,
    dihedral,
    point_group,
)
from steerable.layers import Linear
from steerable.operators import Symbol
from steerable.ops import neighbourhoods
from steerable.ops.stencils.cloud import CloudStencil, cloud_stencil
from steerable.ops.stencils.grid import METHODS, grid_stencil

DOUBLE = torch.float64


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_commutes_on_points(group):
    torch.manual_seed(0)
    fit = partial(cloud_stencil, ridge=1e-3)
    pdo = randomised(NeuralPDO(field_of(group), field_of(group, 3), fit=fit).double())
    pos, edges = cloud(group.dim)
    x = features(field_of(group))
    pdo(x, pos, edges)
    inputs = [(x, Role(field=field_of(group))), (pos, POSITIONS), (edges, EDGE_INDEX)]
    report = certify(pdo, inputs, Role(field=field_of(group, 3)), group, elements=3)
    assert report.error < 1e-10, report


@pytest.mark.parametrize(("group", "subgroup"), COSETS, ids=str)
def test_functions_on_points_and_grids(group, subgroup):
    torch.manual_seed(0)
    field, make = depthwise(group, subgroup)
    pdo = randomised(NeuralPDO(field, field, products=make).double())
    pos, edges = cloud(group.dim)
    x = features(field)
    pdo(x, pos, edges)
    inputs = [(x, Role(field=field)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    assert certify(pdo, inputs, Role(field=field), group, elements=3).error < 1e-10
    order, size = (4, 5) if group.dim == 2 else (2, 3)
    grid = randomised(GridNeuralPDO(field, field, order, size, products=make).double())
    x = torch.randn(2, field.dim, *[5] * group.dim, dtype=DOUBLE)
    assert symmetry_error(grid, field, field, x) < 1e-12


@pytest.mark.parametrize(
    ("group", "options"),
    [(group, {}) for group in (SO2(), cyclic(8), O3(), point_group("Oh"))]
    + [(O2(), {"method": method, "padding_mode": "reflect"}) for method in METHODS],
    ids=str,
)
def test_exact_for_all_elements_that_keep_the_grid(group, options):
    torch.manual_seed(0)
    order, size = (3, 5) if group.dim == 2 else (2, 3)
    pdo = randomised(
        GridNeuralPDO(field_of(group), field_of(group), order, size, **options).double()
    )
    x = torch.randn(2, field_of(group).dim, *[5] * group.dim, dtype=DOUBLE)
    assert symmetry_error(pdo, field_of(group), field_of(group), x) < 1e-12


@pytest.mark.parametrize("kind", ["tensor", "depthwise"])
def test_constant_coefficients_are_a_steerable_pdo(kind):
    torch.manual_seed(0)
    if kind == "tensor":
        field, products = Field.parse("2x0e+2x1", O2()), kind
    else:
        field, products = depthwise(dihedral(3), None)
    pdo = NeuralPDO(field, field, products=products).double()
    for part in pdo.products.generate.modules():
        if isinstance(part, Linear):
            torch.nn.init.zeros_(part.weight)
            torch.nn.init.normal_(part.bias)
    pos, edges = cloud(2)
    x = features(field)
    y = pdo(x, pos, edges)
    # its symbol, from what it makes of the monomials about the first point
    powers = exponents_up_to(2, 2)
    f = monomials(pos - pos[0], powers) / torch.from_numpy(factorials(powers))
    units = torch.eye(field.dim, dtype=DOUBLE)
    columns = [[pdo(torch.outer(f[:, a], unit), pos, edges)[0] for unit in units] for a in range(6)]
    coefficients = torch.stack([torch.stack(column, 1) for column in columns]).detach().numpy()
    symbol = Symbol.from_coefficients(field, field, coefficients)
    assert symbol.is_steerable(1e-9)
    static = SteerablePDO(field, field).double()
    static.set_symbol(symbol)
    torch.testing.assert_close(y, static(x, pos, edges), atol=1e-8, rtol=1e-8)


def test_a_constant_operator_is_added_and_all_there_is_at_the_start():
    """On points and on grids.

    What depends on f is 0 at first, then what a layer without P gives.
    """
    torch.manual_seed(0)
    group = dihedral(4)
    field, make = depthwise(group, None)
    pos, edges = cloud(2)
    x = features(field)
    points = NeuralPDO(field, field, products=make, constant=1).double()
    stencil = points.stencil(pos, edges)  # of order 2, for both parts
    static = points.constant(x, pos, edges, stencil)
    torch.testing.assert_close(points(x, pos, edges), static, atol=1e-13, rtol=0)
    torch.nn.init.normal_(points.products.mix.weight)
    alone = NeuralPDO(field, field, products=make).double()
    alone.load_state_dict(points.state_dict(), strict=False)
    inputs = [(x, Role(field=field)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    torch.testing.assert_close(points(x, pos, edges), alone(x, pos, edges) + static)
    assert certify(points, inputs, Role(field=field), group, elements=3).error < 1e-10
    grid = GridNeuralPDO(
        field, field, 4, 5, products=make, padding_mode="circular", constant=3
    ).double()
    x = torch.randn(2, field.dim, 7, 7, dtype=DOUBLE)
    torch.testing.assert_close(grid(x), grid.constant(x), atol=1e-13, rtol=0)
    torch.nn.init.normal_(grid.products.mix.weight)
    assert (
        grid(x) - grid.constant(x)
    ).abs().max() > 0.1 and grid.constant.conv.window.mode == "circular"
    assert symmetry_error(grid, field, field, x) < 1e-12


@pytest.mark.parametrize("kind", ["tensor", "depthwise"])
def test_grids_and_points_are_the_same_operator(kind):
    torch.manual_seed(0)
    field, products = (
        (Field.parse("2x0e+2x1", O2()), kind) if kind == "tensor" else depthwise(dihedral(4), None)
    )
    grid = randomised(
        GridNeuralPDO(field, field, 2, 3, products=products, padding_mode="circular").double()
    )
    points = NeuralPDO(field, field, products=products).double()
    points.products.load_state_dict(grid.products.state_dict())
    points.load_state_dict(
        {**points.state_dict(), "derivatives.conv.neighbours": torch.tensor(9.0)}
    )
    points.derivatives.filter.scale.fill_(torch.nan)
    pos = torch.cartesian_prod(*[torch.arange(5.0, dtype=DOUBLE)] * 2)
    offsets = torch.cartesian_prod(*[torch.arange(-1.0, 2, dtype=DOUBLE)] * 2)
    place = (pos.unsqueeze(1) + offsets).remainder(5).long().flatten(0, 1)
    edges = torch.stack([place @ torch.tensor([5, 1]), torch.arange(25).repeat_interleave(9)])
    stencil = CloudStencil(grid_stencil(2, 3, 2).T.repeat(25, 1), torch.ones(25))
    x = torch.randn(1, field.dim, 5, 5, dtype=DOUBLE)
    y = points(x[0].flatten(1).T, pos, edges, stencil)
    torch.testing.assert_close(y, grid(x)[0].flatten(1).T, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("kind", ["tensor", "depthwise"])
def test_unit_variance_at_the_start_and_single_precision(kind):
    torch.manual_seed(0)
    field, products = (
        (Field.parse("16x0e+16x1o"), kind)
        if kind == "tensor"
        else depthwise(point_group("O"), None, 8)
    )
    pdo = NeuralPDO(field, field, products=products)
    pos, edges = cloud(3, 200)
    x = features(field, 200).float()
    y = pdo(x, pos.float(), edges).detach()
    assert y.dtype == torch.float32 and 0.5 < float(y.square().mean()) < 2
    exact = copy.deepcopy(pdo).double()(x.double(), pos.float().double(), edges)
    assert (y - exact).abs().max() < 1e-4 * exact.abs().max()


@pytest.mark.parametrize("kind", ["tensor", "depthwise"])
def test_first_and_second_derivatives_in_features_and_positions(kind):
    torch.manual_seed(0)
    field, products = (
        (Field.parse("1x0+1x1", SO2()), kind)
        if kind == "tensor"
        else depthwise(cyclic(3), None, 1, 1)
    )
    pdo = randomised(NeuralPDO(field, field, 1, products).double())
    pos, edges = cloud(2, 7, 6)
    x = features(field, 7)
    pdo(x, pos, edges)
    for run in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        leaves = x.clone().requires_grad_(), pos.clone().requires_grad_()
        assert run(lambda x, p: pdo(x, p, edges), leaves, fast_mode=True)
    grid = randomised(GridNeuralPDO(field, field, 1, 3, products=products).double())
    x = torch.randn(1, field.dim, 3, 3, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(grid, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(grid, x, fast_mode=True)


@pytest.mark.parametrize("kind", ["tensor", "depthwise"])
def test_no_features_no_points_no_batch(kind):
    torch.manual_seed(0)
    field, products = (
        (Field.parse("2x0+2x1", SO2()), kind) if kind == "tensor" else depthwise(cyclic(4), None)
    )
    pdo = NeuralPDO(field, field, products=products).double()
    pos, edges = cloud(2)
    x = features(field)
    pdo(x, pos, edges)
    nothing = torch.zeros_like(x).requires_grad_()
    y = pdo(nothing, pos, edges)
    (slope,) = torch.autograd.grad(y.sum(), nothing)
    assert y.eq(0).all() and slope.isfinite().all()
    none = torch.zeros(2, 0, dtype=torch.long)
    assert pdo(x[:0], pos[:0], none).shape == (0, field.dim)
    grid = GridNeuralPDO(field, field, products=products).double()
    x = torch.randn(3, field.dim, 5, 5, dtype=DOUBLE)
    y = grid(x)
    assert grid(x[:0]).shape == (0, *y.shape[1:])
    torch.testing.assert_close(y, torch.cat([grid(x[[k]]) for k in range(3)]))


@pytest.mark.filterwarnings(
    "ignore:<class 'torch.autograd.function.Function'> should not:DeprecationWarning"
)
def test_compiles_and_state_is_the_same_in_eval():
    torch.manual_seed(0)
    field, products = depthwise(cyclic(3), None, 1, 1)
    pdo = NeuralPDO(field, field, 1, products).double()
    pos, edges = cloud(2)
    x = features(field)
    stencil = pdo.stencil(pos, neighbourhoods(edges, len(pos)))
    wanted = pdo(x, pos, edges, stencil)
    torch._dynamo.reset()
    compiled = torch.compile(pdo, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x, pos, edges, stencil), wanted)
    learned = {name_ for name_, _ in pdo.named_parameters()}
    measured = {"derivatives.filter.scale", "derivatives.conv.neighbours"}
    assert weights_of(pdo.eval()) == weights_of(pdo.train()) == learned | measured


@pytest.mark.filterwarnings(
    "ignore:<class 'torch.autograd.function.Function'> should not:DeprecationWarning"
)
@pytest.mark.parametrize("kind", sweep(["tensor", "depthwise"], ["depthwise"]))
def test_grids_compile(kind):
    torch.manual_seed(0)
    if kind == "tensor":
        grid = GridNeuralPDO("1x0+1x1", "1x0+1x1", 1, 3, group=SO2()).double()
    else:
        field, products = depthwise(cyclic(3), None, 1, 1)
        grid = GridNeuralPDO(field, field, 1, 3, products=products).double()
    x = torch.randn(2, 3, 5, 5, dtype=DOUBLE)
    leaves = list(grid.parameters())
    torch._dynamo.reset()
    compiled = torch.compile(grid, fullgraph=True, backend="aot_eager")
    sides = compiled(x), grid(x)
    torch.testing.assert_close(*sides)
    gradients = [torch.autograd.grad(y.square().sum(), leaves) for y in sides]
    torch.testing.assert_close(*gradients)
    assert weights_of(grid) == {name_ for name_, _ in grid.named_parameters()}


def test_parameters_of_the_published_network():
    """C16, 5 x 5, order 4, 4 groups of channels: 234,186 with batch norms and head.

    From He et al. 2023.

    A layer of z to z' functions has 16 z^2 weights to the hidden layer, 15 * 16 z to coefficients
    and 16 z z' to the result, as published. The published one has 4 z more in normalisations of the
    hidden layer, which ours does not need, since its coefficients are normalised; ours has z + 60 +
    z' biases.
    """
    group, widths = cyclic(16), [16, 24, 32, 32, 48, 64]
    fields = [function_field(group, width) for width in widths]
    first = GridPDO("1x0", fields[0], 4, 5, allow_zero=True, bias=False, group=group)
    make = partial(DepthwiseProducts, channels=4)
    layers = [
        first,
        *(GridNeuralPDO(a, b, 4, 5, products=make) for a, b in itertools.pairwise(fields)),
    ]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in layers]
    biases = sum(z + 60 + out for z, out in itertools.pairwise(widths))
    published = sum(counts) - biases + 4 * sum(widths[:-1])
    batch_norms_and_head = 2 * sum(widths) + 128 + 64 * 64 + 64 + 64 * 10 + 10
    assert counts[0] == 15 * 16 and published + batch_norms_and_head == 234_186


def test_bad_input():
    with pytest.raises(ValueError, match="products is one of tensor, depthwise; got 'sheet'"):
        NeuralPDO("4x0e", "4x0e", products="sheet")
    field = function_field(cyclic(4), 3)
    with pytest.raises(
        FieldMismatchError, match=r"NeuralPDO expects features of 4x0e \(4 channels\) and got 3"
    ):
        NeuralPDO("4x0e", "4x0e")(
            torch.zeros(5, 3), torch.zeros(5, 3), torch.zeros(2, 0, dtype=torch.long)
        )
    with pytest.raises(
        FieldMismatchError, match=r"GridNeuralPDO expects arrays \(batch, channel, x, y\)"
    ):
        GridNeuralPDO(field, field)(torch.zeros(1, 3, 5, 5))
    with pytest.raises(ValueError, match="resolves derivatives of orders 0 to 2; got order 3"):
        GridNeuralPDO(field, field, 3, 3)
    with pytest.raises(
        ValueError, match="The constant operator has an order from 0 to 2; got constant=3"
    ):
        NeuralPDO("4x0e", "4x0e", constant=3)
