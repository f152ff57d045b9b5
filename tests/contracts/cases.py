"""The layers and networks that compilers, exporters and function transforms are tried on."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from steerable import Field, groups, models
from steerable import nn as st

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
    axes: tuple[int | None, ...] = (0,)
    """The axis of every input that its length goes along, if any."""

    def dynamic(self) -> tuple[dict[int, Any] | None, ...]:
        """What `torch.export` is told of the inputs: these axes are of any length."""
        length = torch.export.Dim.DYNAMIC
        return tuple(None if axis is None else {axis: length} for axis in self.axes)


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


def module_of(name: str) -> nn.Module:
    """The module of a case in float64, for evaluation, with weights none of which is zero."""
    torch.manual_seed(0)
    module = CASES[name].make().double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module
