"""A network that predicts one invariant number of a molecule."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from ..certify import POSITIONS, Role
from ..constants import ConstantModule
from ..convs import Pool
from ..field import Field, invariant_field
from ..filters import Filter, HarmonicFilter, Radial, choose_filter, harmonic_degree
from ..groups import Group, named_group
from ..layers import Linear, Meaningful
from ..ops import Edges, Neighbourhoods, radius_graph
from ..settings import ConfigError, check_choices, check_range
from ..tracing import is_traced
from .atoms import BONDS, Bond, OneHot
from .backbone import Backbone, Block, density_field, invariant_part, residual_block
from .certifiable import Claim

_ATTRIBUTES = 8  # learned numbers of an element that filters see


class UnknownElementError(ValueError):
    """Atoms of an element that the network was not made for."""


@dataclass(frozen=True)
class Reference:
    """What a prediction is measured from.

    y = shift + scale * (pooled network) + sum over atoms of their numbers.

    Args:
        elements: atomic numbers that are known.
        atoms: a number per element that is added for each of its atoms, in the unit of the target;
            0 if absent.
        shift: added to the result.
        scale: multiplies the network's part of the result.
        pool: `sum` or `mean` over atoms.
    """

    elements: tuple[int, ...]
    atoms: tuple[float, ...] | None = None
    shift: float = 0.0
    scale: float = 1.0
    pool: str = "sum"


@dataclass(frozen=True)
class RegressorSettings:
    """The part of `Regressor` that a user chooses; the data decide the rest.

    Args:
        hidden: field of the hidden features.
        layers: number of convolutions.
        cutoff: radius of the neighbourhoods in Angstrom.
        filter_field: irreps of one channel of the filters.
        filter_channels: channels of the filters.
        filter_layers: linear layers of the filters' perceptrons.
        group: name of the symmetry group.
        kernel: what the kernels depend on, `radial`, `implicit`, `bonds` or `ends`.
        contraction: `depthwise`, each copy of the features by itself, or `full`.
        density_degree: of the harmonics that the first convolution takes of every element; 0 for a
            first convolution like the others.
        products: whether the features at an atom are multiplied; or else they pass gates.
        norm: whether the features pass an RMSNorm before every convolution.
        last: what the last block makes, the `invariants` that the head reads or `all` features.
        element_weights: whether every sum over neighbours has weights of the element of its atom.
    """

    hidden: str = "64x0e+32x1o"
    layers: int = 3
    cutoff: float = 5.0
    filter_field: str = "0e+1o"
    filter_channels: int = 32
    filter_layers: int = 2
    group: str = "O(3)"
    kernel: Literal["radial", "implicit", "bonds", "ends"] = "implicit"
    contraction: Literal["depthwise", "full"] = "depthwise"
    density_degree: int = 1
    products: bool = True
    norm: bool = False
    last: Literal["invariants", "all"] = "invariants"
    element_weights: bool = False

    def __post_init__(self) -> None:
        check_choices("model", self)
        for name in ("layers", "filter_channels", "filter_layers"):
            check_range("model", self, name, least=1)
        check_range("model", self, "density_degree", least=0)
        check_range("model", self, "cutoff", above=0)


EARLIER: dict[str, Any] = {
    "filter_layers": 3,
    "contraction": "full",
    "density_degree": 0,
    "products": False,
    "norm": True,
    "last": "all",
    "element_weights": False,
}
"""The settings of networks from before there were these settings."""


class Regressor(Meaningful, ConstantModule):
    """y = shift + scale pool_i head(x_i) + sum_i atoms(z_i).

    The x_i come from convolutions on the neighbours of every atom. The first one makes the density
    of its neighbours, one for every element: harmonics times functions of the distance, summed. The
    others convolve features with learned functions of the distance. After each, the features at an
    atom are multiplied with each other: `layers.Products`. Energies grow with the molecule
    (`pool="sum"`), other properties need not (`pool="mean"`).

    What the kernels of the convolutions are is a choice, each more than the one before: `radial`,
    fixed functions of the distance times harmonics; `implicit`, a multilayer perceptron of the
    relative position; `bonds`, also of the distance in units of the two covalent radii; `ends`,
    also of the elements of both ends.

    Args:
        reference: elements, and what the prediction is measured from.
        hidden: field of the hidden features; its invariant part feeds the head.
        layers: number of convolutions.
        cutoff: radius of the neighbourhoods in Angstrom.
        filter_field: irreps of one channel of the filters.
        filter_channels: channels of the filters.
        group: name of the symmetry group, such as `"O(3)"`.
        neighbours: the usual number of neighbours within the cutoff.
        kernel: `radial`, `implicit`, `bonds` or `ends`.
        filter_layers: linear layers of the filters' perceptrons.
        contraction: `depthwise`, each copy of the features by itself, or `full`.
        density_degree: of the harmonics in the density; 0 for a first convolution of embeddings of
            the elements, like the others.
        products: whether the features at an atom are multiplied; or else they pass gates.
        norm: whether the features pass an RMSNorm before every convolution.
        last: what the last block makes, `invariants` or `all` features.
        element_weights: whether every sum over neighbours has weights of the element of its atom.

    Raises:
        ValueError: a kernel that there is not, or products where no features turn.

    Source: the density of the neighbours is that of Bartok et al. 2013, arXiv:1209.3140, and
    Drautz 2019, doi:10.1103/PhysRevB.99.014104; the products are those of `layers.Products`.
    """

    _number: Tensor
    reference: Tensor
    statistics: Tensor

    def __init__(
        self,
        reference: Reference,
        hidden: str = "64x0e+32x1o",
        layers: int = 3,
        cutoff: float = 5.0,
        filter_field: str = "0e+1o",
        filter_channels: int = 32,
        group: str = "O(3)",
        neighbours: float = 16.0,
        kernel: str = "implicit",
        filter_layers: int = 2,
        contraction: str = "depthwise",
        density_degree: int = 1,
        products: bool = True,
        norm: bool = False,
        last: str = "invariants",
        element_weights: bool = False,
    ) -> None:
        super().__init__()
        settings = RegressorSettings(
            hidden=hidden,
            layers=layers,
            cutoff=cutoff,
            filter_field=filter_field,
            filter_channels=filter_channels,
            filter_layers=filter_layers,
            group=group,
            kernel=cast(Any, kernel),
            contraction=cast(Any, contraction),
            density_degree=density_degree,
            products=products,
            norm=norm,
            last=cast(Any, last),
            element_weights=element_weights,
        )
        self.elements = tuple(int(number) for number in reference.elements)
        self.kernel, self.cutoff, count = kernel, float(cutoff), len(self.elements)
        numbers = torch.full((119,), -1, dtype=torch.long)
        numbers[torch.tensor(reference.elements)] = torch.arange(count)
        self.register_buffer("_number", numbers, persistent=False)
        # Energies of molecules are so large that float32 would round them to 1 meV.
        self.register_exact(
            "reference", torch.tensor(reference.atoms or [0.0] * count, dtype=torch.float64)
        )
        self.register_exact(
            "statistics", torch.tensor([reference.shift, reference.scale], dtype=torch.float64)
        )
        field = Field.parse(hidden, named_group(group))
        self.group, invariants = field.group, invariant_part(field)
        self.embed = OneHot(count) if density_degree else nn.Embedding(count, invariants.dim)
        self.element = OneHot(count) if element_weights else None
        self.attribute = nn.Embedding(count, _ATTRIBUTES) if kernel == "ends" else None
        self.bond = Bond(reference.elements) if kernel in ("bonds", "ends") else None
        self.blocks = _backbone(settings, field, count, neighbours)
        self.head = _head(self.blocks.field_out, invariants)
        self.pool = Pool(invariant_field(field.group, 1), reference.pool)

    def forward(
        self,
        z: Tensor,
        pos: Tensor,
        batch: Tensor | None = None,
        edge_index: Tensor | Neighbourhoods | None = None,
        size: int | None = None,
    ) -> Tensor:
        """Predict.

        Args:
            z: atomic numbers (atom,).
            pos: positions (atom, 3) in Angstrom.
            batch: molecule of every atom (atom,); one molecule if absent.
            edge_index: neighbours (2, edge), from `ops.radius_graph` if absent.
            size: number of molecules; by default the largest in `batch` plus one. Give it to
                compile or export.

        Returns:
            One number per molecule (graph,), in the unit of the target; float64 whatever the
            network is.

        Raises:
            UnknownElementError: atoms of other elements than the network was made for.
        """
        self._check_atoms(z, pos, batch, size)
        kind = self._kinds(z)
        if edge_index is None:
            edge_index = radius_graph(pos, self.cutoff, batch)
        edges = Edges.between(pos, edge_index).to(self.embed.weight.dtype)
        bond = None if self.bond is None else self.bond(kind, edges)
        end = None if self.attribute is None else self.attribute(kind)
        element = None if self.element is None else self.element(kind)
        x = self.blocks(self.embed(kind), edges, bond, end, element)
        if size is None:
            size = int(batch.max()) + 1 if batch is not None and batch.shape[0] else 1
        shift, scale = self.statistics
        learned = self.head(x).to(self.reference.dtype) * scale
        atoms = learned + self.reference.index_select(0, kind).unsqueeze(-1)
        result: Tensor = self.pool(atoms, batch, size).squeeze(-1) + shift
        return result

    def certifiable(self, z: Tensor, pos: Tensor, batch: Tensor) -> Claim:
        """The claim that what was learned is invariant, without references of atoms and shift.

        These are invariant whatever was learned, and so large that errors would look small.
        """
        learned = copy.deepcopy(self)
        learned.reference.zero_()
        learned.statistics[0] = 0.0
        inputs = [(z, Role()), (pos, POSITIONS), (batch, Role())]
        return Claim(learned, inputs, Role(rows="graph"), self.group)

    @staticmethod
    def _check_atoms(z: Tensor, pos: Tensor, batch: Tensor | None, size: int | None) -> None:
        """Raise ValueError for atoms and molecules that do not fit each other."""
        if z.is_floating_point() or z.shape != pos.shape[:1]:
            raise ValueError(
                f"z are the atomic numbers of {pos.shape[0]} positions, integers (atom,); got "
                f"{z.dtype} {tuple(z.shape)}."
            )
        if batch is not None and batch.shape != z.shape:
            raise ValueError(
                f"batch is the molecule of every atom {tuple(z.shape)}; got {tuple(batch.shape)}."
            )
        if size is None or batch is None or is_traced(batch) or not batch.shape[0]:
            return
        if int(batch.max()) >= size:
            raise ValueError(
                f"batch has molecules up to number {int(batch.max())}; size is {size}."
            )

    def meaning(self) -> str:
        return f"elements={self.elements}, pool={self.pool.name}, kernel={self.kernel}"

    def _kinds(self, z: Tensor) -> Tensor:
        kind: Tensor = self._number.index_select(0, z.clamp(0, 118).long())
        if is_traced(z):
            return kind
        if kind.shape[0] and int(kind.min()) < 0:
            unknown = sorted(set(z[kind < 0].tolist()))
            elements = torch.nonzero(self._number >= 0).flatten().tolist()
            raise UnknownElementError(
                f"The network knows the elements {elements} (atomic numbers); got {unknown}. Train "
                "one that includes them."
            )
        return kind


def _backbone(
    settings: RegressorSettings, field: Field, elements: int, neighbours: float
) -> Backbone:
    """The convolutions: that of the density first, if there is one."""
    if settings.products and field.is_invariant and not settings.density_degree:
        raise ConfigError(
            f"model.products multiplies features that turn, and {field} has none. Add other irreps "
            "to model.hidden, or set model.products to false."
        )
    blocks: list[Block] = []
    field_in, first = invariant_part(field), field
    filter_field = Field.parse(settings.filter_field, field.group)
    if settings.density_degree:
        field_in = invariant_field(field.group, elements)
        first = density_field(field, settings.density_degree)
    for k in range(settings.layers):
        is_density = k == 0 and settings.density_degree > 0
        field_out = first if k == 0 else field
        block = residual_block(
            field_in,
            field_out,
            _density(settings, field.group) if is_density else _filter(settings, filter_field),
            "full" if is_density else settings.contraction,
            settings.products,
            settings.norm,
            neighbours,
            is_last=k == settings.layers - 1 and settings.last == "invariants",
            conditions=elements if settings.element_weights else 0,
        )
        blocks.append(block)
        field_in = field_out
    return Backbone(blocks)


def _density(settings: RegressorSettings, group: Group) -> Filter:
    """Bessel functions of the distance times harmonics, without weights of their own."""
    radial = Radial(settings.cutoff, count=settings.filter_channels)
    return HarmonicFilter(settings.density_degree, radial, None, group=group)


def _filter(settings: RegressorSettings, field: Field) -> Filter:
    cutoff, channels = settings.cutoff, settings.filter_channels
    if settings.kernel == "radial":
        radial = Radial(cutoff, count=channels)
        return HarmonicFilter(harmonic_degree(field), radial, None, group=field.group)
    attributes = {"implicit": 0, "bonds": BONDS, "ends": BONDS + 2 * _ATTRIBUTES}[settings.kernel]
    invariants = invariant_field(field.group, attributes)
    return choose_filter(field, cutoff, invariants, channels, layers=settings.filter_layers)


def _head(field: Field, invariants: Field) -> nn.Sequential:
    """From features to one number; where they are all invariant, the last block mixed them."""
    count = invariants.dim
    first = [Linear(field, invariants), nn.SiLU()] if field != invariants else []
    return nn.Sequential(*first, nn.Linear(count, count), nn.SiLU(), nn.Linear(count, 1))
