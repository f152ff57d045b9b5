"""What a run was trained, validated and tested on: where it comes from, and a checksum of it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from steerable.data.structures import Structures
from steerable.deploy import DATA, SPLIT, write

FORMAT = 1
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class DataSource:
    """Where data come from.

    Args:
        name: in words, such as `QM9 of the package qm9pack 1.0.3`.
        files: the SHA-256 of each file by its path.
        computed: whether the library computes the data itself. Another machine may round them
            differently, so they are the same wherever the name is.
    """

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    computed: bool = False

    @classmethod
    def of_files(cls, name: str, paths: Iterable[Path]) -> DataSource:
        """The source of data that are read from some files."""
        return cls(name, {str(path): _sha256(path) for path in paths})


PYTHON = DataSource("data given in Python")


@dataclass(frozen=True, eq=False)
class Part:
    """The items of training, validation or test, as they were read.

    Args:
        index: the number of each item in the data set (item,).
        content: all numbers of the items, inputs and labels, before anything is computed from
            them: the checksum is that of these tensors and arrays.
        names: of the items, where they have names.
        structures: the atoms of the items, where they have atoms.
    """

    index: np.ndarray
    content: tuple[Tensor | np.ndarray, ...]
    names: tuple[str, ...] = ()
    structures: Structures | None = None

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class PartRecord:
    """The number of items in a part, and the checksum of their content."""

    count: int
    sha256: str

    @classmethod
    def of(cls, part: Part) -> PartRecord:
        """The record of a part."""
        return cls(len(part), checksum(part.content))


@dataclass(frozen=True)
class DataRecord:
    """The data of a run.

    Args:
        source: where they come from.
        parts: by name, in the order `train`, `validation`, `test`.
    """

    source: DataSource
    parts: Mapping[str, PartRecord]

    def __str__(self) -> str:
        return self.source.name

    @property
    def count(self) -> int:
        """The number of items in all parts."""
        return sum(part.count for part in self.parts.values())

    @property
    def sha256(self) -> str:
        """A checksum of all parts."""
        text = " ".join(part.sha256 for part in self.parts.values())
        return hashlib.sha256(text.encode()).hexdigest()

    def fits(self, name: str, part: PartRecord, source: DataSource) -> bool:
        """Whether the data of a source are those of a part."""
        if self.source.computed and source.computed and self.source.name == source.name:
            return self.parts[name].count == part.count
        return self.parts[name] == part


def checksum(content: Iterable[Tensor | np.ndarray]) -> str:
    """The SHA-256 of tensors and arrays: of their types, their shapes and all their values."""
    digest = hashlib.sha256()
    for values in content:
        array = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
        if array.dtype.kind == "U":  # as wide as its longest text, whichever rows are taken
            array = np.frombuffer("\0".join(array.ravel().tolist()).encode(), dtype=np.uint8)
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{array.dtype.kind}{array.dtype.itemsize} {array.shape};".encode())
        digest.update(np.ascontiguousarray(little).data)
    return digest.hexdigest()


def write_record(run: Path, source: DataSource, parts: Mapping[str, Part]) -> None:
    """Write `data.json`, the record, and `split.csv`, the identifiers of all items."""
    records = {name: PartRecord.of(part) for name, part in parts.items()}
    text = json.dumps({"format": FORMAT, **asdict(DataRecord(source, records))}, indent=2)
    write(run / DATA, f"{text}\n".encode())
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["part", "index", "name"])
    for name, part in parts.items():
        names = part.names or ("",) * len(part)
        writer.writerows(zip([name] * len(part), part.index.tolist(), names, strict=True))
    write(run / SPLIT, table.getvalue().encode())


def read_record(run: Path) -> DataRecord | None:
    """The record of a run; None for runs of earlier versions, which have none.

    Raises:
        ValueError: the file is damaged.
    """
    path = run / DATA
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        parts = {name: PartRecord(**content["parts"][name]) for name in PARTS}
        return DataRecord(DataSource(**content["source"]), parts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} cannot be read ({error!r}): bring it back as training wrote it, or train anew."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
