"""A look at structures before anything is learned from them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

import numpy as np

from steerable.data.elements import SYMBOLS

from ..structures import Structures
from .energies import agree
from .facts import ColumnFacts, ColumnTally, Element, ElementTally, range_of
from .geometry import unit_of_length
from .records import Records
from .report import Inspection, Suspicion
from .suspicions import Copies, copies, of_copies, of_energies, of_geometry, of_labels, of_shapes

# Columns that say what a structure is, and are inputs or weights rather than targets.
_INPUTS = ("charge", "spin", "weight", "frame", "index", "id", "step", "time")


def inspect(structures: Structures | Iterable[Structures], source: str = "") -> Inspection:
    """Look at structures: what they have, what may be wrong, and how to learn from them.

    Of parts, one at a time is in memory; some hundred bytes are kept of each structure.

    Args:
        structures: all structures, or parts of them one after the other, as of `read_parts`.
        source: the file they come from, for the command to train; by default what they say.

    Raises:
        ValueError: there are no structures.
    """
    parts = [structures] if isinstance(structures, Structures) else structures
    records, elements = Records(), ElementTally()
    tallies: dict[str, ColumnTally] = {}
    length = ""
    for part in parts:
        if not len(part):
            continue
        if not records.names:
            length = unit_of_length(part)
            source = source or part.origin
        _add_columns(tallies, part, len(records.names))
        elements.add(part)
        records.add(part)
    if not records.names:
        raise ValueError("There are no structures to look at.")
    return _inspection(source, records, elements, tallies, length)


def _inspection(
    source: str,
    records: Records,
    elements: ElementTally,
    tallies: dict[str, ColumnTally],
    length: str,
) -> Inspection:
    groups = copies(records)
    sizes = np.concatenate(records.sizes)
    columns = tuple(tally.facts() for tally in tallies.values())
    target = _target(columns, records.energies)
    counts = {
        SYMBOLS[z]: Element(elements.structures[z], elements.atoms[z])
        for z in sorted(elements.atoms)
    }
    order = np.arange(len(sizes))
    return Inspection(
        source,
        len(sizes),
        int(sizes.sum()),
        range_of(sizes),
        len(np.unique(np.concatenate(records.formulas))),
        counts,
        int(np.concatenate(records.periodic).sum()),
        range_of(np.concatenate(records.densities)),
        columns,
        int((groups.exact != order).sum()),
        int((groups.alike != order).sum()),
        tuple(_suspicions(records, tallies, groups, length)),
        target,
        _command(source, target, records, groups),
    )


def _suspicions(
    records: Records, tallies: dict[str, ColumnTally], groups: Copies, length: str
) -> Iterator[Suspicion]:
    yield from of_geometry(records, length)
    yield from of_energies(records)
    yield from of_labels(records, tallies)
    yield from of_shapes(tallies, records.names)
    yield from of_copies(records, groups)


def _add_columns(tallies: dict[str, ColumnTally], part: Structures, first: int) -> None:
    """Add up the columns of a part, the first structure of which has the number `first`."""
    for name, column in part.columns.items():
        if name not in tallies:
            tallies[name] = ColumnTally(name, column)
            tallies[name].skip(first)
    for name, tally in tallies.items():
        if name in part.columns and tally.fits(part.columns[name]):
            tally.add(part, part.columns[name])
            continue
        tally.skip(len(part))
        if name in part.columns:
            tally.others.append(first)


def _target(columns: tuple[ColumnFacts, ...], energies: Iterable[str]) -> str:
    """The quantity that is most likely to be learned: an energy, or the first that varies."""
    varied = [
        column
        for column in columns
        if column.kind == "number" and column.spread and column.name.lower() not in _INPUTS
    ]
    first = ("energy", *energies)

    def order(column: ColumnFacts) -> tuple[int, bool]:
        place = first.index(column.name) if column.name in first else len(first)
        return place, column.per == "atom"

    return min(varied, key=order).name if varied else ""


def _command(source: str, target: str, records: Records, groups: Copies) -> str:
    if not target:
        return ""
    words = ["steerable", "train", "property", "--data.train", source, "--data.target", target]
    if _is_trajectory(records):
        words += ["--data.split", "time"]  # neighbouring frames are nearly the same
    elif (groups.alike != np.arange(len(groups.alike))).any():
        words += ["--data.split", "group"]
    return shlex.join(words)


def _is_trajectory(records: Records) -> bool:
    """Whether most structures are a small step from the one before, and the energy agrees."""
    change, work = records.changes()
    rows = np.isfinite(change) & np.isfinite(work)
    return len(rows) > 0 and bool(rows.mean() > 0.5) and agree(change[rows], work[rows])
