"""The sums of the order `radial` edge by edge, by loops of radial.c, for all targets at once."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...layers import DepthwiseWeights
from ...ops import Inputs, Neighbourhoods, Rows
from ...ops.sums import native
from .radial_table import radial_table

_SOURCE = Path(__file__).with_name("radial.c")
_CHUNK = 2**19  # bytes of the weights of edges that are worked on together, which stay in the cache
_FEW_EDGES = 1024  # so many are worth no product by BLAS, whose calls take longer than the work

_PLAIN = (Tensor, torch.nn.Parameter)


class RadialLoops:
    """What `Radial` computes in a block, with its formulas, for a whole graph.

    It works in float32 or float64 on a CPU.

    Args:
        weights: V and every L, and the constants of the paths.
        library: radial.c for their type of numbers.
    """

    def __init__(self, weights: DepthwiseWeights, library: ctypes.CDLL) -> None:
        self.layout, self.constants, self.library = weights.layout, weights.constants, library
        self.radial, self.mix = weights.radial, weights.mix

    @classmethod
    def of(cls, weights: DepthwiseWeights, inputs: Inputs) -> RadialLoops | None:
        """The loops for these inputs; None where there are none."""
        tensors = [*inputs.edge, *inputs.source, *weights.tensors]
        dtypes = {tensor.dtype for tensor in tensors}
        plain = all(tensor.device.type == "cpu" and type(tensor) in _PLAIN for tensor in tensors)
        if len(dtypes) > 1 or not plain:
            return None
        library = native(_SOURCE, dtypes.pop())
        return None if library is None else cls(weights, library)

    def run(self, hood: Neighbourhoods, inputs: Inputs) -> Tensor:
        """The sums (target, field_out.dim)."""
        # Targets without edges cost as much as others, so they are to be few as well.
        if max(inputs.edge[0].shape[0], hood.size) <= _FEW_EDGES:
            result = self._run_at_once(hood, inputs)
            if result is not None:
                return result
        edges = _Edges(self, hood, inputs)
        y = edges.results()
        for chunk in edges.chunks:
            w, s = edges.weights(chunk, edges.phi, 0), edges.sums(chunk)
            edges.call("sums", chunk, edges.harmonics, (w, chunk.first), edges.f, s.flat)
            edges.mix(chunk, s, y)
        return edges.table.join(y)

    def _run_at_once(self, hood: Neighbourhoods, inputs: Inputs) -> Tensor | None:
        """The same by one call for a small graph; None where memory ends."""
        (phi, harmonics), (x,) = inputs.edge, inputs.source
        rows, table, constants = hood.rows, radial_table(self.layout), self.constants
        _check_sources(rows, x)
        assert constants.place is not None and constants.value is not None
        value = constants.value.to(x.dtype).contiguous()
        shape = table.shape(1, rows, constants.place, value)
        ends = table.ends(phi.shape[1], x.shape[0], rows.order)
        arrays = [t.contiguous() for t in (phi, harmonics, x, self.radial, *self.mix)]
        first, mixes = [t.data_ptr() for t in arrays[:4]], [t.data_ptr() for t in arrays[4:]]
        y = x.new_empty(hood.size, self.layout.width)
        pointers = (ctypes.c_void_p * len(mixes))(*mixes)
        function = self.library.convolve
        function.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_int64] + [ctypes.c_void_p] * 6
        numbers = ctypes.addressof(shape), ctypes.addressof(ends), hood.size
        done = function(*numbers, *first, ctypes.addressof(pointers), y.data_ptr())
        return y if done else None

    def pull(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, needs: Sequence[bool]
    ) -> list[Tensor | None]:
        """The gradients of all inputs and parameters, None where not needed."""
        edges = _Edges(self, hood, inputs)
        grads = edges.table.part(grad)
        gradients = _Gradients(edges, needs[1])
        for chunk in edges.chunks:
            w, s, t = (
                edges.weights(chunk, edges.phi, 0),
                edges.sums(chunk),
                edges.unmix(chunk, grads),
            )
            to_w, to_f = edges.room(chunk, 1), gradients.features(chunk)
            values = edges.harmonics, (w, chunk.first), edges.f, t
            edges.call(
                "pull", chunk, *values, s.flat, gradients.harmonics, (to_w, chunk.first), *to_f
            )
            gradients.add(chunk, edges.phi, to_w, s, grads)
            torch.mm(to_w, self.radial.T, out=gradients.phi[chunk.edges])
        return [part if need else None for part, need in zip(gradients.all(), needs, strict=True)]

    def pull_twice(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, tangents: Inputs
    ) -> tuple[Tensor, list[Tensor | None]]:
        """The change dy along tangents of the inputs, and the gradients of <grad, dy>.

        The gradients are those of inputs and parameters.
        """
        edges, d = _Edges(self, hood, inputs), _Edges(self, hood, tangents)
        grads = edges.table.part(grad)
        dy, gradients = edges.results(), _Gradients(edges, True)
        for chunk in edges.chunks:
            w, dw = edges.weights(chunk, edges.phi, 0), edges.weights(chunk, d.phi, 1)
            ds, t = edges.sums(chunk), edges.unmix(chunk, grads)
            to_w, to_dw, to_f = (
                edges.room(chunk, 2),
                edges.room(chunk, 3),
                gradients.features(chunk),
            )
            values = (
                edges.harmonics,
                d.harmonics,
                (w, chunk.first),
                (dw, chunk.first),
                edges.f,
                d.f,
                t,
            )
            rooms = (to_w, chunk.first), (to_dw, chunk.first)
            edges.call("pull_twice", chunk, *values, ds.flat, gradients.harmonics, *rooms, *to_f)
            edges.mix(chunk, ds, dy)
            gradients.add(chunk, edges.phi, to_w, ds, grads)
            gradients.radial.addmm_(d.phi[chunk.edges].T, to_dw)
            torch.mm(to_w, self.radial.T, out=gradients.phi[chunk.edges])
        return edges.table.join(dy), gradients.all()


class _Chunk(NamedTuple):
    """Some targets and their edges."""

    nodes: slice
    edges: slice

    @property
    def first(self) -> int:
        return int(self.edges.start)


class _Sums(NamedTuple):
    """S or T of the targets of a chunk.

    One array (target * m_o, copies of all paths) for each output irrep.
    """

    flat: Tensor
    parts: list[Tensor]


class _Edges:
    """The edges of a graph by their targets, and room for what a chunk of them needs."""

    def __init__(self, loops: RadialLoops, hood: Neighbourhoods, inputs: Inputs) -> None:
        self.loops, self.hood, self.rows = loops, hood, hood.rows
        self.phi, self.harmonics = [self._in_order(t) for t in inputs.edge]
        self.table = radial_table(loops.layout)
        (x,) = inputs.source
        self.f = x.index_select(1, self.table.order)
        _check_sources(self.rows, self.f)
        self.parallel = torch.get_num_threads() > 1
        columns = loops.radial.shape[1]
        count = max(1, _CHUNK * torch.get_num_threads() // (columns * self.f.element_size()))
        self.chunks = _chunks(self.rows.first.numpy(), count)
        self.most_edges = max((c.edges.stop - c.edges.start for c in self.chunks), default=0)
        self.most_nodes = max((c.nodes.stop - c.nodes.start for c in self.chunks), default=0)
        self._room = self.f.new_empty(4, self.most_edges, columns)
        self._sums = self.f.new_empty(2, self.most_nodes * self.table.sums)
        place, value = loops.constants.place, loops.constants.value
        assert place is not None and value is not None
        self._shape = self.table.shape(
            self.most_nodes, self.rows, place, value.to(self.f.dtype).contiguous()
        )

    def _in_order(self, t: Tensor) -> Tensor:
        return t.contiguous() if self.rows.order is None else t.index_select(0, self.rows.order)

    def as_given(self, t: Tensor) -> Tensor:
        """Rows of edges in the order of `edge_index`."""
        order = self.rows.order
        return t if order is None else torch.empty_like(t).index_copy_(0, order, t)

    def room(self, chunk: _Chunk, k: int) -> Tensor:
        """Room k for numbers (edge, column of V) of a chunk."""
        return self._room[k, : chunk.edges.stop - chunk.edges.start]

    def weights(self, chunk: _Chunk, phi: Tensor, k: int) -> Tensor:
        """The weights phi V, in room k."""
        return torch.mm(phi[chunk.edges], self.loops.radial, out=self.room(chunk, k))

    def results(self) -> list[Tensor]:
        """Room for y, (target, m_o, copy) for each output irrep."""
        mixes = zip(self.table.outputs, self.loops.mix, strict=True)
        return [self.f.new_empty(self.hood.size, m_o, mix.shape[1]) for (m_o, _), mix in mixes]

    def sums(self, chunk: _Chunk) -> _Sums:
        """Zeros for S."""
        return self._cut(chunk, self._sums[0].zero_())

    def unmix(self, chunk: _Chunk, grads: Sequence[Tensor]) -> Tensor:
        """The gradients T of S."""
        t = self._cut(chunk, self._sums[1])
        for part, grad, mix in zip(t.parts, grads, self.loops.mix, strict=True):
            torch.mm(grad[chunk.nodes].flatten(0, 1), mix.T, out=part)
        return t.flat

    def mix(self, chunk: _Chunk, s: _Sums, y: Sequence[Tensor]) -> None:
        """Results S L, written into y."""
        for part, mix, result in zip(s.parts, self.loops.mix, y, strict=True):
            torch.mm(part, mix, out=result[chunk.nodes].flatten(0, 1))

    def _cut(self, chunk: _Chunk, flat: Tensor) -> _Sums:
        count, parts, start = chunk.nodes.stop - chunk.nodes.start, [], 0
        for m_o, copies in self.table.outputs:
            parts.append(flat[start : start + count * m_o * copies].view(-1, copies))
            start += self.most_nodes * m_o * copies
        return _Sums(flat, parts)

    def call(self, name: str, chunk: _Chunk, *arrays: Tensor | tuple[Tensor, int] | None) -> None:
        """A function of radial.c for the targets of a chunk, on as many threads as torch uses."""
        function = getattr(self.loops.library, name)
        if function.argtypes is None:
            rest = [ctypes.c_void_p] * len(arrays)
            function.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, *rest]
        nodes, pointers = chunk.nodes, [_pointer(array) for array in arrays]
        function(ctypes.addressof(self._shape), nodes.start, nodes.stop, *pointers)


class _Gradients:
    """The gradients of a pass over the edges."""

    def __init__(self, edges: _Edges, harmonics: bool) -> None:
        self.edges = edges
        self.phi, self.f = torch.empty_like(edges.phi), torch.zeros_like(edges.f)
        self.harmonics = torch.zeros_like(edges.harmonics) if harmonics else None
        self.radial = torch.zeros_like(edges.loops.radial)
        self._mix = [torch.zeros_like(mix) for mix in edges.loops.mix]
        self._own = (
            torch.arange(len(edges.phi)) if edges.parallel else None
        )  # threads do not write to common rows
        self._apart = (
            edges.f.new_empty(edges.most_edges, edges.f.shape[1]) if edges.parallel else None
        )

    def features(self, chunk: _Chunk) -> tuple[Any, Tensor]:
        """Where gradients of f are added, and the rows of the edges there."""
        if self._own is None or self._apart is None:
            return self.f, self.edges.rows.source
        self._apart.zero_()
        return (self._apart, chunk.first), self._own

    def add(
        self, chunk: _Chunk, phi: Tensor, to_w: Tensor, s: _Sums, grads: Sequence[Tensor]
    ) -> None:
        """Those of parameters; and of features where every edge had its own row."""
        self.radial.addmm_(phi[chunk.edges].T, to_w)
        for total, part, grad in zip(self._mix, s.parts, grads, strict=True):
            total.addmm_(part.T, grad[chunk.nodes].flatten(0, 1))
        if self._apart is not None:
            sources = self.edges.rows.source[chunk.edges]
            self.f.index_add_(0, sources, self._apart[: len(sources)])

    def all(self) -> list[Tensor | None]:
        """Those of phi, harmonics, features, V and every L."""
        edges = self.edges
        harmonics = None if self.harmonics is None else edges.as_given(self.harmonics)
        features = self.f.index_select(1, edges.table.place)
        return [edges.as_given(self.phi), harmonics, features, self.radial, *self._mix]


def _check_sources(rows: Rows, x: Tensor) -> None:
    """Raise IndexError for sources that are not there: the loops read plain memory."""
    low, high = rows.span
    if low < 0 or high >= x.shape[0]:
        raise IndexError(f"Sources are numbers from 0 to {x.shape[0] - 1}; got {low} to {high}.")


def _chunks(first: np.ndarray, count: int) -> list[_Chunk]:
    """Targets with about `count` edges, and about as many targets at the most."""
    chunks, start, size = [], 0, len(first) - 1
    if 0 < size <= count and first[-1] <= count:
        return [_Chunk(slice(0, size), slice(0, int(first[-1])))]
    while start < size:
        stop = int(np.searchsorted(first, first[start] + count, "right")) - 1
        stop = min(max(stop, start + 1), start + count, size)
        chunks.append(_Chunk(slice(start, stop), slice(int(first[start]), int(first[stop]))))
        start = stop
    return chunks


def _pointer(array: Tensor | tuple[Tensor, int] | None) -> int | None:
    """The address of an array, whose first row has number `row` where that is given."""
    if array is None:
        return None
    if isinstance(array, Tensor):
        return array.data_ptr()
    array, row = array
    return array.data_ptr() - row * array.stride(0) * array.element_size()
