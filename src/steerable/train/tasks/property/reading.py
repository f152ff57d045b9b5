"""The training, validation and test structures of a run, from files or from Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steerable.data import Split
from steerable.data.structures import (
    Structures,
    concatenate,
    read,
    split_structures,
    to_structures,
)

from ...config import ConfigError
from .settings import PropertyData


@dataclass(frozen=True, eq=False)
class Parts:
    """The structures of each part.

    Args:
        train: to learn from.
        validation: to choose the best weights.
        test: to test the network on, once.
    """

    train: Structures
    validation: Structures
    test: Structures

    def items(self) -> list[tuple[str, Structures]]:
        """The parts with their names."""
        return [("training", self.train), ("validation", self.validation), ("test", self.test)]


def read_all(data: PropertyData, dataset: Any = None) -> Parts:
    """The structures of all parts.

    A part that is a share or a number is taken from the training structures, the test first, so
    that another number of validation structures keeps the test.

    Args:
        data: the settings.
        dataset: structures in place of `data.train`: `Structures`, a list of ASE's `Atoms` or of
            PyG's `Data`, or a data set of these.

    Raises:
        ConfigError: no file is named, or a share is none.
        ReadError: a file cannot be read.
        ValueError: the structures are too few.
    """
    if dataset is None and not data.train:
        raise ConfigError(
            "data.train names the file with the training structures, and is empty: --data.train "
            "FILE. `steerable data inspect FILE` says what a file has."
        )
    train = _read(data.train, data) if dataset is None else to_structures(dataset)
    shares = {name: _share(name, getattr(data, name)) for name in ("validation", "test")}
    drawn = _draw(train, data, shares)
    parts = {
        name: train.select(index) if share is not None else _read(getattr(data, name), data)
        for (name, share), index in zip(shares.items(), (drawn.validation, drawn.test), strict=True)
    }
    result = Parts(train.select(drawn.train), parts["validation"], parts["test"])
    for name, part in result.items():
        if not len(part):
            raise ConfigError(
                f"No structure is left for the {name}: {len(train)} structures were read. Give "
                "larger shares, or more structures."
            )
    return result


def _read(paths: str, data: PropertyData) -> Structures:
    """The structures of one file, or of several separated by commas."""
    options = {"conformers": data.conformers, "smiles": data.smiles or None, "seed": data.seed}
    # A name with a comma in it is one file.
    names = [paths] if Path(paths).exists() else [name.strip() for name in paths.split(",")]
    return concatenate([read(Path(name).expanduser(), **options) for name in names])


def _share(name: str, text: str) -> float | int | None:
    """A share or a number of structures; None where the text names a file."""
    try:
        value = float(text)
    except ValueError:
        return None
    if 0 <= value < 1:
        return value
    if value >= 1 and value.is_integer():
        return int(value)
    raise ConfigError(
        f"data.{name} is a file, a share below 1 or a number of structures; got {text}."
    )


def _draw(train: Structures, data: PropertyData, shares: dict[str, float | int | None]) -> Split:
    """Which of the structures read for training belong to which part."""
    wanted = {name: share or 0 for name, share in shares.items()}
    if not any(wanted.values()):
        empty = np.array([], dtype=np.int64)
        return Split(np.arange(len(train)), empty, empty)
    return split_structures(train, data.split, seed=data.seed, gap=data.gap, **wanted)
