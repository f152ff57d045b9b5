"""What the loops of radial.c read of the paths of a contraction."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from ...layers import PathLayout
from ...ops import Rows

_NUMBERS = ["threads", "paths", "nonzeros", "products", "harmonics", "width", "columns"]


class Shape(ctypes.Structure):
    """The structure of this name in radial.c."""

    _fields_ = [(name, ctypes.c_int64) for name in [*_NUMBERS, "channels", "depth"]] + [
        (name, ctypes.c_void_p) for name in ["path", "place", "value", "first", "source", "edge"]
    ]


class Ends(ctypes.Structure):
    """The structure of this name in radial.c."""

    _fields_ = [
        (name, ctypes.c_int64) for name in ["features", "sources", "columns", "sums", "outputs"]
    ] + [(name, ctypes.c_void_p) for name in ["sizes", "place", "joined"]]


class Table:
    """The paths of a layout in the order of radial.c.

    Args:
        layout: the paths.
        lanes: the copies of terms of features, and of paths in the columns of V, are padded to a
            multiple of this.

    Attributes:
        place: where the channels of features lie in the order (term, component, padded copy).
        order: the channels in this order, without those that pad.
        columns: where the columns of V lie among padded ones; None where they are the same.
        padded: how many of these there are.
        width: columns of f.
        outputs: components of every irrep of the output, and copies of all paths to it.
        sums: numbers of S of one target.
        joined: where channels of the output lie among results (irrep, component, copy), and a zero.
    """

    def __init__(self, layout: PathLayout, lanes: int = 1) -> None:
        sizes = layout.sizes
        copies = [size.copies for size in sizes]
        totals = layout.totals(copies)
        inputs = [(term.dim, term.copies) for term in layout.inputs]
        self.lanes = lanes
        self.place = _components_first(inputs, lanes)
        self.order = self.place.argsort()
        self.outputs = [
            (irrep.dim, total) for irrep, total in zip(layout.outputs, totals, strict=True)
        ]
        self._results = [(irrep.dim, irrep.copies) for irrep in layout.outputs]
        copies_out = [irrep.copies for irrep in layout.outputs]
        triples = zip(self.outputs, copies_out, strict=True)
        shapes = np.array([(*output, copies) for output, copies in triples], np.int64)
        self._sizes = torch.from_numpy(shapes)
        self.joined, self._parts = _places_of_results(layout)
        self._with_zeros = any(term.irrep is None for term in layout.terms_out)
        self.sums = sum(m_o * total for m_o, total in self.outputs)
        features = _starts([m_i * _whole(count, lanes) for m_i, count in inputs])
        results = _starts([m_o * total for m_o, total in self.outputs])
        weights = _starts([_whole(count, lanes) for count in copies])
        pairs = zip(weights[:-1], copies, strict=True)
        columns = np.concatenate(
            [start + np.arange(count) for start, count in pairs] or [np.arange(0)]
        )
        self.padded = weights[-1]
        self.columns = None if len(columns) == self.padded else torch.from_numpy(columns)
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
        self._path_of_one = self._path_for(1)
        self._products = products[-1]
        self.width = features[-1]
        self._widths = layout.filter_dim, features[-1], weights[-1]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """`PathLayout.join` in two operations."""
        flat = [part.flatten(1) for part in parts]
        if self._with_zeros:
            flat.append(flat[0].new_zeros(flat[0].shape[0], 1))
        return torch.cat(flat, 1).index_select(1, self.joined)

    def part(self, y: Tensor) -> list[Tensor]:
        """`PathLayout.part` in two operations."""
        parts = y.index_select(1, self._parts).split([dim * n for dim, n in self._results], 1)
        shapes = zip(parts, self._results, strict=True)
        return [part.unflatten(1, shape).contiguous() for part, shape in shapes]

    def shape(
        self, capacity: int, rows: Rows, place: Tensor, value: Tensor, channels: int
    ) -> Shape:
        """The structure for arrays of `capacity` targets; its arrays live as long as it does."""
        path = self._path_of_one if capacity == 1 else self._path_for(capacity)
        tensors = path, place, value, rows.first, rows.source
        counts = torch.get_num_threads(), path.shape[0], value.shape[0], self._products
        edge = None if rows.order is None else rows.order.data_ptr()
        sizes = channels, _whole(channels, self.lanes)
        addresses = map(Tensor.data_ptr, tensors)
        shape = Shape(*counts, *self._widths, *sizes, *addresses, edge)
        shape.arrays = *tensors, rows.order
        return shape

    def _path_for(self, capacity: int) -> Tensor:
        """The array `path` for arrays of `capacity` targets."""
        path = self._path.copy()
        path[:, 3] += capacity * self._before  # S has one array of all targets per output irrep
        return torch.from_numpy(path)

    def ends(self, features: int, sources: int) -> Ends:
        """The structure for a whole graph; its arrays live as long as the table."""
        numbers = features, sources, len(self.joined), self.sums, len(self.outputs)
        arrays = self._sizes.data_ptr(), self.place.data_ptr(), self.joined.data_ptr()
        return Ends(*numbers, *arrays)

    def with_padding(self, v: Tensor) -> Tensor:
        """V with columns of zeros that pad the copies of paths."""
        if self.columns is None:
            return v.contiguous()
        return v.new_zeros(v.shape[0], self.padded).index_copy_(1, self.columns, v)

    def without_padding(self, v: Tensor) -> Tensor:
        """The inverse of `with_padding`."""
        return v if self.columns is None else v.index_select(1, self.columns)


@lru_cache(1024)
def radial_table(layout: PathLayout, lanes: int = 1) -> Table:
    """The table of a layout, computed once."""
    return Table(layout, lanes)


def _components_first(terms: list[tuple[int, int]], lanes: int) -> Tensor:
    """Where channels in the order (term, copy, component) lie in (term, component, padded copy)."""
    places, start = [np.arange(0)], 0
    for dim, copies in terms:
        padded = _whole(copies, lanes)
        lie = start + np.arange(dim * padded).reshape(dim, padded)[:, :copies]
        places.append(lie.T.ravel())
        start += dim * padded
    # In float64 mode or on another device by default these stay numbers of columns on the CPU.
    return torch.from_numpy(np.concatenate(places))


def _places_of_results(layout: PathLayout) -> tuple[Tensor, Tensor]:
    """Where channels of the output lie among results (irrep, component, copy), and the inverse.

    Those that no path makes are in one more column, of zeros.
    """
    starts = _starts([irrep.dim * irrep.copies for irrep in layout.outputs])
    numbers = [
        start + np.arange(irrep.dim * irrep.copies).reshape(irrep.dim, irrep.copies).T
        for start, irrep in zip(starts[:-1], layout.outputs, strict=True)
    ]
    places = [np.arange(0)]
    for irrep, first, copies, dim in layout.terms_out:
        if irrep is None:
            places.append(np.full(copies * dim, starts[-1]))
        else:
            places.append(numbers[irrep][first : first + copies].ravel())
    joined = torch.from_numpy(np.concatenate(places))
    return joined, joined.argsort()[: starts[-1]]


def _whole(count: int, lanes: int) -> int:
    """`count` padded to a multiple of `lanes`."""
    return -(-count // lanes) * lanes


def _starts(sizes: list[int]) -> list[int]:
    """Where things of these sizes begin, one behind the other, and where the last ends."""
    return [0, *accumulate(sizes)]
