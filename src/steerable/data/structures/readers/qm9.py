"""QM9 as it was published: dsgdb9nsd_*.xyz, one molecule a file, in a folder or an archive.

Source: Ramakrishnan et al., Scientific Data 1 (2014) 140022.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from steerable.data.elements import NUMBERS

from ..assemble import PART, assemble
from ..columns import Column
from ..errors import ReadError
from ..structures import Structures

FILES = "dsgdb9nsd_*.xyz"

# The quantities in the second line, after the number of the molecule.
UNITS = {
    "A": "GHz",
    "B": "GHz",
    "C": "GHz",
    "mu": "D",
    "alpha": "a0^3",
    "homo": "Ha",
    "lumo": "Ha",
    "gap": "Ha",
    "r2": "a0^2",
    "zpve": "Ha",
    "u0": "Ha",
    "u298": "Ha",
    "h298": "Ha",
    "g298": "Ha",
    "cv": "cal/mol/K",
}


def read_qm9(path: Path) -> Iterator[Structures]:
    """Read the molecules of a folder, of a tar archive, or of one file.

    The quantities are those of the publication, in its units and by the names of gdb9.sdf.csv;
    `charges` (Mulliken), `smiles` (of the relaxed molecule) and `name`.

    Args:
        path: of the folder, archive or file.

    Raises:
        ReadError: a file is not as published.
    """
    files = _texts(path)
    first = 0
    while part := list(islice(files, PART)):
        structures = _structures(part)
        frame = np.arange(first, first + len(part))
        source = np.full(len(part), path.name)
        yield replace(structures, source=source, frame=frame)
        first += len(part)


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """The name and the text of each file."""
    if path.is_dir():
        for file in sorted(path.glob(FILES)):
            yield str(file), file.read_text()
    elif path.suffix == ".xyz":
        yield str(path), path.read_text()
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name.endswith(".xyz") else None
                if stream is not None:
                    yield f"{path}:{member.name}", stream.read().decode()


@dataclass(frozen=True, eq=False)
class _Molecule:
    z: np.ndarray
    table: np.ndarray  # (atom, 4): positions and charges
    values: list[float]
    name: str
    smiles: str


def _molecule(text: str) -> _Molecule:
    """The molecule of one file: its size, quantities, atoms, frequencies, SMILES and InChI."""
    # Exponents are written as 1.2*^-5.
    lines = [line.split() for line in text.replace("*^", "e").splitlines()]
    atoms = int(lines[0][0])
    rows = lines[2 : 2 + atoms]
    table = np.array([row[1:5] for row in rows], dtype=np.float64)
    values = [float(word) for word in lines[1][2:]]
    if table.shape != (atoms, 4) or len(values) != len(UNITS):
        raise ValueError(f"there are {len(rows)} of {atoms} atoms and {len(values)} quantities.")
    z = np.array([NUMBERS[row[0]] for row in rows])
    return _Molecule(z, table, values, f"gdb_{lines[1][1]}", lines[3 + atoms][-1])


def _structures(files: Sequence[tuple[str, str]]) -> Structures:
    molecules = []
    for name, text in files:
        try:
            molecules.append(_molecule(text))
        except (ValueError, IndexError, KeyError) as error:
            raise ReadError(f"{name} is not as QM9 was published: {error}") from None
    values = np.array([one.values for one in molecules]).T
    columns = {
        name: Column(row, unit=unit)
        for (name, unit), row in zip(UNITS.items(), values, strict=True)
    }
    charges = np.concatenate([one.table[:, 3] for one in molecules])
    columns["charges"] = Column(charges, "atom", "e")
    columns["smiles"] = Column(np.array([one.smiles for one in molecules]))
    columns["name"] = Column(np.array([one.name for one in molecules]))
    numbers = [one.z for one in molecules]
    positions = [one.table[:, :3] for one in molecules]
    return assemble(numbers, positions, columns, "", range(len(files)))
