"""The sums of the order `radial` edge by edge, by loops of radial.c, for all targets at once."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...layers import DepthwiseWeights
from ...ops import Inputs, Neighbourhoods
from ...ops.sums import native_for
from .radial_table import radial_table

_SOURCE = Path(__file__).with_name("radial.c")
_CHUNK = 2**19  # bytes of S of the targets that are worked on together, which stay in the cache
_FEW_EDGES = 1024  # so many are worth no product by BLAS, whose calls take longer than the work


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
        self.table = radial_table(self.layout, library.lanes())

    @classmethod
    def of(cls, weights: DepthwiseWeights, inputs: Inputs) -> RadialLoops | None:
        """The loops for these inputs; None where there are none."""
        library = native_for(_SOURCE, [*inputs.edge, *inputs.source, *weights.tensors])
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
            s = edges.sums(chunk)
            edges.call("sums", chunk, edges.phi, edges.harmonics, edges.f, edges.v, s.flat)
            edges.mix(chunk, s, y)
        return edges.table.join(y)

    def _run_at_once(self, hood: Neighbourhoods, inputs: Inputs) -> Tensor | None:
        """The same by one call for a small graph; None where memory ends."""
        (phi, harmonics), (x,) = inputs.edge, inputs.source
        rows, table, constants = hood.rows, self.table, self.constants
        rows.check_sources(x.shape[0])
        assert constants.place is not None and constants.value is not None
        value = constants.value.to(x.dtype).contiguous()
        shape = table.shape(1, rows, constants.place, value, phi.shape[1])
        ends = table.ends(x.shape[1], x.shape[0])
        v = table.with_padding(self.radial)
        arrays = [*map(Tensor.contiguous, (phi, harmonics, x, v, *self.mix))]
        first, mixes = [*map(Tensor.data_ptr, arrays[:4])], [*map(Tensor.data_ptr, arrays[4:])]
        y = x.new_empty(hood.size, self.layout.width)
        pointers = (ctypes.c_void_p * len(mixes))(*mixes)
        function = self.library.convolve
        if function.argtypes is None:
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
        gradients = _Gradients(edges, needs[1], any(needs[4:]))
        for chunk in edges.chunks:
            s, t = edges.sums(chunk), edges.unmix(chunk, grads)
            values = edges.phi, edges.harmonics, edges.f, edges.v, edges.vt, t
            edges.call("pull", chunk, *values, s.flat, *gradients.rooms(chunk))
            gradients.add(chunk, s, grads)
        return [part if need else None for part, need in zip(gradients.all(), needs, strict=True)]

    def pull_twice(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, tangents: Inputs
    ) -> tuple[Tensor, list[Tensor | None]]:
        """The change dy along tangents of the inputs, and the gradients of <grad, dy>.

        The gradients are those of inputs and parameters.
        """
        edges = _Edges(self, hood, inputs)
        dphi, dharmonics, df = edges.arranged(tangents)
        grads = edges.table.part(grad)
        dy, gradients = edges.results(), _Gradients(edges, True, True)
        for chunk in edges.chunks:
            ds, t = edges.sums(chunk), edges.unmix(chunk, grads)
            values = edges.phi, dphi, edges.harmonics, dharmonics, edges.f, df, edges.v, edges.vt, t
            edges.call("pull_twice", chunk, *values, ds.flat, *gradients.rooms(chunk))
            edges.mix(chunk, ds, dy)
            gradients.add(chunk, ds, grads)
        return edges.table.join(dy), gradients.all()


class _Chunk(NamedTuple):
    """Some targets and their edges."""

    nodes: slice
    edges: slice


class _Sums(NamedTuple):
    """S or T of the targets of a chunk.

    One array (target * m_o, copies of all paths) for each output irrep.
    """

    flat: Tensor
    parts: list[Tensor]


class _Edges:
    """The edges of a graph by their targets, and room for what a chunk of targets needs."""

    def __init__(self, loops: RadialLoops, hood: Neighbourhoods, inputs: Inputs) -> None:
        self.loops, self.hood, self.rows, self.table = loops, hood, hood.rows, loops.table
        (x,) = inputs.source
        self.rows.check_sources(x.shape[0])
        self.phi, self.harmonics, self.f = self.arranged(inputs)
        self.channels = self.phi.shape[1]
        self.v = self.table.with_padding(loops.radial)
        self.parallel = torch.get_num_threads() > 1
        room = _CHUNK * torch.get_num_threads() // self.f.element_size()
        # Threads do not write to common rows, so that gradients of features lie at every edge.
        edges = max(1, room // max(1, self.f.shape[1])) if self.parallel else len(self.phi)
        self.chunks = _chunks(self.rows.first.numpy(), edges, max(1, room // self.table.sums))
        self.most_nodes = max((c.nodes.stop - c.nodes.start for c in self.chunks), default=0)
        self._sums = self.f.new_empty(2, self.most_nodes * self.table.sums)
        place, value = loops.constants.place, loops.constants.value
        assert place is not None and value is not None
        value = value.to(self.f.dtype).contiguous()
        self.shape = self.table.shape(self.most_nodes, self.rows, place, value, self.channels)

    @cached_property
    def vt(self) -> Tensor:
        """V^T (column, channel), whose channels are padded as well."""
        vt = self.v.new_zeros(self.v.shape[1], self.shape.depth)
        vt[:, : self.channels] = self.v.T
        return vt

    def arranged(self, inputs: Inputs) -> list[Tensor]:
        """phi, harmonics, and features in the order of f."""
        x = inputs.source[0].contiguous()
        f = x.new_zeros(x.shape[0], self.table.width)
        self._move("arrange", x, f)
        return [*(t.contiguous() for t in inputs.edge), f]

    def features(self, f: Tensor) -> Tensor:
        """The inverse for features."""
        x = f.new_empty(f.shape[0], len(self.table.place))
        self._move("restore", f, x)
        return x

    def _move(self, name: str, from_: Tensor, to: Tensor) -> None:
        function, place = getattr(self.loops.library, name), self.table.place
        function.argtypes = [ctypes.c_int64] * 3 + [ctypes.c_void_p] * 3
        sizes = from_.shape[0], len(place), self.table.width
        function(*sizes, place.data_ptr(), from_.data_ptr(), to.data_ptr())

    def results(self) -> list[Tensor]:
        """Room for y, (target, m_o, copy) for each output irrep."""
        mixes = zip(self.table.outputs, self.loops.mix, strict=True)
        return [self.f.new_empty(self.hood.size, m_o, mix.shape[1]) for (m_o, _), mix in mixes]

    def sums(self, chunk: _Chunk) -> _Sums:
        """Room for S."""
        return self._cut(chunk, self._sums[0])

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

    def call(self, name: str, chunk: _Chunk, *arguments: Tensor | int | None) -> None:
        """A function of radial.c for the targets of a chunk, on as many threads as torch uses."""
        function = getattr(self.loops.library, name)
        if function.argtypes is None:
            types = [ctypes.c_int64 if isinstance(a, int) else ctypes.c_void_p for a in arguments]
            function.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, *types]
        values = [a.data_ptr() if isinstance(a, Tensor) else a for a in arguments]
        function(ctypes.addressof(self.shape), chunk.nodes.start, chunk.nodes.stop, *values)


class _Gradients:
    """The gradients of a pass over the edges."""

    def __init__(self, edges: _Edges, harmonics: bool, mix: bool) -> None:
        self.edges, f, shape = edges, edges.f, edges.shape
        self.phi, self.f = torch.empty_like(edges.phi), torch.zeros_like(f)
        self.harmonics = torch.empty_like(edges.harmonics) if harmonics else None
        # Every thread adds to a V of its own.
        self._v = f.new_zeros(shape.threads, shape.depth, shape.columns)
        self._mix = [torch.zeros_like(part) for part in edges.loops.mix] if mix else []
        most = max((c.edges.stop - c.edges.start for c in edges.chunks), default=0)
        self._apart = f.new_empty(most, f.shape[1]) if edges.parallel else None

    def rooms(self, chunk: _Chunk) -> tuple[Tensor, Tensor | None, Tensor, int, Tensor]:
        """Where gradients of phi, harmonics, f and V go; the first edge if f has rows of edges."""
        if self._apart is None:
            return self.phi, self.harmonics, self.f, -1, self._v
        return self.phi, self.harmonics, self._apart.zero_(), chunk.edges.start, self._v

    def add(self, chunk: _Chunk, s: _Sums, grads: Sequence[Tensor]) -> None:
        """Those of every L; and of features where every edge had its own row."""
        for total, part, grad in zip(self._mix, s.parts, grads, strict=False):  # if needed
            total.addmm_(part.T, grad[chunk.nodes].flatten(0, 1))
        if self._apart is not None:
            sources = self.edges.rows.source[chunk.edges]
            self.f.index_add_(0, sources, self._apart[: len(sources)])

    def all(self) -> list[Tensor | None]:
        """Those of phi, harmonics, features, V and every L."""
        edges = self.edges
        v = edges.table.without_padding(self._v.sum(0)[: edges.channels])
        mix: list[Any] = self._mix or [None] * len(edges.loops.mix)
        return [self.phi, self.harmonics, edges.features(self.f), v.contiguous(), *mix]


def _chunks(first: np.ndarray, edges: int, nodes: int) -> list[_Chunk]:
    """Targets with about so many edges, and so many targets at the most."""
    chunks, start, size = [], 0, len(first) - 1
    if 0 < size <= nodes and first[-1] <= edges:
        return [_Chunk(slice(0, size), slice(0, int(first[-1])))]
    while start < size:
        stop = int(np.searchsorted(first, first[start] + edges, "right")) - 1
        stop = min(max(stop, start + 1), start + nodes, size)
        chunks.append(_Chunk(slice(start, stop), slice(int(first[start]), int(first[stop]))))
        start = stop
    return chunks
