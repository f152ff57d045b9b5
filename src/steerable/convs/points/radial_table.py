"""What the loops of radial.c read of the paths of a contraction."""

from __future__ import annotations

import ctypes
from weakref import WeakKeyDictionary

import numpy as np
import torch

from ...layers import Paths
from ...ops.sums import Rows

_SMALLEST = 1e-14  # what is below it in a Clebsch-Gordan tensor is rounding


class Shape(ctypes.Structure):
    """The structure of this name in radial.c."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ["threads", "paths", "nonzeros", "products", "harmonics", "width", "weights"]
    ] + [(name, ctypes.c_void_p) for name in ["path", "place", "value", "first", "source"]]


class Table:
    """What radial.c reads of the paths of a contraction.

    Args:
        paths: the paths.
        dtype: type of the numbers.
    """

    def __init__(self, paths: Paths, dtype: torch.dtype) -> None:
        sizes, rows = paths.sizes(), paths.places([path.copies for path in paths])
        self.inputs = [(term.irrep.dim, term.multiplicity) for term in paths.field_in]
        totals = [
            sum(path.copies for path in paths if path.out == o) for o in range(len(paths.irreps))
        ]
        self.outputs = [
            (irrep.dim, total) for irrep, total in zip(paths.irreps, totals, strict=True)
        ]
        self.sums = sum(m_o * total for m_o, total in self.outputs)
        features = np.cumsum([0, *(m_i * copies for m_i, copies in self.inputs)])
        before = np.cumsum([0, *(m_o * total for m_o, total in self.outputs)])
        weights = np.cumsum([0, *(size.copies for size in sizes)])
        products = np.cumsum([0, *(size.m_i * size.m_o for size in sizes)])
        self._path = np.array(
            [
                (
                    features[p.term],
                    s.m_i,
                    s.m_o,
                    row.start,
                    totals[p.out],
                    s.m_o * totals[p.out],
                    w,
                    s.copies,
                    g,
                )
                for p, s, row, w, g in zip(
                    paths, sizes, rows, weights[:-1], products[:-1], strict=True
                )
            ],
            np.int64,
        )
        self._before = before[[path.out for path in paths]]
        tensors = [paths.tensor(k).detach().to(dtype).numpy() for k in range(len(paths))]
        found = [np.nonzero(abs(tensor) > _SMALLEST) for tensor in tensors]
        self._value = np.concatenate(
            [tensor[at] for tensor, at in zip(tensors, found, strict=True)]
        )
        places = [
            np.stack([path.at.start + h, start + i * size.m_o + o], 1)
            for path, size, start, (h, i, o) in zip(paths, sizes, products[:-1], found, strict=True)
        ]
        self._place = np.ascontiguousarray(np.concatenate(places), np.int64)
        self._counts = len(sizes), len(self._value), int(products[-1])
        self._widths = paths.field_filter.dim, int(features[-1]), int(weights[-1])

    def shape(self, capacity: int, rows: Rows) -> Shape:
        """The structure for arrays of `capacity` targets.

        Its own arrays live as long as it does.
        """
        path = self._path.copy()
        path[:, 3] += capacity * self._before
        arrays = path, self._place, self._value, rows.first.numpy(), rows.source.numpy()
        shape = Shape(
            torch.get_num_threads(),
            *self._counts,
            *self._widths,
            *(array.ctypes.data for array in arrays),
        )
        shape.arrays = arrays
        return shape


_TABLES: WeakKeyDictionary[Paths, dict[torch.dtype, Table]] = WeakKeyDictionary()


def radial_table(paths: Paths, dtype: torch.dtype) -> Table:
    """The table of these paths, made once for each type of numbers."""
    known = _TABLES.setdefault(paths, {})
    if dtype not in known:
        known[dtype] = Table(paths, dtype)
    return known[dtype]
