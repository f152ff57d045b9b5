"""Which reader reads a file: by its name, or a folder by a file in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from ..errors import ReadError
from ..structures import Structures
from .ase import is_known_to_ase, read_ase
from .database import read_database
from .deepmd import read_deepmd
from .extxyz import read_extxyz
from .files import plain_name
from .joining import joined
from .lmdb import read_lmdb
from .npz import read_npz
from .qm9 import FILES as QM9_FILES
from .qm9 import read_qm9
from .sdf_csv import read_sdf_csv
from .table import table_parts


@dataclass(frozen=True)
class Reader:
    """How files of one format are read.

    Args:
        name: of the format, such as `extxyz`.
        read: returns the structures of a file, part by part, in constant memory. It raises
            ReadError with the file and the frame. Parts without a source are given the name of the
            file, and are numbered from 0.
        names: patterns that the name of a file matches, without the suffix of a compression, in
            lower case: `*.xyz`, `poscar*`.
        holds: a file that a folder of this format holds, such as `type.raw`.
        compressed: whether files may be compressed (.gz, .bz2, .xz).
        is_whole: whether a file has all that is read, and nothing is in other files beside it.
    """

    name: str
    read: Callable[[Path], Iterator[Structures]]
    names: tuple[str, ...] = ()
    holds: str = ""
    compressed: bool = True
    is_whole: bool = True

    def matches(self, path: Path) -> bool:
        """Whether the name of a file, or the content of a folder, is of this format."""
        if path.is_dir():
            return bool(self.holds) and any(path.glob(self.holds))
        name = plain_name(path).lower()
        return any(fnmatch(name, pattern) for pattern in self.names)


def _read_file(path: Path) -> Structures:
    """All structures of a file that a table names."""
    return joined(list(reader_of(path).read(path)))


# The first one that matches reads a file.
READERS: tuple[Reader, ...] = (
    Reader("qm9", read_qm9, (QM9_FILES, "dsgdb9nsd*.tar"), holds=QM9_FILES),
    Reader("extxyz", read_extxyz, ("*.xyz", "*.extxyz")),
    Reader("sdf", read_sdf_csv, ("*.sdf", "*.sd", "*.mol", "*.sdf.csv"), is_whole=False),
    Reader("npz", read_npz, ("*.npz",), compressed=False),
    Reader("deepmd", read_deepmd, holds="**/type.raw"),
    Reader(
        "table",
        partial(table_parts, read_file=_read_file),
        ("*.csv", "*.tsv", "*.smi"),
        is_whole=False,
    ),
    Reader("db", read_database, ("*.db", "*.json"), compressed=False),
    Reader("aselmdb", read_lmdb, ("*.aselmdb",), compressed=False),
    Reader("ase", read_ase, ("*",)),
)


def reader_of(path: Path, format: str | None = None) -> Reader:
    """The reader of a file or folder.

    Args:
        path: of the file.
        format: the name of a reader, or of a format of ASE, instead of what the name of the file
            says.

    Raises:
        ReadError: there is no such file, it is empty, or no reader is for it.
    """
    _check_file(path)
    readers = {reader.name: reader for reader in READERS}
    formats = ", ".join(sorted(readers))
    if format is not None:
        if format in readers:
            reader = readers[format]
        elif is_known_to_ase(format):
            reader = Reader(format, partial(read_ase, format=format))
        else:
            raise ReadError(f"There is no format {format!r}; there are {formats}, and ASE's.")
    else:
        matching = [reader for reader in READERS if reader.matches(path)]
        if not matching:
            kind = "folder" if path.is_dir() else "file"
            raise ReadError(
                f"{path}: no format is known for this {kind}. Name it by format=, one of {formats}."
            )
        reader = matching[0]
    if not reader.compressed and plain_name(path) != path.name:
        raise ReadError(f"{path}: a file of the format {reader.name} is read uncompressed; unpack.")
    return reader


def _check_file(path: Path) -> None:
    if not path.exists():
        where = path.parent if str(path.parent) != "." else Path.cwd()
        raise ReadError(f"{path}: there is no such file. Check the path; its folder is {where}.")
    if path.is_file() and path.stat().st_size == 0:
        raise ReadError(f"{path}: the file is empty. It must hold one structure or more.")
