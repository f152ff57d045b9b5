"""What every public layer does: it draws anew, is printed, refuses other states, starts on meta."""

import copy
import inspect
import io
import math
import pickle
from functools import partial

import pytest
import torch
from torch import nn

import steerable.nn
from steerable import Field, FieldError
from steerable.groups import SO3, Harmonic, HomSpace, axial, cyclic, dihedral, mirror, trivial
from steerable.nn import (
    MLP,
    BatchNorm,
    BumpFilter,
    CosetActivation,
    CoulombFilter,
    Depthwise,
    DepthwiseProducts,
    DerivativeFilter,
    Downsample,
    Dropout,
    FourierActivation,
    Full,
    Functions,
    Gate,
    GConv,
    GraphLinear,
    GridConv2d,
    GridConv3d,
    GridNeuralPDO,
    GridPDO,
    HarmonicFilter,
    HomSignals,
    ImplicitFilter,
    InducedSetAttention,
    InstanceNorm,
    JanossyAggregation,
    JointFilter,
    LayerNorm,
    Linear,
    LocalGConv,
    NeighbourConv,
    NeuralPDO,
    NormActivation,
    PairLinear,
    PairProduct,
    PointConv,
    PointSphere,
    Pool,
    Radial,
    Restrict,
    RMSNorm,
    SetLinear,
    SortPoolAggregation,
    SphereActivation,
    SphereBatchNorm,
    SphereConv,
    SphereInvariants,
    SpherePool,
    SphereProduct,
    SphereSignals,
    SteerablePDO,
    StencilFilter,
    Taps,
    TensorProductActivation,
    TensorProducts,
    function_field,
)
from steerable.ops import cloud_stencil

D4 = dihedral(4)
PLANE = Field.parse("2x0+2x4", D4)
SPACE = Field.parse("2x0e+1x1o")
TURNED = Field.parse("1x1o+2x0e")
SPHERE = SphereSignals.sphere(2, 2)
CIRCLE = HomSpace(cyclic(4), trivial(2))

NO_LAYERS = {
    "Contraction", "DegreeKnots", "Derivatives", "Filter", "GridFilter", "OrderWarning", "Pairs",
    "SeparableFilter", "SpectralFilter", "SphereSignals", "StrideWarning", "Taps",
}  # fmt: skip

LAYERS = {
    "MLP": lambda: MLP(SPACE, SPACE, 2, SPACE, 3, "product"),
    "BatchNorm": lambda: BatchNorm(SPACE),
    "BumpFilter": lambda: BumpFilter(2, [3.0]),
    "CosetActivation": lambda: CosetActivation(D4, 2),
    "CoulombFilter": lambda: CoulombFilter(2, [1.0]),
    "Depthwise": lambda: Depthwise(SPACE, 2, SPACE, SPACE, rank=2),
    "DepthwiseProducts": lambda: DepthwiseProducts(*[function_field(D4, 2)] * 3),
    "DerivativeFilter": lambda: DerivativeFilter(2),
    "Downsample": lambda: Downsample(PLANE),
    "Dropout": lambda: Dropout(SPACE),
    "FourierActivation": lambda: FourierActivation(SO3(), 1, 2),
    "Full": lambda: Full(SPACE, 2, SPACE, SPACE),
    "Functions": lambda: Functions(function_field(D4, 2)),
    "Gate": lambda: Gate(SPACE),
    "GConv": lambda: GConv(CIRCLE, CIRCLE, 2, 2),
    "GraphLinear": lambda: GraphLinear(SPACE, SPACE, 4.0),
    "GridConv2d": lambda: GridConv2d(PLANE, PLANE, HarmonicFilter(4, 2.0, group=D4), 3),
    "GridConv3d": lambda: GridConv3d(SPACE, SPACE, ImplicitFilter("0e+1o", 2.0), 3),
    "GridNeuralPDO": lambda: GridNeuralPDO(PLANE, PLANE, 2, 3, constant=1),
    "GridPDO": lambda: GridPDO(PLANE, PLANE, 2, 3),
    "HarmonicFilter": lambda: HarmonicFilter(1, Radial(2.0, "learned", 4, "gaussian")),
    "HomSignals": lambda: HomSignals(CIRCLE, 2),
    "ImplicitFilter": lambda: ImplicitFilter("0e+1o", 2.0, attributes="1x1o"),
    "InducedSetAttention": lambda: InducedSetAttention(8),
    "InstanceNorm": lambda: InstanceNorm(SPACE),
    "JanossyAggregation": lambda: JanossyAggregation(nn.Linear(8, 4), 2),
    "JointFilter": lambda: JointFilter([HarmonicFilter(1, 2.0), DerivativeFilter(1)]),
    "LayerNorm": lambda: LayerNorm(SPACE),
    "Linear": lambda: Linear(SPACE, SPACE),
    "LocalGConv": lambda: LocalGConv(CIRCLE, CIRCLE, 2, 2),
    "NeuralPDO": lambda: NeuralPDO(SPACE, SPACE, 2, constant=1),
    "NormActivation": lambda: NormActivation(SPACE),
    "PairLinear": lambda: PairLinear(SPACE, SPACE),
    "PairProduct": lambda: PairProduct(3, 3),
    "NeighbourConv": lambda: NeighbourConv(SPACE, SPACE, HarmonicFilter(1, 2.0)),
    "PointConv": lambda: PointConv(SPACE, SPACE, HarmonicFilter(1, 2.0), aggregation="attention"),
    "Pool": lambda: Pool(SPACE),
    "PointSphere": lambda: PointSphere(HarmonicFilter(2, 2.0)),
    "Radial": lambda: Radial(2.0, "learned", 4, "gaussian"),
    "Restrict": lambda: Restrict(SPACE, SO3()),
    "RMSNorm": lambda: RMSNorm(SPACE),
    "SetLinear": lambda: SetLinear(SPACE, SPACE),
    "SortPoolAggregation": lambda: SortPoolAggregation(3),
    "SphereActivation": lambda: SphereActivation(SPHERE),
    "SphereBatchNorm": lambda: SphereBatchNorm(SPHERE),
    "SphereConv": lambda: SphereConv(SPHERE, SPHERE),
    "SphereInvariants": lambda: SphereInvariants(SPHERE),
    "SpherePool": lambda: SpherePool(SPHERE, 1),
    "SphereProduct": lambda: SphereProduct(SPHERE),
    "SteerablePDO": lambda: SteerablePDO(SPACE, SPACE, 2),
    "StencilFilter": lambda: StencilFilter(2, 3),
    "TensorProductActivation": lambda: TensorProductActivation(SPACE, 2),
    "TensorProducts": lambda: TensorProducts(SPACE, SPACE, SPACE),
}
WITH_STATE = [name for name, build in LAYERS.items() if build().state_dict()]
# Their constructors draw the weights of their parts and then draw them again, scaled.
DRAW_TWICE = {"PairLinear"}


def built(name, seed=0):
    torch.manual_seed(seed)
    return LAYERS[name]()


def tensors(layer):
    return {n: t for n, t in layer.state_dict().items() if not n.endswith("_extra_state")}


@torch.no_grad()
def spoiled(layer):
    """The layer after much training."""
    for tensor in tensors(layer).values():
        tensor.copy_(7 + torch.rand_like(tensor))
    return layer


def test_every_public_layer_is_listed():
    public = {n: getattr(steerable.nn, n) for n in steerable.nn.__all__}
    classes = {n for n, part in public.items() if inspect.isclass(part)}
    assert classes - NO_LAYERS == set(LAYERS)


@pytest.mark.parametrize("name", WITH_STATE)
def test_parameters_are_reset_as_in_the_constructor(name):
    fresh, layer = built(name), spoiled(built(name, 1))
    torch.manual_seed(0)
    layer.reset_parameters()
    for key, tensor in tensors(fresh).items():
        other = tensors(layer)[key]
        if name in DRAW_TWICE:
            assert other.eq(0).all() == tensor.eq(0).all() and other.abs().max() < 6, key
        else:
            torch.testing.assert_close(other, tensor, equal_nan=True)


@pytest.mark.parametrize("name", LAYERS)
def test_repr_shows_the_arguments(name):
    layer = LAYERS[name]()
    assert layer.extra_repr() in repr(layer)
    whats = [str(getattr(layer, what, "")) for what in ("field_in", "field", "space_in", "space")]
    whats += [str(layer.channels)] if isinstance(getattr(layer, "channels", None), int) else []
    named = name in ("Radial", "JanossyAggregation", "PairProduct")
    assert named or "signals" in repr(layer) or any(w and w in layer.extra_repr() for w in whats)


@pytest.mark.parametrize("name", WITH_STATE)
def test_states_travel(name):
    layer = spoiled(built(name))
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    states = [
        torch.load(file, weights_only=True),
        {key: value.clone() for key, value in layer.state_dict().items()},
        tensors(layer),  # of an older version
        {key: value.float() for key, value in layer.state_dict().items()},
    ]
    for state in states:
        twin = built(name, 1)
        assert str(twin.load_state_dict(state)) == "<All keys matched successfully>"
        for key, tensor in tensors(layer).items():
            assert tensors(twin)[key].equal(tensor)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(twin) == repr(layer)
        assert all(t.equal(tensors(layer)[k]) for k, t in tensors(twin).items())


AXES = [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)]
FITS = [cloud_stencil, partial(cloud_stencil, method="rbf")]
TURNS = HomSpace(SO3(), trivial(), max_degree=1)
ROTATIONS = SphereSignals.rotations(2, 1, 1)


def linear_of(group):
    """A map of the first two irreps of a group."""
    field = Field(group, tuple((2, irrep) for irrep in group.irreps(1)[:2]))
    return Linear(field, field)


def gconv_of(frequency):
    """A map of fields on C12 / C6 whose values C6 turns by multiples of the angle."""
    space = HomSpace(cyclic(12), cyclic(6), Harmonic(cyclic(6), frequency, 1))
    return GConv(space, space, 1, 1)


def rotations(*shape):
    return SO3().sample(math.prod(shape), torch.Generator().manual_seed(0)).unflatten(0, shape)


def powers(distance, first):
    return torch.stack([distance**first, distance ** (first + 1)], 1)


OTHERS = {
    "aggregation": tuple(
        PointConv(SPACE, SPACE, HarmonicFilter(1, 2.0), aggregation=kind)
        for kind in ("sum", "mean")
    ),
    "radii": tuple(PointConv("1x0e", "1x0e", CoulombFilter(1, [radius])) for radius in (1.0, 2.0)),
    "terms": (Linear(SPACE, SPACE), Linear(TURNED, SPACE)),
    "groups": (RMSNorm("2x0+1x1", group=SO3()), RMSNorm("2x0e+1x1o")),
    "cutoff": (HarmonicFilter(1, 2.0), HarmonicFilter(1, 5.0)),
    "implicit cutoff": (ImplicitFilter("0e", 2.0), ImplicitFilter("0e", 5.0)),
    "envelope": (HarmonicFilter(1, 2.0), HarmonicFilter(1, Radial(2.0, envelope="cosine"))),
    "pool": (SetLinear("2x0e", "2x0e"), SetLinear("2x0e", "2x0e", "max")),
    "heads": (InducedSetAttention(8, heads=4), InducedSetAttention(8, heads=2)),
    "kind of norm": (LayerNorm(SPACE), InstanceNorm(SPACE)),
    "neighbours": (GraphLinear(SPACE, SPACE, 2.0), GraphLinear(SPACE, SPACE, 3.0)),
    "aliases": (DerivativeFilter(1, cyclic(4)), DerivativeFilter(1, cyclic(4), 0)),
    "kernel": tuple(GridConv2d(PLANE, PLANE, StencilFilter(1, n, group=D4), n) for n in (3, 5)),
    "plane of a mirror": tuple(linear_of(mirror(axis)) for axis in AXES),
    "axis": tuple(linear_of(axial("Cinfv", axis)) for axis in AXES),
    "axis of a filter": tuple(HarmonicFilter(1, 2.0, group=axial("Cinf", axis)) for axis in AXES),
    "subgroup": tuple(
        GConv(*[HomSpace(SO3(), axial("Cinf", axis), max_degree=1)] * 2, 1, 1) for axis in AXES
    ),
    "type of fields": tuple(gconv_of(frequency) for frequency in (1, 2)),
    "elements": tuple(LocalGConv(TURNS, TURNS, 1, 1, turns) for turns in rotations(2, 4)),
    "taps": tuple(SphereConv(ROTATIONS, ROTATIONS, Taps(turns)) for turns in rotations(2, 2)),
    "padding": tuple(
        GridConv2d(PLANE, PLANE, HarmonicFilter(1, 2.0, group=D4), 3, padding_mode=mode)
        for mode in ("zeros", "circular")
    ),
    "stencil": tuple(GridPDO(PLANE, PLANE, 2, method=m) for m in ("least_squares", "rbf")),
    "stencil of coefficients": tuple(
        GridNeuralPDO(PLANE, PLANE, 2, method=m) for m in ("least_squares", "rbf")
    ),
    "fit": tuple(SteerablePDO(SPACE, SPACE, fit=fit) for fit in FITS),
    "fit of coefficients": tuple(NeuralPDO(SPACE, SPACE, fit=fit) for fit in FITS),
    "joined radii": tuple(
        PointConv("1x0e", "1x0e", JointFilter([CoulombFilter(1, [radius])]))
        for radius in (1.0, 2.0)
    ),
    "radii beside weights": tuple(
        PointConv("1x0e", "1x0e", JointFilter([HarmonicFilter(1, 2.0), CoulombFilter(1, [radius])]))
        for radius in (1.0, 2.0)
    ),
    "part of a function": tuple(
        HarmonicFilter(1, Radial(2.0, partial(powers, first=first), 2)) for first in (1, 2)
    ),
    "eps": (RMSNorm(SPACE), RMSNorm(SPACE, eps=1.0)),
    "eps of a batch": (BatchNorm(SPACE, eps=1.0), BatchNorm(SPACE)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_state_that_means_something_else_is_refused(kind):
    ours, other = OTHERS[kind]
    nested, states = nn.Sequential(ours), nn.Sequential(other).state_dict()
    with pytest.raises(RuntimeError, match=r"0.* is .*; the state was made by .*Load it into"):
        nested.load_state_dict(states)
    allowed = {k: v for k, v in states.items() if not k.endswith("_extra_state")}
    nested.load_state_dict(allowed)


def test_what_states_say_stays_as_it_is():
    """Another text would make older states unreadable."""
    lines = {
        "Linear": "Linear: 2x0e+1x1o -> 2x0e+1x1o, O(3)",
        "BatchNorm": "BatchNorm: 2x0e+1x1o, O(3)",
        "Full": "Full: 2 x (2x0e+1x1o) (x) 2x0e+1x1o -> 2x0e+1x1o, O(3)",
        "HarmonicFilter": "HarmonicFilter: 16 x (1x0e+1x1o) of O(3), cutoff=2.0, count=4, "
        "basis=learned, envelope=gaussian",
        "ImplicitFilter": "ImplicitFilter: 8 x (1x0e+1x1o) of O(3), attributes=1x1o, cutoff=2.0, "
        "count=8, basis=bessel, envelope=polynomial",
        "DerivativeFilter": "DerivativeFilter: 1x0e+1x1o+1x2e+1x0e of O(3), order=2",
        "GridConv2d": "GridConv2d: 2x0+2x4 -> 2x0+2x4, D4, kernel_size=3, step=1, smoothing=0.7, "
        "HarmonicFilter",
        "PointConv": "PointConv: 2x0e+1x1o -> 2x0e+1x1o, O(3), aggregation='attention', "
        "HarmonicFilter",
        "SphereConv": "SphereConv: 2 signals on the sphere up to degree 2 -> 2 signals on the "
        "sphere up to degree 2, every filter",
        "SetLinear": "SetLinear: 2x0e+1x1o -> 2x0e+1x1o, O(3), pool='mean'",
        "PairLinear": "PairLinear: none 2x0e+1x1o -> none 2x0e+1x1o, O(3)",
    }
    for name, line in lines.items():
        assert bytes(built(name).get_extra_state().tolist()).decode() == line


@pytest.mark.parametrize("name", LAYERS)
def test_layers_can_be_built_on_the_meta_device(name):
    layer = built(name)
    with torch.device("meta"):
        twin = LAYERS[name]()
    for key, tensor in [*twin.named_parameters(), *twin.named_buffers()]:
        assert tensor.is_meta, key
    twin.to_empty(device="cpu")
    twin.load_state_dict(layer.state_dict())
    buffers = dict(layer.named_buffers())
    for key, tensor in twin.named_buffers():
        torch.testing.assert_close(tensor, buffers[key], equal_nan=True, rtol=0, atol=0)
    with torch.device("meta"):
        again = LAYERS[name]()
    again.load_state_dict({**layer.state_dict()}, assign=True)
    torch.manual_seed(0)
    if hasattr(twin, "reset_parameters"):
        twin.reset_parameters()
        measured = "neighbours", "scale"  # NaN until then
        for key, tensor in tensors(twin).items():
            assert tensor.isfinite().all() or key.endswith(measured), key


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_features_are_floating_point_numbers(dtype):
    for name in ("Linear", "Gate", "BatchNorm", "SetLinear", "SphereConv", "GConv", "MLP"):
        layer = built(name)
        x = torch.ones(3, layer.field_in.dim, dtype=dtype)
        with pytest.raises(FieldError, match=rf"expects features of .* got {dtype}"):
            layer(x)
    arrays = torch.ones(1, PLANE.dim, 5, 5, dtype=dtype)
    for name in ("GridConv2d", "GridPDO", "GridNeuralPDO", "Downsample"):
        with pytest.raises(FieldError, match=rf"expects arrays of .* got {dtype}"):
            built(name)(arrays)
    rows = {"SortPoolAggregation": (5, 3), "InducedSetAttention": (5, 8), "PairProduct": (9, 3)}
    for name, shape in rows.items():
        with pytest.raises(ValueError, match=rf"{name} expects .* got {dtype}"):
            built(name)(torch.ones(shape, dtype=dtype))
    with pytest.raises(ValueError, match=rf"PointSphere expects places of .* got {dtype}"):
        built("PointSphere")(torch.ones(5, 3, dtype=dtype))
