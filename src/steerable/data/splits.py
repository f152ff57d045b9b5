"""Named splits of a data set, drawn from a seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Split", "split", "stratified"]

# Sizes of training, validation and test; None is the rest.
NAMED: dict[str, tuple[int, int, int | None]] = {
    "110k": (110_000, 10_000, None),
    "100k": (100_000, 17_748, 13_083),
}


@dataclass(frozen=True, eq=False)
class Split:
    """Indices of the three parts of a data set, int64, without overlap, in the order drawn."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(
    name: str,
    size: int,
    train: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    seed: int = 0,
) -> Split:
    """Draw the indices 0..size-1 into training, validation and test without overlap.

    A permutation is cut in the order test, validation, training. So learning curves may change
    `train` alone: test and validation stay as they are, and a smaller training part is the
    beginning of a larger one.

    Args:
        name: "110k" (110,000 / 10,000 / rest), "100k" (100,000 / 17,748 / 13,083), or "n" with the
            three sizes given.
        size: items in the data set.
        train: items to train on, at least 1; for "n" only, like the next two.
        validation: items to validate on, at least 0.
        test: items to test on, at least 0.
        seed: of the permutation.

    Raises:
        ValueError: an unknown name, sizes that are missing or not wanted, or more of them than
            items.
    """
    sizes = _sizes(name, size, (train, validation, test))
    if sum(sizes) > size:
        raise ValueError(
            f"the split {name!r} takes {sizes[0]} + {sizes[1]} + {sizes[2]} = {sum(sizes)} items "
            f"and the data set has {size}: use the split 'n' with smaller sizes."
        )
    # RandomState, unlike default_rng, keeps its stream for good: a split is the same under every
    # version of numpy.
    order = np.random.RandomState(seed).permutation(size).astype(np.int64)
    first, second = sizes[2], sizes[2] + sizes[1]
    return Split(
        train=order[second : second + sizes[0]], validation=order[first:second], test=order[:first]
    )


def stratified(label: ArrayLike, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Part items into two so that every class gives the second the same share.

    It gives at least one item.

    Args:
        label: class of each item (item,).
        share: of the second part.
        seed: of the draw.

    Returns:
        Indices of both parts, int64, ascending.

    Raises:
        ValueError: a share that is not between 0 and 1, or a class too small to be in both parts.
    """
    if not 0 < share < 1:
        raise ValueError(f"the share of the second part is between 0 and 1; got {share}.")
    label, random = np.asarray(label), np.random.RandomState(seed)
    second = np.zeros(len(label), dtype=bool)
    for kind in np.unique(label):
        items = random.permutation(np.flatnonzero(label == kind))
        count = max(1, round(share * len(items)))
        if count == len(items):
            raise ValueError(
                f"class {kind} has {len(items)} items, too few to give {count} of them away and "
                "keep one: add items or lower the share."
            )
        second[items[:count]] = True
    return np.flatnonzero(~second), np.flatnonzero(second)


def _sizes(
    name: str, size: int, asked: tuple[int | None, int | None, int | None]
) -> tuple[int, int, int]:
    if name == "n":
        train, validation, test = asked
        if (
            train is None
            or validation is None
            or test is None
            or train < 1
            or validation < 0
            or test < 0
        ):
            raise ValueError(
                "the split 'n' needs train >= 1, validation >= 0 and test >= 0, and got "
                f"train={train}, validation={validation}, test={test}."
            )
        return train, validation, test
    if name not in NAMED:
        raise ValueError(
            f"there is no split {name!r}: choose one of {', '.join(map(repr, (*NAMED, 'n')))}."
        )
    if asked != (None, None, None):
        raise ValueError(
            f"the split {name!r} has fixed sizes: leave train, validation and test out, or use 'n'."
        )
    fixed_train, fixed_validation, fixed_test = NAMED[name]
    rest = size - fixed_train - fixed_validation
    return fixed_train, fixed_validation, max(rest, 1) if fixed_test is None else fixed_test
