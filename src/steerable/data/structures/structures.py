"""The atoms of many structures, and what is known of them, in flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike

from .columns import Column, concatenated, empty_rows


class MissingColumnError(ValueError):
    """A quantity that the structures do not have."""


@dataclass(frozen=True, eq=False)
class Structures:
    """Molecules, crystals and other sets of atoms: structure s has the atoms `ends[s]:ends[s + 1]`.

    Args:
        z: atomic numbers (atom,), int64.
        pos: positions (atom, 3) in Angstrom, float64.
        ends: the first atom of each structure, and the number of atoms (structure + 1,), int64.
        cell: vectors of the cells, in rows (structure, 3, 3), in Angstrom; zero where there is
            none.
        pbc: whether a structure is repeated along each vector of its cell (structure, 3).
        columns: all other quantities by name, such as `energy` or `forces`.
        source: where each structure comes from (structure,), such as the name of a file.
        frame: its number there (structure,), int64.
    """

    z: np.ndarray
    pos: np.ndarray
    ends: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    columns: Mapping[str, Column] = field(default_factory=dict)
    source: np.ndarray = field(default_factory=lambda: np.array([], dtype=str))
    frame: np.ndarray = field(default_factory=lambda: np.array([], dtype=np.int64))

    def __post_init__(self) -> None:
        if len(self.source) != len(self):
            object.__setattr__(self, "source", np.full(len(self), "", dtype="<U1"))
        if len(self.frame) != len(self):
            object.__setattr__(self, "frame", np.arange(len(self)))

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def sizes(self) -> np.ndarray:
        """The number of atoms of each structure (structure,)."""
        return np.diff(self.ends)

    @property
    def is_periodic(self) -> np.ndarray:
        """Whether each structure (structure,) is repeated along any direction."""
        return np.asarray(self.pbc.any(1))

    def column(self, name: str) -> Column:
        """A quantity by its name; `NAME/atom` is a quantity of structures over the number of atoms.

        Raises:
            MissingColumnError: there is none; the message lists those that there are.
        """
        if name in self.columns:
            return self.columns[name]
        base = self.columns.get(name.removesuffix("/atom"))
        if base is not None and base.per == "structure" and base.data.dtype.kind == "f":
            sizes = self.sizes.reshape(-1, *[1] * len(base.shape))
            unit = f"{base.unit}/atom" if base.unit else ""
            return Column(base.data / sizes, "structure", unit, base.known)
        near = get_close_matches(name, self.columns, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        there = ", ".join(sorted(self.columns)) or "none at all"
        raise MissingColumnError(
            f"There is no quantity {name!r} in {self.origin}; there are {there}.{hint}"
        )

    @property
    def origin(self) -> str:
        """Where the structures come from, in words."""
        names = list(dict.fromkeys(self.source.tolist()))
        text = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return text or "these structures"

    def name(self, index: int) -> str:
        """How one structure is called: by its column `name`, or else by its source and frame."""
        column = self.columns.get("name")
        if column is not None and not column.missing[index] and column.data[index]:
            return str(column.data[index])
        source = self.source[index]
        return f"{source}#{self.frame[index]}" if source else f"#{self.frame[index]}"

    def numbers(self) -> list[np.ndarray]:
        """The atomic numbers (atom,) of each structure."""
        return np.split(self.z, self.ends[1:-1])

    def select(self, index: ArrayLike) -> Structures:
        """Some of the structures, in the order of their indices (structure,)."""
        index = np.asarray(index)
        if index.dtype == bool:
            index = np.flatnonzero(index)
        atoms = _atoms_of(self.ends, index)
        rows = {"structure": index, "atom": atoms}
        return Structures(
            self.z[atoms],
            self.pos[atoms],
            np.concatenate([[0], self.sizes[index].cumsum()]).astype(np.int64),
            self.cell[index],
            self.pbc[index],
            {name: column.take(rows[column.per]) for name, column in self.columns.items()},
            self.source[index],
            self.frame[index],
        )

    def with_columns(self, columns: Mapping[str, Column]) -> Structures:
        """The same structures with other quantities."""
        return Structures(
            self.z, self.pos, self.ends, self.cell, self.pbc, columns, self.source, self.frame
        )


def concatenate(parts: Iterable[Structures]) -> Structures:
    """All structures of several sets. A quantity that a set does not have is missing there.

    Raises:
        ValueError: there is no set, or a quantity has another shape or unit in another set.
    """
    sets = list(parts)
    if not sets:
        raise ValueError("concatenate needs one set of structures or more; got none.")
    names = list(dict.fromkeys(name for one in sets for name in one.columns))
    sizes = np.concatenate([one.sizes for one in sets])
    return Structures(
        np.concatenate([one.z for one in sets]),
        np.concatenate([one.pos for one in sets]),
        np.concatenate([[0], sizes.cumsum()]).astype(np.int64),
        np.concatenate([one.cell for one in sets]),
        np.concatenate([one.pbc for one in sets]),
        {name: _common_column(sets, name) for name in names},
        np.concatenate([one.source for one in sets]),
        np.concatenate([one.frame for one in sets]),
    )


def _common_column(sets: Sequence[Structures], name: str) -> Column:
    """A column over all sets, with empty rows where a set does not have it."""
    like = next(one.columns[name] for one in sets if name in one.columns)
    parts = []
    for one in sets:
        rows = len(one) if like.per == "structure" else len(one.z)
        parts.append(one.columns[name] if name in one.columns else empty_rows(like, rows))
    try:
        return concatenated(parts)
    except ValueError as error:
        raise ValueError(
            f"The quantity {name!r} of several sets is not one quantity: {error}"
        ) from (error)


def _atoms_of(ends: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The atoms of the structures with these indices, one structure after the other."""
    start, count = ends[index], ends[index + 1] - ends[index]
    # 0, 1, 2, ... counts through the result; the shift makes every range begin at its start.
    shift = start - (count.cumsum() - count)
    return np.arange(count.sum()) + np.repeat(shift, count)
