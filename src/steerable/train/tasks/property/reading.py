"""The training, validation and test structures of a run, from files or from Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steerable.data import QM9, Split
from steerable.data.structures import (
    Amounts,
    Structures,
    concatenate,
    group_split,
    random_split,
    read,
    read_table,
    scaffold_split,
    size_split,
    time_split,
    to_structures,
)

from ...config import ConfigError
from ...data_record import PYTHON, DataSource
from .settings import PropertyData

QM9_NAME = Path("qm9")  # in place of a file
_TABLES = (".csv", ".tsv", ".smi")


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


def read_all(data: PropertyData, dataset: Any = None) -> tuple[Parts, DataSource]:
    """The structures of all parts, and where they come from.

    A part that is a share or a number is taken from the training structures, the test first, so
    that another number of validation structures keeps the test.

    Args:
        data: the settings.
        dataset: structures in place of `data.train`: `Structures`, a list of ASE's `Atoms` or of
            PyG's `Data`, or a data set of these; or the `Parts` themselves.

    Raises:
        ConfigError: no file is named, a share is none, or a part is left without structures.
        ReadError: a file cannot be read.
    """
    if isinstance(dataset, Parts):
        return dataset, PYTHON
    if dataset is None and not data.train:
        raise ConfigError(
            "data.train names the file with the training structures, and is empty: --data.train "
            "FILE. `steerable data inspect FILE` says what a file has."
        )
    paths = list(_paths(data.train)) if dataset is None else []
    train = _read(paths, data) if dataset is None else to_structures(dataset)
    shares = {name: _share(name, getattr(data, name)) for name in ("validation", "test")}
    drawn = _draw(train, data, shares)
    others = {}
    for name, index in (("validation", drawn.validation), ("test", drawn.test)):
        if shares[name] is None:
            more = list(_paths(getattr(data, name)))
            paths += more
            others[name] = _read(more, data)
        else:
            others[name] = train.select(index)
    chosen = drawn.train[: data.limit or None]
    parts = Parts(train.select(chosen), others["validation"], others["test"])
    for name, part in parts.items():
        if not len(part):
            raise ConfigError(
                f"No structure is left for the {name}: {len(train)} structures were read. Give "
                "larger shares, or more structures."
            )
    files = [file for path in paths if path != QM9_NAME for file in _files(path)]
    source = DataSource.of_files(", ".join(map(str, paths)), files) if dataset is None else PYTHON
    return parts, source


def _paths(text: str) -> Iterator[Path]:
    """The paths that a setting names, separated by commas."""
    # A name with a comma in it is one file.
    for name in [text] if Path(text).expanduser().exists() else text.split(","):
        yield Path(name.strip()).expanduser()


def _files(path: Path) -> list[Path]:
    """A file, or the files of a folder."""
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _read(paths: list[Path], data: PropertyData) -> Structures:
    """The structures of all files."""
    parts = []
    for path in paths:
        if path == QM9_NAME:
            parts.append(QM9().structures())
        elif path.suffix.lower() in _TABLES:
            parts.append(read_table(path, data.smiles or None, data.conformers, data.seed))
        else:
            parts.append(read(path))
    return concatenate(parts)


def _share(name: str, text: str) -> float | int | None:
    """A share or a number of structures; None where the text names a file."""
    try:
        value = float(text)
    except ValueError:
        return None
    if 0 <= value < 1:
        return value
    if value.is_integer():
        return int(value)
    raise ConfigError(
        f"data.{name} is a file, a share below 1 or a number of structures; got {text}."
    )


def _draw(train: Structures, data: PropertyData, shares: dict[str, float | int | None]) -> Split:
    """Which of the structures read for training belong to which part."""
    validation, test = shares["validation"] or 0, shares["test"] or 0
    if not validation and not test:
        empty = np.array([], dtype=np.int64)
        return Split(np.arange(len(train)), empty, empty)
    amounts = Amounts(validation=validation, test=test)
    if data.split == "random":
        return random_split(train, amounts, data.seed)
    if data.split == "size":
        return size_split(train, amounts)
    if data.split == "time":
        return time_split(train, amounts, data.gap)
    if data.split == "scaffold":
        return scaffold_split(train, amounts)
    by = "" if data.split == "group" else data.split
    return group_split(train, amounts, data.seed, by)
