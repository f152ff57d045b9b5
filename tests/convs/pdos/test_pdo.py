"""SteerablePDO on points: the group, the sum by hand, derivatives by autograd, and bad input."""

import copy
from functools import partial

import numpy as np
import pytest
import torch

from oracles.groups import EVERY, name
from oracles.per_edge import per_edge_conv
from oracles.states import weights_of
from steerable import Field, FieldMismatchError
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs.pdos.depthwise_products import function_field
from steerable.convs.pdos.pdo import SteerablePDO
from steerable.filters import HarmonicFilter
from steerable.functions.polynomials import exponents_up_to, monomials
from steerable.groups import O2, O3, SO2, SO3, cyclic, dihedral, irreps, point_group
from steerable.layers import Depthwise, Full
from steerable.operators import Symbol, named
from steerable.ops import knn, neighbourhoods
from steerable.ops.stencils.cloud import StencilWarning, cloud_stencil

DOUBLE = torch.float64
NAMED = [
    *(
        f(dim)
        for dim in (2, 3)
        for f in (named.gradient, named.divergence, named.laplacian, named.vector_laplacian)
    ),
    *(
        f(dim)
        for dim in (2, 3)
        for f in (named.grad_div, named.strain, named.hessian, named.traceless_hessian)
    ),
    named.curl(),
    named.curl_2d(),
    named.cauchy_riemann(),
]


def cloud(dim, nodes=40, neighbours=None, seed=0):
    """Points with their nearest neighbours, themselves among them."""
    pos = torch.rand(nodes, dim, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
    return pos, knn(pos, pos, neighbours or {2: 14, 3: 24}[dim])


def pdo_of(group, copies=2, order=2, **options):
    torch.manual_seed(0)
    field = Field(group, tuple((copies, irrep) for irrep in irreps(group, 1)))
    return SteerablePDO(field, field, order, **options).double()


def features(pdo, nodes=40, seed=1):
    return torch.randn(
        nodes, pdo.field_in.dim, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE
    )


def applied(symbol, coefficients, pos):
    """P(d) f of polynomials f, by autograd.

    f = coefficients (in, monomial) times the monomials of order 2.
    """
    powers = exponents_up_to(pos.shape[1], 2)

    def derivatives(value, order):
        """All derivatives of one order, last index the newest: (node, d, ..., d)."""
        if not order:
            return value
        flat = derivatives(value, order - 1).reshape(len(pos), -1)
        grads = [
            torch.autograd.grad(column.sum(), x, create_graph=True)[0] for column in flat.unbind(1)
        ]
        return torch.stack(grads, 1).reshape(len(pos), *[pos.shape[1]] * order)

    x = pos.clone().requires_grad_()
    y = torch.zeros(len(pos), symbol.field_out.dim, dtype=DOUBLE)
    for channel, row in enumerate(coefficients):
        f = monomials(x, powers) @ row + 0 * x.square().sum(1) * x.sum(1) ** 2
        for n, part in symbol.parts.items():
            table = derivatives(f, n).detach().reshape(len(pos), -1)
            for a, matrix in zip(
                exponents_of(pos.shape[1], n), torch.from_numpy(part), strict=True
            ):
                index = int(sum(axis * pos.shape[1] ** (n - 1 - k) for k, axis in enumerate(a)))
                y += table[:, [index]] * matrix[:, channel]
    return y


def exponents_of(dim, order):
    """For every monomial of one order the axes to differentiate along."""
    powers = exponents_up_to(dim, order)
    rows = powers[powers.sum(1) == order]
    return [[axis for axis in range(dim) for _ in range(row[axis])] for row in rows]


@pytest.mark.parametrize("ridge", [0.0, 1e-2])
@pytest.mark.parametrize("group", EVERY, ids=name)
def test_commutes_and_equals_the_sum_with_a_kernel_per_edge(group, ridge):
    pdo = pdo_of(group, fit=partial(cloud_stencil, ridge=ridge))
    pos, edges = cloud(group.dim)
    x = features(pdo)
    y = pdo(x, pos, edges)
    components = pdo.conv.filter.components(pdo.stencil(pos, edges).weight)
    torch.testing.assert_close(
        y, per_edge_conv(pdo.conv, x, pos, edges, components), atol=1e-11, rtol=1e-11
    )
    inputs = [(x, Role(field=pdo.field_in)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    report = certify(pdo, inputs, Role(field=pdo.field_out), group, elements=3)
    assert report.error < 1e-10, report
    broken = certify(
        lambda x, p, e: pdo(x, p * p[:, :1], e),
        inputs,
        Role(field=pdo.field_out),
        group,
        elements=3,
    )
    assert broken.error > 1e-3


def test_single_precision():
    pdo = pdo_of(O3()).float()
    pos, edges = cloud(3)
    x = features(pdo).float()
    inputs = [(x, Role(field=pdo.field_in)), (pos.float(), POSITIONS), (edges, EDGE_INDEX)]
    assert pdo(x, pos.float(), edges).dtype == torch.float32
    assert certify(pdo, inputs, Role(field=pdo.field_out), elements=3).error < 1e-4


@pytest.mark.parametrize("method", ["least_squares", "rbf"])
@pytest.mark.parametrize("symbol", NAMED, ids=repr)
def test_named_operators_are_exact_on_polynomials(symbol, method):
    pdo = SteerablePDO(
        symbol.field_in, symbol.field_out, fit=partial(cloud_stencil, method=method)
    ).double()
    pdo.set_symbol(symbol)
    pos, edges = cloud(symbol.group.dim)
    powers = exponents_up_to(pos.shape[1], 2)
    coefficients = torch.randn(symbol.field_in.dim, len(powers), dtype=DOUBLE)
    f = monomials(pos, powers) @ coefficients.T
    wanted = applied(symbol, coefficients, pos)
    torch.testing.assert_close(
        pdo(f, pos, edges), wanted, atol=1e-10 * float(wanted.abs().max()), rtol=0
    )
    assert abs((pdo.symbol() - symbol).coefficients()).max() < 1e-12


def test_the_learned_symbol_is_what_the_layer_does():
    pdo = pdo_of(O3())
    pos, edges = cloud(3)
    pdo(features(pdo), pos, edges)
    symbol = pdo.symbol()
    assert symbol.is_steerable() and symbol.order == 2
    coefficients = torch.randn(pdo.field_in.dim, 10, dtype=DOUBLE)
    f = monomials(pos, exponents_up_to(3, 2)) @ coefficients.T
    torch.testing.assert_close(
        pdo(f, pos, edges), applied(symbol, coefficients, pos), atol=1e-10, rtol=1e-10
    )
    twin = SteerablePDO(pdo.field_in, pdo.field_out, 3).double()
    twin.set_symbol(symbol)
    fitted = cloud_stencil(
        pos[edges[0]] - pos[edges[1]], neighbourhoods(edges, 40), 3, degree=2 + 1
    )
    twin_y, y = twin(f, pos, edges, fitted), pdo(f, pos, edges, fitted)
    torch.testing.assert_close(twin_y, y, atol=1e-9, rtol=1e-9)


def test_orders_scale_with_the_length_of_the_cloud():
    pos, edges = cloud(3)
    for symbol in (named.identity(Field.parse("0e")), named.gradient(3), named.laplacian(3)):
        pdo = SteerablePDO(symbol.field_in, symbol.field_out).double()
        pdo.set_symbol(symbol)
        x = features(pdo)
        scaled = pdo(x, 100 * pos, edges) * 100.0**symbol.order
        torch.testing.assert_close(scaled, pdo(x, pos, edges), atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    "contraction", ["full", "depthwise", partial(Full, groups=4), partial(Depthwise, rank=3)]
)
def test_unit_variance_at_the_start(contraction):
    pdo = pdo_of(O2(), 16, contraction=contraction)
    pos, edges = cloud(2, 300)
    x = features(pdo, 300)
    y = pdo(x, pos, edges).detach()
    assert abs(float(y.square().mean() / x.square().mean()) - 1) < 1e-6
    for part in pdo.conv.filter.basis.parts:
        own = pdo.conv.filter.components(pdo.stencil(pos, edges).weight)[:, part.place]
        assert abs(float(own.square().mean()) - 1) < 1e-5


@pytest.mark.parametrize("recompute", [False, True])
def test_first_and_second_derivatives_in_features_and_positions(recompute):
    pdo = pdo_of(SO2(), 1, order=1)
    pdo.conv.recompute = recompute
    pos, edges = cloud(2, 7, 6)
    x = features(pdo, 7)
    pdo(x, pos, edges)
    for run in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        leaves = x.clone().requires_grad_(), pos.clone().requires_grad_()
        assert run(lambda x, p: pdo(x, p, edges), leaves, fast_mode=True)


def test_points_that_coincide_are_finite():
    pdo = pdo_of(O3())
    pos, edges = cloud(3)
    pos[1] = pos[0]
    pos.requires_grad_()
    y = pdo(features(pdo), pos, edges)
    (force,) = torch.autograd.grad(y.square().sum(), pos, create_graph=True)
    (second,) = torch.autograd.grad(force.square().sum(), pos)
    assert y.isfinite().all() and force.isfinite().all() and second.isfinite().all()


def test_an_exported_operator_takes_its_stencil():
    pdo = SteerablePDO("1x0e+1x1o", "1x0e+1x1o", 1).double()
    pos, edges = cloud(3)
    with pytest.raises(Exception, match="Stencils are fitted outside of exported programs"):
        torch.export.export(pdo, (features(pdo), pos, edges))


def test_a_stencil_made_once_gives_the_same_and_compiles():
    pdo = SteerablePDO("1x0e+1x1o", "1x0e+1x1o", 1).double()
    pos, edges = cloud(3)
    x = features(pdo)
    wanted = pdo(x, pos, edges)
    hood = neighbourhoods(edges, len(pos))
    stencil = pdo.stencil(pos, hood)
    torch.testing.assert_close(pdo(x, pos, hood, stencil), wanted)
    twin = copy.deepcopy(pdo)
    torch._dynamo.reset()
    compiled = torch.compile(pdo, fullgraph=True, backend="aot_eager")
    leaves = [x.requires_grad_(), *pdo.parameters()]
    found = torch.autograd.grad(compiled(x, pos, edges, stencil).square().sum(), leaves)
    exact = torch.autograd.grad(
        twin(x, pos, edges, stencil).square().sum(), [x, *twin.parameters()]
    )
    for a, b in zip(found, exact, strict=True):
        torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


def test_a_batch_equals_its_clouds_and_sources_may_be_other_points():
    pdo = pdo_of(O2())
    first, own = cloud(2, 20)
    second = (
        first @ O2().sample(1)[0].T + 5
    )  # as dense as the first: the fit knows one length for all
    pos, edges = torch.cat([first, second]), torch.cat([own, own + 20], 1)
    x = features(pdo)
    together = pdo(x, pos, edges)
    parts = [pdo(x[:20], first, own), pdo(x[20:], second, own)]
    torch.testing.assert_close(together, torch.cat(parts), atol=1e-10, rtol=1e-10)
    targets = first[:16]
    some = own[:, own[1] < 16]
    torch.testing.assert_close(
        pdo((x, None), (pos, targets), some), together[:16], atol=1e-9, rtol=1e-9
    )
    gradient = SteerablePDO("0e", "1", group=O2()).double()
    gradient.set_symbol(named.gradient(2))
    slope = torch.tensor([1.0, -2.0], dtype=DOUBLE)
    found = gradient((pos @ slope.unsqueeze(1) + 3, None), (pos, targets), some)
    torch.testing.assert_close(found, slope.expand(16, 2), atol=1e-10, rtol=0)


def test_no_edges_one_node_no_node():
    pdo = pdo_of(O3())
    none = torch.zeros(2, 0, dtype=torch.long)
    for nodes in (1, 0):
        pos, x = torch.zeros(nodes, 3, dtype=DOUBLE), features(pdo, nodes)
        if nodes:
            with pytest.warns(StencilWarning, match="neighbours of 1 of 1 nodes"):
                y = pdo(x, pos, none)
        else:
            y = pdo(x, pos, none)
        assert y.shape == (nodes, pdo.field_out.dim) and y.eq(0).all()


def test_a_kernel_and_an_operator_in_one_layer():
    torch.manual_seed(0)
    kernel = HarmonicFilter(1, 0.6, channels=3)
    pdo = SteerablePDO("2x0e+1x1o", "2x0e+1x1o", kernel=kernel).double()
    pos, edges = cloud(3)
    x = features(pdo)
    y = pdo(x, pos, edges)
    inputs = [(x, Role(field=pdo.field_in)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    assert certify(pdo, inputs, Role(field=pdo.field_out), elements=3).error < 1e-10
    operator = SteerablePDO("2x0e+1x1o", "2x0e+1x1o").double()
    operator.set_symbol(pdo.symbol())
    rest = copy.deepcopy(pdo)
    rest.set_symbol(Symbol(pdo.field_in, pdo.field_out, {}))
    assert rest(x, pos, edges).abs().max() < 1e-12  # the kernel is 0, too
    stencil = pdo.stencil(pos, edges)
    bare = stencil._replace(weight=0 * stencil.weight)
    torch.testing.assert_close(
        operator(x, pos, edges) + pdo(x, pos, edges, bare), y, atol=1e-10, rtol=1e-10
    )
    pdo.set_symbol(operator.symbol())
    torch.testing.assert_close(pdo(x, pos, edges), operator(x, pos, edges), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(
    ("group", "order", "offset", "count"),
    [
        (cyclic(16), 3, None, 160),
        (cyclic(16), 3, 0, 138),
        (cyclic(8), 3, 0, 58),
        (cyclic(4), 3, 0, 26),
        (dihedral(4), 3, 0, 52),
        (point_group("O"), 2, None, 240),
    ],
    ids=str,
)
def test_weights_between_two_regular_fields(group, order, offset, count):
    regular = function_field(group, 1)
    pdo = SteerablePDO(regular, regular, order, maximum_offset=offset)
    assert sum(p.numel() for p in pdo.parameters()) == count
    assert pdo.symbol().is_steerable(1e-5)


def test_irreps_that_need_a_higher_order_are_an_error_or_zero():
    group = cyclic(8)
    regular = function_field(group, 2)
    with pytest.raises(
        ValueError, match="No filter of 1x0\\+1x1 makes 2 of C8 from 1x0.*higher degree or order"
    ):
        SteerablePDO("1x0", regular, 1, group=group)
    pdo = SteerablePDO("1x0", regular, 1, allow_zero=True, group=group).double()
    pos, edges = cloud(2)
    x = features(pdo).requires_grad_()
    y = pdo(x, pos, edges)
    assert y[:, 6:].eq(0).all() and y[:, :6].ne(0).all()
    pdo.conv.recompute = True
    torch.testing.assert_close(pdo(x, pos, edges), y)
    assert torch.autograd.gradcheck(lambda x: pdo(x, pos, edges), x, fast_mode=True)
    with pytest.raises(ValueError, match="makes 4 of C8"):
        SteerablePDO("1x0", "1x4", 1, allow_zero=True, group=group)


def test_state_is_the_same_in_eval_and_keeps_what_was_measured():
    pdo = pdo_of(O2())
    pos, edges = cloud(2)
    x = features(pdo)
    y = pdo(x, pos, edges)
    learned = {name for name, _ in pdo.named_parameters()}
    assert weights_of(pdo.eval()) == learned | {"conv.neighbours", "conv.filter.scale"}
    twin = pdo_of(O2())
    twin.load_state_dict(pdo.state_dict())
    torch.testing.assert_close(twin(x, 2 * pos, edges), pdo(x, 2 * pos, edges))
    torch.testing.assert_close(twin(x, pos, edges), y)


def test_bad_input():
    pos, edges = cloud(3)
    pdo = SteerablePDO("2x0e", "1x1o", 1)
    x = torch.randn(40, 2)
    with pytest.raises(
        FieldMismatchError, match=r"PointConv expects features of 2x0e \(2 channels\) and got 3"
    ):
        pdo(torch.randn(40, 3), pos.float(), edges)
    with pytest.raises(ValueError, match=r"positions of 3 coordinates.*got \(40, 2\)"):
        pdo(x, pos[:, :2].float(), edges)
    with pytest.raises(ValueError, match=r"finite; those of nodes \[3\]"):
        pdo(x, pos.float().index_fill(0, torch.tensor([3]), float("nan")), edges)
    with pytest.raises(ValueError, match="source node numbers from 0 to 39; got 40 to 40"):
        pdo(x, pos.float(), torch.tensor([[40], [0]]))
    with pytest.raises(ValueError, match=r"one row per edge \(960\); got 7"):
        pdo(
            x, pos.float(), edges, pdo.stencil(pos.float(), edges)._replace(weight=torch.ones(7, 4))
        )
    with pytest.warns(StencilWarning, match="do not determine all derivatives up to order 1"):
        assert pdo(x[:3], pos[:3].float(), knn(pos[:3], pos[:3], 3)).isfinite().all()
    with pytest.raises(FieldMismatchError, match="fields of one group"):
        SteerablePDO(Field.parse("2x0e"), Field.parse("2x0", SO3()))
    with pytest.raises(ValueError, match="No filter of .* makes 2e of O"):
        SteerablePDO("1x0e", "1x2e", 1)
    with pytest.raises(ValueError, match="contraction is one of full, depthwise; got 'half'"):
        SteerablePDO("1x0e", "1x0e", contraction="half")
    with pytest.raises(ValueError, match="order of a derivative is 0 or more; got -1"):
        SteerablePDO("1x0e", "1x0e", -1)
    with pytest.raises(ValueError, match="maximum_offset is for finite groups of the plane"):
        SteerablePDO("1x0e", "1x0e", maximum_offset=0)


def test_symbols_that_do_not_fit():
    pdo = SteerablePDO("0e", "0e", 1)
    with pytest.raises(
        FieldMismatchError, match="This operator takes 1x0e to 1x0e of O.3.; got Symbol.*1x1o"
    ):
        pdo.set_symbol(named.gradient(3))
    with pytest.raises(ValueError, match="has derivatives up to order 1; got Symbol"):
        pdo.set_symbol(named.laplacian(3))
    with pytest.raises(ValueError, match="Only with contraction='full'"):
        SteerablePDO("0e", "0e", contraction="depthwise").set_symbol(named.laplacian(3))
    field = Field.parse("0e")
    with pytest.raises(ValueError, match="does not commute with O.3.* misses its coefficients by"):
        SteerablePDO("0e", "0e").set_symbol(Symbol(field, field, {1: np.eye(3)[:, :1, None]}))
