"""What is learned of structures: a quantity, its type, and how it grows with the structure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from .columns import Column, Per
from .structures import Structures

Kind = Literal["scalar", "vector", "tensor", "class", "labels"]
KINDS: tuple[str, ...] = get_args(Kind)

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))  # the order of ASE
_ENERGY_UNITS = ("eV", "meV", "Ha", "Hartree", "kcal/mol", "kJ/mol", "Ry")
_MOST_CLASSES = 1000


class TargetError(ValueError):
    """A quantity that cannot be learned as was asked."""


@dataclass(frozen=True)
class Target:
    """One quantity that a network learns.

    Args:
        name: of its column, and of the network's output.
        kind: `scalar`; `vector` (3,); `tensor` (3, 3); `class`, one of several; or `labels`,
            several numbers of which each is 0 or 1.
        per: whether there is one for each `structure` or for each `atom`.
        unit: of its numbers.
        is_extensive: whether it is a sum over atoms, and so grows with the structure.
        is_symmetric: whether a tensor is symmetric.
        classes: names of the classes, or of the labels.
    """

    name: str
    kind: Kind = "scalar"
    per: Per = "structure"
    unit: str = ""
    is_extensive: bool = False
    is_symmetric: bool = True
    classes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name with the unit in brackets, where there is one."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def __str__(self) -> str:
        if self.kind in ("class", "labels"):
            words = [f"{self.kind} of {len(self.classes)}"]
        else:
            words = [self.kind, "extensive" if self.is_extensive else "intensive"]
        if self.kind == "tensor":
            words.insert(0, "symmetric" if self.is_symmetric else "general")
        if self.per == "atom":
            words = [word for word in words if word not in ("extensive", "intensive")]
        return f"{self.label}, {' '.join(words)} per {self.per}"


def find_target(
    structures: Structures,
    name: str,
    kind: str | None = None,
    unit: str | None = None,
    is_extensive: bool | None = None,
) -> Target:
    """The target of a name, with everything that was not said guessed from the data.

    Texts and truth values are classes, numbers are scalars, rows of three numbers are vectors, and
    rows of (3, 3), of nine or of six numbers (Voigt's, in ASE's order) are tensors. A scalar of a
    structure is extensive where the composition explains it better as a sum over the atoms than as
    a mean over them; where all structures have the same atoms, energies are.

    Args:
        structures: the training structures.
        name: of the column.
        kind: what it is.
        unit: of its numbers; that of the column by default.
        is_extensive: whether it is a sum over atoms.

    Raises:
        MissingColumnError: there is no such column.
        TargetError: no structure has a value, all values are equal, or the rows do not have the
            shape of the kind.
    """
    column = structures.column(name)
    if column.missing.all():
        raise TargetError(f"No {_rows(column)} in {structures.origin} has a value of {name!r}.")
    if kind is not None and kind not in KINDS:
        raise TargetError(f"The kind of a target is one of {', '.join(KINDS)}; got {kind!r}.")
    chosen = _guess_kind(name, column) if kind is None else kind
    classes: tuple[str, ...] = ()
    if chosen == "class":
        classes = _classes(name, column)
    elif chosen == "labels":
        classes = tuple(f"{name}{k}" for k in range(int(np.prod(column.shape))))
    unit = column.unit if unit is None else unit
    target = Target(name, chosen, column.per, unit, classes=classes)  # type: ignore[arg-type]
    values = target_values(structures, target)
    _check_spread(structures, target, values)
    if chosen == "tensor":
        gap = np.nanmax(np.abs(values - np.swapaxes(values, -1, -2)))
        symmetric = bool(gap <= 1e-5 * max(np.nanmax(np.abs(values)), 1e-300))
        target = replace(target, is_symmetric=symmetric)
    if chosen in ("scalar", "vector", "tensor") and column.per == "structure":
        extensive = False if name.endswith("/atom") else is_extensive
        if extensive is None:
            extensive = _is_sum(structures, target, values)
        target = replace(target, is_extensive=extensive)
    return target


def target_values(structures: Structures, target: Target) -> np.ndarray:
    """The values of a target, float64, with NaN in the rows that have none.

    Returns:
        (row,) for scalars, and for classes, which are numbered; (row, 3), (row, 3, 3) or (row,
        label).

    Raises:
        TargetError: the rows do not have the shape of the kind, or a class is none of the target's.
    """
    column = structures.column(target.name)
    if column.per != target.per:
        raise TargetError(
            f"{target.name!r} has a value per {target.per} where it was learned; in "
            f"{structures.origin} it has one per {column.per}."
        )
    if target.kind == "class":
        return _class_numbers(structures, target, column)
    if column.data.dtype.kind not in "fiub":
        raise TargetError(
            f"{target.name!r} in {structures.origin} are texts, such as {str(column.data[0])!r}; a "
            f"{target.kind} is numbers. Texts are learned as classes: kind=class."
        )
    data = column.data.astype(np.float64)
    data[column.missing] = np.nan
    return _shaped(structures, target, data)


def _shaped(structures: Structures, target: Target, data: np.ndarray) -> np.ndarray:
    shape, name = _inner(data.shape[1:]), target.name
    data = data.reshape(len(data), *shape)
    if target.kind == "scalar" and shape in ((), (1,)):
        return data.reshape(len(data))
    if target.kind == "vector" and shape == (3,):
        return data
    if target.kind == "tensor" and shape in ((3, 3), (9,)):
        return data.reshape(len(data), 3, 3)
    if target.kind == "tensor" and shape == (6,):
        full = np.empty((len(data), 3, 3))
        for k, (i, j) in enumerate(_VOIGT):
            full[:, i, j] = full[:, j, i] = data[:, k]
        return full
    if target.kind == "labels" and len(shape) == 1:
        return data
    wanted = {"scalar": "()", "vector": "(3,)", "tensor": "(3, 3), (9,) or (6,)", "labels": "(n,)"}
    raise TargetError(
        f"A {target.kind} has rows of the shape {wanted[target.kind]}; those of {name!r} in "
        f"{structures.origin} have {tuple(shape)}."
    )


def _guess_kind(name: str, column: Column) -> Kind:
    if column.data.dtype.kind in "bUSO":
        return "class"
    kinds: dict[tuple[int, ...], Kind] = {
        (): "scalar",
        (1,): "scalar",
        (3,): "vector",
        (3, 3): "tensor",
        (9,): "tensor",
        (6,): "tensor",
    }
    if _inner(column.shape) not in kinds:
        raise TargetError(
            f"{name!r} has rows of the shape {column.shape}. A target is one number, three (a "
            "vector), nine or six (a tensor), or any number of labels of 0 and 1: kind=labels."
        )
    return kinds[_inner(column.shape)]


def _inner(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without ones that come first, which files of one molecule may have."""
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _classes(name: str, column: Column) -> tuple[str, ...]:
    names = sorted({_text(value) for value in np.unique(column.data[~column.missing])})
    if len(names) > _MOST_CLASSES:
        raise TargetError(
            f"{name!r} has {len(names)} different values, too many to be classes (at most "
            f"{_MOST_CLASSES}); is it a number? kind=scalar."
        )
    return tuple(names)


def _class_numbers(structures: Structures, target: Target, column: Column) -> np.ndarray:
    numbers = {name: float(k) for k, name in enumerate(target.classes)}
    values = np.full(len(column), np.nan)
    for row in np.flatnonzero(~column.missing):
        text = _text(column.data[row])
        if text not in numbers:
            where = _place(structures, column, int(row))
            raise TargetError(
                f"{where} is of the class {text!r} of {target.name!r}, which no training structure "
                f"is; there are {', '.join(target.classes)}."
            )
        values[row] = numbers[text]
    return values


def _text(value: object) -> str:
    """The name of a class: of numbers without a fraction that fraction is left out."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _check_spread(structures: Structures, target: Target, values: np.ndarray) -> None:
    valid = values[~np.isnan(values).reshape(len(values), -1).any(1)]
    if not np.isfinite(valid).all():
        row = int(np.flatnonzero(np.isinf(values).reshape(len(values), -1).any(1))[0])
        where = _place(structures, structures.column(target.name), row)
        raise TargetError(f"{where} has an infinite {target.name!r}.")
    if len(valid) and (valid == valid[0]).all():
        raise TargetError(
            f"{target.name!r} is {np.array2string(valid[0])} in all of the {len(valid):,} "
            f"{_rows(structures.column(target.name))}s of {structures.origin} that have it: there "
            "is nothing to learn. Give another target or other data."
        )


def _is_sum(structures: Structures, target: Target, values: np.ndarray) -> bool:
    """Whether numbers of each element explain the target better than shares of each element."""
    valid = np.flatnonzero(~np.isnan(values).reshape(len(values), -1).any(1))
    numbers = structures.numbers()
    elements = np.unique(structures.z)
    counts = np.array([(numbers[k][:, None] == elements).sum(0) for k in valid], dtype=np.float64)
    total = counts.sum(1, keepdims=True)
    if (counts == counts[0]).all():
        return target.unit in _ENERGY_UNITS or "energy" in target.name.lower()
    if target.kind == "vector":
        return True  # moments are sums, and a mean would only rescale them
    size = values[valid]
    if target.kind == "tensor":
        size = np.trace(size, axis1=1, axis2=2)
    return _residual(counts, size) < _residual(counts / total, size)


def _residual(features: np.ndarray, values: np.ndarray) -> float:
    """The root mean square of what least squares leave."""
    fit = np.linalg.lstsq(features, values, rcond=None)[0]
    return float(np.sqrt(np.mean((values - features @ fit) ** 2)))


def _rows(column: Column) -> str:
    return column.per


def _place(structures: Structures, column: Column, row: int) -> str:
    """The structure, and the atom where a row is an atom's, in words."""
    if column.per == "structure":
        return f"Structure {structures.name(row)}"
    index = int(np.searchsorted(structures.ends, row, side="right")) - 1
    return f"Atom {row - structures.ends[index]} of {structures.name(index)}"
