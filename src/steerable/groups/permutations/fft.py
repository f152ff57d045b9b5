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
    """The Fourier transform of functions on the cosets of S_n by a Young subgroup H.

      analysis    F_lambda = sum over cosets x of f(x) rho_lambda(s_x) B_lambda
      synthesis   f(x) = 1/N sum over lambda of d_lambda trace(F_lambda^T rho_lambda(s_x) B_lambda)
      Plancherel  sum f^2 = 1/N sum over lambda of d_lambda |F_lambda|^2,  N cosets

    H = S_parts permutes the first parts[0] points among themselves, the next parts[1] and so on,
    and f(s h) = f(s). The columns of B are an orthonormal basis of the vectors of Young's
    orthogonal form that are fixed by H; their number is the Kostka number. For functions on S_n
    itself B is the identity. A permutation t maps the function to f(t^-1 x) and the coefficients to
    rho(t) F. The cosets are numbered as in `representatives`.

    The transform follows the chain S_1 < S_2 < ... < S_n; every step takes one matrix product for
    each irrep of the smaller group. The transform on S_8 takes 18 million multiplications, the
    direct sum 1,626 million.

    Args:
        n: the number of points; n! / parts[0]! is at most 8! = 40,320.
        parts: a partition of n; by default (1, ..., 1), functions on S_n.

    Raises:
        GroupError: `parts` is not a partition of n, or there are too many permutations.

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
        self._gather = torch.from_numpy(places(self.representatives, fixed))
        dense = [m for m in range(fixed + 1, n + 1) if prod(range(fixed + 1, m + 1)) <= _DENSE_SIZE]
        self._start = Start(fixed, [Step(m, fixed) for m in dense])
        self._steps = [Step(m, fixed) for m in range(fixed + 1 + len(dense), n + 1)]

    def analysis(self, signal: Tensor) -> dict[Partition, Tensor]:
        """The coefficients F (..., d, columns) of every irrep, of a function (..., coset)."""
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
            if shape in self.columns:
                block = spectrum[shape].reshape(sizes)
            else:  # the irrep does not occur, but the chain expects a block
                block = spectrum[self.n,].new_zeros(sizes)
            if self._repeats > 1:
                block = block @ basis.T.to(block)
            parts[shape] = block.transpose(0, 1)[:, :, None]
        for step in reversed(self._steps):
            parts = step.descend(parts)
        values = self._start.descend(parts)
        if self._repeats > 1:
            values = values.index_select(1, self._gather.to(values.device)) * self._repeats
        return values.reshape(*batch, len(self.representatives))

    def convolve(self, left: Tensor, right: Tensor) -> Tensor:
        """The convolution (f * g)(s) = sum over t of f(s t^-1) g(t) of functions on S_n.

        It is computed as the product F G of the coefficients.

        Args:
            left: f (..., n!).
            right: g (..., n!).

        Raises:
            GroupError: the functions live on cosets, not on S_n.
        """
        if self.parts[0] > 1:
            raise GroupError(
                f"Functions on S_{self.n} convolve; these live on its cosets by S_{self.parts}. "
                f"Multiply coefficients of PermutationFourier({self.n}) by theirs."
            )
        f, g = self.analysis(left), self.analysis(right)
        return self.synthesis({shape: f[shape] @ g[shape] for shape in f})

    def _check_size(self) -> None:
        """Refuse transforms whose matrices would not fit in memory."""
        # The last step has a matrix of n d_mu rows and columns for every irrep mu of S_(n-1).
        smaller = partitions_of_degree(self.n - 1, self.n - 1 - self.parts[0])
        entries = self.n**2 * sum(dimension(shape) ** 2 for shape in smaller if shape)
        if entries > _MAX_ENTRIES:
            raise GroupError(
                f"The transform on S_{self.n} / S_{self.parts} takes matrices of {entries} "
                f"entries; at most {_MAX_ENTRIES}. Take fewer points, or a longer first part."
            )

    def _batch(self, spectrum: Mapping[Partition, Tensor]) -> torch.Size:
        """The leading axes of all blocks, checked to be as `analysis` returns them."""
        trivial = (self.n,)  # it occurs on all cosets
        batch = spectrum[trivial].shape[:-2] if trivial in spectrum else torch.Size()
        expected = {shape: (*batch, *self._sizes[shape]) for shape in self.columns}
        fits = [
            shape in spectrum and spectrum[shape].shape == size for shape, size in expected.items()
        ]
        if len(spectrum) != len(fits) or not all(fits):
            got = {shape: tuple(block.shape) for shape, block in spectrum.items()}
            raise ValueError(
                f"Coefficients on S_{self.n} / S_{self.parts} are blocks (..., d, columns) with "
                f"the same axes before them, {expected}; got {got}."
            )
        return batch


def _invariants(shape: Partition, parts: Partition) -> Array:
    """An orthonormal basis of the vectors fixed by S_parts, as columns.

    The rows are the tableaux with the first parts[0] numbers in the first row, which span the
    vectors fixed by the first block.
    """
    rows = (standard_tableaux(shape)[:, : parts[0]] == 0).all(axis=1)
    # Exchanges of k and k + 1 within the later blocks: all k but the last point of each block.
    inside = np.setdiff1d(np.arange(parts[0], sum(parts) - 1), np.cumsum(parts) - 1)
    if not len(inside):
        return np.eye(rows.sum())
    whole = np.eye(len(rows))
    changes = [(adjacent(shape).times(k, whole) - whole)[rows][:, rows] for k in inside]
    return orthonormal_rows(null_space(np.concatenate(changes))).T
