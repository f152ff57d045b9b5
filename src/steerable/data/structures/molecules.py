"""Structures from SMILES."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .assemble import assemble
from .columns import Column
from .conformers import Conformers, embed_all
from .failures import Failure
from .structures import Structures


def from_smiles(
    smiles: Sequence[str],
    conformers: int = 1,
    seed: int = 0,
    failures: list[Failure] | None = None,
) -> Structures:
    """Compute molecules in space from SMILES, by `embed`.

    The quantities are `smiles`, the formal `charge`, the multiplicity `spin`, the number of the
    `conformer`, and `group`, canonical SMILES that all conformers of a molecule share. The frame is
    the index of the SMILES.

    Args:
        smiles: of each molecule.
        conformers: how many to compute of each.
        seed: of the random numbers.
        failures: a list to which SMILES that give no molecule are appended. Without it, the first
            one raises an error.

    Raises:
        ImportError: RDKit is not installed.
        ValueError: a SMILES gives no molecule, or none does.
    """
    results: list[tuple[int, Conformers]] = []
    for row, result in enumerate(embed_all(smiles, conformers, seed)):
        if isinstance(result, Conformers):
            results.append((row, result))
            continue
        failure = Failure(row, smiles[row], str(result))
        if failures is None:
            raise ValueError(f"SMILES without a molecule: {failure}")
        failures.append(failure)
    return _structures(smiles, results)


def _structures(smiles: Sequence[str], results: Sequence[tuple[int, Conformers]]) -> Structures:
    numbers: list[np.ndarray] = []
    positions: list[np.ndarray] = []
    rows: list[tuple[int, int, int]] = []
    shapes: list[int] = []
    for row, one in results:
        numbers += [one.z] * len(one.pos)
        positions += list(one.pos)
        rows += [(row, one.charge, one.spin)] * len(one.pos)
        shapes += range(len(one.pos))
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    canonical = {row: one.canonical for row, one in results}
    columns = {
        "smiles": Column(np.array([smiles[row] for row in table[:, 0]], dtype=str)),
        "charge": Column(table[:, 1], unit="e"),
        "spin": Column(table[:, 2]),
        "group": Column(np.array([canonical[row] for row in table[:, 0]], dtype=str)),
        "conformer": Column(np.array(shapes, dtype=np.int64)),
    }
    return assemble(numbers, positions, columns, "", table[:, 0].tolist())
