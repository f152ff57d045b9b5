"""Heads: from features of atoms to a target with a name, of structures or of their atoms."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, Restriction, invariant_field
from ..groups import Group
from ..layers import Meaningful
from ..ops import segment_mean, segment_softmax, segment_sum
from ..settings import ConfigError, check_choices
from .backbone import invariant_part
from .readouts import DipoleReadout, MatrixReadout, TensorReadout, invariant_readout
from .tensor_of import tensor_field


@dataclass(frozen=True)
class HeadSettings:
    """One target of a network of atoms.

    y = pool_i (reference(z_i) + scale f(x_i)) + shift, and without the pool for targets of atoms.
    References and the shift of a tensor stand for multiples of the unit matrix.

    Args:
        name: of the target.
        kind: `scalar`; `vector` (3,); `tensor` (3, 3); `class`, one of several; `labels`, several
            yes or no.
        per: what has one value, a `structure` or an `atom`.
        pool: over the atoms of a structure: `sum` for extensive targets, `mean` or `attention`, a
            mean whose weights are learned; references are averaged for both.
        symmetric: whether tensors are.
        charges: whether vectors have the part q_i (r_i - mean) of point charges; for dipoles of
            molecules.
        classes: how many classes or labels.
        reference: a number per element, in the order of the network's elements, in the unit of the
            target; 0 if absent. For scalars and tensors.
        shift: added to the result, in the unit of the target. For scalars and tensors.
        scale: multiplies what is learned, in the unit of the target; for targets of atoms one
            number per element may be given.

    Raises:
        ConfigError: settings that do not fit each other.
    """

    name: str
    kind: Literal["scalar", "vector", "tensor", "class", "labels"] = "scalar"
    per: Literal["structure", "atom"] = "structure"
    pool: Literal["sum", "mean", "attention"] = "sum"
    symmetric: bool = True
    charges: bool = False
    classes: int = 0
    reference: tuple[float, ...] | None = None
    shift: float = 0.0
    scale: float | tuple[float, ...] = 1.0

    def __post_init__(self) -> None:
        check_choices(f"head {self.name!r}", self)
        if self.is_class != (self.classes > 0) or (self.kind == "class" and self.classes == 1):
            self._refuse(
                "classes is 2 or more for the kind 'class', 1 or more for 'labels' and 0 for all "
                f"others; got {self.classes} for {self.kind!r}"
            )
        if self.charges and (self.kind, self.per, self.pool) != ("vector", "structure", "sum"):
            self._refuse("charges are a part of vectors per structure with the pool 'sum'")
        if self.kind not in ("scalar", "tensor") and (self.reference or self.shift):
            self._refuse(
                f"references and shifts are of scalars and tensors; the kind is {self.kind!r}"
            )
        if self.per == "structure" and isinstance(self.scale, tuple):
            self._refuse("a target per structure has one scale, not one per element")
        scales = self.scale if isinstance(self.scale, tuple) else (self.scale,)
        if not all(0 < scale < math.inf for scale in scales):
            self._refuse(f"scale is a finite number above 0; got {self.scale}")
        if not all(map(math.isfinite, (self.shift, *(self.reference or ())))):
            self._refuse("references and shifts are finite numbers")

    @property
    def is_class(self) -> bool:
        """Whether the result are logits."""
        return self.kind in ("class", "labels")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one value."""
        shapes = {"scalar": (), "vector": (3,), "tensor": (3, 3)}
        return shapes.get(self.kind, (self.classes,))

    def field(self, group: Group) -> Restriction:
        """The type of one value, and the matrix from its components to features."""
        if self.kind == "vector":
            return tensor_field(group, 1)
        if self.kind != "tensor":
            count = math.prod(self.shape)
            return Restriction(invariant_field(group, count), torch.eye(count).double())
        parts = [tensor_field(group, degree) for degree in (0, 2)]
        # Numbers stand for multiples of the unit matrix, whose norm is the root of 3.
        unit = torch.eye(3, dtype=torch.float64).view(1, 9) / 3**0.5
        parts[0] = Restriction(parts[0].field, unit)
        if not self.symmetric:
            parts.append(tensor_field(group, 1, axial=True))
        terms = [term for part in parts for term in part.field]
        return Restriction(Field(group, tuple(terms)), torch.cat([part.matrix for part in parts]))

    def plain(self) -> dict[str, Any]:
        """The settings as JSON has them."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def read(cls, values: dict[str, Any]) -> HeadSettings:
        """The settings from what `plain` returns."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def _refuse(self, reason: str) -> None:
        raise ConfigError(f"The head {self.name!r}: {reason}.")


class Atoms(NamedTuple):
    """What heads see of atoms besides their features.

    Args:
        kind: kinds of elements (atom,).
        pos: positions (atom, 3) in Angstrom.
        batch: structure of every atom (atom,).
        size: number of structures.
        charge: total charges (structure,) in e; absent where they are not known.
    """

    kind: Tensor
    pos: Tensor
    batch: Tensor
    size: int
    charge: Tensor | None = None


class Head(Meaningful, ConstantModule):
    """y = pool_i (reference(z_i) + scale f(x_i)) + shift; sums are in float64.

    Scalars and logits are perceptrons of the invariants that a linear map makes of the features;
    vectors and tensors have a Gate. Weights of attention are a softmax, over the atoms of a
    structure, of such a perceptron.

    Args:
        settings: of the target.
        field: type of the features.
        elements: number of elements.

    Raises:
        ConfigError: references or scales for another number of elements.
    """

    reference: Tensor
    shift: Tensor
    scale: Tensor

    def __init__(self, settings: HeadSettings, field: Field, elements: int) -> None:
        super().__init__()
        self.settings = settings
        invariants = invariant_part(field)
        self.readout = _readout(settings, field)
        is_attention = settings.per == "structure" and settings.pool == "attention"
        # A constant added to all scores changes no weight.
        score = invariant_readout(field, invariants, bias=False) if is_attention else None
        self.score = score
        reference = settings.reference or (0.0,) * elements
        scale = settings.scale if isinstance(settings.scale, tuple) else (settings.scale,)
        if len(reference) != elements or len(scale) not in (1, elements):
            raise ConfigError(
                f"The head {settings.name!r} has a reference, or a scale, for each of the "
                f"{elements} elements; got {len(reference)} and {len(scale)}."
            )
        # Energies are so large that float32 would round them to 1 meV.
        for name, values in (("reference", reference), ("scale", scale)):
            self.register_exact(name, torch.tensor(values, dtype=torch.float64))
        self.register_exact("shift", torch.tensor(settings.shift, dtype=torch.float64))

    def forward(self, x: Tensor, atoms: Atoms) -> Tensor:
        """Features (atom, field.dim) to values (structure, ..) or (atom, ..), in float64."""
        reference = self.reference.index_select(0, atoms.kind)
        values = self._learned(x, atoms)
        if self.settings.per == "atom":
            return values + self._unit(reference + self.shift)
        if self.settings.pool == "sum":
            total = segment_sum(values, atoms.batch, atoms.size)
            return total + self._unit(segment_sum(reference, atoms.batch, atoms.size) + self.shift)
        mean = segment_mean(reference, atoms.batch, atoms.size) + self.shift
        if self.score is None:
            return segment_mean(values, atoms.batch, atoms.size) + self._unit(mean)
        score = self.score(x).squeeze(1).to(values.dtype)
        weight = segment_softmax(score, atoms.batch, atoms.size)
        weighted = weight.view(-1, *[1] * len(self.settings.shape)) * values
        return segment_sum(weighted, atoms.batch, atoms.size) + self._unit(mean)

    def _learned(self, x: Tensor, atoms: Atoms) -> Tensor:
        """Scale f(x_i) of every atom (atom, ..), in float64."""
        exact, shape = self.reference.dtype, self.settings.shape
        scale = self.scale
        if scale.shape[0] > 1:
            scale = scale.index_select(0, atoms.kind).view(-1, *[1] * len(shape))
        if not isinstance(self.readout, DipoleReadout):
            return self.readout(x).to(exact).view(-1, *shape) * scale
        charge, dipole = self.readout(x)
        return _dipoles(charge.to(exact) * scale, dipole.to(exact) * scale, atoms)

    def _unit(self, values: Tensor) -> Tensor:
        """Numbers (row,) that can be added to values: multiples of the unit matrix for tensors."""
        if self.settings.kind == "tensor":
            return values[:, None, None] * torch.eye(3, dtype=values.dtype, device=values.device)
        return values.view(-1, *[1] * len(self.settings.shape))

    def meaning(self) -> str:
        settings = self.settings
        pool = "" if settings.per == "atom" else f", pool={settings.pool}"
        details = {"tensor": f", symmetric={settings.symmetric}"}
        rest = details.get(settings.kind, ", charges" if settings.charges else "")
        return f"{settings.name}, {settings.kind} {settings.shape} per {settings.per}{pool}{rest}"


def _readout(settings: HeadSettings, field: Field) -> nn.Module:
    if settings.kind == "tensor":
        return MatrixReadout(field, settings.symmetric)
    if settings.kind == "vector":
        return DipoleReadout(field) if settings.charges else TensorReadout(field, 1)
    return invariant_readout(field, invariant_part(field), math.prod(settings.shape))


def _dipoles(charge: Tensor, dipole: Tensor, atoms: Atoms) -> Tensor:
    """q_i (r_i - mean) + m_i of every atom, with charges that sum to those of the structures.

    An equal share of what is missing is added to the charges, as in `Multipoles`.
    """
    batch, size = atoms.batch, atoms.size
    if atoms.charge is not None:
        sums = segment_sum(torch.stack([charge, torch.ones_like(charge)], 1), batch, size)
        missing = atoms.charge.to(charge.dtype) - sums[:, 0]
        charge = charge + (missing / sums[:, 1].clamp(min=1)).index_select(0, batch)
    pos = atoms.pos.to(charge.dtype)
    r = pos - segment_mean(pos, batch, size).index_select(0, batch)
    return charge.unsqueeze(1) * r + dipole
