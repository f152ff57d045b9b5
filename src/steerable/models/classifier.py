"""A network that tells to which class a cloud of points belongs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ..certify import POSITIONS, Role
from ..constants import ConstantModule
from ..convs import NeighbourConv
from ..field import Field, Term, harmonic_field, invariant_field
from ..filters import HarmonicFilter, Radial
from ..groups import Group, group_label, named_group
from ..layers import BatchNorm, Gate, Linear, Meaningful, mean_square
from ..ops import Edges, farthest_point_sampling, knn, segment_max, segment_mean
from ..settings import check_range
from .backbone import Block
from .certifiable import Claim

_DEGREE = 2  # of the harmonics in filters and features
_CLOUD = 1.5  # reach of the filter that sees the place of a point in its cloud
_RINGS = 8  # its radial functions


@dataclass(frozen=True)
class ClassifierSettings:
    """The part of `Classifier` that a user chooses; the data decide the rest.

    Args:
        group: name of the symmetry group; SO(2) and O(2) turn about the upright axis.
        width: of the features on the first level; sets the size of the network.
        levels: points that every level keeps, ever fewer.
        neighbours: of each point.
        radial: number of radial functions of the filters.
        depth: residual convolutions of every level but the first.
        dropout: probability before the last layer.
    """

    group: str = "SO(3)"
    width: int = 24
    levels: list[int] = dataclasses.field(default_factory=lambda: [256, 64, 16])
    neighbours: int = 16
    radial: int = 1
    depth: int = 1
    dropout: float = 0.4

    def __post_init__(self) -> None:
        for name in ("width", "neighbours", "radial"):
            check_range("model", self, name, least=1)
        check_range("model", self, "depth", least=0)
        check_range("model", self, "dropout", least=0, below=1)


class Coarser(NamedTuple):
    """The points that a level keeps, and the neighbours of these."""

    kept: Tensor
    """(kept,) numbers of points of the finer level."""
    down: Tensor
    """(2, edge) from points of the finer level to those kept."""
    among: Tensor | None
    """(2, edge) among those kept, if the level has convolutions among them."""


class Classifier(Meaningful):
    """logits = MLP(mean and maximum over points of MLP(invariants of x)).

    x comes from convolutions on ever fewer points.

    Every level keeps the points of the level before that lie farthest from each other, gathers
    their neighbourhoods from the finer level, and refines them by residual convolutions among
    themselves. Nothing but positions goes in: the first level sees the shape of every neighbourhood
    and its place relative to the middle of the cloud. Level n = 0, 1, .. holds width 2^n / d copies
    of every irrep of dimension d that harmonics up to degree 2 contain, so that one number sets the
    size for any group.

    Args:
        classes: number of classes.
        group: name of the symmetry group, such as `"SO(3)"`, or `"Cinfv"` for the rotations and
            mirrors of upright shapes.
        width: of the first level.
        points: how many points clouds usually have, then how many every level keeps.
        neighbours: of every point in the finer level and among its own.
        radial: number of radial functions of the filters.
        depth: residual convolutions of every level but the first.
        dropout: probability before the last linear layer.

    Raises:
        GroupError: no group has this name.
        ValueError: no level, or levels that do not become smaller.

    Source: the levels are those of Qi et al. 2017 (PointNet++), arXiv:1706.02413.
    """

    def __init__(
        self,
        classes: int,
        group: str = "SO(3)",
        width: int = 24,
        points: Sequence[int] = (1024, 256, 64, 16),
        neighbours: int = 16,
        radial: int = 1,
        depth: int = 1,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        if len(points) < 2 or any(coarse >= fine for fine, coarse in pairwise(points)):
            raise ValueError(
                "points are those of a cloud and of one level or more, ever fewer; got "
                f"{tuple(points)}."
            )
        self.group = symmetry = named_group(group)
        self.points, self.neighbours = tuple(int(count) for count in points), int(neighbours)
        hidden = [_hidden_field(symmetry, width * 2**n) for n in range(len(points) - 1)]
        fields = pairwise([invariant_field(symmetry, 1), *hidden])
        self.levels = nn.ModuleList(
            _Level(field_in, field_out, sizes, neighbours, radial, depth if n else 0)
            for n, ((field_in, field_out), sizes) in enumerate(
                zip(fields, pairwise(points), strict=True)
            )
        )
        self.place = _filter(symmetry, _CLOUD, _RINGS)
        self.placed = Linear(self.place.field * _RINGS, hidden[0])
        self.invariants = _Invariants(hidden[-1])
        inner = invariant_field(symmetry, 8 * width)
        self.point = nn.Sequential(
            Linear(self.invariants.field_out, inner),
            BatchNorm(inner),
            nn.SiLU(),
        )
        self.head = nn.Sequential(
            Linear(inner * 2, inner),
            BatchNorm(inner),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(inner.dim, classes),
        )

    def hierarchy(self, pos: Tensor, batch: Tensor | None = None) -> list[Coarser]:
        """The points that every level keeps and their neighbours, which no weight changes.

        Arguments as in `forward`.
        """
        batch = _one_cloud(pos) if batch is None else batch
        hierarchy = []
        for level in self.levels:
            coarser = cast(_Level, level).coarsen(pos, batch)
            pos, batch = pos.index_select(0, coarser.kept), batch.index_select(0, coarser.kept)
            hierarchy.append(coarser)
        return hierarchy

    def forward(
        self,
        pos: Tensor,
        batch: Tensor | None = None,
        hierarchy: Sequence[tuple[Tensor, Tensor, Tensor | None]] | None = None,
        size: int | None = None,
    ) -> Tensor:
        """Classify.

        Args:
            pos: positions (point, d); clouds about fill the unit ball.
            batch: cloud of every point (point,); one cloud if absent.
            hierarchy: of `hierarchy`, computed here if absent. Give it to compile, and as plain
                tuples to export: a program that is loaded elsewhere knows no others.
            size: number of clouds; by default the largest in `batch` plus one. Give it to compile.

        Returns:
            Logits (cloud, classes).
        """
        batch = _one_cloud(pos) if batch is None else batch
        hierarchy = self.hierarchy(pos, batch) if hierarchy is None else hierarchy
        coarsened = [Coarser(*level) for level in hierarchy]
        if size is None:
            size = int(batch.max()) + 1 if batch.shape[0] else 1
        middle = segment_mean(pos, batch, size)
        x = pos.new_ones(pos.shape[0], 1)
        for n, (level, coarser) in enumerate(zip(self.levels, coarsened, strict=True)):
            x, pos = level(x, pos, coarser)
            batch = batch.index_select(0, coarser.kept)
            if n == 0:
                x = x + self.placed(self.place(pos - middle.index_select(0, batch)).flatten(1))
        y = self.point(self.invariants(x))
        result: Tensor = self.head(
            torch.cat([segment_mean(y, batch, size), segment_max(y, batch, size)], -1)
        )
        return result

    def certifiable(self, pos: Tensor, batch: Tensor) -> Claim:
        """The claim that the logits are invariant."""
        inputs = [(pos, POSITIONS), (batch, Role())]
        return Claim(self, inputs, Role(rows="graph"), self.group)

    def meaning(self) -> str:
        return f"{group_label(self.group)}, points={self.points}, neighbours={self.neighbours}"


class _Level(nn.Module):
    """Fewer points and one convolution to them from the finer level.

    Then residual convolutions among them.
    """

    def __init__(
        self,
        field_in: Field,
        field_out: Field,
        points: tuple[int, int],
        neighbours: int,
        radial: int,
        depth: int,
    ) -> None:
        super().__init__()
        finer, self.points = points
        self.neighbours = neighbours
        self.down = _step(field_in, field_out, neighbours, _reach(neighbours, finer), radial)
        self.among = nn.ModuleList(
            _step(field_out, field_out, neighbours, _reach(neighbours, self.points), radial)
            for _ in range(depth)
        )

    def coarsen(self, pos: Tensor, batch: Tensor) -> Coarser:
        """Which of the points are kept, and the neighbours of these."""
        sample = farthest_point_sampling(pos, self.points, batch)
        sample_pos, sample_batch = pos.index_select(0, sample), batch.index_select(0, sample)
        down = knn(pos, sample_pos, self.neighbours, batch, sample_batch)
        if not self.among:
            return Coarser(sample, down, None)
        among = knn(sample_pos, sample_pos, self.neighbours, sample_batch, sample_batch)
        return Coarser(sample, down, among)

    def forward(self, x: Tensor, pos: Tensor, coarser: Coarser) -> tuple[Tensor, Tensor]:
        kept_x, kept_pos = x.index_select(0, coarser.kept), pos.index_select(0, coarser.kept)
        y = self.down((x, kept_x), Edges.between((pos, kept_pos), coarser.down))
        if coarser.among is not None:
            edges = Edges.between(kept_pos, coarser.among)
            for step in self.among:
                y = y + step((y, y), edges)
        return y, kept_pos


def _step(field_in: Field, field_out: Field, neighbours: int, reach: float, radial: int) -> Block:
    """gate(norm(convolution + linear map of the target's own features))."""
    gate = Gate(field_out)
    conv = NeighbourConv(
        field_in,
        gate.field_in,
        _filter(field_in.group, reach, radial),
        self_interaction=True,
        neighbours=neighbours,
        recompute=False,
    )
    return Block(conv, norm=BatchNorm(gate.field_in), activation=gate, norm_first=False)


def _filter(group: Group, reach: float, count: int) -> HarmonicFilter:
    """Gaussians times harmonics, which have no weights.

    Nothing has to be differentiated at the edges.
    """
    return HarmonicFilter(_DEGREE, Radial(reach, "gaussian", count, "none"), None, group=group)


class _Invariants(ConstantModule):
    """Trivial irreps as they are, then the length sqrt(|x|^2 / d + 1/100) of every other one."""

    _mean: Tensor
    _trivial: Tensor

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field_in, self.field_out = field, invariant_field(field.group, field.channels)
        trivial = torch.tensor([t.irrep.is_trivial for t in field for _ in range(t.dim)])
        turning = torch.tensor(
            [not t.irrep.is_trivial for t in field for _ in range(t.multiplicity)]
        )
        self.register_constant("_trivial", torch.nonzero(trivial).flatten())
        self.register_constant("_mean", mean_square(field)[:, turning])

    def forward(self, x: Tensor) -> Tensor:
        lengths = torch.sqrt((x * x) @ self._mean + 0.01)
        return torch.cat([x.index_select(-1, self._trivial), lengths], -1)


def _hidden_field(group: Group, width: int) -> Field:
    """About `width` components of every irrep that the harmonics contain."""
    irreps = dict.fromkeys(term.irrep for term in harmonic_field(group, _DEGREE).field)
    return Field(group, tuple(Term(max(width // irrep.dim, 1), irrep) for irrep in irreps))


def _one_cloud(pos: Tensor) -> Tensor:
    return torch.zeros(pos.shape[0], dtype=torch.long, device=pos.device)


def _reach(neighbours: int, points: int) -> float:
    """The radius r of a disc of `neighbours` of all `points` on the unit sphere.

    Their share is pi r^2 / 4 pi.
    """
    return 2 * math.sqrt(neighbours / points)
