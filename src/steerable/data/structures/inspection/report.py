"""What a look at structures brings to light."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .facts import ColumnFacts, Element, Range

MOST_FRAMES = 10  # that a suspicion names


@dataclass(frozen=True)
class Suspicion:
    """Something that may be wrong with some structures.

    Args:
        kind: in two words, such as `close atoms`.
        count: how many structures it concerns.
        frames: the names of at most ten of them.
        meaning: what it means, and what to do.
    """

    kind: str
    count: int
    frames: tuple[str, ...]
    meaning: str

    def where(self, structures: int) -> str:
        """The names of the frames, of so many structures in all, in words."""
        if self.count == structures > 1:
            return f"all {structures:,} structures"
        more = self.count - len(self.frames)
        return ", ".join(self.frames) + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True)
class Inspection:
    """What is in a set of structures, and what may be wrong with it.

    Args:
        source: where the structures come from.
        structures: how many there are.
        atoms: how many atoms there are in all.
        sizes: of the structures, in atoms.
        formulas: how many different compositions there are.
        elements: by symbol.
        periodic: how many structures are repeated along any direction.
        densities: in g/cm3 of the structures that are repeated in space.
        columns: all quantities.
        copies: how many structures repeat an earlier one exactly.
        alike: how many structures are an earlier one exactly, or rotated, reflected, shifted, or
            with its atoms in another order.
        suspicions: what may be wrong.
        target: the quantity that `command` learns; empty if there is none.
        command: the command to train.
    """

    source: str
    structures: int
    atoms: int
    sizes: Range | None
    formulas: int
    elements: dict[str, Element]
    periodic: int
    densities: Range | None
    columns: tuple[ColumnFacts, ...]
    copies: int
    alike: int
    suspicions: tuple[Suspicion, ...]
    target: str
    command: str

    def as_dict(self) -> dict[str, Any]:
        """The inspection in plain values, as JSON has them."""
        record = asdict(self)
        for column in record["columns"]:
            column["shape"] = list(column["shape"])
            column["categories"] = dict(column["categories"])
        for suspicion in record["suspicions"]:
            suspicion["frames"] = list(suspicion["frames"])
        record["columns"] = list(record["columns"])
        record["suspicions"] = list(record["suspicions"])
        return record
