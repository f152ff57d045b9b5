"""Where structures come from: files, folders of files, and SMILES."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from steerable.data.structures import Structures

from .inputs import FramesError


@dataclass(frozen=True)
class Source:
    """Structures that are read when they are asked for.

    Args:
        name: of the file, or the SMILES.
        parts: reads them, a part at a time.
    """

    name: str
    parts: Callable[[], Iterator[Structures]]


def find_sources(
    names: Sequence[str], smiles: bool = False, skip_bad: bool = False
) -> list[Source]:
    """The structures that names stand for.

    Args:
        names: files that a reader reads, folders of such files, or SMILES.
        smiles: whether all are SMILES. Otherwise a name is SMILES if there is no such file and
            RDKit, which has to be there, reads it.
        skip_bad: leave out SMILES that give no molecule, with a warning.

    Raises:
        FramesError: there is no such file, or a folder has no file that a reader reads.
    """
    sources: list[Source] = []
    for name in names:
        path = Path(name)
        if smiles or (not path.exists() and _is_smiles(name)):
            sources.append(Source(name, partial(_embedded, name, skip_bad)))
        elif not path.exists():
            raise FramesError(f"There is no file {name}.")
        else:
            sources += [Source(str(file), partial(_read, file)) for file in _files(path)]
    return sources


def _files(path: Path) -> list[Path]:
    """A file, or a folder that is read as one, or else the files of a folder that can be read."""
    if path.is_file() or _has_reader(path):
        return [path]
    files = [file for file in sorted(path.iterdir()) if file.is_file()]
    readable = [file for file in files if _has_reader(file) or _is_known_to_ase(file)]
    if not readable:
        raise FramesError(f"The folder {path} has no file of structures that can be read.")
    return readable


def _has_reader(path: Path) -> bool:
    """Whether a reader is for this format in particular."""
    from steerable.data.structures.readers import READERS

    return any(reader.matches(path) for reader in READERS if reader.names != ("*",))


def _is_known_to_ase(path: Path) -> bool:
    """Whether ASE reads files of this name."""
    from ase.io.formats import UnknownFileTypeError, filetype, ioformats

    try:
        kind = filetype(str(path), read=False, guess=False)
    except UnknownFileTypeError:
        return False
    return kind in ioformats and bool(ioformats[kind].can_read)


def _read(path: Path) -> Iterator[Structures]:
    from steerable.data.structures import read_parts

    return read_parts(path)


def _is_smiles(text: str) -> bool:
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        return False
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text) is not None


def _embedded(smiles: str, skip_bad: bool) -> Iterator[Structures]:
    """The molecule of SMILES in space; none, and a warning, if it cannot be embedded."""
    from steerable.data.structures import Failure, FailureWarning, from_smiles

    failures: list[Failure] = []
    molecules = from_smiles([smiles], failures=failures)
    if failures and not skip_bad:
        raise FramesError(f"{smiles} gives no molecule: {failures[0].reason}")
    if failures:
        warnings.warn(FailureWarning(smiles, 1, failures), stacklevel=2)
    else:
        yield molecules
