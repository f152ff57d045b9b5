"""GridPDO: symmetries, derivatives of polynomials and waves, points, counts, bad input."""

import copy
import itertools
import math

import pytest
import torch

from convs.grids.test_grid_conv import array, symmetry_error
from oracles.states import weights_of
from steerable import Field, FieldMismatchError
from steerable.convs.grids.grid_conv import GridConv2d
from steerable.convs.pdos.depthwise_products import function_field
from steerable.convs.pdos.pdo import GridPDO, SteerablePDO
from steerable.filters import HarmonicFilter
from steerable.filters.derivative import StencilFilter
from steerable.functions.polynomials import exponents_up_to
from steerable.groups import O2, O3, SO2, SO3, cyclic, dihedral, irreps, point_group
from steerable.operators import named, symbol_basis
from steerable.ops import neighbourhoods
from steerable.ops.stencils.cloud import CloudStencil
from steerable.ops.stencils.grid import METHODS, grid_stencil

DOUBLE = torch.float64
PLANAR = [SO2(), O2(), cyclic(4), cyclic(8), dihedral(4), dihedral(6, angle=0.3)]
GROUPS = [*PLANAR, O3(), SO3(), point_group("Oh"), point_group("D4h")]
SYMBOLS = [
    *(
        f(dim)
        for dim in (2, 3)
        for f in (named.gradient, named.divergence, named.laplacian, named.grad_div)
    ),
    named.curl(),
    named.curl_2d(),
    named.cauchy_riemann(),
    named.strain(2),
    named.hessian(3),
]


def pdo_of(group, copies=2, **options):
    torch.manual_seed(0)
    field = Field(group, tuple((copies, irrep) for irrep in irreps(group, 1)))
    order, size = (3, 5) if group.dim == 2 else (2, 3)
    return GridPDO(field, field, **{"order": order, "kernel_size": size, **options}).double()


def positions(dim, width):
    return torch.cartesian_prod(*[torch.arange(width, dtype=DOUBLE)] * dim)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_exact_for_all_elements_that_keep_the_grid(group, method):
    pdo = pdo_of(group, method=method).eval()
    x = array(pdo.conv, 6)
    assert symmetry_error(pdo, pdo.field_in, pdo.field_out, x) < 1e-12
    ramp = torch.arange(1, 7).view(6, *[1] * (group.dim - 1))
    assert symmetry_error(lambda x: pdo(x) * ramp, pdo.field_in, pdo.field_out, x) > 1e-2


@pytest.mark.parametrize("method", [method for method in METHODS if method != "gaussian"])
@pytest.mark.parametrize("symbol", SYMBOLS, ids=repr)
def test_named_operators_are_exact_on_polynomials(symbol, method):
    """Axes and signs: the spatial axes are x, y, z, and d_x of x is 1."""
    dim, width, spacing = symbol.group.dim, 7, 0.5
    options = {"dilation": 2, "spacing": spacing} if method == "rbf" else {"spacing": spacing}
    size = 3 if options.get("dilation") or dim == 3 else 5
    pdo = GridPDO(symbol.field_in, symbol.field_out, 2, size, method, padding=0, **options).double()
    pdo.set_symbol(symbol)
    pos, powers = positions(dim, width) * spacing, exponents_up_to(dim, 2)
    slopes = torch.randn(symbol.field_in.dim, dim, dim, dtype=DOUBLE)
    f = torch.einsum("ni,cij,nj->cn", pos, slopes, pos) + pos.sum(1)
    found = pdo(f.view(1, -1, *[width] * dim)).flatten(2)[0]
    reach = (size // 2) * options.get("dilation", 1)
    inner = pos.view(*[width] * dim, dim)[(slice(reach, width - reach),) * dim].reshape(-1, dim)
    # d_i f = (S + S^t)_ij x_j + 1,  d_i d_j f = (S + S^t)_ij
    first = torch.einsum("cij,nj->cni", slopes + slopes.mT, inner) + 1
    second = (slopes + slopes.mT).unsqueeze(1).expand(-1, len(inner), -1, -1)
    wanted = torch.zeros_like(found)
    for row, matrix in zip(powers, torch.from_numpy(symbol.coefficients()), strict=False):
        axes = [axis for axis in range(dim) for _ in range(row[axis])]
        assert axes or not matrix.any()
        if axes:
            wanted += matrix @ (
                first[..., axes[0]] if len(axes) == 1 else second[..., axes[0], axes[1]]
            )
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)


def test_waves_that_turn_by_any_angle():
    """With 16 points a wave, frequency 2 is off by less than 1e-3.

    Frequency 3 is off by less than 0.02.
    """
    angle = torch.arange(64, dtype=DOUBLE) * math.tau / 64
    wave = torch.stack([angle.cos(), angle.sin()], 1) * math.tau / 16
    for frequency, bound in ((1, 1e-3), (2, 1e-3), (3, 0.02)):
        pdo = GridPDO("1x0", f"1x{frequency}", frequency, 5, group=SO2(), padding=0).double()
        f = torch.cos(wave @ (positions(2, 5) - 2).T + 0.4).view(64, 1, 5, 5)
        y = pdo(f).flatten(1)
        turned = torch.einsum("gij,j->gi", pdo.field_out.matrix(_turns(angle)), y[0])
        assert (y - turned).norm() < bound * y.norm()


def _turns(angle):
    return torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)


@pytest.mark.parametrize("group", [O2(), O3()], ids=str)
def test_equals_the_operator_on_the_points_of_the_grid(group):
    """On a periodic grid, against SteerablePDO with the same weights.

    They are handed to it as the stencil of its edges.
    """
    pdo = pdo_of(group, padding_mode="circular", bias=False)
    size, width, order = pdo.conv.window.size, 5, pdo.conv.filter.basis.order
    pos = positions(group.dim, width)
    offsets = positions(group.dim, size) - size // 2
    target = torch.arange(len(pos)).repeat_interleave(len(offsets))
    place = (pos.unsqueeze(1) + offsets).remainder(width).long().flatten(0, 1)
    source = (place * width ** torch.arange(group.dim - 1, -1, -1)).sum(1)
    weight = grid_stencil(group.dim, size, order).T.repeat(len(pos), 1)
    points = SteerablePDO(pdo.field_in, pdo.field_out, order).double()
    points.set_symbol(pdo.symbol())
    x = array(pdo.conv, width, batch=1)
    edges = neighbourhoods(torch.stack([source, target]), len(pos))
    y = points(x[0].flatten(1).T, pos, edges, CloudStencil(weight, torch.ones(len(pos))))
    torch.testing.assert_close(y, pdo(x)[0].flatten(1).T, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("fields", [("1x0+1x1", SO2()), ("1x0e+1x1o", O3())], ids=str)
def test_export_state_and_compile(fields):
    text, group = fields
    pdo = GridPDO(text, text, 2, 3, stride=2, padding=0, group=group).double()
    torch.nn.init.normal_(pdo.conv.bias)
    x = array(pdo.conv, 7)
    wanted = pdo(x)
    torch.testing.assert_close(pdo.export()(x), wanted, atol=1e-12, rtol=0)
    keys = weights_of(pdo)
    assert (
        weights_of(pdo.eval())
        == keys
        == {name for name, _ in pdo.named_parameters()} | {"conv.neighbours"}
    )
    torch.testing.assert_close(pdo(x), wanted)
    if group.dim == 2:
        compiled = torch.compile(pdo.train(), backend="aot_eager", fullgraph=True)
        torch.testing.assert_close(compiled(x), wanted, atol=1e-12, rtol=0)
    assert pdo(x[:0]).shape == (0, *wanted.shape[1:])
    single = copy.deepcopy(pdo).float()
    torch.testing.assert_close(single(x.float()).double(), wanted, atol=1e-4, rtol=1e-4)


def test_first_and_second_derivatives():
    pdo = pdo_of(SO2(), 1)
    x = array(pdo.conv, 5, 1).requires_grad_()
    assert torch.autograd.gradcheck(pdo, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(pdo, x, fast_mode=True)


def test_unit_variance_at_the_start():
    torch.manual_seed(0)
    for group, size in ((O2(), 5), (O3(), 3)):
        pdo = pdo_of(group, 16, order=2, kernel_size=size).float()
        y = pdo(torch.randn(4, pdo.field_in.dim, *[10] * group.dim)).detach()
        assert abs(float(y[(..., *[slice(2, -2)] * group.dim)].square().mean()) - 1) < 0.1


def test_the_learned_symbol_lies_in_the_basis():
    for group, offset in ((cyclic(4), 0), (dihedral(4), None), (SO2(), None)):
        field = Field(group, tuple((1, irrep) for irrep in irreps(group, 2)))
        pdo = GridPDO(field, field, 3, 5, maximum_offset=offset).double()
        symbol = pdo.symbol()
        basis = symbol_basis(field, field, 3, maximum_offset=offset)
        rest = symbol
        for element in basis:
            rest = rest - element * rest.inner(element)
        assert rest.norm() < 1e-12 * symbol.norm()
        assert sum(p.numel() for p in pdo.conv.contraction.parameters()) == len(basis)


def test_parameters_of_the_published_network():
    """C16, regular fields, 5 x 5, order 3, no aliases: 941,958 parameters.

    With the batch norm and the head of Jenner & Weiler.
    """
    group = cyclic(16)
    widths = [16, 24, 32, 32, 48, 64]
    fields = [Field.parse("1x0", group), *(function_field(group, width) for width in widths)]
    options = {"order": 3, "kernel_size": 5, "maximum_offset": 0, "allow_zero": True}
    layers = [GridPDO(a, b, **options) for a, b in itertools.pairwise(fields)]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in layers]
    pairs = [a * b for a, b in itertools.pairwise(widths)]
    assert counts == [
        160 + 16,
        *(138 * n + width for n, width in zip(pairs, widths[1:], strict=True)),
    ]
    assert sum(counts) + 2 * sum(widths) + 4810 + 148 == 941_958


def test_a_kernel_and_an_operator_in_one_layer():
    torch.manual_seed(0)
    kernel = HarmonicFilter(1, 3.0, channels=3, attributes="1x0e", group=O2())
    pdo = GridPDO("2x0e+1x1", "2x0e+1x1", 2, 5, kernel=kernel).double()
    x, attributes = array(pdo.conv, 6), torch.randn(2, 1, dtype=DOUBLE)
    y = pdo(x, attributes)
    assert symmetry_error(lambda x: pdo(x, attributes), pdo.field_in, pdo.field_out, x) < 1e-12
    alone = GridPDO("2x0e+1x1", "2x0e+1x1", 2, 5, group=O2()).double()
    alone.set_symbol(pdo.symbol())
    bare = copy.deepcopy(pdo)
    bare.conv.filter.filters[0]._values.zero_()
    torch.testing.assert_close(y, alone(x) + bare(x, attributes), atol=1e-11, rtol=1e-11)
    values = pdo.conv.stencil(pdo.conv.filter, attributes)[..., 0, 6:]
    torch.testing.assert_close(
        values, pdo.conv.stencil(kernel, attributes).flatten(2)
    )  # smoothed, as ever
    pdo.set_symbol(alone.symbol())
    torch.testing.assert_close(pdo(x, attributes), alone(x), atol=1e-11, rtol=1e-11)


def test_bad_input():
    with pytest.raises(ValueError, match="odd"):
        GridPDO("1x0", "1x0", 2, 4, group=SO2())
    with pytest.raises(ValueError, match="resolves derivatives of orders 0 to 2; got order 3"):
        GridPDO("1x0", "1x0", 3, 3, group=SO2())
    with pytest.raises(ValueError, match="method is one of least_squares, .*; got 'spline'"):
        GridPDO("1x0", "1x0", 2, 3, "spline", group=SO2())
    with pytest.raises(
        ValueError, match="has the weights of 5 points along every axis.*kernel_size=3"
    ):
        GridConv2d("1x0", "1x0", StencilFilter(2, 5, group=SO2()), 3)
    with pytest.raises(
        FieldMismatchError, match=r"arrays \(batch, channel, x, y\) of 1x0 \(1 channels\)"
    ):
        GridPDO("1x0", "1x0", group=SO2())(torch.zeros(1, 2, 7, 7))
    with pytest.raises(FieldMismatchError, match="needs fields of one group"):
        GridPDO(Field.parse("1x0", SO2()), Field.parse("1x0e", O2()))
    with pytest.raises(ValueError, match="No filter of .* makes 3 of SO"):
        GridPDO("1x0", "1x3", 2, group=SO2())
    with pytest.raises(ValueError, match="spacing"):
        GridPDO("1x0", "1x0", group=SO2(), spacing=0.0)
