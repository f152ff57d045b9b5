"""Feature fields: a group and how many copies of which irreps a feature vector holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .groups import O3, Group, GroupError, Harmonic, Irrep, Product, Restricted, decompose, irrep

if TYPE_CHECKING:
    import e3nn


class FieldError(ValueError):
    """A field that cannot be read or made."""


class FieldMismatchError(FieldError):
    """Features or fields that do not fit each other."""


class Term(NamedTuple):
    """`multiplicity` copies of one irrep."""

    multiplicity: int
    irrep: Irrep

    @property
    def dim(self) -> int:
        """The number of channels it takes."""
        return self.multiplicity * self.irrep.dim


@dataclass(frozen=True)
class Field:
    """The type of a feature field: a direct sum of irreps of a group.

    Features are tensors (..., dim). The terms follow each other on the last axis; within a term the
    copies follow each other, each with its irrep's components (e3nn's order and layout, l = 1 is x,
    y, z).

    Args:
        group: a closed subgroup of O(2) or O(3).
        terms: (multiplicity, irrep) pairs.

    Attributes:
        dim: the number of channels, the size of a feature's last axis.
        channels: the number of irreps, counted with multiplicity.

    Raises:
        FieldError: a negative multiplicity, or an irrep of another group.
    """

    group: Group
    terms: tuple[Term, ...]
    dim: int = field(init=False, compare=False, repr=False)
    channels: int = field(init=False, compare=False, repr=False)
    _slices: tuple[slice, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(Term(*term) for term in self.terms))
        for multiplicity, irrep_ in self.terms:
            if not isinstance(multiplicity, int) or multiplicity < 0:
                raise FieldError(
                    f"A multiplicity is a whole number of at least 0; got {multiplicity} of "
                    f"{irrep_}."
                )
            if irrep_.group != self.group:
                raise FieldError(
                    f"A field of {self.group} holds irreps of {self.group}; got {irrep_}."
                )
        # Every forward pass reads these: it sums nothing, and compilers guard plain numbers.
        stops = tuple(accumulate((term.dim for term in self.terms), initial=0))
        object.__setattr__(self, "dim", stops[-1])
        object.__setattr__(self, "channels", sum(term.multiplicity for term in self.terms))
        object.__setattr__(self, "_slices", tuple(map(slice, stops, stops[1:])))

    @classmethod
    def parse(cls, text: str | Field, group: Group | None = None) -> Field:
        """Read `"16x0e + 8x1o"`.

        Multiplicities and names of irreps (`1o` alone is `1x1o`; an empty text is no field).

        Args:
            text: the field as text; a Field is handed back.
            group: its group, O(3) by default.

        Raises:
            FieldError: a term that is not `NUMBERxIRREP`, or an irrep that the group does not have.
        """
        if isinstance(text, Field):
            if group is not None and text.group != group:
                raise FieldMismatchError(
                    f"Expected a field of {group}; got {text} of {text.group}."
                )
            return text
        group = group or O3()
        if not isinstance(text, str):
            raise FieldError(
                f"A field is written like '16x0e + 8x1o' (number, x, irrep of {group}); got "
                f"{text!r}."
            )
        terms = []
        for part in text.split("+") if text.strip() else []:
            match = re.fullmatch(r"\s*(?:(\d+)\s*x\s*)?([\w(),]+)\s*", part)
            if not match:
                raise FieldError(
                    f"A field is written like '16x0e + 8x1o' (number, x, irrep of {group}); got "
                    f"{part.strip()!r} in {text!r}."
                )
            try:
                terms.append(Term(int(match[1] or 1), irrep(group, match[2])))
            except GroupError as error:
                raise FieldError(f"In the field {text!r}: {error}") from error
        return cls(group, tuple(terms))

    @cached_property
    def is_invariant(self) -> bool:
        """Whether the group leaves every feature of this field alone."""
        return all(term.irrep.is_trivial for term in self.terms)

    def slices(self) -> list[slice]:
        """The place of every term on the last axis."""
        return list(self._slices)

    def matrix(self, element: Tensor) -> Tensor:
        """The matrix (..., dim, dim) of group elements (..., d, d), in their dtype."""
        result = element.new_zeros(*element.shape[:-2], self.dim, self.dim)
        for term, place in zip(self.terms, self.slices(), strict=True):
            block = term.irrep.matrix(element)
            for k in range(term.multiplicity):
                part = slice(
                    place.start + k * term.irrep.dim, place.start + (k + 1) * term.irrep.dim
                )
                result[..., part, part] = block
        return result

    def restrict(self, subgroup: Group) -> Restriction:
        """This field seen by a subgroup, with the change of basis.

        Raises:
            GroupError: `subgroup` holds elements that the field's group does not.
        """
        if not subgroup.subgroup_of(self.group):
            raise GroupError(
                f"{subgroup} is not a subgroup of {self.group}; restrict to one that is."
            )
        terms: list[Term] = []
        rows: list[Tensor] = []
        for term, place in zip(self.terms, self.slices(), strict=True):
            for part, isometry in decompose(Restricted(subgroup, term.irrep)):
                rows.append(
                    _place(torch.from_numpy(isometry).T, place.start, term.multiplicity, self.dim)
                )
                terms.append(Term(term.multiplicity, part))
        matrix = torch.cat(rows) if rows else torch.zeros(0, self.dim, dtype=torch.float64)
        return Restriction(Field(subgroup, tuple(terms)), matrix)

    def tensor(self, other: Field) -> Restriction:
        """The tensor product with another field as a sum of irreps, with the change of basis.

        Returns:
            The field, and the orthogonal matrix (dim, self.dim * other.dim) that takes `outer(x,
            y).flatten()` to it.
        """
        require_same_group("A tensor product", self, other)
        terms: list[Term] = []
        rows: list[Tensor] = []
        for left, at_left in zip(self.terms, self.slices(), strict=True):
            for right, at_right in zip(other.terms, other.slices(), strict=True):
                shape = left.multiplicity, right.multiplicity, left.irrep.dim, right.irrep.dim
                for part, isometry in decompose(Product(left.irrep, right.irrep)):
                    block = torch.zeros(
                        *shape[:2], part.dim, self.dim, other.dim, dtype=torch.float64
                    )
                    inner = (
                        block[..., at_left, at_right]
                        .unflatten(3, shape[::2])
                        .unflatten(5, shape[1::2])
                    )
                    c, d = torch.meshgrid(
                        torch.arange(shape[0]), torch.arange(shape[1]), indexing="ij"
                    )
                    inner[c, d, :, c, :, d] = torch.from_numpy(isometry).T.reshape(
                        part.dim, *shape[2:]
                    )
                    rows.append(block.reshape(-1, self.dim * other.dim))
                    terms.append(Term(shape[0] * shape[1], part))
        matrix = (
            torch.cat(rows) if rows else torch.zeros(0, self.dim * other.dim, dtype=torch.float64)
        )
        return Restriction(Field(self.group, tuple(terms)), matrix)

    def to_e3nn(self) -> e3nn.o3.Irreps:
        """The same field as e3nn's Irreps; those of SO(3) are called even.

        Raises:
            FieldError: the group is neither O(3) nor SO(3).
        """
        from e3nn.o3 import Irreps

        if self.group.dim != 3 or self.group.identity_component != "full":
            raise FieldError(f"e3nn knows O(3) and SO(3); this is a field of {self.group}.")
        parity = "" if self.group.has_reflections else "e"
        return Irreps([(m, f"{irrep_.name}{parity}") for m, irrep_ in self.terms])

    def check(self, features: Tensor, owner: str, name: str = "features") -> None:
        """Raise FieldMismatchError unless `features` are real numbers (..., dim)."""
        if features.dim() == 0 or features.shape[-1] != self.dim:
            came = features.shape[-1] if features.dim() else "a number"
            raise FieldMismatchError(
                f"{owner} expects {name} of {self} ({self.dim} channels) and got {came}. Map them "
                "with Linear first."
            )
        check_floating(features, owner, name)

    def __reduce__(self) -> tuple[Any, ...]:
        """As text and plain numbers, which `torch.load(weights_only=True)` reads."""
        if not isinstance(self.group, Group):  # of permutations
            return Field, (self.group, self.terms)
        generators = tuple(self.group.generators.ravel().tolist())
        return _read, (str(self), self.group.name, self.group.dim, generators)

    def __deepcopy__(self, memo: dict[int, Any]) -> Field:
        return self  # immutable

    def __add__(self, other: Field) -> Field:
        require_same_group("A sum of fields", self, other)
        return Field(self.group, self.terms + other.terms)

    def __mul__(self, count: int) -> Field:
        if count < 0:
            raise FieldError(f"A field is repeated 0 or more times; got {count}.")
        return Field(self.group, self.terms * count)

    __rmul__ = __mul__

    def __len__(self) -> int:
        return len(self.terms)

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    def __getitem__(self, index: slice) -> Field:
        return Field(self.group, self.terms[index])

    def __str__(self) -> str:
        return "+".join(f"{m}x{irrep_.name}" for m, irrep_ in self.terms)

    def __repr__(self) -> str:
        return f"Field({str(self)!r}, {self.group})"


class Restriction(NamedTuple):
    """A field under a subgroup, and the matrix that takes old features to new ones.

    The matrix (field.dim, dim) is orthogonal.
    """

    field: Field
    matrix: Tensor


def require_same_group(owner: str, *fields: Field) -> Group:
    """The group that all fields share.

    Raises:
        FieldMismatchError: they belong to different groups.
    """
    group = fields[0].group
    for other in fields[1:]:
        if other.group != group:
            raise FieldMismatchError(
                f"{owner} needs fields of one group; got {fields[0]} of {group} and {other} of "
                f"{other.group}. Restrict the larger group's field first."
            )
    return group


def check_floating(x: Tensor, owner: str, name: str = "features") -> None:
    """Raise FieldMismatchError for integers, booleans and complex numbers."""
    if not x.is_floating_point():
        raise FieldMismatchError(
            f"{owner} expects {name} of a floating-point dtype and got {x.dtype}. Convert them "
            "first, as with x.float()."
        )


def invariant_field(group: Group, channels: int) -> Field:
    """`channels` numbers that the group leaves alone; no term at all for 0."""
    return Field(group, (Term(channels, group.irreps(0)[0]),) if channels else ())


def harmonic_field(group: Group, max_degree: int) -> Restriction:
    """The harmonics of degrees 0 to `max_degree` as a field of `group`.

    They are those of the space that the group acts on.
    """
    rows: list[Tensor] = []
    terms: list[Term] = []
    for degree in range(max_degree + 1):
        parts = decompose(Harmonic(group, degree, (-1) ** degree if group.dim == 3 else 1))
        rows.append(torch.cat([torch.from_numpy(isometry).T for _, isometry in parts]))
        terms.extend(Term(1, part) for part, _ in parts)
    return Restriction(Field(group, tuple(terms)), torch.block_diag(*rows))


def _read(text: str, name: str, dim: int, generators: tuple[float, ...]) -> Field:
    """The field that `Field.__reduce__` wrote."""
    return Field.parse(text, _group(name, dim, generators))


@lru_cache(64)
def _group(name: str, dim: int, generators: tuple[float, ...]) -> Group:
    return Group(name, np.array(generators).reshape(-1, dim, dim))


torch.serialization.add_safe_globals([_read])


def _place(block: Tensor, start: int, copies: int, width: int) -> Tensor:
    """`block` (row, column) repeated down the diagonal.

    Its first column is at `start` of a matrix `width` wide.
    """
    result = torch.zeros(copies * block.shape[0], width, dtype=block.dtype)
    result[:, start : start + copies * block.shape[1]] = torch.block_diag(*[block] * copies)
    return result
