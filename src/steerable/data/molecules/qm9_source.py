"""Reading the CSV files of the package `qm9pack`, which have one molecule per row."""

import array
import csv
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..cache import Table
from ..elements import NUMBERS
from .qm9_targets import ELEMENTS, TARGETS, in_units_of_targets
from .references import composition

__all__ = ["read_source", "source_files"]

# The gdb number, SMILES, atomic numbers, all coordinates, and the columns of the targets.
Molecule = tuple[int, bytes, list[int], list[float], list[float]]

_BRACKETS = str.maketrans("", "", "[]' ")


def source_files(root: Path | None) -> list[Path]:
    """The CSV files in `root`, by default in the package `qm9pack`.

    The package is located but not imported: it needs pkg_resources, which recent versions of
    setuptools do not have.

    Raises:
        ValueError: there are no such files.
    """
    if root is None:
        package = importlib.util.find_spec("qm9pack")
        if package is None or not package.submodule_search_locations:
            raise ValueError(
                "QM9 comes with the package qm9pack and it is not there: pip install "
                "'steerable[qm9]'"
            )
        root = Path(package.submodule_search_locations[0]) / "data"
    files = sorted(Path(root).glob("qm9_part*.csv"))
    if not files:
        raise ValueError(
            f"QM9 needs the files qm9_part*.csv in {root} and none is there: pip install "
            "'steerable[qm9]'"
        )
    return files


def read_source(files: list[Path]) -> Table:
    """Read all molecules into arrays.

    Returns:
        gdb (molecule,), smiles (molecule,), start (molecule + 1,), the first atom of each molecule,
        z (atom,), pos (atom, 3) in Angstrom, targets (molecule, 19) in float64.

    Raises:
        ValueError: a row is not a molecule of QM9; the message gives its file and line.
    """
    gdb, smiles, sizes = [], [], []
    z, pos, raw = array.array("B"), array.array("d"), array.array("d")
    for number, text, numbers, places, values in _molecules(files):
        gdb.append(number)
        smiles.append(text)
        sizes.append(len(numbers))
        z.extend(numbers)
        pos.extend(places)
        raw.extend(values)
    if not gdb:
        raise ValueError(
            f"there is no molecule in {', '.join(map(str, files))}: pip install --force-reinstall "
            "qm9pack"
        )
    start = np.concatenate([[0], np.cumsum(sizes)])
    elements = np.array(z)
    counts = composition(np.split(elements, start[1:-1]), ELEMENTS)
    return {
        "gdb": np.array(gdb),
        "smiles": np.array(smiles),
        "start": start,
        "z": elements,
        "pos": np.array(pos, dtype=np.float32).reshape(-1, 3),
        "targets": in_units_of_targets(np.array(raw).reshape(-1, len(TARGETS)), counts),
    }


def _molecules(files: list[Path]) -> Iterator[Molecule]:
    """The rows of all files, checked to be sorted by gdb number."""
    last = 0
    for path in files:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            for row in reader:
                try:
                    molecule = _molecule(row)
                    if molecule[0] <= last:
                        raise ValueError(f"molecule {molecule[0]} comes after molecule {last}")
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ValueError(
                        f"{path}, line {reader.line_num}: this is not the next molecule of QM9 "
                        f"({error!r}): pip install --force-reinstall qm9pack"
                    ) from error
                last = molecule[0]
                yield molecule


def _molecule(row: dict[str, str]) -> Molecule:
    numbers = [NUMBERS[symbol] for symbol in row["Elements"].translate(_BRACKETS).split(",")]
    places = [float(place) for place in row["XYZ_Ang"].translate(_BRACKETS).split(",")]
    values = [float(row[target.source]) for target in TARGETS]
    if not 3 * len(numbers) == 3 * int(row["N_atoms"]) == len(places):
        raise ValueError(
            f"{row['N_atoms']} atoms have {len(numbers)} elements and {len(places)} coordinates"
        )
    if not np.isfinite(places).all() or not np.isfinite(values).all():
        raise ValueError("a coordinate or a target is not finite")
    return int(row["Index"]), row["SMILES"].encode(), numbers, places, values
