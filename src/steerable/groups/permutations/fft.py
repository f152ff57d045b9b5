"""The fast Fourier transform of functions on S_n and on its cosets."""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial, prod

import numpy as np
import torch
from torch import Tensor

from ..closure import Array, GroupError
from ..intertwiners import null_space, orthonormal_rows
from .chain import Start, Step
from .permutations import MAX_SIZE, coset_numbers, cosets, places
from .tableaux import Partition, as_partition, dimension, partitions_of_degree, standard_tableaux
from .young import adjacent

_DENSE_SIZE = 120
_MAX_ENTRIES = 2**26


class PermutationFourier:
    """Functions on the cosets of S_n by a Young subgroup H as coefficients of irreps, and back.

      analysis    F_lambda = sum over cosets x of f(x) rho_lambda(s_x) B_lambda
      synthesis   f(x) = 1/N sum over lambda of d_lambda trace(F_lambda^T rho_lambda(s_x) B_lambda)
      Plancherel  sum f^2 = 1/N sum over lambda of d_lambda |F_lambda|^2,  N cosets

    H = S_parts permutes the first parts[0] points among themselves, the next parts[1] and so on,
    and f(s h) = f(s). The columns of B are an orthonormal basis of the vectors of Young's
    orthogonal form that H leaves, as many as the Kostka number says; for functions on S_n itself B
    is the identity. A permutation t moves the function, f(t^-1 x), and the rows of the
    coefficients, rho(t) F. The cosets are numbered as in `representatives`.

    The transform climbs the chain S_1 < S_2 < ... < S_n, on every step with one matrix product for
    each irrep of the smaller group. All of S_8 takes 18 million multiplications, the direct sum
    1,626 million.

    Args:
        n: the number of points; n! / parts[0]! is at most 8! = 40,320.
        parts: a partition of n; by default (1, ..., 1), functions on S_n.

    Raises:
        GroupError: no partition of n, or more permutations than that.

    Source: Clausen, Fast generalized Fourier transforms, Theor. Comput. Sci. 67 (1989) 55.
    """

    def __init__(self, n: int, parts: Partition | None = None) -> None:
        if parts is None and (n < 1 or factorial(n) > MAX_SIZE):
            raise GroupError(
                f"A function on S_{n} has {n}! = {factorial(max(n, 0))} values and as many "
                f"coefficients; n is from 1 to 8 (8! = {MAX_SIZE}). Take functions on cosets, "
                f"PermutationFourier({n}, parts), with a long first part."
            )
        self.n, self.parts = n, (1,) * n if parts is None else as_partition(parts, n)
        fixed = self.parts[0]
        self.representatives = cosets(self.parts)
        self._check_size()
        bases = {
            shape: _invariants(shape, self.parts) for shape in partitions_of_degree(n, n - fixed)
        }
        self.columns = {shape: basis.shape[1] for shape, basis in bases.items() if basis.shape[1]}
        self._sizes = {shape: (dimension(shape), basis.shape[1]) for shape, basis in bases.items()}
        self._bases = {shape: torch.from_numpy(basis) for shape, basis in bases.items()}
        self._repeats = prod(factorial(part) for part in self.parts[1:])
        self._spread = torch.from_numpy(
            coset_numbers(cosets((fixed, *(1,) * (n - fixed))), self.parts)
        )
        self._chosen = torch.from_numpy(places(self.representatives, fixed))
        dense = [m for m in range(fixed + 1, n + 1) if prod(range(fixed + 1, m + 1)) <= _DENSE_SIZE]
        self._start = Start(fixed, [Step(m, fixed) for m in dense])
        self._steps = [Step(m, fixed) for m in range(fixed + 1 + len(dense), n + 1)]

    def analysis(self, signal: Tensor) -> dict[Partition, Tensor]:
        """The coefficients F (..., d, columns), by irrep, of a function (..., coset)."""
        size, batch = len(self.representatives), signal.shape[:-1]
        if signal.shape[-1:] != (size,) or not signal.is_floating_point():
            raise ValueError(
                f"A function on S_{self.n} / S_{self.parts} is {size} real numbers on the last "
                f"axis; got {signal.dtype} {tuple(signal.shape)}."
            )
        values = signal.reshape(batch.numel(), size)
        if self._repeats > 1:
            values = values.index_select(1, self._spread.to(values.device)) / self._repeats
        parts = self._start.ascend(values)
        for step in self._steps:
            parts = step.ascend(parts)
        blocks = {shape: parts[shape][:, :, 0].transpose(0, 1) for shape in self.columns}
        if self._repeats > 1:
            blocks = {
                shape: block @ self._bases[shape].to(block) for shape, block in blocks.items()
            }
        return {shape: block.reshape(*batch, *block.shape[1:]) for shape, block in blocks.items()}

    def synthesis(self, spectrum: Mapping[Partition, Tensor]) -> Tensor:
        """The function (..., coset) with the coefficients F (..., d, columns) of every irrep."""
        batch = self._batch(spectrum)
        parts = {}
        for shape, basis in self._bases.items():
            sizes = batch.numel(), *self._sizes[shape]
            known = shape in self.columns
            block = spectrum[shape].reshape(sizes) if known else spectrum[self.n,].new_zeros(sizes)
            if self._repeats > 1:
                block = block @ basis.T.to(block)
            parts[shape] = block.transpose(0, 1)[:, :, None]
        for step in reversed(self._steps):
            parts = step.descend(parts)
        values = self._start.descend(parts)
        if self._repeats > 1:
            values = values.index_select(1, self._chosen.to(values.device)) * self._repeats
        return values.reshape(*batch, len(self.representatives))

    def convolve(self, left: Tensor, right: Tensor) -> Tensor:
        """(f * g)(s) = sum over t of f(s t^-1) g(t) of functions (..., n!) on S_n.

        The product F G of coefficients.
        """
        if self.parts[0] > 1:
            raise GroupError(
                f"Functions on S_{self.n} convolve; these live on its cosets by S_{self.parts}. "
                f"Multiply coefficients of PermutationFourier({self.n}) by theirs."
            )
        f, g = self.analysis(left), self.analysis(right)
        return self.synthesis({shape: f[shape] @ g[shape] for shape in f})

    def _check_size(self) -> None:
        """Whether the matrices of the last step fit in memory.

        They are m d_mu squared for every irrep mu.
        """
        smaller = partitions_of_degree(self.n - 1, self.n - 1 - self.parts[0])
        entries = self.n**2 * sum(dimension(shape) ** 2 for shape in smaller if shape)
        if entries > _MAX_ENTRIES:
            raise GroupError(
                f"The transform on S_{self.n} / S_{self.parts} takes matrices of {entries} "
                f"entries; at most {_MAX_ENTRIES}. Take fewer points, or a longer first part."
            )

    def _batch(self, spectrum: Mapping[Partition, Tensor]) -> torch.Size:
        """The axes before those of the blocks, if all blocks are as `analysis` returns them."""
        trivial = (self.n,)  # it occurs on all cosets
        batch = spectrum[trivial].shape[:-2] if trivial in spectrum else torch.Size()
        wanted = {shape: (*batch, *self._sizes[shape]) for shape in self.columns}
        fits = [
            shape in spectrum and spectrum[shape].shape == size for shape, size in wanted.items()
        ]
        if len(spectrum) != len(fits) or not all(fits):
            got = {shape: tuple(block.shape) for shape, block in spectrum.items()}
            raise ValueError(
                f"Coefficients on S_{self.n} / S_{self.parts} are blocks (..., d, columns) with "
                f"the same axes before them, {wanted}; got {got}."
            )
        return batch


def _invariants(shape: Partition, parts: Partition) -> Array:
    """The vectors that S_parts leaves unchanged.

    They are among the tableaux with the first parts[0] numbers in the first row.
    """
    rows = (standard_tableaux(shape)[:, : parts[0]] == 0).all(axis=1)
    inside = np.setdiff1d(np.arange(parts[0], sum(parts) - 1), np.cumsum(parts) - 1)
    if not len(inside):
        return np.eye(rows.sum())
    whole = np.eye(len(rows))
    moved = [(adjacent(shape).times(k, whole) - whole)[rows][:, rows] for k in inside]
    return orthonormal_rows(null_space(np.concatenate(moved))).T
