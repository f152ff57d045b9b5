"""What the networks of atoms share: elements, neighbours and convolutions, without a head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, invariant_field
from ..filters import Filter, HarmonicFilter, Radial, choose_filter, harmonic_degree
from ..groups import Group, named_group
from ..layers import Meaningful
from ..ops import Edges, Neighbourhoods, periodic_graph, radius_graph
from ..settings import ConfigError, check_choices, check_range
from ..tracing import is_traced
from .atoms import BONDS, STATE, Bond, OneHot, State
from .backbone import Backbone, Block, density_field, invariant_part, residual_block

_ATTRIBUTES = 8  # learned numbers of an element that filters see


class UnknownElementError(ValueError):
    """Atoms of an element that the network was not made for."""


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


class AtomNetwork(Meaningful, ConstantModule):
    """From atoms to features of atoms: what networks with a head of their own stand on.

    Subclasses call, in `forward`, `kinds`, `edges`, where wanted `state`, and `features`.

    Args:
        elements: atomic numbers that are known, in the order of their kinds.
        settings: of the backbone.
        neighbours: the usual number of neighbours within the cutoff.
        charge: whether the total charge of a structure is an input.
        spin: whether the spin multiplicity of a structure is an input.

    Raises:
        ConfigError: products where no features turn.
    """

    _number: Tensor

    def __init__(
        self,
        elements: Sequence[int],
        settings: RegressorSettings,
        neighbours: float | None = 16.0,
        charge: bool = False,
        spin: bool = False,
    ) -> None:
        super().__init__()
        self.elements = tuple(int(number) for number in elements)
        self.kernel, self.cutoff = settings.kernel, float(settings.cutoff)
        count = len(self.elements)
        numbers = torch.full((119,), -1, dtype=torch.long)
        numbers[torch.tensor(self.elements)] = torch.arange(count)
        self.register_buffer("_number", numbers, persistent=False)
        field = Field.parse(settings.hidden, named_group(settings.group))
        self.group, invariants = field.group, invariant_part(field)
        is_dense, kernel = settings.density_degree > 0, settings.kernel
        # Parameters stand in the order in which they act: states of optimizers count them so.
        self.embed = OneHot(count) if is_dense else nn.Embedding(count, invariants.dim)
        self.element = OneHot(count) if settings.element_weights else None
        self.attribute = nn.Embedding(count, _ATTRIBUTES) if kernel == "ends" else None
        self.bond = Bond(self.elements) if kernel in ("bonds", "ends") else None
        first = count if is_dense else invariants.dim
        self.state = State(first, charge, spin) if charge or spin else None
        conditions = count * settings.element_weights + STATE * (charge or spin)
        self.blocks = _backbone(settings, field, count, neighbours, conditions)

    def kinds(self, z: Tensor) -> Tensor:
        """Kinds of atomic numbers (atom,), from 0.

        Raises:
            UnknownElementError: atoms of other elements than the network was made for.
        """
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

    def edges(
        self,
        pos: Tensor,
        batch: Tensor | None = None,
        edge_index: Tensor | Neighbourhoods | None = None,
        shift: Tensor | None = None,
        cell: Tensor | None = None,
        pbc: Tensor | None = None,
    ) -> Edges:
        """The pairs of neighbours within the cutoff, in the precision of the network.

        Args:
            pos: positions (atom, 3) in Angstrom.
            batch: structure of every atom (atom,); one structure if absent.
            edge_index: neighbours (2, edge); searched if absent.
            shift: cells that the sources are shifted by (edge, 3), where there is a cell.
            cell: rows are its vectors in Angstrom, (3, 3) or (structure, 3, 3); zeros for
                structures that are not periodic.
            pbc: along which vectors structures are periodic, bool (3,) or (structure, 3).

        Raises:
            ValueError: a cell without what says how it repeats, or the reverse.
        """
        if edge_index is None:
            if (cell is None) != (pbc is None):
                raise ValueError(
                    "Periodic structures have a cell and pbc, which says along which vectors it "
                    f"repeats: give both or neither. Got {'cell' if pbc is None else 'pbc'} alone."
                )
            if cell is None or pbc is None:
                edge_index = radius_graph(pos, self.cutoff, batch)
            else:
                edge_index, shift = periodic_graph(pos, self.cutoff, cell, pbc, batch)
        return Edges.between(pos, edge_index, shift, cell, batch).to(self.embed.weight.dtype)

    def features(self, kind: Tensor, edges: Edges, state: Tensor | None = None) -> Tensor:
        """Features of atoms (atom, blocks.field_out.dim).

        Args:
            kind: kinds of elements (atom,).
            edges: pairs of neighbours.
            state: attributes of the charge and spin of their structures (atom, attribute).
        """
        bond = None if self.bond is None else self.bond(kind, edges)
        end = None if self.attribute is None else self.attribute(kind)
        condition = None if self.element is None else self.element(kind)
        x = self.embed(kind)
        if self.state is not None and state is not None:
            x = x + self.state.first(state)
            condition = state if condition is None else torch.cat([condition, state], 1)
        features: Tensor = self.blocks(x, edges, bond, end, condition)
        return features


def check_atoms(z: Tensor, pos: Tensor, batch: Tensor | None, size: int | None) -> None:
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
        raise ValueError(f"batch has molecules up to number {int(batch.max())}; size is {size}.")


def _backbone(
    settings: RegressorSettings,
    field: Field,
    elements: int,
    neighbours: float | None,
    conditions: int,
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
            conditions=conditions,
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
