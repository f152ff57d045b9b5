"""Transforms between samples on rings of constant polar angle and coefficients.

What sphere and rotations share.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..constants import ConstantModule
from ..tracing import is_traced
from .circle import no_signals
from .layout import Layout
from .legendre import legendre
from .wigner import wigner_d

Terms = tuple[NDArray[np.int64], NDArray[np.float64]]  # rows to take, and their scales

# times the root of the number of degrees: the measured largest error of a round trip in float32
_SINGLE_ERROR = 2e-7
_WORTH_A_WARNING = 5e-6


class PrecisionWarning(UserWarning):
    """A transform in float32 loses digits that float64 would keep."""


class RingTransform(ConstantModule, ABC):
    """Samples to coefficients (`analysis`) and back (`synthesis`).

    A subclass turns samples into waves exp(-i (m a + n g)) on every ring j, by FFT. Here every pair
    m, n goes from rings to degrees by one matrix product,

        F^l_mn = sum_j t^l_mn(b_j) G_mn(b_j),

    with Wigner's d^l_mn(b) (for n = 0 Legendre functions) made in float64 and cast once. Analysis
    is the transpose of synthesis, after weighting the samples: exact for signals of the degrees of
    the layout where the weights integrate products of two of them. Small transforms are one matrix.
    Whatever leads the shape of a signal is batch.

    Args:
        layout: the coefficients.
        polar: polar angles of the rings (ring,) in radians.
        weights: what every sample contributes to the mean: the shape of one signal's samples.
    """

    _dense_entries = 2**16  # up to which one matrix is faster than the steps

    _table: Tensor
    _weights: Tensor
    _matrix: Tensor
    _gather: Tensor
    _gather_scale: Tensor
    _scatter: Tensor
    _scatter_scale: Tensor

    def __init__(self, layout: Layout, polar: Tensor, weights: Tensor) -> None:
        super().__init__()
        self.layout, self.shape = layout, tuple(weights.shape)
        self.register_constant("_weights", weights)
        self.register_constant("_table", _table(layout, tuple(polar.tolist())))
        gather, scatter = _rearrangements(layout)
        for name, (source, scale) in (("_gather", gather), ("_scatter", scatter)):
            self.register_constant(name, torch.from_numpy(source))
            self.register_constant(f"{name}_scale", torch.from_numpy(scale))
        self.dense = layout.size * weights.numel() <= self._dense_entries
        if self.dense:
            used = self._weights.dtype
            self.to(torch.float64)
            identity = torch.eye(layout.size, dtype=torch.float64)
            self.register_constant("_matrix", self._signal(self._expand(identity)).flatten(1))
            self.to(used)

    @abstractmethod
    def _waves(self, samples: Tensor) -> Tensor:
        """Samples f (batch, *shape) to sums of f exp(-i (m a + n g)) over rings.

        Complex (batch, ring, m >= 0, n).
        """

    @abstractmethod
    def _signal(self, waves: Tensor) -> Tensor:
        """The transpose: samples Re sum over m, n of waves exp(i (m a + n g)).

        Those of m > 0 count twice.
        """

    def analysis(self, samples: Tensor) -> Tensor:
        """Samples (..., *shape) to coefficients (..., layout.size).

        Raises:
            ValueError: samples of another shape or dtype, or that are not finite.
        """
        lead = samples.shape[: max(samples.dim() - len(self.shape), 0)]
        if samples.shape[len(lead) :] != self.shape:
            raise ValueError(
                f"{self._name} expects samples (..., {', '.join(map(str, self.shape))}); got "
                f"{tuple(samples.shape)}."
            )
        self._check_dtype(samples)
        with torch.autocast(samples.device.type, enabled=False):
            found = self._analysis(samples.reshape(-1, *self.shape) * self._weights).reshape(
                *lead, self.layout.size
            )
        if not is_traced(found) and not bool(found[..., :1].isfinite().all()):
            raise ValueError(
                f"{self._name} needs finite samples; got NaN or infinity. Fill or mask them first."
            )
        return found

    def synthesis(self, coefficients: Tensor) -> Tensor:
        """Coefficients (..., layout.size) to samples (..., *shape).

        Raises:
            ValueError: another number of coefficients, or another dtype.
        """
        self.layout.check(coefficients, self._name)
        self._check_dtype(coefficients)
        flat = coefficients.reshape(-1, self.layout.size)
        with torch.autocast(coefficients.device.type, enabled=False):
            if self.dense:
                found = flat @ self._matrix
            elif flat.shape[0]:
                found = self._signal(self._expand(flat))
            else:
                found = no_signals(flat, math.prod(self.shape))
        return found.reshape(*coefficients.shape[:-1], *self.shape)

    def _analysis(self, weighted: Tensor) -> Tensor:
        if self.dense:
            return weighted.flatten(1) @ self._matrix.T
        if weighted.shape[0]:
            return self._project(self._waves(weighted))
        return no_signals(weighted.flatten(1), self.layout.size)

    def _project(self, waves: Tensor) -> Tensor:
        """Waves (batch, ring, m, n) to coefficients (batch, size)."""
        batch, rings = waves.shape[:2]
        turned = waves.flatten(2).flatten(0, 1).T  # two axes at a time are what transposes fast
        columns = torch.stack([turned.real, turned.imag], 1).view(-1, 2 * batch, rings)
        found = torch.bmm(self._table, columns.mT).view(-1, batch)
        return _combined(found, self._gather, self._gather_scale).T

    def _expand(self, coefficients: Tensor) -> Tensor:
        """Coefficients (batch, size) to waves (batch, ring, m, n)."""
        pairs, degrees, rings = self._table.shape
        rows = _combined(coefficients.T.contiguous(), self._scatter, self._scatter_scale).view(
            pairs, degrees, -1
        )
        parts = torch.bmm(rows.mT, self._table).view(pairs, 2, -1)
        waves = torch.complex(parts[:, 0], parts[:, 1]).T.contiguous()
        return waves.view(coefficients.shape[0], rings, degrees, pairs // degrees)

    def _check_dtype(self, x: Tensor) -> None:
        used = self._weights.dtype
        if used not in (torch.float32, torch.float64):
            raise ValueError(
                f"{self._name} works in float32 or float64; it was converted to {used}."
            )
        if x.dtype != used:
            raise ValueError(
                f"{self._name} works in {used} and got {x.dtype}. Convert one of them with "
                ".to(...)."
            )
        error = _SINGLE_ERROR * (self.layout.max_degree + 1) ** 0.5
        if used == torch.float32 and error > _WORTH_A_WARNING and not torch.compiler.is_compiling():
            warnings.warn(
                f"{self._name} of degree {self.layout.max_degree} in float32: expect errors of "
                f"{error:.0e} of coefficients of variance 1. In float64, with .double(), they are "
                "below 1e-12.",
                PrecisionWarning,
                stacklevel=3,
            )

    @property
    def _name(self) -> str:
        return type(self).__name__


def _combined(rows: Tensor, sources: Tensor, scales: Tensor) -> Tensor:
    """Sum over s of scales[s] * rows[sources[s]]."""
    parts = [
        rows.index_select(0, source) * scale.unsqueeze(1)
        for source, scale in zip(sources, scales, strict=True)
    ]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


@lru_cache(maxsize=4)
def _table(layout: Layout, polar: tuple[float, ...]) -> Tensor:
    """t^l_mn(b_j) (m n, l, ring) for m >= 0, zero where l < max(m, |n|).

    Real harmonics turn a pair m, n of signs into waves m a + n g and m a - n g, with d_mn and
    d_m,-n apart from signs: (-1)^(m + n) and (-1)^m. Where m or n is 0 both are one, so sqrt(2);
    with m = 0 it is met twice, so half of that.
    """
    angle, top = torch.tensor(polar, dtype=torch.float64), layout.max_degree
    table = torch.zeros(top + 1, len(layout.orders), top + 1, len(polar), dtype=torch.float64)
    for place, n in enumerate(layout.orders):
        if n == 0:
            table[:, place] = legendre(angle, top)
            table[1:, place] *= math.sqrt(2)
    lowest = min((abs(n) for n in layout.orders if n), default=top + 1)
    for l in range(lowest, top + 1):
        orders = [n for n in layout.columns(l) if n]
        places = [layout.orders.index(n) for n in orders]
        sign = torch.tensor(
            [[(-1.0) ** (m + max(n, 0)) for n in orders] for m in range(l + 1)], dtype=torch.float64
        )
        sign[0] /= math.sqrt(2)
        block = wigner_d(l, angle, orders)[:, l:] * (sign * math.sqrt(2 * l + 1))
        table[: l + 1, places, l] = block.permute(1, 2, 0)
    return table.flatten(0, 1)


def _rearrangements(layout: Layout) -> tuple[Terms, Terms]:
    """What coefficients take from the rows of products, and these from coefficients.

    The rows are (m, n, l, part).

    With P, Q the products for n and -n, in the real basis
    F_mn = Re P + Re Q, F_-mn = -Im P - Im Q, F_m-n = Im P - Im Q, F_-m-n = Re P - Re Q; for n = 0
    only P is there. The way back is the transpose of it, with half of every wave of m > 0, as the
    FFT adds the one of -m.
    """
    orders, top = layout.orders, layout.max_degree
    parts = [
        np.stack(
            np.broadcast_arrays(l, np.array(layout.columns(l))[:, None], np.arange(-l, l + 1)), -1
        ).reshape(-1, 3)
        for l in range(top + 1)
        if layout.columns(l)
    ]
    l, n, m = np.concatenate(parts).T
    place = {order: k for k, order in enumerate(orders)}
    imaginary = (m < 0) != (n < 0)

    def row(order: NDArray[np.int64]) -> NDArray[np.int64]:
        at = np.array([place[k] for k in order.tolist()])
        return ((np.abs(m) * len(orders) + at) * (top + 1) + l) * 2 + imaginary

    first = np.where((m < 0) & (n >= 0), -1.0, 1.0)
    sources, scales = row(np.abs(n))[None], first[None]
    if orders != (0,):
        second = np.where(n == 0, 0.0, np.where(n < 0, -1.0, first))
        sources, scales = np.stack([sources[0], row(-np.abs(n))]), np.stack([first, second])
    back, weights = _transposed(sources, scales, (top + 1) ** 2 * len(orders) * 2)
    weights[:, (top + 1) * len(orders) * 2 :] /= 2
    return (sources, scales), (back, weights)


def _transposed(sources: NDArray[np.int64], scales: NDArray[np.float64], rows: int) -> Terms:
    """The same sparse matrix from the other side.

    The (at most two) terms of every row, the rest with scale 0.
    """
    entry, source = np.nonzero(scales)
    target, value = sources[entry, source], scales[entry, source]
    order = np.argsort(target, kind="stable")
    target, value, source = target[order], value[order], source[order]
    slot = np.zeros(len(target), int)
    slot[1:] = target[1:] == target[:-1]
    found = np.zeros((len(sources), rows), int), np.zeros((len(sources), rows))
    found[0][slot, target], found[1][slot, target] = source, value
    return found
