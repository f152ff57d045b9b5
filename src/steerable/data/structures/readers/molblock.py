"""The atoms of a connection table of MDL, V2000 and V3000: what a .mol file has above its data.

Source: Dassault Systemes, CTfile Formats, 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from steerable.data.elements import NUMBERS

# The codes of charges in a line of an atom; 4 is a doublet radical.
_CHARGES = {1: 3, 2: 2, 3: 1, 5: -1, 6: -2, 7: -3}
_DOUBLET = 4
# Unpaired electrons of the radicals singlet, doublet and triplet.
_UNPAIRED = {0: 0, 1: 0, 2: 1, 3: 2}
_HYDROGENS = {"D": 1, "T": 1}


@dataclass
class MolBlock:
    """The atoms of one molecule.

    Args:
        title: of the molecule.
        z: atomic numbers (atom,).
        pos: positions (atom, 3).
        charges: formal charges by atom.
        radicals: the codes of radicals by atom.
    """

    title: str
    z: np.ndarray
    pos: np.ndarray
    charges: dict[int, int] = field(default_factory=dict)
    radicals: dict[int, int] = field(default_factory=dict)

    @property
    def charge(self) -> int:
        """The charge of the molecule."""
        return sum(self.charges.values())

    @property
    def spin(self) -> int:
        """The multiplicity 2S + 1 if all unpaired electrons are parallel."""
        return 1 + sum(_UNPAIRED[code] for code in self.radicals.values())


def read_molblock(lines: Sequence[str]) -> MolBlock:
    """Read the block at the beginning of the lines.

    Raises:
        ValueError: it is broken, has no atoms or an atom that is no element, or is a drawing in the
            plane.
    """
    if len(lines) < 4:
        raise ValueError(f"there are only {len(lines)} lines, and a molecule begins with 4.")
    block = _read_v3000(lines) if "V3000" in lines[3] else _read_v2000(lines)
    if not len(block.z):
        raise ValueError("there are no atoms.")
    if lines[1][20:22] == "2D" and not block.pos[:, 2].any():
        raise ValueError(
            "it is a drawing in the plane (2D): give positions in space, or SMILES, from which "
            "positions are computed."
        )
    return block


def _read_v2000(lines: Sequence[str]) -> MolBlock:
    try:
        atoms, bonds = int(lines[3][:3]), int(lines[3][3:6])
    except ValueError:
        raise ValueError(f"the line of counts is {lines[3]!r}.") from None
    if len(lines) < 4 + atoms + bonds:
        raise ValueError(
            f"it ends in the middle of {atoms} atoms and {bonds} bonds, after {len(lines)} lines."
        )
    rows = [_atom_line(line) for line in lines[4 : 4 + atoms]]
    block = MolBlock(lines[0].strip(), *_atoms([row[:4] for row in rows]))
    codes = {atom: row[4] for atom, row in enumerate(rows) if row[4]}
    block.charges = {atom: _CHARGES[code] for atom, code in codes.items() if code in _CHARGES}
    block.radicals = {atom: 2 for atom, code in codes.items() if code == _DOUBLET}
    _read_properties(block, lines, 4 + atoms + bonds)
    return block


def _read_properties(block: MolBlock, lines: Sequence[str], start: int) -> None:
    """Take charges and radicals from the lines `M  CHG` and `M  RAD`, up to `M  END`."""
    codes: dict[str, dict[int, int]] = {"CHG": {}, "RAD": {}}
    for line in lines[start:]:
        words = line.split()
        if line.startswith(">") or words[:2] == ["M", "END"]:
            break
        if len(words) > 1 and words[0] == "M" and words[1] in codes:
            codes[words[1]].update(_pairs(words[2:], len(block.z), line))
    # Any of these lines replaces all codes in the lines of atoms.
    if codes["CHG"] or codes["RAD"]:
        block.charges, block.radicals = codes["CHG"], codes["RAD"]
    _check_radicals(block.radicals)


def _pairs(words: Sequence[str], atoms: int, line: str) -> dict[int, int]:
    """Values by atom of a line with their count, and atoms and values by turns."""
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        raise ValueError(f"the line {line!r} has words that are no integers.") from None
    if not numbers or len(numbers) != 1 + 2 * numbers[0]:
        raise ValueError(f"the line {line!r} has another number of values than it says.")
    if any(not 1 <= atom <= atoms for atom in numbers[1::2]):
        raise ValueError(f"the line {line!r} names an atom that is not there.")
    indices = [atom - 1 for atom in numbers[1::2]]
    return dict(zip(indices, numbers[2::2], strict=True))


def _atom_line(line: str) -> tuple[str, str, str, str, int]:
    """The symbol of an atom, x, y, z and the code of its charge."""
    words = line.split()
    # Long coordinates may touch, and only the widths of the fields separate them.
    if len(words) < 4 or not words[3][0].isalpha():
        words = [line[:10], line[10:20], line[20:30], line[31:34].strip(), line[34:36], line[36:39]]
    code = words[5].strip() if len(words) > 5 else ""
    if code and not code.isdigit():
        raise ValueError(f"the charge in the line of an atom {line!r} is no code.")
    return words[3], words[0], words[1], words[2], int(code or 0)


def _read_v3000(lines: Sequence[str]) -> MolBlock:
    rows: list[list[str]] = []
    codes: dict[str, dict[int, int]] = {"CHG": {}, "RAD": {}}
    place = ""
    for words in _v3000_lines(lines):
        if words[0] in ("BEGIN", "END"):
            place = " ".join(words)
        elif place == "BEGIN ATOM":
            # An atom has: index, symbol, x, y, z, number in a reaction, and NAME=VALUE.
            if len(words) < 6:
                raise ValueError(f"the line of an atom {' '.join(words)!r} is too short.")
            for word in words[6:]:
                name, _, value = word.partition("=")
                if name in codes:
                    codes[name][len(rows)] = int(value)
            rows.append(words[1:5])
    if place != "END CTAB":
        raise ValueError("it ends before the line 'M  V30 END CTAB'.")
    _check_radicals(codes["RAD"])
    return MolBlock(lines[0].strip(), *_atoms(rows), codes["CHG"], codes["RAD"])


def _v3000_lines(lines: Sequence[str]) -> Iterator[list[str]]:
    """The words of each line `M  V30`."""
    text = ""
    for line in lines[4:]:
        if line.startswith("M  END"):
            return
        if line.startswith("M  V30"):
            text += line[7:].rstrip()
            if text.endswith("-"):  # the next line continues this one
                text = text[:-1]
                continue
            if text.split():
                yield text.split()
        text = ""


def _atoms(rows: Iterable[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Atomic numbers and positions from the symbol, x, y and z of each atom."""
    z, pos = [], []
    for number, (symbol, *place) in enumerate(rows, start=1):
        element = _HYDROGENS.get(symbol) or NUMBERS.get(symbol.capitalize(), 0)
        if not element:
            raise ValueError(f"atom {number} is {symbol!r}, which is no element.")
        try:
            pos.append([float(text) for text in place])
        except ValueError:
            raise ValueError(f"the position of atom {number} is {place}.") from None
        z.append(element)
    return np.array(z, dtype=np.int64), np.array(pos, dtype=np.float64).reshape(-1, 3)


def _check_radicals(radicals: Mapping[int, int]) -> None:
    for atom, code in radicals.items():
        if code not in _UNPAIRED:
            raise ValueError(f"the radical of atom {atom + 1} is {code}, and may be 1, 2 or 3.")
