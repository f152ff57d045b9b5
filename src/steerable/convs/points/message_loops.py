"""The sums of the order `messages` by loops of messages.c, for all targets at once."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...layers import FullWeights, Weights
from ...ops import Inputs, Neighbourhoods, Rows
from ...ops.sums import native, native_for
from .message_table import exchanged, message_table
from .radial_table import radial_table

_SOURCE = Path(__file__).with_name("messages.c")
_CHUNK = 2**19  # bytes of the moments of targets that are worked on together
_FEW_EDGES, _FEW_PRODUCTS = 1024, 2**22  # so many take less time than calls of operations do


def has_loops(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether loops compute with numbers of `dtype` on a device."""
    return device.type == "cpu" and native(_SOURCE, dtype) is not None


class MessageLoops:
    """What `Messages` computes in a block, for a whole graph.

    The moments M (target, m_o, (path, channel, copy)) of some targets at a time come from loops,
    and one matrix product with the weights of each output irrep follows. M is linear in radial
    functions, harmonics and features, so that second derivatives are sums of first ones.

    It works in float32 or float64 on a CPU.

    Args:
        weights: the weights of every output irrep, and the constants of the paths.
        library: messages.c for their type of numbers.
    """

    def __init__(self, weights: FullWeights, library: ctypes.CDLL) -> None:
        self.full, self.library = weights, library
        self.layout, lanes = radial_table(weights.layout), library.lanes()
        self.exchanged = exchanged(weights.recipe, lanes)
        self.table = message_table(self.exchanged or weights.recipe, lanes)
        sizes = zip(self.table.outputs, weights.tensors, strict=True)
        self.products = sum(m_o * weight.numel() for (m_o, _), weight in sizes)

    @cached_property
    def weights(self) -> list[Tensor]:
        """The weights of every output irrep, whose rows are in the order of M."""
        if self.exchanged:
            return [weight[0] for weight in self.full.tensors]
        pairs = zip(self.full.tensors, self.table.rows, strict=True)
        return [weight[0].index_select(0, rows) for weight, rows in pairs]

    def gradients_of_weights(self, gradients: Sequence[Tensor]) -> list[Tensor | None]:
        """Those of `weights` as those of the parameters."""
        if self.exchanged:
            return [gradient[None] for gradient in gradients]
        pairs = zip(gradients, self.table.rows, strict=True)
        return [torch.empty_like(g).index_copy_(0, rows, g)[None] for g, rows in pairs]

    def graph(self, hood: Neighbourhoods, inputs: Inputs, count: int | None = None) -> _Graph:
        """The edges, by their targets, of which `count` are worked on together."""
        return (_Exchanged if self.exchanged else _Graph)(self, hood, inputs, count)

    @classmethod
    def of(cls, weights: Weights, inputs: Inputs) -> MessageLoops | None:
        """The loops for these inputs; None where there are none."""
        if not isinstance(weights, FullWeights) or weights.groups > 1:
            return None
        library = native_for(_SOURCE, [*inputs.edge, *inputs.source, *weights.tensors])
        return None if library is None else cls(weights, library)

    def run(self, hood: Neighbourhoods, inputs: Inputs) -> Tensor:
        """The sums (target, field_out.dim)."""
        if inputs.edge[0].shape[0] <= _FEW_EDGES and hood.size * self.products <= _FEW_PRODUCTS:
            result = self._run_at_once(hood, inputs)
            if result is not None:
                return result
        graph = self.graph(hood, inputs)
        factors, y = graph.factors(inputs), graph.results()
        for chunk in graph.chunks():
            chunk.sum(factors)
            chunk.weigh(y)
        return self.layout.join(y)

    def _run_at_once(self, hood: Neighbourhoods, inputs: Inputs) -> Tensor | None:
        """The same by one call for a small graph; None where memory ends."""
        graph = self.graph(hood, inputs, count=1)
        factors, ends = graph.factors(inputs), self.table.ends(self.layout.joined)
        weights = [*map(Tensor.contiguous, self.weights)]
        pointers = (ctypes.c_void_p * len(weights))(*map(Tensor.data_ptr, weights))
        y = inputs.source[0].new_empty(hood.size, ends.columns)
        numbers = ctypes.addressof(ends), hood.size
        done = graph.call("convolve", *numbers, *factors, ctypes.addressof(pointers), y)
        return y if done else None

    def pull(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, needs: Sequence[bool]
    ) -> list[Tensor | None]:
        """The gradients of all inputs and parameters, None where not needed."""
        graph = self.graph(hood, inputs)
        factors, grads = graph.factors(inputs), self.layout.part(grad)
        gradients = graph.zeros(factors, needs)
        for chunk in graph.chunks():
            if any(needs[3:]):
                chunk.sum(factors)
                chunk.pull_weights(grads, gradients.weights)
            if any(needs[:3]):
                chunk.unweigh(grads)
                chunk.pull(factors, gradients.factors)
        pairs = zip(graph.as_given(gradients), needs, strict=True)
        return [part if need else None for part, need in pairs]

    def pull_twice(
        self, hood: Neighbourhoods, inputs: Inputs, grad: Tensor, tangents: Inputs
    ) -> tuple[Tensor, list[Tensor | None]]:
        """The change dy along tangents of the inputs, and the gradients of <grad, dy>.

        The gradients are those of inputs and parameters. dM has a term for every factor of M, with
        the tangent in place of that factor.
        """
        graph = self.graph(hood, inputs)
        factors, changes = graph.factors(inputs), graph.factors(tangents)
        grads, dy = self.layout.part(grad), graph.results()
        gradients = graph.zeros(factors, [True] * (3 + len(self.weights)))
        terms = [(factors.but(k, change), k) for k, change in enumerate(changes)]
        for chunk in graph.chunks():
            for term, k in terms:
                chunk.sum(term, add=k > 0)
            chunk.weigh(dy)
            chunk.pull_weights(grads, gradients.weights)
            chunk.unweigh(grads)
            for term, k in terms:
                chunk.pull(term, gradients.factors.but(k, None))
        return self.layout.join(dy), graph.as_given(gradients)


class _Factors(NamedTuple):
    """Radial functions, harmonics and features, in the order of the loops; or their gradients."""

    phi: Tensor | None
    harmonics: Tensor | None
    f: Tensor | None

    def but(self, k: int, factor: Tensor | None) -> _Factors:
        """The same with another factor in place k."""
        return self._replace(**{self._fields[k]: factor})


class _Gradients(NamedTuple):
    """The gradients of factors, None where not needed, and those of the weights."""

    factors: _Factors
    weights: list[Tensor]


class _Graph:
    """The edges of a graph by their targets, and room for the moments of some of these."""

    def __init__(
        self, loops: MessageLoops, hood: Neighbourhoods, inputs: Inputs, count: int | None
    ) -> None:
        self.loops, self.size = loops, hood.size
        (x,) = inputs.source
        hood.rows.check_sources(x.shape[0])
        self.rows, self.sources = self._rows(hood.rows), x.shape[0]
        self.parallel = torch.get_num_threads() > 1
        numbers, table = loops.table.numbers, loops.table
        if count is None:
            count = max(1, _CHUNK * torch.get_num_threads() // (numbers * x.element_size()))
        # Where all fits, one chunk; else chunks of about the same size.
        self.count = -(-self.size // max(1, -(-self.size // count)))
        self._room = x.new_empty(2, self.count * numbers)
        place, value = loops.full.constants.place, loops.full.constants.value
        assert place is not None and value is not None
        self._shape = table.shape(self.count, self.rows, place, value.to(x.dtype).contiguous())

    def factors(self, inputs: Inputs) -> _Factors:
        """Inputs in the order of the loops."""
        (phi, harmonics), (x,) = inputs.edge, inputs.source
        return _Factors(self.rows.sort(phi), self.rows.sort(harmonics), self._spread(x))

    def inputs(self, factors: _Factors) -> list[Tensor | None]:
        """Gradients of factors, as far as there are some, as those of the inputs."""
        phi, harmonics, f = factors
        x = None if f is None else self._collect(f)
        return [self._unsort(phi), self._unsort(harmonics), x]

    def zeros(self, factors: _Factors, needs: Sequence[bool]) -> _Gradients:
        """Zeros for the gradients that are needed, and for those of all weights."""
        pairs = zip(factors, self._needs(needs), strict=False)
        zeros = [None if f is None or not need else torch.zeros_like(f) for f, need in pairs]
        return _Gradients(_Factors(*zeros), [torch.zeros_like(w) for w in self.loops.weights])

    def as_given(self, gradients: _Gradients) -> list[Tensor | None]:
        """The gradients in the order of the inputs and of the weights."""
        weights = self.loops.gradients_of_weights(gradients.weights)
        return [*self.inputs(gradients.factors), *weights]

    def results(self) -> list[Tensor]:
        """Room for y, (target, m_o, copy) for each output irrep."""
        pairs = zip(self.loops.table.outputs, self.loops.weights, strict=True)
        return [w.new_empty(self.size, m_o, w.shape[1]) for (m_o, _), w in pairs]

    def chunks(self) -> Iterator[_Chunk]:
        """Some targets after the other."""
        for start in range(0, self.size, self.count or 1):
            yield _Chunk(self, slice(start, min(start + self.count, self.size)))

    def moments(self, k: int, count: int) -> tuple[Tensor, list[Tensor]]:
        """Room k for M or T of `count` targets: ((target, m_o), rows of the weights) each."""
        flat, parts, start = self._room[k], [], 0
        for m_o, total in self.loops.table.outputs:
            stop = start + count * m_o * total
            parts.append(flat[start:stop].view(-1, total))
            start += self.count * m_o * total
        return flat, parts

    def call(self, name: str, *arguments: Any) -> int:
        """A function of messages.c, on as many threads as torch uses."""
        function = getattr(self.loops.library, name)
        if function.argtypes is None:
            types = [ctypes.c_int64 if isinstance(a, int) else ctypes.c_void_p for a in arguments]
            function.argtypes = [ctypes.c_void_p, *types]
        values = [a.data_ptr() if isinstance(a, Tensor) else a for a in arguments]
        result: int = function(ctypes.addressof(self._shape), *values)
        return result

    def _rows(self, rows: Rows) -> Rows:
        """The edges and, for each, the row of f."""
        return rows

    def _needs(self, needs: Sequence[bool]) -> Sequence[bool]:
        """Which factors need a gradient."""
        return needs[:3]

    def _spread(self, x: Tensor) -> Tensor:
        """Features (source, channel) as f, (source, padded channel)."""
        order, (rows, columns) = self.loops.table.order, x.shape
        f = x.new_empty(rows, order.shape[0])
        self.call("spread", rows, columns, order, x.contiguous(), f)
        return f

    def _collect(self, f: Tensor) -> Tensor:
        """The inverse of `_spread`."""
        order, columns = self.loops.table.order, self.loops.table.columns
        x = f.new_empty(f.shape[0], columns)
        self.call("collect", f.shape[0], columns, order, f, x)
        return x

    def _unsort(self, t: Tensor | None) -> Tensor | None:
        return None if t is None else self.rows.unsort(t)


class _Exchanged(_Graph):
    """The same for recipes that are exchanged: radial functions are f, a row for every edge.

    The features of its source, which are invariants, take their place.
    """

    def _rows(self, rows: Rows) -> Rows:
        self.source = rows.source
        return rows._replace(source=torch.arange(rows.source.shape[0]))

    def _needs(self, needs: Sequence[bool]) -> Sequence[bool]:
        return needs[2::-1]

    def factors(self, inputs: Inputs) -> _Factors:
        (phi, harmonics), (x,) = inputs.edge, inputs.source
        copies, f = x.index_select(0, self.source), self._spread(self.rows.sort(phi))
        return _Factors(copies, self.rows.sort(harmonics), f)

    def inputs(self, factors: _Factors) -> list[Tensor | None]:
        copies, harmonics, f = factors
        phi, x = None if f is None else self._collect(f), None
        if copies is not None:
            x = copies.new_zeros(self.sources, copies.shape[1]).index_add_(0, self.source, copies)
        return [self._unsort(phi), self._unsort(harmonics), x]


class _Chunk:
    """Some targets, and room for their M and its gradient T."""

    def __init__(self, graph: _Graph, nodes: slice) -> None:
        self.graph, self.nodes = graph, nodes
        count = nodes.stop - nodes.start
        self._m, self._ms = graph.moments(0, count)
        self._t, self._ts = graph.moments(1, count)

    def sum(self, factors: _Factors, add: bool = False) -> None:
        """M, or add to it."""
        nodes = self.nodes
        self.graph.call("sums", nodes.start, nodes.stop, *factors, self._m, int(add))

    def weigh(self, y: Sequence[Tensor]) -> None:
        """Results M W, written into y."""
        for m, weight, result in zip(self._ms, self.graph.loops.weights, y, strict=True):
            torch.mm(m, weight, out=result[self.nodes].flatten(0, 1))

    def unweigh(self, grads: Sequence[Tensor]) -> None:
        """The gradients T of M."""
        for t, weight, grad in zip(self._ts, self.graph.loops.weights, grads, strict=True):
            torch.mm(grad[self.nodes].flatten(0, 1), weight.T, out=t)

    def pull_weights(self, grads: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        """Add the gradients of the weights."""
        for m, grad, total in zip(self._ms, grads, gradients, strict=True):
            total.addmm_(m.T, grad[self.nodes].flatten(0, 1))

    def pull(self, factors: _Factors, gradients: _Factors) -> None:
        """Add the gradients of <T, M> to those that are not None."""
        graph, nodes = self.graph, self.nodes
        values = nodes.start, nodes.stop, *factors, self._t, *gradients[:2]
        if gradients.f is None or not graph.parallel:
            graph.call("pull", *values, gradients.f, graph.rows.source)
            return
        # Threads do not write to common rows: every edge has its own.
        start, stop = int(graph.rows.first[nodes.start]), int(graph.rows.first[nodes.stop])
        apart = gradients.f.new_zeros(stop - start, gradients.f.shape[1])
        graph.call("pull", *values, apart, None)
        gradients.f.index_add_(0, graph.rows.source[start:stop], apart)
