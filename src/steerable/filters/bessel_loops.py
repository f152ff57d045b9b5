"""Bessel functions in a polynomial envelope by loops of bessel.c, with two derivatives.

PyTorch needs some twenty operations for them and sixty for their derivatives, whose overhead is
most of the time of a filter on a small graph.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..functions import bessel, polynomial_cutoff
from ..ops.sums import native
from ..tracing import is_traced, transforms_active

_SOURCE = Path(__file__).with_name("bessel.c")
_MOST = 64  # functions that bessel.c has room for
_MANY = 512  # edges that are worth a second thread

Functions = tuple[Tensor, Tensor]


class _Shape(ctypes.Structure):
    """The structure `Shape` of bessel.c."""

    _fields_ = [(name, ctypes.c_int64) for name in ("threads", "edges", "dim", "count")] + [
        (name, ctypes.c_double) for name in ("cutoff", "soft", "basis", "envelope")
    ]


@dataclass(frozen=True, eq=False)
class BesselLoops:
    """Bessel functions b and a polynomial cutoff f of r = sqrt(|x|^2 + s^2), with factors.

    Args:
        count: number of functions b.
        cutoff: c.
        soft: s.
        basis: the factor of `functions.bessel`.
        envelope: the factor of `functions.polynomial_cutoff`.
    """

    count: int
    cutoff: float
    soft: float
    basis: float
    envelope: float

    def __call__(self, x: Tensor) -> Functions:
        """Relative positions (edge, d) to b (edge, count) and f (edge, 1)."""
        if type(x) is not Tensor or x.device.type != "cpu" or self.count > _MOST:
            return self.plain(x)
        if is_traced(x) or transforms_active([x]):
            return self.plain(x)
        library = native(_SOURCE, x.dtype)
        if library is None:
            return self.plain(x)
        if torch.is_grad_enabled() and x.requires_grad:
            functions: Functions = _Values.apply(self, library, x)
            return functions
        return self.values(library, x)

    def plain(self, x: Tensor) -> Functions:
        """The same in operations of PyTorch, which every transform follows."""
        r = torch.sqrt((x * x).sum(-1) + self.soft**2)
        envelope = self.envelope * polynomial_cutoff(r, self.cutoff)
        return self.basis * bessel(r, self.count, self.cutoff), envelope.unsqueeze(-1)

    def values(self, library: ctypes.CDLL, x: Tensor) -> Functions:
        """The functions, without a graph of autograd."""
        edges = x.shape[0]
        b, f = x.new_empty(edges, self.count), x.new_empty(edges, 1)
        self._call(library.values, [x], [b, f])
        return b, f

    def pull(self, library: ctypes.CDLL, x: Tensor, to_b: Tensor, to_f: Tensor) -> Tensor:
        """The gradient of <to_b, b> + <to_f, f> by x."""
        to_x = torch.empty_like(x, memory_format=torch.contiguous_format)
        self._call(library.pull, [x, to_b, to_f], [to_x])
        return to_x

    def pull_twice(
        self, library: ctypes.CDLL, x: Tensor, to_b: Tensor, to_f: Tensor, dx: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The gradients of <dx, pull> by x, to_b and to_f."""
        shapes = x.shape, to_b.shape, to_f.shape
        results = x.new_empty(shapes[0]), x.new_empty(shapes[1]), x.new_empty(shapes[2])
        self._call(library.pull_twice, [x, to_b, to_f, dx], results)
        return results

    def _call(self, function: Any, inputs: Sequence[Tensor], results: Sequence[Tensor]) -> None:
        edges, dim = inputs[0].shape
        threads = torch.get_num_threads() if edges > _MANY else 1
        numbers = self.cutoff, self.soft, 2**0.5 * self.basis, self.envelope
        shape = _Shape(threads, edges, dim, self.count, *numbers)
        arrays = [*map(Tensor.contiguous, inputs), *results]
        if function.argtypes is None:
            function.argtypes = [ctypes.c_void_p] * (1 + len(arrays))
        function(ctypes.addressof(shape), *map(Tensor.data_ptr, arrays))


class _Values(torch.autograd.Function):
    """The functions, whose gradients are differentiable."""

    @staticmethod
    def forward(ctx: Any, loops: BesselLoops, library: ctypes.CDLL, x: Tensor) -> Functions:
        ctx.loops = loops, library
        ctx.save_for_backward(x)
        return loops.values(library, x)

    @staticmethod
    def backward(ctx: Any, to_b: Tensor, to_f: Tensor) -> tuple[None, None, Tensor]:
        loops, library = ctx.loops
        (x,) = ctx.saved_tensors
        if transforms_active([to_b, to_f]):  # a batch of gradients at once
            return None, None, _plain_pull(loops, x, to_b, to_f)
        return None, None, _Pull.apply(loops, library, x, to_b, to_f)


class _Pull(torch.autograd.Function):
    """The gradients, themselves differentiable."""

    @staticmethod
    def forward(
        ctx: Any, loops: BesselLoops, library: ctypes.CDLL, x: Tensor, to_b: Tensor, to_f: Tensor
    ) -> Tensor:
        ctx.loops = loops, library
        ctx.save_for_backward(x, to_b, to_f)
        return loops.pull(library, x, to_b, to_f)

    @staticmethod
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor | None, ...]:
        loops, library = ctx.loops
        x, to_b, to_f = ctx.saved_tensors
        if torch.is_grad_enabled() or transforms_active([dx]):
            return None, None, *_plain_pull_twice(loops, x, to_b, to_f, dx)
        return None, None, *loops.pull_twice(library, x, to_b, to_f, dx)


def _plain_pull(loops: BesselLoops, x: Tensor, to_b: Tensor, to_f: Tensor) -> Tensor:
    """`BesselLoops.pull` by autograd."""
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        x = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
        gradients = torch.autograd.grad(loops.plain(x), x, (to_b, to_f), create_graph=create_graph)
    return gradients[0]


def _plain_pull_twice(
    loops: BesselLoops, x: Tensor, to_b: Tensor, to_f: Tensor, dx: Tensor
) -> tuple[Tensor | None, ...]:
    """`BesselLoops.pull_twice` by autograd."""
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        leaves = [
            t.view_as(t) if t.requires_grad else t.detach().requires_grad_()
            for t in (x, to_b, to_f)
        ]
        gradient = _plain_pull(loops, *leaves)
        return torch.autograd.grad(
            gradient, leaves, dx, create_graph=create_graph, materialize_grads=True
        )
