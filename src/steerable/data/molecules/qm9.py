"""QM9: 130,831 molecules of H, C, N, O and F with 19 targets, computed with B3LYP/6-31G(2df,p)."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from ..cache import cached
from ..structures import Column, Structures
from .qm9_source import read_source, source_files
from .qm9_targets import TARGETS, Target, target

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["QM9", "TARGETS", "Target", "target"]

MOLECULES = 130_831
FORMAT = b"1"  # of the cached table; changing it makes the source be read again


class QM9(torch.utils.data.Dataset):
    """The molecules of QM9, sorted by gdb number, as PyTorch Geometric's `Data`.

    `dataset[i]` has `z` (atom,) int64, `pos` (atom, 3) float32 in Angstrom, `y` (1, 19) float32 in
    the order and units of `TARGETS`, `smiles`, `name` ("gdb_1") and `idx` (its row in the source as
    in PyTorch Geometric: 0 for gdb_1). Indexing with a slice, a list, an array or a tensor of
    indices (or of booleans) returns a `QM9` that shares the memory. As in PyTorch Geometric, the
    3,054 molecules that failed the consistency check of the authors are left out.

    Args:
        root: the folder with the files `qm9_part*.csv`; by default that of the installed package
            `qm9pack`.

    Raises:
        ValueError: the source is missing, incomplete or damaged.

    Source: Ramakrishnan, Dral, Rupp and von Lilienfeld, Scientific Data 1, 140022 (2014).
    """

    def __init__(self, root: Path | None = None) -> None:
        files = source_files(root)
        stamp = hashlib.sha256(FORMAT)
        for path in files:
            with path.open("rb") as stream:
                stamp.update(hashlib.file_digest(stream, "sha256").digest())
        self._table = cached(f"qm9-{stamp.hexdigest()[:16]}", lambda: read_source(files))
        self._rows = np.arange(len(self._table["gdb"]))
        if root is None and len(self) != MOLECULES:
            raise ValueError(
                f"qm9pack should have {MOLECULES:,} molecules and has {len(self):,}: its "
                "installation is incomplete, repeat it with pip install --force-reinstall qm9pack"
            )

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice | list[int] | np.ndarray | torch.Tensor) -> QM9: ...
    def __getitem__(self, index: Any) -> Data | QM9:
        rows = self._rows[index.numpy() if isinstance(index, torch.Tensor) else index]
        if np.ndim(rows) == 0:
            return self._molecule(int(rows))
        view = copy.copy(self)
        view._rows = rows
        return view

    def __iter__(self) -> Iterator[Data]:
        return map(self._molecule, self._rows.tolist())

    def __repr__(self) -> str:
        return f"QM9({len(self)})"

    @property
    def targets(self) -> np.ndarray:
        """All targets (molecule, 19) in float64, as needed for total energies."""
        return self._table["targets"][self._rows]

    @property
    def y(self) -> torch.Tensor:
        """All targets (molecule, 19) in float32."""
        return torch.from_numpy(self.targets).float()

    @property
    def gdb(self) -> np.ndarray:
        """The gdb number of each molecule, from 1."""
        return self._table["gdb"][self._rows]

    @property
    def numbers(self) -> list[np.ndarray]:
        """The atomic numbers of each molecule, without creating `Data` objects."""
        z, start = self._table["z"], self._table["start"].tolist()
        return [z[start[row] : start[row + 1]] for row in self._rows.tolist()]

    def structures(self) -> Structures:
        """All molecules with their 19 targets, in float64 and in the units of `TARGETS`.

        The quantities have the names of `TARGETS`; there are also `name` and `smiles`.
        """
        table = self._table
        count = len(table["gdb"])
        columns = {
            entry.name: Column(table["targets"][:, entry.column], unit=entry.unit)
            for entry in TARGETS
        }
        columns["name"] = Column(np.char.add("gdb_", table["gdb"].astype(str)))
        columns["smiles"] = Column(np.char.decode(table["smiles"]))
        whole = Structures(
            z=table["z"].astype(np.int64),
            pos=table["pos"].astype(np.float64),
            ends=table["start"].astype(np.int64),
            cell=np.zeros((count, 3, 3)),
            pbc=np.zeros((count, 3), dtype=bool),
            columns=columns,
            source=np.full(count, "QM9"),
        )
        return whole.select(self._rows)

    def _molecule(self, row: int) -> Data:
        table = self._table
        atoms = slice(*table["start"][row : row + 2].tolist())
        gdb = int(table["gdb"][row])
        # Copies: pickling a view would include the whole table, and changing it would change the
        # table.
        from torch_geometric.data import Data  # takes seconds to import

        return Data(
            z=torch.from_numpy(table["z"][atoms].astype(np.int64)),
            pos=torch.from_numpy(table["pos"][atoms].copy()),
            y=torch.from_numpy(table["targets"][row : row + 1].astype(np.float32)),
            smiles=table["smiles"][row].decode(),
            name=f"gdb_{gdb}",
            idx=gdb - 1,
        )
