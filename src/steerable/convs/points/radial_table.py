"""What the loops of radial.c read of the paths of a contraction."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from ...layers import PathLayout
from ...ops import Rows

_NUMBERS = ["threads", "paths", "nonzeros", "products", "harmonics", "width", "weights"]


class Shape(ctypes.Structure):
    """The structure of this name in radial.c."""

    _fields_ = [(name, ctypes.c_int64) for name in _NUMBERS] + [
        (name, ctypes.c_void_p) for name in ["path", "place", "value", "first", "source"]
    ]


class Table:
    """The paths of a layout in the order of radial.c.

    Args:
        layout: the paths.

    Attributes:
        inputs: components and copies of every term of the input.
        outputs: components of every irrep of the output, and copies of all paths to it.
        sums: numbers of S of one target.
    """

    def __init__(self, layout: PathLayout) -> None:
        sizes = layout.sizes
        copies = [size.copies for size in sizes]
        totals = layout.totals(copies)
        self.inputs = [(term.dim, term.copies) for term in layout.inputs]
        self.outputs = [
            (irrep.dim, total) for irrep, total in zip(layout.outputs, totals, strict=True)
        ]
        self.sums = sum(m_o * total for m_o, total in self.outputs)
        features = _starts([m_i * count for m_i, count in self.inputs])
        results = _starts([m_o * total for m_o, total in self.outputs])
        weights = _starts(copies)
        products = _starts([size.m_i * size.m_o for size in sizes])
        rows = layout.places(copies)
        path = []
        for k, (p, size) in enumerate(zip(layout.paths, sizes, strict=True)):
            total = totals[p.out]
            steps = rows[k].start, total, size.m_o * total
            path.append(
                (features[p.term], size.m_i, size.m_o, *steps, weights[k], size.copies, products[k])
            )
        self._path = np.array(path, np.int64)
        self._before = np.array([results[p.out] for p in layout.paths], np.int64)
        self._products = products[-1]
        self._widths = layout.filter_dim, features[-1], weights[-1]

    def shape(self, capacity: int, rows: Rows, place: Tensor, value: Tensor) -> Shape:
        """The structure for arrays of `capacity` targets; its arrays live as long as it does."""
        path = self._path.copy()
        path[:, 3] += capacity * self._before  # S has one array of all targets per output irrep
        arrays = path, place.numpy(), value.numpy(), rows.first.numpy(), rows.source.numpy()
        counts = torch.get_num_threads(), len(path), value.shape[0], self._products
        shape = Shape(*counts, *self._widths, *(array.ctypes.data for array in arrays))
        shape.arrays = arrays
        return shape


@lru_cache(1024)
def radial_table(layout: PathLayout) -> Table:
    """The table of a layout, computed once."""
    return Table(layout)


def _starts(sizes: list[int]) -> list[int]:
    """Where things of these sizes begin, one behind the other, and where the last ends."""
    return [0, *accumulate(sizes)]
