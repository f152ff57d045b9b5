"""The targets of a run: what the settings say of each, and what its head is measured from."""

from __future__ import annotations

from typing import Any

import numpy as np

from steerable.data import fit_references
from steerable.data.structures import KINDS, Structures, Target, find_target, target_values
from steerable.models import HeadSettings

from ...config import ConfigError
from .settings import PropertyData

_CHOICES = {"auto": None, "yes": True, "no": False}


def chosen_targets(data: PropertyData, structures: Structures) -> list[tuple[Target, float]]:
    """The targets of the settings with their weights in the loss.

    Raises:
        ConfigError: no target is named, or a list has another length than that of the targets.
        MissingColumnError: the structures do not have it.
        TargetError: it cannot be learned.
    """
    names = target_names(data.target, structures)
    units = _listed("unit", data.unit, len(names), "")
    kinds = _listed("kind", data.kind, len(names), "auto")
    growth = _listed("extensive", data.extensive, len(names), "auto")
    weights = _listed("weight", data.weight, len(names), "1")
    result = []
    for name, unit, kind, extensive, weight in zip(
        names, units, kinds, growth, weights, strict=True
    ):
        _check_one_of("kind", kind, ("auto", *KINDS))
        _check_one_of("extensive", extensive, tuple(_CHOICES))
        target = find_target(
            structures,
            name,
            kind=None if kind == "auto" else kind,
            unit=unit or None,
            is_extensive=_CHOICES[extensive],
        )
        result.append((target, _weight(weight)))
    return result


def target_names(text: str, structures: Structures) -> list[str]:
    """The names of the targets that a setting lists.

    Raises:
        ConfigError: it names none, or one twice.
    """
    names = [text] if text in structures.columns else [name.strip() for name in text.split(",")]
    names = [name for name in names if name]
    if not names:
        numbers = sorted(
            name for name, column in structures.columns.items() if column.data.dtype.kind in "fiub"
        )
        raise ConfigError(
            "data.target names what is learned, and is empty: --data.target NAME. "
            f"{structures.origin} has {', '.join(numbers) or 'no numbers'}."
        )
    if len(set(names)) < len(names):
        raise ConfigError(f"data.target names a quantity twice: {text}.")
    return names


def _listed(name: str, text: str, count: int, default: str) -> list[str]:
    """A setting of each target; a single one is that of all."""
    values = [value.strip() for value in str(text).split(",")]
    if len(values) == 1:
        return values * count
    if len(values) != count:
        raise ConfigError(
            f"data.{name} is one for all targets or one for each of the {count}, separated by "
            f"commas; got {text!r}."
        )
    return [value or default for value in values]


def _check_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"data.{name} is one of {', '.join(choices)}; got {value!r}.")


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise ConfigError(f"data.weight is a finite number of 0 or more; got {text!r}.")
    return value


def head_of(target: Target, train: Structures) -> HeadSettings:
    """The settings of a target's head: its type, and what its values are measured from.

    Args:
        target: the target.
        train: the training structures; nothing is measured from others.
    """
    head: dict[str, Any] = {
        "name": target.name,
        "kind": target.kind,
        "per": target.per,
        "pool": "sum" if target.is_extensive else "mean",
    }
    values = target_values(train, target)
    valid = ~np.isnan(values).reshape(len(values), -1).any(1)
    if target.kind in ("class", "labels"):
        return HeadSettings(**head, classes=len(target.classes))
    if target.kind == "vector":
        is_dipole = target.is_extensive and _is_dipole(target, train)
        return HeadSettings(**head, charges=is_dipole, scale=_scale(values[valid]))
    if target.kind == "tensor":
        size = np.trace(values, axis1=1, axis2=2) / 3
        base, statistics = _explained(target, train, size, valid)
        scale = _scale((values - base[:, None, None] * np.eye(3))[valid])
        return HeadSettings(**head, **statistics, symmetric=target.is_symmetric, scale=scale)
    base, statistics = _explained(target, train, values, valid)
    return HeadSettings(**head, **statistics, scale=_scale((values - base)[valid]))


def _is_dipole(target: Target, train: Structures) -> bool:
    """Whether a vector is the moment of charges: its unit says so, or its name."""
    words = target.unit in ("D", "Debye", "e Angstrom") or "dipole" in target.name.lower()
    return words and target.per == "structure" and not bool(train.is_periodic.any())


def _explained(
    target: Target, train: Structures, values: np.ndarray, valid: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """What the elements or the mean explain of numbers (row,), and the settings that say so."""
    elements = np.unique(train.z)
    if target.per == "atom":
        counts = (train.z[:, None] == elements).astype(np.float64)
    else:
        counts = element_counts(train, elements)
    is_mean = target.name.endswith("/atom")  # of what sums of the elements explain
    if is_mean:
        counts = counts / counts.sum(1, keepdims=True)
    if target.is_extensive or target.per == "atom" or is_mean:
        references = fit_references(counts[valid], values[valid])
        return counts @ references, {"reference": tuple(references.tolist())}
    mean = float(values[valid].mean())
    return np.full(len(values), mean), {"shift": mean}


def _scale(rest: np.ndarray) -> float:
    """The root mean square of what is left to learn."""
    spread = float(np.sqrt(np.mean(rest**2)))
    # What the elements explain up to rounding leaves nothing to scale by.
    return spread if spread > 1e-12 else 1.0


def element_counts(structures: Structures, elements: np.ndarray) -> np.ndarray:
    """How many atoms of each element each structure has (structure, element), float64."""
    owner = np.repeat(np.arange(len(structures)), structures.sizes)
    places = np.searchsorted(elements, structures.z).clip(max=len(elements) - 1)
    is_there = elements[places] == structures.z
    counts = np.zeros((len(structures), len(elements)))
    np.add.at(counts, (owner[is_there], places[is_there]), 1)
    return counts
