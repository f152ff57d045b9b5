"""What the loops of messages.c read of the paths of a full contraction."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from ...layers import PathLayout, Recipe
from ...ops import Rows

_NUMBERS = ["threads", "paths", "nonzeros", "products", "harmonics", "width", "channels"]


class Shape(ctypes.Structure):
    """The structure of this name in messages.c."""

    _fields_ = [(name, ctypes.c_int64) for name in _NUMBERS] + [
        (name, ctypes.c_void_p) for name in ["path", "place", "value", "first", "source"]
    ]


class Ends(ctypes.Structure):
    """The structure of this name in messages.c."""

    _fields_ = [(name, ctypes.c_int64) for name in ["columns", "numbers", "outputs"]] + [
        (name, ctypes.c_void_p) for name in ["sizes", "joined"]
    ]


class MessageTable:
    """The paths of a recipe in the order of messages.c.

    Args:
        recipe: the contraction.
        lanes: copies of every component of features are padded to a multiple of so many.

    Attributes:
        columns: channels of the features.
        order: which channel of the features every column of f is; -1 where it is 0.
        outputs: components of every irrep of the output, and rows of its weights.
        numbers: numbers of M of one target.
        rows: for every irrep of the output the rows of its weights in the order of M, which is
            (path, channel, copy) in place of (path, copy, channel).
    """

    def __init__(self, recipe: Recipe, lanes: int) -> None:
        layout, channels = recipe.layout, recipe.channels
        sizes = layout.sizes
        self.outputs = [
            (irrep.dim, total)
            for irrep, total in zip(layout.outputs, layout.totals(recipe.rows), strict=True)
        ]
        self.numbers = sum(m_o * total for m_o, total in self.outputs)
        copies = [irrep.copies for irrep in layout.outputs]
        triples = zip(self.outputs, copies, strict=True)
        shapes = np.array([(*output, count) for output, count in triples], np.int64)
        self._sizes = torch.from_numpy(shapes)
        self.rows = _rows(recipe)
        self.order = _padded(layout, lanes)
        self.columns = sum(term.dim * term.copies for term in layout.inputs)
        features = _starts([term.dim * _round_up(term.copies, lanes) for term in layout.inputs])
        moments = _starts([m_o * total for m_o, total in self.outputs])
        products = _starts([size.m_i * size.m_o for size in sizes])
        path, before = [], []
        for k, (p, size) in enumerate(zip(layout.paths, sizes, strict=True)):
            total = self.outputs[p.out][1]
            place = recipe.places[k].start, total, size.m_o * total
            ends = features[p.term], size.m_i, size.m_o, size.copies
            path.append((*ends, *place, products[k]))
            before.append(moments[p.out])
        self._path, self._before = np.array(path, np.int64), np.array(before, np.int64)
        self._path_of_one = self._path_for(1)
        self._widths = products[-1], layout.filter_dim, features[-1], channels

    def shape(self, capacity: int, rows: Rows, place: Tensor, value: Tensor) -> Shape:
        """The structure for arrays of `capacity` targets; its arrays live as long as it does."""
        path = self._path_of_one if capacity == 1 else self._path_for(capacity)
        tensors = path, place, value, rows.first, rows.source
        products, *widths = self._widths
        counts = torch.get_num_threads(), path.shape[0], value.shape[0], products
        shape = Shape(*counts, *widths, *map(Tensor.data_ptr, tensors))
        shape.arrays = tensors
        return shape

    def _path_for(self, capacity: int) -> Tensor:
        """The array `path` for arrays of `capacity` targets."""
        path = self._path.copy()
        path[:, 4] += capacity * self._before  # M has one array of all targets per output irrep
        return torch.from_numpy(path)

    def ends(self, joined: Tensor) -> Ends:
        """The structure for a whole graph, and where results lie; its arrays live as they do."""
        arrays = self._sizes.data_ptr(), joined.data_ptr()
        return Ends(joined.shape[0], self.numbers, len(self.outputs), *arrays)


@lru_cache(1024)
def message_table(recipe: Recipe, lanes: int) -> MessageTable:
    """The table of a recipe, computed once."""
    return MessageTable(recipe, lanes)


@lru_cache(1024)
def exchanged(recipe: Recipe, lanes: int) -> Recipe | None:
    """The recipe with channels of the filter and copies of invariant features exchanged.

    Both are factors of M then, and vectors of channels may be fewer than those of copies; None
    where they are not. Rows of the weights are in the order of M of the exchanged recipe.
    """
    layout, channels = recipe.layout, recipe.channels
    if len(layout.inputs) > 1 or layout.inputs[0].dim > 1:
        return None
    term = layout.inputs[0]
    of_copies = channels * _round_up(term.copies, lanes)
    if term.copies * _round_up(channels, lanes) >= of_copies:
        return None
    paths = tuple(path._replace(copies=channels) for path in layout.paths)
    inputs = (term._replace(copies=channels),)
    other = PathLayout(inputs, layout.outputs, layout.terms_out, paths, layout.filter_dim)
    return Recipe(recipe.kind, term.copies, 1, other)


def _rows(recipe: Recipe) -> list[Tensor]:
    """The rows of the weights of every output irrep in the order (path, channel, copy)."""
    rows: list[list[np.ndarray]] = [[] for _ in recipe.layout.outputs]
    for path, place in zip(recipe.layout.paths, recipe.places, strict=True):
        numbers = np.arange(place.start, place.stop).reshape(path.copies, recipe.channels)
        rows[path.out].append(numbers.T.ravel())
    return [torch.from_numpy(np.concatenate(parts)) for parts in rows]


def _padded(layout: PathLayout, lanes: int) -> Tensor:
    """The channels of features in the order (term, component, padded copy)."""
    orders, start = [np.arange(0)], 0
    for term in layout.inputs:
        order = np.full((term.dim, _round_up(term.copies, lanes)), -1)
        numbers = start + np.arange(term.copies * term.dim)
        order[:, : term.copies] = numbers.reshape(term.copies, term.dim).T
        orders.append(order.ravel())
        start += term.copies * term.dim
    return torch.from_numpy(np.concatenate(orders))


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


def _starts(sizes: list[int]) -> list[int]:
    """Where things of these sizes begin, one behind the other, and where the last ends."""
    return [0, *accumulate(sizes)]
