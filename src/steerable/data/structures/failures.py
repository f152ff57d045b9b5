"""Rows of a file that give no structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """A row that was left out.

    Args:
        row: its number in the file, counted from 0 as in `Structures.frame`.
        text: what the row says, such as a SMILES.
        reason: why it gives no structure.
    """

    row: int
    text: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row} ({self.text}): {self.reason}"


class FailureWarning(UserWarning):
    """Rows of a file were left out.

    Args:
        path: the file, in words.
        rows: the number of all rows of the file.
        failures: of the rows that were left out.
    """

    def __init__(self, path: str, rows: int, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        first = "; ".join(str(failure) for failure in self.failures[:3])
        more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
        super().__init__(f"{path}: {len(failures)} of {rows} rows were left out: {first}{more}")
