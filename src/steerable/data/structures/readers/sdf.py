"""SDF and .mol: molecules as connection tables of MDL, with data items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

import numpy as np

from ..assemble import PART, assemble
from ..columns import Column
from ..errors import ReadError
from ..structures import Structures
from .cells import NOTHING, Kind, column, common_kind, kind_of
from .files import open_bytes
from .molblock import MolBlock, read_molblock

_END = "$$$$"
_ITEM = re.compile(r"^>.*?<(.*?)>")
# RDKit's names of data items that have a number for each atom.
_PER_ATOM = re.compile(r"^atom\.[id]prop\.(.+)$")


@dataclass
class _Record:
    """The lines of one molecule; `first` is the number of the first one in the file."""

    frame: int
    first: int
    lines: list[str]
    is_closed: bool

    @property
    def words(self) -> str:
        title = self.lines[0].strip() if self.lines else ""
        return f"record {self.frame}{f' ({title})' if title else ''} at line {self.first}"


@dataclass
class _Molecule:
    block: MolBlock
    items: dict[str, str]
    record: _Record


@dataclass
class _Survey:
    """What is in the data items of a whole file, before its molecules are read."""

    kinds: dict[str, Kind]
    has_radicals: bool = False


def read_sdf(path: Path) -> Iterator[Structures]:
    """Read every molecule of an SDF, or the one of a .mol file (V2000 and V3000).

    The quantities are `name`, the title; `charge`, the sum of formal charges; `spin`, if there are
    radicals in the file; and every data item, as numbers if all its values are numbers.

    Args:
        path: of the file.

    Raises:
        ReadError: a record is broken, or has no positions in space.
    """
    survey = _survey(path)
    part: list[_Molecule] = []
    for record in _records(path):
        part.append(_molecule(path, record))
        if len(part) == PART:
            yield _structures(path, part, survey)
            part = []
    if part:
        yield _structures(path, part, survey)


def _records(path: Path) -> Iterator[_Record]:
    """The molecules of a file as lines."""
    frame, first = 0, 1
    lines: list[str] = []
    # Names may be in another encoding, and they matter less than the molecules.
    with TextIOWrapper(open_bytes(path), encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            line = line.rstrip("\r\n")
            if line.startswith(_END):
                yield _Record(frame, first, lines, is_closed=True)
                frame, first, lines = frame + 1, number + 1, []
            else:
                lines.append(line)
    if any(line.strip() for line in lines):
        yield _Record(frame, first, lines, is_closed=False)


def _survey(path: Path) -> _Survey:
    survey = _Survey({})
    for record in _records(path):
        for name, text in _items(record.lines).items():
            kind = survey.kinds.get(name, NOTHING)
            survey.kinds[name] = common_kind(kind, kind_of(text))
        text = "\n".join(record.lines)
        survey.has_radicals |= "\nM  RAD" in text or " RAD=" in text
    return survey


def _molecule(path: Path, record: _Record) -> _Molecule:
    try:
        block = read_molblock(record.lines)
    except ValueError as error:
        raise ReadError(f"{path}: {record.words} cannot be read: {error}") from None
    items = _items(record.lines)
    if items and not record.is_closed:
        raise ReadError(f"{path} ends in {record.words}, without the line {_END}.")
    return _Molecule(block, items, record)


def _items(lines: Sequence[str]) -> dict[str, str]:
    """The data items by name. A value is all lines up to an empty one."""
    items: dict[str, list[str]] = {}
    name = ""
    start = lines.index("M  END") if "M  END" in lines else 0
    for line in lines[start:]:
        if not name and line.startswith(">") and (match := _ITEM.match(line)):
            name = match[1]
            items[name] = []
        elif name and line.strip():
            items[name].append(line.strip())
        else:
            name = ""
    return {name: "\n".join(value) for name, value in items.items()}


def _structures(path: Path, part: Sequence[_Molecule], survey: _Survey) -> Structures:
    blocks = [one.block for one in part]
    columns = {
        "name": column([block.title for block in blocks], ("text", 1)),
        "charge": Column(np.array([block.charge for block in blocks]), unit="e"),
    }
    if survey.has_radicals:
        columns["spin"] = Column(np.array([block.spin for block in blocks]))
    for name, kind in survey.kinds.items():
        if match := _PER_ATOM.match(name):
            columns[match[1]] = _atom_column(path, part, name)
        else:
            columns[name] = column([one.items.get(name, "") for one in part], kind)
    numbers, positions = [block.z for block in blocks], [block.pos for block in blocks]
    frames = [one.record.frame for one in part]
    return assemble(numbers, positions, columns, path.name, frames)


def _atom_column(path: Path, part: Sequence[_Molecule], name: str) -> Column:
    """A quantity of the atoms from a data item with a number for each atom."""
    words: list[str] = []
    for one in part:
        atoms = len(one.block.z)
        values = one.items.get(name, "").split()
        if values and len(values) != atoms:
            raise ReadError(
                f"{path}: {one.record.words} has {len(values)} values of {name!r} for "
                f"{atoms} atoms."
            )
        words.extend(values or [""] * atoms)
    kind = "integer" if name.startswith("atom.i") else "number"
    return column(words, (kind, 1), per="atom")
