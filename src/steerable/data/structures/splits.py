"""Splits of structures: at random, by size, by groups, by scaffolds, by a text, and in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..splits import Split
from .amounts import Amounts
from .conformers import scaffolds
from .structures import Structures


def random_split(structures: Structures, amounts: Amounts | None = None, seed: int = 0) -> Split:
    """Draw the parts at random. Only other amounts to train on leave test and validation the same.

    Args:
        structures: the structures.
        amounts: of each part; by default a tenth to validate and a tenth to test on.
        seed: of the random numbers.

    Raises:
        ValueError: there are too few structures.
    """
    order = _shuffled(len(structures), seed)
    train, validation, test = (amounts or Amounts()).counts(len(structures))
    return Split(
        order[test + validation : test + validation + train],
        order[test : test + validation],
        order[:test],
    )


def size_split(structures: Structures, amounts: Amounts | None = None) -> Split:
    """Train on the structures with the fewest atoms, and test on those with the most.

    Args:
        structures: the structures. Those of one size are taken in their order.
        amounts: of each part. What is in none lies between training and validation.

    Raises:
        ValueError: there are too few structures.
    """
    order = np.argsort(structures.sizes, kind="stable")
    train, validation, test = (amounts or Amounts()).counts(len(structures))
    last = len(order) - test
    return Split(order[:train], order[last - validation : last], order[last:])


def time_split(structures: Structures, amounts: Amounts | None = None, gap: int = 0) -> Split:
    """Train on the beginning of each trajectory, validate on what follows, and test on its end.

    Args:
        structures: frames in the order of time. Each source is a trajectory of its own, cut in the
            same proportions.
        amounts: of each part, in all trajectories together.
        gap: frames between two parts that are in none, so that parts are not alike.

    Raises:
        ValueError: there are too few frames.
    """
    trajectories = _members(structures.source)
    amounts = amounts or Amounts()
    gaps = gap * sum(amount not in (0, 0.0) for amount in (amounts.validation, amounts.test))
    usable = [len(frames) - gaps for frames in trajectories]
    if min(usable) < 1:
        raise ValueError(
            f"A trajectory of {min(map(len, trajectories))} frames has no room for gaps of {gap} "
            "frames between its parts: lower the gap."
        )
    counts = amounts.counts(sum(usable))
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for frames, length in zip(trajectories, usable, strict=True):
        first = 0
        # The ends of the parts are rounded, and not their lengths, so that all frames are used.
        ends = np.round(np.cumsum(counts) * length / sum(usable)).astype(int)
        for part, count in zip(parts, np.diff(ends, prepend=0).tolist(), strict=True):
            part.append(frames[first : first + count])
            first += count + gap if count else 0
    train, validation, test = [np.concatenate(part) for part in parts]
    lengths = (len(train), len(validation), len(test))
    if any(count and not length for count, length in zip(counts, lengths, strict=True)):
        raise ValueError(
            f"The {len(trajectories)} trajectories, of {min(usable)} to {max(usable)} frames, are "
            "too short to be cut: put the frames into one file, or choose another split."
        )
    return Split(train, validation, test)


def group_split(
    structures: Structures, amounts: Amounts | None = None, seed: int = 0, by: str = ""
) -> Split:
    """Draw whole groups at random, such as all conformers of a molecule.

    The amounts are met as nearly as whole groups can.

    Args:
        structures: the structures.
        amounts: of structures in each part, not of groups.
        seed: of the random numbers.
        by: the column that groups have in common, such as `config_type`. By default it is `group`,
            or else `smiles`, or else structures with the same elements in the same order.

    Raises:
        ValueError: there are too few structures, or too few groups for the parts.
    """
    groups = _members(group_labels(structures, by))
    order = _shuffled(len(groups), seed)
    return _packed([groups[index] for index in order], amounts, len(structures))


def scaffold_split(structures: Structures, amounts: Amounts | None = None) -> Split:
    """Train on the commonest scaffolds of Bemis and Murcko, and test on rare ones.

    Args:
        structures: with the column `smiles`.
        amounts: of structures in each part. They are met as nearly as whole scaffolds can.

    Raises:
        ImportError: RDKit is not installed.
        ValueError: there are no SMILES, or too few structures or scaffolds.

    Source: Bemis & Murcko, J. Med. Chem. 39 (1996) 2887.
    """
    texts = structures.column("smiles").data.tolist()
    unique = list(dict.fromkeys(texts))
    by_text = dict(zip(unique, scaffolds(unique), strict=True))
    groups = _members(np.array([by_text[text] for text in texts]))
    groups.sort(key=lambda group: (len(group), -group[0]))
    return _packed(groups, amounts, len(structures))


def column_split(
    structures: Structures,
    by: str,
    test: Sequence[str],
    validation: Sequence[str] | int | float = 0.1,
    train: Sequence[str] | None = None,
    seed: int = 0,
) -> Split:
    """Choose the parts by a column of texts, such as `config_type`.

    Args:
        structures: the structures.
        by: the column.
        test: the texts of the structures to test on.
        validation: the texts of those to validate on; or a number or fraction of those to train on,
            drawn at random.
        train: the texts of those to train on; by default all others.
        seed: of the random numbers.

    Raises:
        ValueError: there is no such column or text, or two parts have one text.
    """
    values = structures.column(by).data.astype(str)
    names = [] if isinstance(validation, int | float) else list(validation)
    others = [text for text in np.unique(values).tolist() if text not in {*test, *names}]
    chosen = others if train is None else list(train)
    texts = [*test, *names, *chosen]
    for text in texts:
        if text not in values:
            raise ValueError(
                f"No structure has {by}={text!r}; there are "
                f"{', '.join(map(repr, np.unique(values).tolist()))}."
            )
        if texts.count(text) > 1:
            raise ValueError(f"{by}={text!r} is in two parts; choose one.")
    rows = [np.flatnonzero(np.isin(values, part)) for part in (chosen, names, list(test))]
    if not len(rows[0]):
        raise ValueError(f"No structure is left to train on: {by} has only {', '.join(texts)}.")
    if isinstance(validation, int | float):
        part = random_split(structures.select(rows[0]), Amounts("rest", validation, 0), seed)
        return Split(rows[0][part.train], rows[0][part.validation], rows[2])
    return Split(rows[0], rows[1], rows[2])


def group_labels(structures: Structures, by: str = "") -> np.ndarray:
    """The number of the group of each structure (structure,).

    Args:
        structures: the structures.
        by: the column that groups have in common; structures without a value are alone. By default
            it is `group`, or else `smiles`, or else the elements in their order.

    Raises:
        MissingColumnError: there is no such column.
    """
    by = by or next((name for name in ("group", "smiles") if name in structures.columns), "")
    if not by:
        return _codes([row.astype(np.int64).tobytes() for row in structures.numbers()])
    column = structures.column(by)
    rows = zip(column.data.tolist(), column.missing.tolist(), strict=True)
    return _codes([(row,) if none else value for row, (value, none) in enumerate(rows)])


def _codes(values: Sequence[object]) -> np.ndarray:
    """Numbers that are the same for the same values, from 0 in the order of the values."""
    codes: dict[object, int] = {}
    return np.array([codes.setdefault(value, len(codes)) for value in values], dtype=np.int64)


def _members(labels: np.ndarray) -> list[np.ndarray]:
    """The indices of the structures with each label, in the order of the labels' first ones."""
    codes = _codes(labels.tolist())
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.bincount(codes).cumsum()[:-1])


def _shuffled(size: int, seed: int) -> np.ndarray:
    # The stream of RandomState is the same in every version of NumPy, and so is the split.
    return np.random.RandomState(seed).permutation(size).astype(np.int64)


def _packed(groups: Sequence[np.ndarray], amounts: Amounts | None, size: int) -> Split:
    """Put each group into test, or else validation, or else training, until each has its amount.

    A part exceeds its amount by half a group at most. If all structures are to be used, training
    takes what has no place.
    """
    room = (amounts or Amounts()).counts(size)
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    filled = [0, 0, 0]
    for group in groups:
        fitting = [part for part in (2, 1, 0) if filled[part] + len(group) / 2 <= room[part]]
        if fitting or sum(room) == size:
            part = fitting[0] if fitting else 0
            parts[part].append(group)
            filled[part] += len(group)
    for name, count, wanted in zip(("training", "validation", "test"), filled, room, strict=True):
        if wanted and not count:
            raise ValueError(
                f"No group is small enough for {wanted} structures of {name}: there are "
                f"{len(groups)} groups of {min(map(len, groups))} to {max(map(len, groups))} "
                "structures. Change the amounts, or the groups."
            )
    none = np.zeros(0, dtype=np.int64)
    train, validation, test = [np.sort(np.concatenate([none, *part])) for part in parts]
    return Split(train, validation, test)
