"""GridConv2d and GridConv3d: sums by hand, PointConv, symmetries of the grid, and bad input."""

import copy
import itertools
import pickle
import warnings
from functools import partial

import pytest
import torch
from torch.func import functional_call

from oracles.per_edge import contraction_tensor
from steerable import Field, FieldMismatchError
from steerable.convs.grids.grid_conv import GridConv2d, GridConv3d
from steerable.convs.grids.window import StrideWarning
from steerable.convs.points.point_conv import PointConv
from steerable.filters.derivative import StencilFilter
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.implicit import ImplicitFilter
from steerable.groups import O2, O3, SO2, SO3, cyclic, dihedral, irreps, point_group
from steerable.layers.contraction import Depthwise, Full

DOUBLE = torch.float64
GROUPS = [
    SO2(),
    O2(),
    cyclic(4),
    cyclic(8),
    dihedral(4),
    dihedral(6),
    O3(),
    SO3(),
    *map(point_group, ("O", "Oh", "Th", "D4h", "C4v")),
]


def conv_of(group, size=3, kind="harmonic", attributes="", copies=2, **options):
    torch.manual_seed(0)
    cutoff = (size + 1) / 2 * options.get("dilation", 1) * options.get("spacing", 1.0)
    if kind == "harmonic":
        filter = HarmonicFilter(2, cutoff, channels=3, attributes=attributes, group=group)
    else:
        once = Field(group, tuple((1, irrep) for irrep in irreps(group, 2)))
        filter = ImplicitFilter(once, cutoff, Field.parse(attributes, group), channels=2, hidden=2)
    field = Field(group, tuple((copies, irrep) for irrep in irreps(group, 1)))
    layer = GridConv2d if group.dim == 2 else GridConv3d
    conv = layer(field, field, filter, size, **options).double()
    if conv.bias is not None:
        torch.nn.init.normal_(conv.bias)
    return conv


def array(conv, width=5, batch=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, conv.field_in.dim, *[width] * conv.dim)
    return torch.randn(shape, generator=generator, dtype=DOUBLE)


def grid_elements(group):
    """The elements of the group that take the grid to itself: signed permutations of the axes."""
    found = []
    for order in itertools.permutations(range(group.dim)):
        for signs in itertools.product([1.0, -1.0], repeat=group.dim):
            g = torch.zeros(group.dim, group.dim, dtype=DOUBLE)
            g[list(order), range(group.dim)] = torch.tensor(signs, dtype=DOUBLE)
            if group.contains(g):
                found.append(g)
    return found


def moved(field, x, g):
    """rho(g) f(g^-1 x) on the points of the grid about the centre of the array."""
    target = g.abs().argmax(0).tolist()  # the axis that axis i goes to
    order = [target.index(axis) + 2 for axis in range(len(target))]
    turned = x.permute(0, 1, *order).flip([axis + 2 for axis, row in enumerate(g) if row.sum() < 0])
    return torch.einsum("ij,bj...->bi...", field.matrix(g), turned)


@torch.no_grad()
def symmetry_error(layer, field_in, field_out, x):
    """The largest error of the layer under group elements, relative to its result.

    The elements are those that keep the grid.
    """
    y = layer(x)
    errors = [
        (layer(moved(field_in, x, g)) - moved(field_out, y, g)).abs().max()
        for g in grid_elements(field_in.group)
    ]
    return float(max(errors) / y.abs().max())


def test_a_quarter_turn_of_the_array_is_that_of_the_plane():
    x = torch.randn(1, 2, 3, 3, dtype=DOUBLE)
    invariants, turn = Field.parse("2x0e", O2()), torch.tensor([[0.0, -1], [1, 0]], dtype=DOUBLE)
    assert torch.equal(moved(invariants, x, turn), torch.rot90(x, 1, (2, 3)))
    x = torch.randn(1, 1, 3, 3, 3, dtype=DOUBLE)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        turn = torch.zeros(3, 3, dtype=DOUBLE)
        turn[b, a], turn[a, b], turn[3 - a - b, 3 - a - b] = 1, -1, 1
        assert torch.equal(moved(Field.parse("0e"), x, turn), torch.rot90(x, 1, (a + 2, b + 2)))


@pytest.mark.parametrize("kind", ["harmonic", "implicit"])
@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_exact_for_all_elements_that_keep_the_grid(group, kind):
    conv = conv_of(group, kind=kind).eval()
    assert len(grid_elements(group)) > 2
    assert symmetry_error(conv, conv.field_in, conv.field_out, array(conv)) < 1e-12
    ramp = torch.arange(1, 6).view(5, *[1] * (group.dim - 1))
    assert (
        symmetry_error(lambda x: conv(x) * ramp, conv.field_in, conv.field_out, array(conv)) > 1e-2
    )


@pytest.mark.parametrize(
    "options",
    [
        {"smoothing": 0.0},
        {"size": 5, "dilation": 2, "spacing": 0.3},
        {"stride": 2, "padding_mode": "reflect"},
        {"stride": 2, "padding": 0},
        {"padding": 2, "padding_mode": "replicate"},
        {"padding_mode": "circular"},
        {"contraction": "depthwise"},
        {"contraction": partial(Depthwise, rank=3)},
        {"contraction": partial(Full, groups=2), "bias": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("group", [O2(), point_group("Oh")], ids=str)
def test_options_keep_the_symmetry_and_export_the_same_numbers(group, options):
    conv = conv_of(group, **options).eval()
    x = array(conv, 7)
    assert symmetry_error(conv, conv.field_in, conv.field_out, x) < 1e-12
    plain = conv.export()
    assert type(plain) is (torch.nn.Conv2d if group.dim == 2 else torch.nn.Conv3d)
    torch.testing.assert_close(plain(x), conv(x), atol=1e-12, rtol=0)
    assert all(p.requires_grad for p in plain.parameters())


@pytest.mark.parametrize("group", [O2(), SO3()], ids=str)
def test_equals_the_sum_written_out_by_hand(group):
    dim, size, dilation, spacing, stride = group.dim, 5, 2, 0.7, 2
    conv = conv_of(group, size, dilation=dilation, spacing=spacing, stride=stride, smoothing=0.0)
    width, margin = 9, dilation * (size // 2)
    x = array(conv, width)
    tensor = contraction_tensor(conv.contraction)
    padded = torch.nn.functional.pad(x, [margin] * 2 * dim)
    wanted = torch.zeros(2, conv.field_out.dim, *[(width - 1) // stride + 1] * dim, dtype=DOUBLE)
    for offset in itertools.product(range(-2, 3), repeat=dim):
        h = conv.filter(torch.tensor([offset], dtype=DOUBLE) * dilation * spacing)[0]
        kernel = torch.einsum("km,kmoi->oi", h, tensor)
        window = [
            slice(margin + dilation * o, margin + dilation * o + width, stride) for o in offset
        ]
        wanted += torch.einsum("oi,bi...->bo...", kernel, padded[(..., *window)])
    wanted *= conv.neighbours**-0.5
    wanted[:, conv._invariant] += conv.bias.view(-1, *[1] * dim)
    torch.testing.assert_close(conv(x), wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize("mode", ["zeros", "circular"])
@pytest.mark.parametrize("group", [SO2(), O3()], ids=str)
def test_equals_point_conv_on_the_points_of_the_grid(group, mode):
    dim, width = group.dim, 4
    conv = conv_of(group, padding_mode=mode, smoothing=0.0, bias=False)
    points = PointConv(
        conv.field_in, conv.field_out, conv.filter, neighbours=float(conv.neighbours)
    ).double()
    points.contraction.load_state_dict(conv.contraction.state_dict())
    axis = torch.arange(width, dtype=DOUBLE)
    pos = torch.cartesian_prod(*[axis] * dim)
    x = array(conv, width, batch=1)
    features = x[0].flatten(1).T
    shifts = torch.cartesian_prod(*[torch.tensor([-width, 0, width])] * dim).to(DOUBLE)
    if mode == "zeros":
        shifts = shifts.new_zeros(1, dim)
    images = (shifts[:, None] + pos).flatten(0, 1)
    target, source = ((images - pos[:, None]).norm(dim=-1) < 2).nonzero().T
    y = points(
        (features.repeat(len(shifts), 1), None), (images, pos), torch.stack([source, target])
    )
    torch.testing.assert_close(conv(x)[0].flatten(1).T, y, atol=1e-12, rtol=0)


def test_a_stencil_that_is_learned_is_no_constant():
    class Learned(StencilFilter):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.scale = torch.nn.Parameter(torch.tensor(1.0))

        def on_grid(self, *args):
            return super().on_grid(*args) * self.scale

    learned, fixed = (
        GridConv2d("1x0", "1x0+1x1", kind(2, 5, group=SO2()), 5)
        for kind in (Learned, StencilFilter)
    )
    # The states say which filter they were made by: only their numbers are meant here.
    state = learned.state_dict()
    numbers = {key: value for key, value in state.items() if not key.endswith("_extra_state")}
    fixed.load_state_dict(numbers, strict=False)
    with torch.no_grad():
        learned.filter.scale.mul_(3)
    torch.testing.assert_close(learned.kernel(), 3 * fixed.kernel(), atol=1e-6, rtol=0)
    learned.kernel().sum().backward()
    assert learned.filter.scale.grad.abs() > 0


@pytest.mark.parametrize("contraction", ["full", "depthwise", partial(Full, groups=4)], ids=str)
def test_unit_variance_at_the_start(contraction):
    torch.manual_seed(0)
    for filter, layer in (
        (HarmonicFilter(2, 3.0, group=O2()), GridConv2d),
        (HarmonicFilter(1, 2.0, attributes="2x0e"), GridConv3d),
    ):
        irreps_ = irreps(filter.field.group, 1)
        field = Field(
            filter.field.group, tuple((16, irrep) for irrep in irreps_ if str(irrep)[:2] != "0o")
        )
        conv = layer(field, field, filter, 5 if layer is GridConv2d else 3, contraction=contraction)
        x = torch.randn(4, field.dim, *[12] * conv.dim)
        attributes = torch.randn(4, 2) if filter.attributes.dim else None
        inner = conv(x, attributes)[(..., *[slice(2, -2)] * conv.dim)]
        near = 0.4 if filter.attributes.dim else 0.1  # kernels of a few samples vary
        assert abs(float(inner.detach().square().mean()) - 1) < near


def test_attributes_of_samples_give_each_its_own_kernel():
    conv = conv_of(O2(), kind="implicit", attributes="1x0e+1x1", padding_mode="reflect", stride=2)
    x, attributes = array(conv, 7, batch=3), torch.randn(3, 3, dtype=DOUBLE)
    together = conv(x, attributes)
    torch.testing.assert_close(
        together, torch.cat([conv(x[[k]], attributes[[k]]) for k in range(3)])
    )
    for k in range(3):
        torch.testing.assert_close(
            conv.export(attributes[k])(x[[k]]), together[[k]], atol=1e-12, rtol=0
        )
    assert (conv(x, attributes + 0.5) - together).abs().max() > 1e-3
    for g in grid_elements(O2()):
        turned = attributes @ conv.filter.attributes.matrix(g).T
        error = conv(moved(conv.field_in, x, g), turned) - moved(conv.field_out, together, g)
        assert error.abs().max() < 1e-12 * together.abs().max()
    assert conv(x[:0], attributes[:0]).shape == (0, *together.shape[1:])
    with pytest.raises(
        ValueError,
        match=r"attributes of 1x0e\+1x1, one vector per sample, of shape \(3, 3\); got None",
    ):
        conv(x)
    with pytest.raises(ValueError, match=r"of shape \(3, 3\); got \(2, 3\)"):
        conv(x, attributes[:2])
    with pytest.raises(ValueError, match=r"of shape \(1, 3\); got None"):
        conv.export()
    with pytest.raises(ValueError, match=r"attributes of no field.* of shape None; got \(2, 1\)"):
        plain = conv_of(O2())
        plain(array(plain), torch.zeros(2, 1, dtype=DOUBLE))


@pytest.mark.parametrize("attributes", ["", "1x1"])
@pytest.mark.parametrize(
    "contraction", ["full", partial(Depthwise, rank=1)], ids=["full", "depthwise"]
)
def test_first_and_second_derivatives(attributes, contraction):
    conv = conv_of(
        SO2(), kind="implicit", attributes=attributes, contraction=contraction, copies=1, stride=2
    )
    names = [name for name, _ in conv.named_parameters()]
    x = array(conv, 3).requires_grad_()
    given = (torch.randn(2, 2, dtype=DOUBLE, requires_grad=True),) if attributes else ()

    def run(*tensors):
        rest = tensors[1 + len(given) :]
        return functional_call(conv, dict(zip(names, rest, strict=True)), tensors[: 1 + len(given)])

    inputs = (x, *given, *conv.parameters())
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, inputs, fast_mode=True)


@pytest.mark.parametrize("dim", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_compiled_without_graph_breaks(dim):
    if dim == 2:
        conv = GridConv2d(
            "1x0+1x1", "1x0+1x1", HarmonicFilter(1, 2.0, channels=2, group=SO2()), 3, stride=2
        )
    else:
        conv = GridConv3d(
            "1x0e+1x1o",
            "1x0e",
            HarmonicFilter(1, 2.0, attributes="1x0e"),
            3,
            padding_mode="circular",
        )
    compiled = torch.compile(conv.double(), backend="aot_eager", fullgraph=True)
    x = array(conv, 4)
    given = (torch.randn(2, 1, dtype=DOUBLE),) if dim == 3 else ()
    y = compiled(x, *given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrideWarning)
        wanted = conv(x, *given)
    torch.testing.assert_close(y, wanted, atol=1e-12, rtol=0)
    parameters = list(conv.parameters())
    for a, b in zip(
        torch.autograd.grad(y.square().sum(), parameters),
        torch.autograd.grad(wanted.square().sum(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


def test_the_kernel_is_kept_in_eval_and_made_anew_when_anything_changes():
    conv = conv_of(O2())
    x = array(conv)
    keys = set(conv.state_dict())
    numbers = {key for key in keys if not key.endswith("_extra_state")}
    assert numbers == {name for name, _ in conv.named_parameters()} | {"neighbours"}
    wanted = conv(x).detach()
    conv.eval()
    with torch.inference_mode():
        kept = conv.kernel()
        assert conv.kernel() is kept and torch.equal(conv(x), wanted)
    with torch.no_grad():
        assert conv.kernel() is kept and not kept.is_inference()
        assert set(conv.state_dict()) == keys

        conv.contraction.weights[0].mul_(2)
        assert not torch.equal(conv.kernel(), kept)
        conv.load_state_dict(
            {**conv.state_dict(), "contraction.weights.0": conv.contraction.weights[0] / 2}
        )
        assert torch.equal(conv.kernel(), kept)
        halved = {name: value.clone() for name, value in conv.state_dict().items()}
        halved["contraction.weights.0"] /= 2
        conv.load_state_dict(halved, assign=True)
        assert not torch.equal(conv.kernel(), kept)
        conv.load_state_dict(
            {**halved, "contraction.weights.0": halved["contraction.weights.0"] * 2}, assign=True
        )
        assert torch.equal(conv.kernel(), kept)
        for other in (copy.deepcopy(conv), pickle.loads(pickle.dumps(conv))):
            assert torch.equal(other.kernel(), kept) and other.kernel() is not conv.kernel()

        conv.contraction.weights[0].data.mul_(2)  # autograd does not see this, `eval` does
        assert torch.equal(conv.kernel(), kept) and not torch.equal(conv.eval().kernel(), kept)
        conv.contraction.weights[0].data.mul_(0.5)
        conv.contraction.weights[0].add_(1e-10)
        before = conv.kernel()
        assert conv.float().kernel().dtype == torch.float32
        assert conv.double().kernel().dtype == DOUBLE and conv.kernel() is not before
        assert not torch.equal(conv.kernel(), before)  # the weights were rounded on the way
        assert conv.train().kernel() is not conv.kernel()


def test_eval_still_learns_where_gradients_are_on():
    conv = conv_of(O2()).eval()
    with torch.no_grad():
        conv.kernel()
    conv(array(conv)).sum().backward()
    assert all(parameter.grad is not None for parameter in conv.parameters())
    conv.requires_grad_(False)
    x = array(conv).requires_grad_()
    conv(x).sum().backward()
    assert x.grad is not None and conv.kernel() is conv.kernel()


def test_single_precision_and_no_sample():
    conv = conv_of(O3())
    x = array(conv)
    wanted = conv(x)
    assert conv(x[:0]).shape == (0, *wanted.shape[1:])
    single = conv.float()
    error = (single(x.float()) - wanted).abs().max() / wanted.abs().max()
    assert single(x.float()).dtype == torch.float32 and error < 1e-5


def test_circular_arrays_may_be_rolled():
    conv = conv_of(SO2(), padding_mode="circular", stride=2, size=5)
    x = array(conv, 8)
    y = conv(x)
    torch.testing.assert_close(
        conv(x.roll((2, -4), (2, 3))), y.roll((1, -2), (2, 3)), atol=1e-12, rtol=0
    )
    for g in grid_elements(
        SO2()
    ):  # about the point 0, where a circle of an even number of points may turn
        shift = [int(row.sum() < 0) for row in g]
        rolled = [
            moved(f, a, g).roll(shift, (2, 3)) for f, a in ((conv.field_in, x), (conv.field_out, y))
        ]
        torch.testing.assert_close(conv(rolled[0]), rolled[1], atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("options", "good", "bad", "words"),
    [
        ({"stride": 2}, 9, 8, "Choose 2 k \\+ 1 points, such as 7 or 9"),
        ({"stride": 3}, 10, 9, "Choose 3 k \\+ 1 points, such as 7 or 10"),
        ({"stride": 2, "padding": 0}, 7, 8, "Choose 2 k \\+ 1 points, such as 7 or 9"),
        ({"stride": 2, "padding": 0, "dilation": 2}, 9, 8, "Choose 2 k \\+ 1 points"),
        ({"stride": 3, "padding": 2}, 8, 9, "Choose 3 k \\+ 2 points, such as 8 or 11"),
        ({"stride": 3, "padding": 0}, 9, 8, "Choose 3 k points, such as 6 or 9"),
        ({"stride": 2, "padding": 2, "padding_mode": "circular"}, 9, 8, "Choose 2 k \\+ 1 points"),
    ],
)
def test_a_stride_off_centre_warns_and_the_widths_it_names_are_exact(options, good, bad, words):
    conv = conv_of(O2(), **options)
    assert symmetry_error(conv, conv.field_in, conv.field_out, array(conv, good)) < 1e-12
    with pytest.warns(
        StrideWarning, match=f"GridConv2d: a stride of .* an axis of {bad} points off.*{words}"
    ):
        conv(array(conv, bad))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrideWarning)
        assert symmetry_error(conv, conv.field_in, conv.field_out, array(conv, bad)) > 1e-2


def test_two_layers_without_padding_want_4k_plus_3_points_and_with_it_4k_plus_1():
    for padding, rest in ((0, 3), ("same", 1)):
        conv = conv_of(O2(), stride=2, padding=padding)
        for width in range(8, 16):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                conv(conv(array(conv, width)))
            assert bool(caught) == (width % 4 != rest)


def test_circular_arrays_whose_width_no_stride_divides_warn():
    conv = conv_of(O2(), stride=4, padding_mode="circular")
    with pytest.warns(StrideWarning, match="of 6 points off centre.* Choose 4 k points"):
        conv(array(conv, 6))


def test_bad_input():
    filter = HarmonicFilter(1, 2.0, group=SO2())
    with pytest.raises(ValueError, match="kernel_size is odd.*got 4. Choose 3 or 5"):
        GridConv2d("2x0", "1x0", filter, 4)
    with pytest.raises(
        FieldMismatchError,
        match=r"GridConv3d needs a filter on 3 coordinates.*SO\(2\).*Use GridConv2d",
    ):
        GridConv3d("2x0", "1x0", filter, 3)
    with pytest.raises(FieldMismatchError, match="GridConv2d needs fields of one group"):
        GridConv2d(Field.parse("2x0e", O2()), "1x0", filter, 3)
    with pytest.raises(ValueError, match=r"No filter of .* makes 2 of SO\(2\)"):
        GridConv2d("2x0", "1x2", filter, 3)
    with pytest.raises(ValueError, match="contraction is one of full, depthwise; got 'sparse'"):
        GridConv2d("2x0", "1x0", filter, 3, contraction="sparse")
    conv = GridConv2d("2x0", "1x0", filter, 3)
    with pytest.raises(
        FieldMismatchError,
        match=r"arrays \(batch, channel, x, y\) of 2x0 \(2 channels\).*\(1, 3, 5, 5\)",
    ):
        conv(torch.zeros(1, 3, 5, 5))
    with pytest.raises(FieldMismatchError, match=r"got \(2, 5, 5\)"):
        conv(torch.zeros(2, 5, 5))


def test_a_kernel_that_the_grid_makes_zero_stays_zero():
    """A scalar has no pseudoscalar on 3 x 3 points: mirrors leave the points where they are."""
    group = dihedral(4)
    scalar, pseudoscalar = Field.parse("1x0", group), Field.parse("1x1", group)
    for size in (1, 3):
        for smoothing in (0.7, 0.0):
            filter = HarmonicFilter(4, (size + 1) / 2, group=group)
            conv = GridConv2d(scalar, pseudoscalar, filter, size, bias=False, smoothing=smoothing)
            assert conv.neighbours == 1
            assert conv(torch.randn(1, 1, 9, 9)).abs().max() < 1e-5
