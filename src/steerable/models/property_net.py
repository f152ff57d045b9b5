"""A network that predicts several targets of structures and their atoms."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from torch import Tensor, nn

from ..certify import EDGE_INDEX, POSITIONS, Role
from ..convs.sets import check_sets
from ..field import Field, Term, harmonic_field
from ..groups import Group, Irrep, Product, decompose, named_group
from ..ops import Neighbourhoods
from ..settings import ConfigError, check_choices, check_range
from ..tracing import is_traced
from .atom_network import AtomNetwork, RegressorSettings, check_atoms
from .certifiable import Claim
from .heads import Atoms, Head, HeadSettings
from .tensor_of import tensor_field

_COPIES = (64, 32, 16)  # of the irreps of degree 0, 1 and 2, where `hidden` is not given


@dataclass(frozen=True)
class PropertySettings:
    """The part of `PropertyNet` that a user chooses; the data and the targets decide the rest.

    Args:
        hidden: field of the hidden features; chosen by the heads if absent.
        layers: number of convolutions.
        cutoff: radius of the neighbourhoods in Angstrom.
        filter_field: irreps of one channel of the filters; chosen by the heads if absent.
        filter_channels: channels of the filters.
        filter_layers: linear layers of the filters' perceptrons.
        group: name of the symmetry group, of space.
        kernel: what the kernels depend on, `radial`, `implicit`, `bonds` or `ends`.
        contraction: `depthwise`, each copy of the features by itself, or `full`.
        density_degree: of the harmonics that the first convolution takes of every element; 0 for a
            first convolution like the others; chosen by the heads if absent.
        products: whether the features at an atom are multiplied; or else they pass gates.
        norm: whether the features pass an RMSNorm before every convolution.
        element_weights: whether every sum over neighbours has weights of the element of its atom.
        charge: whether the total charge of a structure is an input; it is not if absent, and a task
            then decides by its data.
        spin: whether the spin multiplicity of a structure is an input, likewise.
    """

    hidden: str | None = None
    layers: int = 3
    cutoff: float = 5.0
    filter_field: str | None = None
    filter_channels: int = 32
    filter_layers: int = 2
    group: str = "O(3)"
    kernel: Literal["radial", "implicit", "bonds", "ends"] = "implicit"
    contraction: Literal["depthwise", "full"] = "depthwise"
    density_degree: int | None = None
    products: bool = True
    norm: bool = False
    element_weights: bool = False
    charge: bool | None = None
    spin: bool | None = None

    def __post_init__(self) -> None:
        check_choices("model", self)
        for name in ("layers", "filter_channels", "filter_layers"):
            check_range("model", self, name, least=1)
        check_range("model", self, "cutoff", above=0)

    def backbone(self, heads: Sequence[HeadSettings]) -> RegressorSettings:
        """The settings of the backbone, with what the heads choose.

        Raises:
            ConfigError: features that the heads need and the backbone does not make.
        """
        group, kinds = named_group(self.group), {head.kind for head in heads}
        if group.dim != 3:
            raise ConfigError(
                f"model.group is a group of space, such as O(3) or SO(3); got {self.group}."
            )
        degree = 2 if "tensor" in kinds else 1
        values: dict[str, Any] = {
            "hidden": str(_hidden(group, degree, all(head.symmetric for head in heads))),
            "filter_field": "+".join(_names(harmonic_field(group, degree).field)),
            "density_degree": degree,
            "last": "all" if kinds & {"vector", "tensor"} else "invariants",
        }
        for field in fields(RegressorSettings):
            value = getattr(self, field.name, None)
            if value is not None:
                values[field.name] = value
        settings = RegressorSettings(**values)
        for head in heads:
            _check_reach(settings, head, group)
        return settings


class PropertyNet(AtomNetwork):
    """Targets by name, each a head on features of atoms that all heads share.

    Structures are molecules or periodic, also in one batch. The features come from convolutions on
    the neighbours of every atom, as in `Regressor`; the heads are scalars, vectors, tensors and
    classes, of structures or of their atoms: `HeadSettings`.

    Args:
        elements: atomic numbers that are known.
        heads: one or more targets, each with a name of its own.
        settings: of the backbone and the inputs.
        neighbours: the usual number of neighbours within the cutoff; measured on the first batch if
            absent.

    Raises:
        ConfigError: no head, one name twice, or features that a head needs and the settings do not
            make.
    """

    def __init__(
        self,
        elements: Sequence[int],
        heads: Sequence[HeadSettings],
        settings: PropertySettings | None = None,
        neighbours: float | None = 16.0,
    ) -> None:
        settings = settings or PropertySettings()
        names = [head.name for head in heads]
        if not names or len(set(names)) < len(names):
            raise ConfigError(
                f"A network has one head or more, each with a name of its own; got {names}."
            )
        super().__init__(
            elements,
            settings.backbone(heads),
            neighbours,
            bool(settings.charge),
            bool(settings.spin),
        )
        field, count = self.blocks.field_out, len(self.elements)
        self.heads = nn.ModuleList(Head(head, field, count) for head in heads)

    def forward(
        self,
        z: Tensor,
        pos: Tensor,
        batch: Tensor | None = None,
        cell: Tensor | None = None,
        pbc: Tensor | None = None,
        edge_index: Tensor | Neighbourhoods | None = None,
        shift: Tensor | None = None,
        charge: Tensor | None = None,
        spin: Tensor | None = None,
        size: int | None = None,
    ) -> dict[str, Tensor]:
        """Predict.

        Args:
            z: atomic numbers (atom,).
            pos: positions (atom, 3) in Angstrom.
            batch: structure of every atom (atom,); one structure if absent.
            cell: rows are its vectors in Angstrom, (3, 3) or (structure, 3, 3); zeros for
                structures that are not periodic.
            pbc: along which vectors structures are periodic, bool (3,) or (structure, 3).
            edge_index: neighbours (2, edge), searched if absent.
            shift: cells that the sources of the edges are shifted by (edge, 3).
            charge: total charges (structure,) in e.
            spin: spin multiplicities 2S + 1 (structure,).
            size: number of structures; by default the largest in `batch` plus one. Give it to
                compile or export.

        Returns:
            Values by the names of the heads, (structure, ..) or (atom, ..), in the units of the
            targets; logits of classes. They are float64 whatever the network is.

        Raises:
            UnknownElementError: atoms of other elements than the network was made for.
            ValueError: a charge or a spin that the network does not take, or that is missing.
        """
        check_atoms(z, pos, batch, size)
        batch, size = check_sets("PropertyNet", z, batch, size)
        self._check_cell(cell, pbc)
        self._check_state(charge, spin, size)
        kind = self.kinds(z)
        edges = self.edges(pos, batch, edge_index, shift, cell, pbc)
        state = None if self.state is None else self.state(charge, spin, batch, size)
        x = self.features(kind, edges, state)
        atoms = Atoms(kind, pos, batch, size, charge)
        return {head.settings.name: head(x, atoms) for head in self._heads()}

    def certifiable(self, z: Tensor, pos: Tensor, batch: Tensor, **others: Tensor | None) -> Claim:
        """The claim that what was learned turns with the structures, without references and shifts.

        These are invariant whatever was learned, and so large that errors would look small.

        Args:
            z: atomic numbers (atom,).
            pos: positions (atom, 3) in Angstrom.
            batch: structure of every atom (atom,).
            others: further inputs of `forward` by name.
        """
        learned = copy.deepcopy(self)
        for head in learned._heads():
            head.reference.zero_()
            head.shift.zero_()
        values = {name: value for name, value in others.items() if value is not None}
        function = _Turning(learned, tuple(values))
        graph = Role(rows="graph")
        roles = {
            "cell": Role(rows="graph", field=function.vector * 3),
            "edge_index": EDGE_INDEX,
            "shift": Role(rows="edge"),
        }
        inputs = [(z, Role()), (pos, POSITIONS), (batch, Role())]
        for name, value in values.items():
            if name == "cell":
                value = (value.view(-1, 3, 3) @ function.change.to(value).T).flatten(1)
            inputs.append((value, roles.get(name, graph)))
        output = {
            head.settings.name: Role(
                rows="node" if head.settings.per == "atom" else "graph",
                field=head.settings.field(self.group).field,
            )
            for head in self._heads()
        }
        return Claim(function, inputs, output, self.group)

    def meaning(self) -> str:
        state = "" if self.state is None else f", {'+'.join(self.state.names)}"
        return f"elements={self.elements}, kernel={self.kernel}{state}"

    def _heads(self) -> list[Head]:
        return [head for head in self.heads if isinstance(head, Head)]

    def _has_charges(self) -> bool:
        return any(head.settings.charges for head in self._heads())

    def _check_state(self, charge: Tensor | None, spin: Tensor | None, size: int) -> None:
        """Raise ValueError for a charge or a spin that would be ignored, or does not fit."""
        names = () if self.state is None else self.state.names
        for name, value in (("charge", charge), ("spin", spin)):
            if value is None:
                continue
            if name not in names and not (self._has_charges() and name == "charge"):
                raise ValueError(
                    f"The network does not take the {name} of structures. Leave it out, or train "
                    f"one with model.{name}=true."
                )
            if value.shape != (size,):
                raise ValueError(
                    f"The network takes the {name} of every structure, ({size},); got "
                    f"{tuple(value.shape)}."
                )

    def _check_cell(self, cell: Tensor | None, pbc: Tensor | None) -> None:
        """Raise ValueError for periodic structures where point charges have dipoles."""
        periodic = cell if pbc is None else pbc
        if periodic is None or not self._has_charges() or is_traced(periodic):
            return
        if bool(periodic.any()):
            raise ValueError(
                "Dipoles of point charges depend on the cell that was chosen in a periodic "
                "structure. Leave out cell and pbc, or train a head with charges=false."
            )


class _Turning(nn.Module):
    """A network as a function of features of fields: cells and results along irreps."""

    def __init__(self, net: PropertyNet, names: tuple[str, ...]) -> None:
        super().__init__()
        self.net, self.names = net, names
        self.vector, self.change = tensor_field(net.group, 1)

    def forward(self, z: Tensor, pos: Tensor, batch: Tensor, *others: Tensor) -> dict[str, Tensor]:
        inputs = dict(zip(self.names, others, strict=True))
        if "cell" in inputs:
            cell = inputs["cell"]
            inputs["cell"] = cell.view(-1, 3, 3) @ self.change.to(cell)
        outputs: Mapping[str, Tensor] = self.net(z, pos, batch, **inputs)
        result = {}
        for head in self.net._heads():
            value = outputs[head.settings.name]
            matrix = head.settings.field(self.net.group).matrix.to(value)
            result[head.settings.name] = value.reshape(value.shape[0], -1) @ matrix.T
        return result


def _names(field: Field) -> list[str]:
    """The names of the irreps of a field, each once."""
    return list(dict.fromkeys(term.irrep.name for term in field))


def _hidden(group: Group, degree: int, is_symmetric: bool) -> Field:
    """Hidden features with the harmonics up to a degree, and axial vectors where they are needed.

    An irrep has as many copies as the lowest degree in which it occurs.
    """
    copies: dict[Irrep, int] = {}
    parts = [(tensor_field(group, k).field, _COPIES[k]) for k in range(degree + 1)]
    if not is_symmetric:
        parts.append((tensor_field(group, 1, axial=True).field, _COPIES[2]))
    for field, count in parts:
        for term in field:
            copies.setdefault(term.irrep, count)
    return Field(group, tuple(Term(count, irrep) for irrep, count in copies.items()))


def _check_reach(settings: RegressorSettings, head: HeadSettings, group: Group) -> None:
    """Raise ConfigError if the last block makes none of an irrep that a head needs."""
    reach = _reach(settings, group)
    wanted = [term.irrep for term in head.field(group).field if not term.irrep.is_trivial]
    missing = dict.fromkeys(irrep for irrep in wanted if irrep not in reach)
    if missing and not head.is_class:
        names = ", ".join(irrep.name for irrep in missing)
        raise ConfigError(
            f"The head {head.name!r} ({head.kind}) needs features {names}, which the convolutions "
            f"with model.hidden={settings.hidden}, model.filter_field={settings.filter_field}, "
            f"model.density_degree={settings.density_degree} and model.layers={settings.layers} do "
            f"not make. Add {names} to model.hidden, a higher degree to model.filter_field, or a "
            "layer; or leave model.hidden and model.filter_field out, to have them chosen."
        )


def _reach(settings: RegressorSettings, group: Group) -> set[Irrep]:
    """The irreps that the features of the last block can have.

    A convolution makes products of irreps of features and filters.
    """
    hidden = {term.irrep for term in Field.parse(settings.hidden, group)}
    filters = {term.irrep for term in Field.parse(settings.filter_field, group)}
    if settings.density_degree:
        density = harmonic_field(group, settings.density_degree).field
        reach = {term.irrep for term in density}
    else:
        reach = filters & hidden
    for _ in range(settings.layers - 1):
        products: set[Irrep] = set()
        for left in reach:
            for right in filters:
                products.update(part for part, _ in decompose(Product(left, right)))
        reach = (reach | products) & hidden
    return reach
