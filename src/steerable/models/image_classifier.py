"""A network that tells to which class a picture belongs, however it is turned."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from ..convs import DepthwiseProducts, Downsample, GridConv2d, GridNeuralPDO, GridPDO
from ..field import Field, invariant_field
from ..filters import HarmonicFilter
from ..groups import Group, planar_group
from ..layers import BatchNorm, CosetActivation, FourierActivation
from ..settings import check_choices, check_range
from .certifiable import Claim
from .dots import dots_claim

KERNELS = ("kernel", "pdo", "neural")
_OPERATORS = 2  # that a layer of `neural` makes at every point, each for half of the signals
_DEGREE = 3  # of the signals on the circle, for groups that are not finite


@dataclass(frozen=True)
class ImageClassifierSettings:
    """The part of `ImageClassifier` that a user chooses; the data decide the rest.

    Args:
        group: name of a group of the plane, such as C8, D8 or O(2).
        kernel: what the convolutions are: `kernel`, `pdo` or `neural`.
        widths: regular fields of every layer.
        stops: layers before which the array is halved.
        size: points of the stencils along every axis, odd.
        order: of the differential operators, or degree of the harmonics.
        hidden: width of the last linear layers.
        dropout: probability before the last linear layer.
    """

    group: str = "C8"
    kernel: Literal["kernel", "pdo", "neural"] = "pdo"
    widths: list[int] = dataclasses.field(default_factory=lambda: [8, 8, 8, 8, 12, 12])
    stops: list[int] = dataclasses.field(default_factory=lambda: [1, 4])
    size: int = 5
    order: int = 4
    hidden: int = 64
    dropout: float = 0.3

    def __post_init__(self) -> None:
        check_choices("model", self)
        for name in ("size", "order", "hidden"):
            check_range("model", self, name, least=1)
        check_range("model", self, "dropout", least=0, below=1)


class ImageClassifier(nn.Module):
    """logits = MLP(mean and maximum over points of invariants).

    They come from convolutions of signals on ever fewer points.

    Every layer is activation(norm(convolution)); its features are signals on the group (on the
    circle up to degree 3 where the group is not finite): regular fields. The last layer makes
    invariants. What the convolutions are is a choice of equal structure: `kernel`, harmonics times
    radial functions; `pdo`, differential operators; `neural`, the same, but from the last stop on
    (and before the last layer) their constant coefficients end at half the order, and others, up to
    the full order, depend on the local features: few parameters where there are few points.

    Args:
        classes: number of classes.
        group: name of a group of the plane, such as `"C8"`, `"D8"` or `"O(2)"`.
        widths: signals of every layer.
        stops: layers before which every second point of the smoothed array is taken, 0 the first.
        kernel: `kernel`, `pdo` or `neural`.
        size: points of the stencils along every axis, odd.
        order: of the differential operators, or degree of the harmonics.
        hidden: width of the last linear layers.
        dropout: probability before the last linear layer.

    Raises:
        GroupError: no group has this name.
        ValueError: another kernel, or no width.
    """

    def __init__(
        self,
        classes: int,
        group: str = "C8",
        widths: Sequence[int] = (8, 8, 8, 8, 12, 12),
        stops: Sequence[int] = (1, 4),
        kernel: str = "pdo",
        size: int = 5,
        order: int = 4,
        hidden: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if kernel not in KERNELS:
            raise ValueError(f"kernel is one of {', '.join(KERNELS)}; got {kernel!r}.")
        if not widths:
            raise ValueError("An ImageClassifier needs the width of at least one layer; got none.")
        self.group = symmetry = planar_group(group)
        field = invariant_field(symmetry, 1)
        last = max([1, *(n for n in stops if n < len(widths))])
        kernels = [kernel if n >= last else _plain(kernel) for n in range(len(widths))]
        layers: list[nn.Module] = []
        for n, width in enumerate(widths):
            activation = _activation(symmetry, width)
            if n in stops:
                layers.append(Downsample(field))
            layers.append(_convolution(kernels[n], field, activation.field_in, size, order))
            layers += [OnGrid(BatchNorm(activation.field_in)), OnGrid(activation)]
            field = activation.field_in
        invariants = invariant_field(symmetry, hidden)
        self.layers = nn.Sequential(
            *layers,
            _convolution(_plain(kernel), field, invariants, size, order),
            OnGrid(BatchNorm(invariants)),
            nn.SiLU(),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.BatchNorm1d(hidden), nn.SiLU(), nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Pictures (batch, height, width) to logits (batch, classes)."""
        x = self.layers(images.unsqueeze(1)).flatten(2)
        result: Tensor = self.head(torch.cat([x.mean(2), x.amax(2)], 1))
        return result

    def certifiable(self, images: Tensor) -> Claim:
        """The claim that logits do not change when the group turns what a picture shows."""
        return dots_claim(self, self.group, images.shape[-1])


class OnGrid(nn.Module):
    """A layer that acts at one point, for arrays (batch, channel, *spatial)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layer(x.movedim(1, -1)).movedim(-1, 1)
        return result


def _plain(kernel: str) -> str:
    return "pdo" if kernel == "neural" else kernel


def _activation(group: Group, width: int) -> CosetActivation | FourierActivation:
    return (
        CosetActivation(group, width) if group.order else FourierActivation(group, _DEGREE, width)
    )


def _convolution(
    kernel: str, field_in: Field, field_out: Field, size: int, order: int
) -> nn.Module:
    if kernel == "pdo":
        return GridPDO(field_in, field_out, order, size, "smoothed", bias=False)
    if kernel == "neural":
        signals = field_in.dim // (field_in.group.order or 1)
        products = partial(DepthwiseProducts, channels=math.gcd(signals, _OPERATORS))
        return GridNeuralPDO(
            field_in, field_out, order, size, "smoothed", products, constant=order // 2
        )
    filter = HarmonicFilter(order, (size + 1) / 2, 2, group=field_in.group)
    return GridConv2d(field_in, field_out, filter, size, bias=False)
