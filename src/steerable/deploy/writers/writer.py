"""What all writers of predictions share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from steerable.data.structures import Target

from ..predict import Predictions, formula

_AXES = "xyz"


@dataclass(frozen=True)
class Heading:
    """What a file says of all of its predictions.

    Args:
        runs: the folders of the networks.
        targets: what they learned.
        items: what was predicted for, `structures` or `molecules`.
        is_plain: whether one target is called `target`, with its `prediction`, as runs on QM9 have
            it, and not by name.
    """

    runs: Sequence[str]
    targets: Sequence[Target]
    items: str = "structures"
    is_plain: bool = False


class Writer:
    """Writes predictions to a file.

    Args:
        file: opened for bytes.
        heading: what the file says of all of its predictions.
    """

    def __init__(self, file: IO[bytes], heading: Heading) -> None:
        self.file, self.heading = file, heading
        self.left_out: set[str] = set()

    def write(self, part: Predictions) -> None:
        """Write the next predictions."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what is left to write; the file stays open."""

    def put(self, text: str) -> None:
        """Write a text."""
        self.file.write(text.encode())


def formulas(part: Predictions) -> list[str]:
    """The formula of each structure."""
    return [formula(numbers) for numbers in part.structures.numbers()]


def texts(part: Predictions, name: str) -> list[str]:
    """A quantity of the input as a text for each structure; empty where it is missing."""
    column = part.structures.columns.get(name)
    if column is None or column.per != "structure" or column.shape != ():
        return [""] * len(part.structures)
    return [
        "" if missing else str(value)
        for value, missing in zip(column.data.tolist(), column.missing.tolist(), strict=True)
    ]


def component_names(part: Predictions, name: str) -> list[str]:
    """The names of the numbers of one value: `dipole_x`, `kind_probability_metal`, ..."""
    shape = part.columns[name].shape
    target = next((one for one in part.targets if one.name == name.removesuffix("_std")), None)
    classes: Sequence[str] = ()
    for one in part.targets:
        if name.startswith(one.name) and len(one.classes) == int(np.prod(shape)):
            classes = one.classes
    if shape == ():
        return [name]
    if classes:
        return [f"{name}_{label}" for label in classes]
    if shape == (3,) and (target is None or target.kind == "vector"):
        return [f"{name}_{axis}" for axis in _AXES]
    if shape == (3, 3):
        return [f"{name}_{row}{column}" for row in _AXES for column in _AXES]
    return [f"{name}_{number}" for number in range(int(np.prod(shape)))]


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def labels(part: Predictions) -> Mapping[str, str]:
    """The names of all columns with the unit in brackets, where there is one."""
    units = {name: column.unit for name, column in part.columns.items()}
    return {name: f"{name} [{unit}]" if unit else name for name, unit in units.items()}
