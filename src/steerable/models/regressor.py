"""A network that predicts one invariant number of a molecule."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..certify import POSITIONS, Role
from ..constants import ConstantModule
from ..convs import NeighbourConv, Pool
from ..field import Field, invariant_field
from ..filters import Filter, HarmonicFilter, Radial, choose_filter, harmonic_degree
from ..functions import safe_norm
from ..groups import named_group
from ..layers import Gate, Linear, Meaningful, RMSNorm
from ..ops import Edges, Neighbourhoods, radius_graph
from ..settings import check_choices, check_range
from ..tracing import is_traced
from .certifiable import Claim

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


@dataclass(frozen=True)
class RegressorSettings:
    """The part of `Regressor` that a user chooses; the data decide the rest.

    Args:
        hidden: field of the hidden features.
        layers: number of convolutions.
        cutoff: radius of the neighbourhoods in Angstrom.
        filter_field: irreps of one channel of the filters.
        filter_channels: channels of the filters.
        group: name of the symmetry group.
        kernel: what the kernels depend on, `radial`, `implicit`, `bonds` or `ends`.
    """

    hidden: str = "32x0e+16x1o+8x2e"
    layers: int = 3
    cutoff: float = 5.0
    filter_field: str = "0e+1o+2e"
    filter_channels: int = 8
    group: str = "O(3)"
    kernel: Literal["radial", "implicit", "bonds", "ends"] = "ends"

    def __post_init__(self) -> None:
        check_choices("model", self)
        for name in ("layers", "filter_channels"):
            check_range("model", self, name, least=1)
        check_range("model", self, "cutoff", above=0)


class Regressor(Meaningful, ConstantModule):
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
        self.group, self.kernel = field.group, kernel
        self.elements = tuple(int(number) for number in reference.elements)
        self.cutoff = float(cutoff)
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
        x = self.embed(kind)
        for block in self.blocks:
            x = block(x, edges, bond, end)
        if size is None:
            size = int(batch.max()) + 1 if batch is not None and batch.shape[0] else 1
        learned = self.pool(self.head(x).to(self.reference.dtype), batch, size).squeeze(-1)
        atoms = self.pool(self.reference[kind].unsqueeze(-1), batch, size).squeeze(-1)
        shift, scale = self.statistics
        result: Tensor = learned * scale + shift + atoms
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
        kind: Tensor = self._number[z.clamp(0, 118)]
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
        from ase.data import covalent_radii  # takes a moment to import

        super().__init__()
        self.register_constant("radii", torch.from_numpy(covalent_radii)[torch.tensor(elements)])
        self.register_constant(
            "centres", torch.linspace(0.7, 1.4, _ATTRIBUTES, dtype=torch.float64)
        )

    def forward(self, kind: Tensor, edges: Edges) -> Tensor:
        """Kinds (atom,) and edges to (edge, 8)."""
        source, target = edges.index
        distance = edges.shared("distance", safe_norm)
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
        self.conv = NeighbourConv(field_in, self.gate.field_in, filter, neighbours=neighbours)
        self.own = Linear(field_in, self.gate.field_in)
        self.skip = Linear(field_in, field_out, bias=False)

    def forward(self, x: Tensor, edges: Edges, bond: Tensor | None, end: Tensor | None) -> Tensor:
        y = self.norm(x)
        result: Tensor = self.skip(x) + self.gate(self.conv(y, edges, bond, end) + self.own(y))
        return result
