"""Real irreducible representations of every closed subgroup of O(2) and O(3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import count
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from .closure import Array, GroupError, Symmetry
from .intertwiners import intertwiners, null_space, orthonormal_rows
from .representation import Harmonic, Representation

_HIGHEST_DEGREE = 40  # of the harmonics that are searched for irreps
_HIGHEST_CLOSED_FORM = 100  # Wigner matrices are accurate to 1e-13 up to this degree


@dataclass(frozen=True)
class Irrep:
    """A real irreducible representation, given by an isometry Q into harmonics D of one degree.

    Its matrix at a group element g is Q^T D(g) Q.

    Args:
        group: the group it belongs to.
        name: `"1o"` for O(3) (degree and parity, as in e3nn), `"1"` for SO(3), `"0e" "0o" "1" "2"`
            for O(2); for every other group a number, where `"0"` is the trivial representation.
        harmonic: the harmonics that contain it.
        isometry: Q (harmonic.dim, dim), with orthonormal columns.

    Attributes:
        dim: the dimension.
    """

    group: Symmetry
    name: str
    harmonic: Harmonic = field(compare=False, repr=False)
    isometry: Array = field(compare=False, repr=False)
    dim: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # A plain number: a compiler that reads the array instead cannot guard it.
        object.__setattr__(self, "dim", int(self.isometry.shape[1]))

    @cached_property
    def type(self) -> int:
        """1 if real, 2 if complex, 4 if quaternionic: the dimension of `endomorphisms`."""
        return len(self.endomorphisms())

    def endomorphisms(self) -> Array:
        """An orthonormal basis (type, dim, dim) of the linear maps that commute with the irrep.

        For O(d) and SO(d) the basis is, by Schur's lemma, the identity, and for SO(2) also the
        quarter turn. For other groups it is computed by `intertwiners`. The identity comes first.
        """
        if not _is_classical(self.group):
            return intertwiners(self, self)
        basis = np.eye(self.dim)[None]
        if self.group.dim == 2 and not self.group.has_reflections and self.dim == 2:
            basis = np.stack([np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])])
        return basis / np.sqrt(self.dim)

    @cached_property
    def is_trivial(self) -> bool:
        """Whether every element acts as 1."""
        return self.dim == 1 and bool(
            np.abs(self.matrices(self.group.generators) - 1).max(initial=0) < 1e-9
        )

    def matrices(self, elements: Array) -> Array:
        """Matrices (element, dim, dim) of elements (element, d, d)."""
        whole = self.harmonic.matrices(elements)
        return np.einsum("ia,gij,jb->gab", self.isometry, whole, self.isometry)

    def matrix(self, element: Tensor) -> Tensor:
        """The matrix (..., dim, dim) of elements (..., d, d) of the group, in their dtype."""
        flat = (
            element.detach()
            .to("cpu", torch.float64)
            .reshape(-1, self.group.dim, self.group.dim)
            .numpy()
        )
        result = torch.from_numpy(self.matrices(flat)).to(element)
        return result.reshape(*element.shape[:-2], self.dim, self.dim)

    def character(self, element: Tensor) -> Tensor:
        """The traces (...) of the matrices of elements (..., d, d)."""
        return self.matrix(element).diagonal(dim1=-2, dim2=-1).sum(-1)

    def __repr__(self) -> str:
        return f"{self.name} of {self.group}"


@runtime_checkable
class OwnIrreps(Protocol):
    """A group that provides its own irreps, as the groups of permutations do."""

    def irrep(self, name: str) -> Irrep: ...

    def irreps(self, max_degree: int | None = None) -> list[Irrep]: ...


def irrep(group: Symmetry, name: str) -> Irrep:
    """The irrep of a group with the given name.

    Args:
        group: the group.
        name: the name of the irrep, as in `Irrep`.

    Raises:
        GroupError: the group has no irrep of this name.
    """
    if isinstance(group, OwnIrreps):
        return group.irrep(name)
    closed = _closed_form(group, name)
    if closed is not None:
        return closed
    if re.fullmatch(r"0|[1-9]\d*", name) and not _is_classical(group):
        for candidate in _all_irreps(group):
            if candidate.name == name:
                return candidate
    names = [candidate.name for candidate in irreps(group, max_degree=3)]
    raise GroupError(f"{group} has no irrep {name!r}; its irreps begin {', '.join(names)}.")


def irreps(group: Symmetry, max_degree: int = 6) -> list[Irrep]:
    """The irreps that occur in the harmonics up to `max_degree`, the trivial one first.

    The list of a finite group ends once it is complete: the sum of dim^2 / type is the order.
    """
    if _is_classical(group):
        return [irrep(group, name) for name in _classical_names(group, max_degree)]
    # Another caller may have extended the shared search to higher degrees.
    candidates = _all_irreps(group, max_degree)
    return [candidate for candidate in candidates if candidate.harmonic.degree <= max_degree]


def decompose(
    representation: Representation, max_degree: int | None = None
) -> list[tuple[Irrep, Array]]:
    """Split a representation into irreps.

    Args:
        representation: any orthogonal representation rho of a group.
        max_degree: highest degree of the harmonics to search for irreps; by default as far as
            needed, up to 40.

    Returns:
        Pairs of an irrep sigma and an isometry Q (dim, irrep.dim) with rho(g) Q = Q sigma(g). The Q
        side by side form an orthogonal matrix.

    Raises:
        GroupError: the representation contains irreps of a higher degree.
    """
    parts: list[tuple[Irrep, Array]] = []
    missing = representation.dim
    for candidate in _candidates(representation, max_degree):
        if not missing:
            break
        for isometry in _copies(candidate, representation):
            parts.append((candidate, isometry))
            missing -= candidate.dim
    if missing:
        raise GroupError(
            f"{missing} of {representation.dim} dimensions hold irreps of {representation.group} "
            f"beyond degree {_HIGHEST_DEGREE if max_degree is None else max_degree}. Raise "
            "max_degree."
        )
    return parts


def _candidates(representation: Representation, max_degree: int | None) -> Iterator[Irrep]:
    group = representation.group
    if isinstance(group, OwnIrreps):
        yield from group.irreps(max_degree)
        return
    if not _is_classical(group):
        yield from _all_irreps(group, max_degree)
        return
    for degree in range((_HIGHEST_DEGREE if max_degree is None else max_degree) + 1):
        for name in _classical_names(group, degree):
            candidate = irrep(group, name)
            if candidate.harmonic.degree == degree:
                yield candidate


def _copies(candidate: Irrep, representation: Representation) -> list[Array]:
    """Isometries with orthogonal images, one for every time that the irrep occurs."""
    isometries: list[Array] = []
    for basis in intertwiners(candidate, representation):
        rest = basis * np.sqrt(candidate.dim)
        for other in isometries * 2:  # the second pass removes what rounding left behind
            rest = rest - np.einsum("ia,ja,jb->ib", other, other, rest)
        scale = np.sqrt((rest**2).sum() / candidate.dim)
        if scale > 1e-6:
            isometries.append(rest / scale)
    return isometries


def _is_classical(group: Symmetry) -> bool:
    return group.identity_component == "full"


def _classical_names(group: Symmetry, max_degree: int) -> list[str]:
    degrees = range(max_degree + 1)
    if group.dim == 3:
        suffixes = ("e", "o") if group.has_reflections else ("",)
        return [f"{l}{s}" for l in degrees for s in suffixes]
    zero = ["0e", "0o"] if group.has_reflections else ["0"]
    return zero + [str(k) for k in degrees if k]


def _closed_form(group: Symmetry, name: str) -> Irrep | None:
    """The irrep of O(d) or SO(d) with the given name; None for other groups and other names."""
    match = re.fullmatch(r"(\d+)([eo]?)", name)
    if not match or not _is_classical(group):
        return None
    degree, parity = int(match[1]), match[2]
    if group.dim == 3:
        if group.has_reflections and not parity:
            return None
        canonical = f"{degree}{parity}" if group.has_reflections else str(degree)
    elif degree == 0:
        if group.has_reflections and not parity:
            return None
        canonical = f"0{parity}" if group.has_reflections else "0"
    else:
        if parity:
            return None
        canonical = str(degree)
    sign = -1 if parity == "o" and group.has_reflections else 1
    if degree > _HIGHEST_CLOSED_FORM:
        raise GroupError(f"Irreps of {group} go up to degree {_HIGHEST_CLOSED_FORM}; got {name!r}.")
    harmonic = Harmonic(group, degree, sign)
    return Irrep(group, canonical, harmonic, np.eye(harmonic.dim))


class _Search:
    """The irreps of a group, in the order of the harmonics in which they first occur.

    They are computed on demand, degree by degree.
    """

    def __init__(self, group: Symmetry) -> None:
        self.group = group
        self.irreps: list[Irrep] = []
        self.degree = -1

    @property
    def complete(self) -> bool:
        return (
            self.group.order is not None
            and sum(r.dim**2 / r.type for r in self.irreps) > self.group.order - 0.5
        )

    def extend(self) -> None:
        """Search the harmonics of the next degree."""
        self.degree += 1
        for parity in self._parities():
            harmonic = Harmonic(self.group, self.degree, parity)
            for part in _new_parts(harmonic, self.irreps):
                if not self._contains(part):
                    name = str(len(self.irreps))
                    self.irreps.append(Irrep(self.group, name, harmonic, np.array(part.columns)))

    def _parities(self) -> tuple[int, ...]:
        """The parities that give different harmonics of the current degree."""
        if self.group.dim == 2:
            return (1, -1) if self.degree == 0 and self.group.has_reflections else (1,)
        natural = (-1) ** self.degree
        return (natural, -natural) if self.group.has_reflections else (natural,)

    def _contains(self, part: _Part) -> bool:
        """Whether an equivalent irrep is in the list already."""
        equal_size = [other for other in self.irreps if other.dim == part.dim]
        return any(len(intertwiners(other, part)) for other in equal_size)


@cache
def _search(group: Symmetry) -> _Search:
    return _Search(group)


def _all_irreps(group: Symmetry, max_degree: int | None = None) -> Iterator[Irrep]:
    """Irreps in the order of discovery; a finite group has them all by the degree of its order.

    Equal groups share one search. Their irreps are the same, but each refers to the group object
    that was passed in.
    """
    max_degree = max_degree if max_degree is not None else group.order or _HIGHEST_DEGREE
    search = _search(group)
    for k in count():
        while k >= len(search.irreps) and not search.complete and search.degree < max_degree:
            search.extend()
        if k >= len(search.irreps):
            return
        candidate = search.irreps[k]
        yield candidate if group is search.group else replace(candidate, group=group)


@dataclass(frozen=True)
class _Part:
    """A representation on an invariant subspace, given by orthonormal columns."""

    whole: Harmonic
    columns: tuple[tuple[float, ...], ...]

    @property
    def group(self) -> Symmetry:
        return self.whole.group

    @property
    def dim(self) -> int:
        return len(self.columns[0])

    def matrices(self, elements: Array) -> Array:
        q = np.array(self.columns)
        return np.einsum("ia,gij,jb->gab", q, self.whole.matrices(elements), q)


def _new_parts(harmonic: Harmonic, earlier: list[Irrep]) -> list[_Part]:
    """The irreducible parts of the harmonics that are none of the earlier irreps."""
    filled = [q.T for irrep_ in earlier for q in _copies(irrep_, harmonic)]
    rest = null_space(np.concatenate(filled)) if filled else np.eye(harmonic.dim)
    if not len(rest):
        return []
    columns = orthonormal_rows(rest).T
    part = _part(harmonic, columns)

    # A random symmetric map that commutes with the group has one eigenspace for every irreducible
    # part, with eigenvalues that differ almost surely.
    weights = np.random.default_rng(0).standard_normal(1024)
    commuting = intertwiners(part, part)
    mixed = np.einsum("b,bij->ij", weights[: len(commuting)], commuting)
    values, vectors = np.linalg.eigh(mixed + mixed.T)
    breaks = np.flatnonzero(np.diff(values) > 1e-6) + 1
    spaces = [
        orthonormal_rows((columns @ block).T).T for block in np.split(vectors, breaks, axis=1)
    ]
    spaces.sort(key=lambda q: (q.shape[1], int(np.abs(q[:, 0]).argmax())))
    return [_part(harmonic, space) for space in spaces]


def _part(harmonic: Harmonic, columns: Array) -> _Part:
    return _Part(harmonic, tuple(map(tuple, columns.tolist())))
