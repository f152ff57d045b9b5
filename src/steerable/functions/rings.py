"""The base of transforms between samples on rings of constant polar angle and coefficients."""

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

# Measured: the largest error of a round trip in float32 is this times the root of the number of
# degrees.
_SINGLE_ERROR = 2e-7
_WORTH_A_WARNING = 5e-6


class PrecisionWarning(UserWarning):
    """Warns that a transform in float32 loses digits that float64 would keep."""


class RingTransform(ConstantModule, ABC):
    """Base of the transforms from samples to coefficients (`analysis`) and back (`synthesis`).

    A subclass computes the coefficients G_mn of the waves exp(i (m a + n g)) on every ring j by
    FFT. This class then takes every pair m, n from rings to degrees by one matrix product,

        F^l_mn = sum_j t^l_mn(b_j) G_mn(b_j),

    with Wigner's d^l_mn(b) (Legendre functions for n = 0), computed once in float64. Analysis is
    the transpose of synthesis applied to weighted samples. It is exact for signals of the degrees
    of the layout if the weights integrate products of two such signals. Small transforms are a
    single matrix. Leading axes are batch axes.

    Args:
        layout: the layout of the coefficients.
        polar: polar angles of the rings (ring,) in radians.
        weights: the weight of every sample in the mean, in the shape of the samples of one signal.
    """

    _dense_entries = 2**16  # up to this size one matrix is faster than the two steps

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
            # The matrix is the synthesis of every unit vector, computed in float64.
            dtype = self._weights.dtype
            self.to(torch.float64)
            identity = torch.eye(layout.size, dtype=torch.float64)
            self.register_constant("_matrix", self._signal(self._expand(identity)).flatten(1))
            self.to(dtype)

    @abstractmethod
    def _waves(self, samples: Tensor) -> Tensor:
        """Sums of f exp(-i (m a + n g)) over every ring, of samples f (batch, *shape).

        Returns:
            Complex (batch, ring, m >= 0, n).
        """

    @abstractmethod
    def _signal(self, waves: Tensor) -> Tensor:
        """Samples (batch, *shape): the real part of the sum of waves exp(i (m a + n g)).

        This is the transpose of `_waves`; waves of m > 0 count twice.
        """

    def analysis(self, samples: Tensor) -> Tensor:
        """The coefficients (..., layout.size) of samples (..., *shape).

        Raises:
            ValueError: the shape or dtype of the samples does not fit, or a sample is not finite.
        """
        lead = samples.shape[: max(samples.dim() - len(self.shape), 0)]
        if samples.shape[len(lead) :] != self.shape:
            raise ValueError(
                f"{self._name} expects samples (..., {', '.join(map(str, self.shape))}); got "
                f"{tuple(samples.shape)}."
            )
        self._check_dtype(samples)
        with torch.autocast(samples.device.type, enabled=False):
            flat = self._analysis(samples.reshape(-1, *self.shape) * self._weights)
        coefficients = flat.reshape(*lead, self.layout.size)
        # A sample that is not finite makes the first coefficient, a mean, not finite.
        if not is_traced(coefficients) and not bool(coefficients[..., :1].isfinite().all()):
            raise ValueError(
                f"{self._name} needs finite samples; got NaN or infinity. Fill or mask them first."
            )
        return coefficients

    def synthesis(self, coefficients: Tensor) -> Tensor:
        """The samples (..., *shape) of signals with coefficients (..., layout.size).

        Raises:
            ValueError: the number of coefficients or their dtype does not fit.
        """
        self.layout.check(coefficients, self._name)
        self._check_dtype(coefficients)
        flat = coefficients.reshape(-1, self.layout.size)
        with torch.autocast(coefficients.device.type, enabled=False):
            if self.dense:
                samples = flat @ self._matrix
            elif len(flat):
                samples = self._signal(self._expand(flat))
            else:
                samples = no_signals(flat, math.prod(self.shape))
        return samples.reshape(*coefficients.shape[:-1], *self.shape)

    def _analysis(self, weighted: Tensor) -> Tensor:
        if self.dense:
            return weighted.flatten(1) @ self._matrix.T
        if weighted.shape[0]:
            return self._project(self._waves(weighted))
        return no_signals(weighted.flatten(1), self.layout.size)

    def _project(self, waves: Tensor) -> Tensor:
        """Coefficients (batch, size) of waves (batch, ring, m, n)."""
        batch, rings = waves.shape[:2]
        # To (m n, batch ring): a transpose of a matrix is faster than a permutation of four axes.
        pairs = waves.flatten(2).flatten(0, 1).T
        columns = torch.stack([pairs.real, pairs.imag], 1).view(-1, 2 * batch, rings)
        rows = torch.bmm(self._table, columns.mT).view(-1, batch)  # row (m, n, l, part)
        return _combine(rows, self._gather, self._gather_scale).T

    def _expand(self, coefficients: Tensor) -> Tensor:
        """Waves (batch, ring, m, n) of coefficients (batch, size), the transpose of `_project`."""
        pairs, degrees, rings = self._table.shape
        rows = _combine(coefficients.T.contiguous(), self._scatter, self._scatter_scale)
        rows = rows.view(pairs, degrees, -1)  # the last axis is (part, batch)
        parts = torch.bmm(rows.mT, self._table).view(pairs, 2, -1)
        waves = torch.complex(parts[:, 0], parts[:, 1]).T.contiguous()
        return waves.view(coefficients.shape[0], rings, degrees, pairs // degrees)

    def _check_dtype(self, x: Tensor) -> None:
        dtype = self._weights.dtype
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"{self._name} works in float32 or float64; it was converted to {dtype}."
            )
        if x.dtype != dtype:
            raise ValueError(
                f"{self._name} works in {dtype} and got {x.dtype}. Convert one of them with "
                ".to(...)."
            )
        error = _SINGLE_ERROR * (self.layout.max_degree + 1) ** 0.5
        inexact = dtype == torch.float32 and error > _WORTH_A_WARNING
        if inexact and not torch.compiler.is_compiling():
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


def _combine(rows: Tensor, sources: Tensor, scales: Tensor) -> Tensor:
    """The sum over s of scales[s] * rows[sources[s]], with one or two terms."""
    parts = [
        rows.index_select(0, source) * scale.unsqueeze(1)
        for source, scale in zip(sources, scales, strict=True)
    ]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


@lru_cache(maxsize=4)
def _table(layout: Layout, polar: tuple[float, ...]) -> Tensor:
    """The table t^l_mn(b_j) (m n, l, ring) for m >= 0, zero where l < max(m, |n|).

    A real function of orders m, n consists of the waves m a + n g and m a - n g, with the factors
    d_mn and d_m,-n and the signs (-1)^(m + n) and (-1)^m. If m or n is 0 the two coincide, which
    gives sqrt(2); for m = 0 the wave occurs twice, so half of that.
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
        exponent = torch.arange(l + 1)[:, None] + torch.tensor(orders).clamp(min=0)
        sign = 1.0 - 2 * (exponent % 2).double()
        sign[0] /= math.sqrt(2)
        block = wigner_d(l, angle, orders)[:, l:] * (sign * math.sqrt(2 * l + 1))
        table[: l + 1, places, l] = block.permute(1, 2, 0)
    return table.flatten(0, 1)


def _rearrangements(layout: Layout) -> tuple[Terms, Terms]:
    """The sparse matrices between coefficients and the rows (m, n, l, part) of the products.

    `part` is the real or the imaginary part. With the products P, Q for n and -n, coefficients in
    the real basis are

        F_mn = Re P + Re Q,  F_-mn = -Im P - Im Q,  F_m-n = Im P - Im Q,  F_-m-n = Re P - Re Q,

    without Q for n = 0. The matrix of the way back is the transpose, with half of every wave of
    m > 0, since the FFT adds the wave of -m.

    Returns:
        Rows to take and their scales: of coefficients from rows, and of rows from coefficients.
    """
    orders, top = layout.orders, layout.max_degree
    parts = [_entries(layout, l) for l in range(top + 1)]
    l, n, m = np.concatenate(parts).T  # of every coefficient
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
    back, weights = _transpose(sources, scales, (top + 1) ** 2 * len(orders) * 2)
    weights[:, (top + 1) * len(orders) * 2 :] /= 2  # the rows of m > 0
    return (sources, scales), (back, weights)


def _entries(layout: Layout, degree: int) -> NDArray[np.int64]:
    """The degree, column and row l, n, m (coefficient, 3) of the coefficients of one degree."""
    columns = np.array(layout.columns(degree), dtype=np.int64)
    n, m = np.meshgrid(columns, np.arange(-degree, degree + 1), indexing="ij")
    return np.stack([np.full_like(n, degree), n, m], -1).reshape(-1, 3)


def _transpose(sources: NDArray[np.int64], scales: NDArray[np.float64], rows: int) -> Terms:
    """The transpose of a sparse matrix: the terms of every row, at most two, others of scale 0."""
    # Sorted by row, the second term of a row follows the first: it goes to slot 1.
    entry, source = np.nonzero(scales)
    target, value = sources[entry, source], scales[entry, source]
    order = np.argsort(target, kind="stable")
    target, value, source = target[order], value[order], source[order]
    slot = np.zeros(len(target), int)
    slot[1:] = target[1:] == target[:-1]
    places, weights = np.zeros((len(sources), rows), int), np.zeros((len(sources), rows))
    places[slot, target], weights[slot, target] = source, value
    return places, weights
