"""Named splits of a data set, drawn from a seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Split", "split", "stratified"]

# Sizes of training, validation and test; None stands for all remaining items.
NAMED: dict[str, tuple[int, int, int | None]] = {
    "110k": (110_000, 10_000, None),
    "100k": (100_000, 17_748, 13_083),
}


@dataclass(frozen=True, eq=False)
class Split:
    """Indices (int64) of the three disjoint parts of a data set, in the order they were drawn."""

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
    """Split the indices 0..size-1 at random into training, validation and test.

    A random permutation is cut in the order test, validation, training. Changing only `train`, as
    for learning curves, therefore keeps test and validation, and a smaller training part is the
    beginning of a larger one.

    Args:
        name: "110k" (110,000 / 10,000 / rest), "100k" (100,000 / 17,748 / 13,083), or "n" with
            the three sizes `train`, `validation` and `test`.
        size: the number of items in the data set.
        train: the number of items to train on, at least 1; only for "n", like the next two.
        validation: the number of items to validate on, at least 0.
        test: the number of items to test on, at least 0.
        seed: the seed of the permutation.

    Raises:
        ValueError: the name is unknown, sizes are missing or do not belong to the name, or they
            exceed the number of items.
    """
    sizes = _sizes(name, size, (train, validation, test))
    if sum(sizes) > size:
        raise ValueError(
            f"the split {name!r} takes {sizes[0]} + {sizes[1]} + {sizes[2]} = {sum(sizes)} items "
            f"and the data set has {size}: use the split 'n' with smaller sizes."
        )
    # The stream of RandomState, unlike that of default_rng, is the same in every version of NumPy,
    # and so is the split.
    order = np.random.RandomState(seed).permutation(size).astype(np.int64)
    first, second = sizes[2], sizes[2] + sizes[1]
    return Split(
        train=order[second : second + sizes[0]], validation=order[first:second], test=order[:first]
    )


def stratified(label: ArrayLike, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Split items into two parts so that the second has the same share of every class.

    Every class contributes at least one item to it.

    Args:
        label: the class of each item (item,).
        share: the share of the second part.
        seed: the seed of the random numbers.

    Returns:
        The indices of both parts, int64, ascending.

    Raises:
        ValueError: the share is not between 0 and 1, or a class is too small for both parts.
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
    name: str, size: int, sizes: tuple[int | None, int | None, int | None]
) -> tuple[int, int, int]:
    if name == "n":
        train, validation, test = sizes
        if (
            train is None
            or validation is None
            or test is None
            or train < 1
            or min(validation, test) < 0
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
    if sizes != (None, None, None):
        raise ValueError(
            f"the split {name!r} has fixed sizes: leave train, validation and test out, or use 'n'."
        )
    fixed_train, fixed_validation, fixed_test = NAMED[name]
    rest = size - fixed_train - fixed_validation
    return fixed_train, fixed_validation, max(rest, 1) if fixed_test is None else fixed_test
