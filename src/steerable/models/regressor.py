"""A network that predicts one invariant number of a molecule."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from ase.data import covalent_radii
from torch import Tensor, nn

from ..constants import ConstantModule
from ..convs import PointConv, Pool
from ..field import Field, invariant_field
from ..filters import Filter, HarmonicFilter, Radial, choose_filter, harmonic_degree
from ..functions import safe_norm
from ..groups import named_group
from ..layers import Gate, Linear, RMSNorm
from ..ops import Neighbourhoods, neighbourhoods, radius_graph

KERNELS = ("radial", "implicit", "bonds", "ends")
_ATTRIBUTES = 8


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


class Regressor(nn.Module):
    """y = shift + scale pool_i head(x_i) + sum_i atoms(z_i).

    The x_i come from convolutions with implicit kernels.

    Every layer adds to the features a gated convolution and a linear map of their normalised
    selves. Energies grow with the molecule (`pool="sum"`), other properties need not
    (`pool="mean"`).

    What the kernels are is a choice, each more than the one before: `radial`, fixed radial
    functions of the relative position times harmonics; `implicit`, a multilayer perceptron of the
    relative position; `bonds`, also of the distance in units of the two covalent radii; `ends`,
    also of the elements of both ends.

    Args:
        reference: elements, and what the prediction is measured from.
        hidden: field of the hidden features; its invariant part starts the network and feeds the
            head.
        layers: number of convolutions.
        cutoff: radius of the neighbourhoods in Angstrom.
        filter_field: irreps of one channel of the filters.
        filter_channels: channels of the filters.
        group: name of the symmetry group, such as `"O(3)"`.
        neighbours: the usual number of neighbours within the cutoff.
        kernel: `radial`, `implicit`, `bonds` or `ends`.
    """

    _number: Tensor
    reference: Tensor
    statistics: Tensor

    def __init__(
        self,
        reference: Reference,
        hidden: str = "32x0e+16x1o+8x2e",
        layers: int = 3,
        cutoff: float = 5.0,
        filter_field: str = "0e+1o+2e",
        filter_channels: int = 8,
        group: str = "O(3)",
        neighbours: float = 16.0,
        kernel: str = "ends",
    ) -> None:
        super().__init__()
        if kernel not in KERNELS:
            raise ValueError(f"kernel is one of {', '.join(KERNELS)}; got {kernel!r}.")
        field = Field.parse(hidden, named_group(group))
        scalars = sum(t.multiplicity for t in field if t.irrep.is_trivial)
        invariants = invariant_field(field.group, scalars)
        count = len(reference.elements)
        self.cutoff = float(cutoff)
        numbers = torch.full((119,), -1, dtype=torch.long)
        numbers[torch.tensor(reference.elements)] = torch.arange(count)
        self.register_buffer("_number", numbers, persistent=False)
        self.register_buffer(
            "reference", torch.tensor(reference.atoms or [0.0] * count, dtype=torch.float64)
        )
        self.register_buffer(
            "statistics", torch.tensor([reference.shift, reference.scale], dtype=torch.float64)
        )
        self.embed = nn.Embedding(count, scalars)
        self.attribute = nn.Embedding(count, _ATTRIBUTES) if kernel == "ends" else None
        self.bond = Bond(reference.elements) if kernel in ("bonds", "ends") else None
        self.blocks = nn.ModuleList(
            _Block(
                invariants if k == 0 else field,
                field,
                _filter(kernel, Field.parse(filter_field, field.group), cutoff, filter_channels),
                neighbours,
            )
            for k in range(layers)
        )
        self.head = nn.Sequential(
            Linear(field, invariants),
            nn.SiLU(),
            nn.Linear(scalars, scalars),
            nn.SiLU(),
            nn.Linear(scalars, 1),
        )
        self.pool = Pool(invariant_field(field.group, 1), reference.pool)

    def forward(
        self,
        z: Tensor,
        pos: Tensor,
        batch: Tensor | None = None,
        edge_index: Tensor | Neighbourhoods | None = None,
    ) -> Tensor:
        """Predict.

        Args:
            z: atomic numbers (atom,).
            pos: positions (atom, 3) in Angstrom.
            batch: molecule of every atom (atom,); one molecule if absent.
            edge_index: neighbours (2, edge), from `ops.radius_graph` if absent.

        Returns:
            One number per molecule (graph,), in the unit of the target.

        Raises:
            UnknownElementError: atoms of other elements than the network was made for.
        """
        kind = self._kinds(z)
        if edge_index is None:
            edge_index = radius_graph(pos, self.cutoff, batch)
        hood = (
            neighbourhoods(edge_index, pos.shape[0])
            if isinstance(edge_index, Tensor)
            else edge_index
        )
        bond = None if self.bond is None else self.bond(kind, pos, hood.edge_index)
        end = None if self.attribute is None else self.attribute(kind)
        x = self.embed(kind)
        for block in self.blocks:
            x = block(x, pos, hood, bond, end)
        graphs = int(batch.max()) + 1 if batch is not None and batch.shape[0] else 1
        own = self.pool(self.head(x), batch, graphs).squeeze(-1)
        shift, scale = self.statistics
        known = self.pool(self.reference[kind].unsqueeze(-1), batch, graphs).squeeze(-1)
        result: Tensor = own.to(known.dtype) * scale + shift + known
        return result

    def _kinds(self, z: Tensor) -> Tensor:
        kind: Tensor = self._number[z.clamp(0, 118)]
        if kind.shape[0] and int(kind.min()) < 0:
            unknown = sorted(set(z[kind < 0].tolist()))
            known = torch.nonzero(self._number >= 0).flatten().tolist()
            raise UnknownElementError(
                f"The network knows the elements {known} (atomic numbers); got {unknown}. Train "
                "one that includes them."
            )
        return kind


class Bond(ConstantModule):
    """Gaussians of t = r / (R_i + R_j), the distance in units of the covalent radii.

    Single bonds are at about t = 1, triple bonds at 0.8. The Gaussians end at 1.4, where nothing is
    bonded.

    Args:
        elements: atomic numbers, in the order of their kinds.
    """

    radii: Tensor
    centres: Tensor

    def __init__(self, elements: tuple[int, ...]) -> None:
        super().__init__()
        self.register_constant("radii", torch.from_numpy(covalent_radii)[torch.tensor(elements)])
        self.register_constant(
            "centres", torch.linspace(0.7, 1.4, _ATTRIBUTES, dtype=torch.float64)
        )

    def forward(self, kind: Tensor, pos: Tensor, edge_index: Tensor) -> Tensor:
        """Kinds (atom,), positions (atom, 3) and edges (2, edge) to (edge, 8)."""
        source, target = edge_index
        distance = safe_norm(pos.index_select(0, source) - pos.index_select(0, target))
        radii = self.radii.index_select(0, kind)
        t = distance / (radii.index_select(0, source) + radii.index_select(0, target))
        return torch.exp(-(((t.unsqueeze(1) - self.centres) / 0.1) ** 2))


def _filter(kernel: str, field: Field, cutoff: float, channels: int) -> Filter:
    if kernel == "radial":
        return HarmonicFilter(
            harmonic_degree(field), Radial(cutoff, count=channels), None, group=field.group
        )
    attributes = {"implicit": 0, "bonds": _ATTRIBUTES, "ends": 3 * _ATTRIBUTES}[kernel]
    return choose_filter(field, cutoff, invariant_field(field.group, attributes), channels)


class _Block(nn.Module):
    """x + gate(conv(norm x) + linear(norm x)).

    The first block lifts invariants to the hidden field.
    """

    def __init__(
        self, field_in: Field, field_out: Field, filter: Filter, neighbours: float
    ) -> None:
        super().__init__()
        self.norm = RMSNorm(field_in)
        self.gate = Gate(field_out)
        self.conv = PointConv(field_in, self.gate.field_in, filter, neighbours=neighbours)
        self.own = Linear(field_in, self.gate.field_in)
        self.skip = Linear(field_in, field_out, bias=False)

    def forward(
        self, x: Tensor, pos: Tensor, hood: Neighbourhoods, bond: Tensor | None, end: Tensor | None
    ) -> Tensor:
        y = self.norm(x)
        result: Tensor = self.skip(x) + self.gate(self.conv(y, pos, hood, bond, end) + self.own(y))
        return result
