"""The layers and networks that compilers, exporters and function transforms are tried on."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from steerable import Field, groups, models
from steerable import nn as st
from steerable.functions import Bispectrum
from steerable.ops import CloudStencil, knn

SETS = 3  # graphs or sets of a batch
C4, SO3, TRIVIAL = groups.planar_group("C4"), groups.SO3(), groups.trivial(3)
field_of = Field.parse
FIELD, OTHER = "4x0e+3x1o+2x2e", "3x0e+2x1o+1x1e"  # 23 and 12 components
SPHERE = st.SphereSignals.sphere(2, 3)
ROTATIONS = st.SphereSignals.rotations(2, 2, 1)


class Case(NamedTuple):
    """A module, and inputs for it of any size."""

    make: Callable[[], nn.Module]
    inputs: Callable[[int], tuple[Any, ...]]
    """Number of rows to float64 inputs."""
    axes: tuple[Any, ...] = (0,)
    """The axis of every input that its length goes along, if any; nested as the inputs are."""

    def dynamic(self) -> Any:
        """What `torch.export` is told of the inputs: these axes are of any length."""
        return _any_length(self.axes)


def _any_length(axis: Any) -> Any:
    if isinstance(axis, tuple | list):
        return type(axis)(map(_any_length, axis))
    return None if axis is None else {axis: torch.export.Dim.DYNAMIC}


def features(*shape: int) -> Tensor:
    """Standard normal numbers, the same for the same shape."""
    seed = sum((k + 1) * n for k, n in enumerate(shape))
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def batch_of(rows: int) -> Tensor:
    """The sets of so many rows, in no order."""
    return (torch.arange(rows) * 2) % SETS


def edges_of(rows: int) -> Tensor:
    """Twice as many edges as nodes."""
    node = torch.arange(rows)
    return torch.stack([node.repeat(2), torch.cat([(node + 1) % rows, (node + 2) % rows])])


def pointwise(make: Callable[[], nn.Module]) -> Case:
    """A layer that acts row by row on features of its `field_in`."""
    return Case(make, lambda rows: (features(rows, make().field_in.dim),))


def arrays(make: Callable[[], nn.Module], channels: int, width: int, dim: int = 2) -> Case:
    """A layer of arrays (batch, channel, *spatial)."""
    return Case(make, lambda rows: (features(rows, channels, *[width] * dim),))


def on_sets(make: Callable[[], nn.Module], width: int) -> Case:
    """A layer that takes (element, channel), the sets of elements, and how many sets there are."""
    return Case(make, lambda rows: (features(rows, width), batch_of(rows), SETS), (0, 0, None))


def neighbours_of(rows: int) -> tuple[Tensor, Tensor]:
    """Positions, and the four neighbours of each."""
    pos = features(rows, 3)
    return pos, knn(pos, pos, 4)


def convolution(filter: Callable[[], Any], contraction: str) -> Case:
    """A PointConv on a graph of positions."""
    return Case(
        lambda: st.PointConv("3x0e+2x1o", "2x0e+2x1o", filter(), contraction, neighbours=4.0),
        lambda rows: (features(rows, 9), *neighbours_of(rows)),
        (0, 0, 1),
    )


class OnStencil(nn.Module):
    """A differential operator that is given the weights of derivatives."""

    def __init__(self, layer: type[nn.Module]) -> None:
        super().__init__()
        self.layer = layer("2x0e+1x1o", "2x0e+1x1o", 1)
        self.layer(*self.inputs(20)[:3])  # measures its scales

    def inputs(self, rows: int) -> tuple[Tensor, ...]:
        x, (pos, edges) = features(rows, 5), neighbours_of(rows)
        x, pos = x.to(self.dtype), pos.to(self.dtype)
        return x, pos, edges, self.layer.stencil(pos, edges).weight

    @property
    def dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype

    def forward(self, x: Tensor, pos: Tensor, edges: Tensor, weight: Tensor) -> Tensor:
        result: Tensor = self.layer(x, pos, edges, CloudStencil(weight, weight[:0, 0]))
        return result


def operator(layer: type[nn.Module]) -> Case:
    """A differential operator on points."""
    return Case(
        lambda: OnStencil(layer), lambda rows: OnStencil(layer).double().inputs(rows), (0, 0, 1, 0)
    )


def molecules(rows: int) -> tuple[Any, ...]:
    """Atoms of two molecules, hydrogen and carbon, and the neighbours of each."""
    pos, batch = features(rows, 3), torch.arange(rows) * 2 // rows
    return torch.arange(rows) % 2 * 5 + 1, pos, batch, knn(pos, pos, 4, batch, batch), 2


def regressor() -> nn.Module:
    reference = models.Reference((1, 6), (0.5, -1.0))
    return models.Regressor(reference, "4x0e+2x1o", 1, 2.0, "0e+1o", 2, neighbours=4.0)


def classifier() -> nn.Module:
    """A network that has measured its scales."""
    model = models.Classifier(3, "SO(3)", 4, (16, 6), 3)
    # Without gradients, as the order of sums and so their rounding may depend on them.
    with torch.no_grad():
        model(features(32, 3).float(), torch.arange(32) // 16)
    return model


def clouds(rows: int) -> tuple[Any, ...]:
    """Two clouds, and the points that a classifier keeps of them."""
    pos, batch = features(4 * rows, 3), torch.arange(4 * rows) // (2 * rows)
    return pos, batch, [tuple(part) for part in classifier().hierarchy(pos, batch)], 2


def filter2() -> Any:
    return st.HarmonicFilter(1, 2.0, channels=2, group=C4)


def hom_space(degree: int) -> groups.HomSpace:
    return groups.HomSpace(SO3, TRIVIAL, max_degree=degree)


POINTWISE: dict[str, Callable[[], nn.Module]] = {
    "Linear": lambda: st.Linear(FIELD, OTHER),
    "Linear of many channels": lambda: st.Linear("200x0e+70x1o", "200x0e+60x1o"),
    "Gate": lambda: st.Gate(FIELD),
    "NormActivation": lambda: st.NormActivation(FIELD),
    "TensorProductActivation": lambda: st.TensorProductActivation("1x0e+1x1o", 3),
    "FourierActivation": lambda: st.FourierActivation(SO3, 1, 2),
    "CosetActivation": lambda: st.CosetActivation(C4, 3),
    "RMSNorm": lambda: st.RMSNorm(FIELD),
    "LayerNorm": lambda: st.LayerNorm(FIELD),
    "BatchNorm": lambda: st.BatchNorm(FIELD),
    "MLP": lambda: st.MLP(field_of(FIELD), field_of(FIELD), 2, field_of(OTHER)),
    "Restrict": lambda: st.Restrict("2x0e+1x1o", groups.named_group("SO(3)")),
    "SphereConv": lambda: st.SphereConv(SPHERE, ROTATIONS, st.DegreeKnots(2)),
    "SphereActivation": lambda: st.SphereActivation(ROTATIONS),
    "SphereProduct": lambda: st.SphereProduct(SPHERE),
    "SphereBatchNorm": lambda: st.SphereBatchNorm(SPHERE),
    "SphereInvariants": lambda: st.SphereInvariants(SPHERE, power=True),
    "SpherePool": lambda: st.SpherePool(SPHERE, 1, 0.3),
    "GConv": lambda: st.GConv(hom_space(1), hom_space(1), 2, 2),
    "LocalGConv": lambda: st.LocalGConv(
        groups.HomSpace(C4, groups.trivial(2)), groups.HomSpace(C4, groups.trivial(2)), 2, 2
    ),
}


CASES: dict[str, Case] = {
    **{name: pointwise(make) for name, make in POINTWISE.items()},
    "InstanceNorm": on_sets(lambda: st.InstanceNorm(FIELD), 23),
    "SetLinear": on_sets(lambda: st.SetLinear(FIELD, OTHER), 23),
    "SetLinear, max": on_sets(lambda: st.SetLinear("5x0e", "4x0e", "max"), 5),
    "InducedSetAttention": on_sets(lambda: st.InducedSetAttention(8, 3, 2), 8),
    "SortPoolAggregation": Case(
        lambda: st.SortPoolAggregation(5),
        lambda rows: (features(rows, 5), batch_of(rows), None, SETS),
        (0, 0, None, None),
    ),
    "PointSphere": Case(
        lambda: st.PointSphere(st.HarmonicFilter(2, 2.0, channels=3), 2),
        lambda rows: (features(rows, 3), features(rows, 2), batch_of(rows), SETS),
        (0, 0, 0, None),
    ),
    "Bispectrum": Case(lambda: Bispectrum(2), lambda rows: (features(rows, 9),)),
    "PairLinear": Case(
        lambda: st.PairLinear("2x0e+1x1o", "3x0e+1x1o"), lambda rows: (features(rows, 4, 4, 5),)
    ),
    "PairProduct": Case(lambda: st.PairProduct(3, 4), lambda rows: (features(rows, 4, 4, 3),)),
    "GraphLinear": Case(
        lambda: st.GraphLinear(FIELD, OTHER, neighbours=2.0),
        lambda rows: (features(rows, 23), edges_of(rows), batch_of(rows), SETS),
        (0, 1, 0, None),
    ),
    "GridConv2d": arrays(lambda: st.GridConv2d("2x0+1x1", "1x0+2x1", filter2(), 3), 4, 6),
    "GridConv2d, implicit": arrays(
        lambda: st.GridConv2d(
            "2x0+1x1", "1x0+1x1", st.ImplicitFilter(field_of("1x0+1x1", C4), 2.0, hidden=2), 3
        ),
        4,
        6,
    ),
    "GridConv3d": arrays(
        lambda: st.GridConv3d("2x0e+1x1o", "1x0e+1x1o", st.HarmonicFilter(1, 2.0, channels=2), 3),
        5,
        4,
        3,
    ),
    "Downsample": arrays(lambda: st.Downsample("1x0+1x1", group=C4), 3, 7),
    "GridPDO": arrays(lambda: st.GridPDO("2x0+1x1", "1x0+1x1", 2, 3, group=C4), 4, 5),
    "GridNeuralPDO": arrays(
        lambda: st.GridNeuralPDO("2x0+1x1", "1x0+1x1", 1, 3, group=C4, constant=1), 4, 4
    ),
    "GridNeuralPDO, depthwise": arrays(
        lambda: st.GridNeuralPDO(
            st.function_field(C4, 2), st.function_field(C4, 2), 1, 3, products="depthwise"
        ),
        8,
        4,
    ),
    "DeepSets": on_sets(lambda: models.DeepSets("2x0e+1x1o", FIELD, OTHER), 5),
    "SetNet": on_sets(lambda: models.SetNet("2x0e+1x1o", FIELD, OTHER, 1), 5),
    "SetNet, attention": on_sets(lambda: models.SetNet("5x0e", "8x0e", "2x0e", 1, "attention"), 5),
    "ImageClassifier": Case(
        lambda: models.ImageClassifier(3, "C4", (2,), (0,), "pdo", 3, 2, 4),
        lambda rows: (features(rows, 7, 7),),
    ),
    "SphereClassifier": Case(
        lambda: models.SphereClassifier(3, 4, (2, 1), (2,), hidden=4),
        lambda rows: (features(rows, 4, 8),),
    ),
}


# Layers that see positions and edges, and whole networks, which transforms do not enter by x.
ON_POINTS: dict[str, Case] = {
    f"PointConv, {contraction}, {name}": convolution(filter, contraction)
    for contraction in ("full", "depthwise")
    for name, filter in {
        "harmonic": lambda: st.HarmonicFilter(1, 5.0, channels=2),
        "implicit": lambda: st.ImplicitFilter("0e+1o", 5.0, channels=2, hidden=2),
    }.items()
}
ON_POINTS |= {
    "SteerablePDO": operator(st.SteerablePDO),
    "NeuralPDO": operator(st.NeuralPDO),
    "Regressor": Case(regressor, molecules, (0, 0, 0, 1, None)),
    "Classifier": Case(classifier, clouds, (0, 0, [(0, 1, None)], None)),
}
EVERY = {**CASES, **ON_POINTS}


def module_of(name: str) -> nn.Module:
    """The module of a case in float64, for evaluation, with weights none of which is zero."""
    torch.manual_seed(0)
    module = EVERY[name].make().double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module
