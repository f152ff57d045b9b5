"""The steps S_(m-1) < S_m of the Fourier transform over permutations, and its dense start.

At every step the coefficients of one irrep form a tensor (d, batch, coset, column), one slice for
the function on each coset s S_m. The columns are the tableaux of the irrep with the first `fixed`
numbers in the first row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..closure import Array
from .tableaux import Partition, above, below, dimension, kostka, partitions_of_degree
from .young import adjacent

Parts = dict[Partition, Tensor]


class Step:
    """One step of the transform: from the cosets of S_(m-1) to those of S_m, and back.

    F_lambda = sum over the cosets s_j S_(m-1) in S_m and over mu of rho_lambda(s_j) F_mu. This is
    one product with a square matrix for every irrep mu of S_(m-1); the inverse matrix is the
    transpose weighted by d_lambda / (m d_mu).

    Args:
        m: the larger number of points.
        fixed: only irreps that contain vectors fixed by S_fixed take part.
    """

    def __init__(self, m: int, fixed: int) -> None:
        self.m = m
        self.above = {shape: above(shape) for shape in partitions_of_degree(m - 1, m - 1 - fixed)}
        self.below = {shape: self._sources(shape) for shape in partitions_of_degree(m, m - fixed)}
        self.dims = {shape: dimension(shape) for shape in (*self.above, *self.below)}
        self.columns = {
            shape: kostka(shape, (fixed, *(1,) * (sum(shape) - fixed))) for shape in self.dims
        }
        self.up, self.down = {}, {}
        for shape, targets in self.above.items():
            lifts = np.concatenate([_lift(shape, target) for target in targets])
            dims = np.array([self.dims[target] for target in targets])
            self.up[shape] = torch.from_numpy(lifts)
            self.down[shape] = torch.from_numpy(
                lifts.T * np.repeat(dims / (m * self.dims[shape]), dims)
            )

    def ascend(self, parts: Parts) -> Parts:
        """Coefficients on the cosets of S_m from those on the cosets of S_(m-1)."""
        pieces: dict[tuple[Partition, Partition], Tensor] = {}
        for shape, matrix in self.up.items():
            d, batch, count, columns = parts[shape].shape
            rest = batch, count // self.m, columns

            # A coset of S_m consists of m consecutive cosets s_j S_(m-1): the number j becomes the
            # first axis, next to the components, so that the sum over both is one product.
            by_coset = (
                parts[shape].reshape(d, batch, count // self.m, self.m, columns).movedim(3, 0)
            )
            whole = matrix.to(by_coset) @ by_coset.reshape(self.m * d, rest[0] * rest[1] * rest[2])
            targets = self.above[shape]
            sizes = [self.dims[target] for target in targets]
            for target, piece in zip(
                targets, whole.reshape(len(matrix), *rest).split(sizes), strict=True
            ):
                pieces[shape, target] = piece
        return {target: self._join(pieces, target) for target in self.below}

    def descend(self, parts: Parts) -> Parts:
        """The inverse of `ascend`."""
        pieces: dict[tuple[Partition, Partition], Tensor] = {}
        for target, sources in self.below.items():
            sizes = [self.columns[shape] for shape in sources]
            for shape, piece in zip(sources, parts[target].split(sizes, -1), strict=True):
                pieces[shape, target] = piece
        result = {}
        for shape, matrix in self.down.items():
            stacked = torch.cat([pieces[shape, target] for target in self.above[shape]])
            whole = matrix.to(stacked) @ stacked.flatten(1)
            # As in `ascend`: the number j of the coset goes back behind the coset of S_m.
            by_coset = whole.reshape(self.m, self.dims[shape], *stacked.shape[1:]).movedim(0, 3)
            result[shape] = by_coset.flatten(2, 3)
        return result

    def _sources(self, shape: Partition) -> list[Partition]:
        """The irreps of S_(m-1) that take part and occur in the restriction of `shape`."""
        return [smaller for smaller in below(shape) if smaller in self.above]

    def _join(self, pieces: dict[tuple[Partition, Partition], Tensor], target: Partition) -> Tensor:
        """The coefficients of `target`: the columns that come from each smaller irrep."""
        return torch.cat([pieces[shape, target] for shape in self.below[target]], -1)


class Start:
    """The first steps as one dense product, which is faster for about a hundred values.

    Args:
        fixed: where the chain begins.
        steps: the steps to combine.
    """

    def __init__(self, fixed: int, steps: Sequence[Step]) -> None:
        self.size = int(np.prod([step.m for step in steps], dtype=np.int64))
        parts: Parts = {(fixed,): torch.eye(self.size, dtype=torch.float64)[None, :, :, None]}
        for step in steps:
            parts = step.ascend(parts)
        self.sizes = {shape: (len(part), part.shape[-1]) for shape, part in parts.items()}
        self.up = torch.cat([part.transpose(0, 1).flatten(1) for part in parts.values()], 1)
        weights = [
            torch.full((d * columns,), d / self.size, dtype=torch.float64)
            for d, columns in self.sizes.values()
        ]
        self.down = (self.up * torch.cat(weights)).T.contiguous()

    def ascend(self, values: Tensor) -> Parts:
        """Coefficients from the values (batch, coset * size) of functions."""
        flat = values.reshape(len(values), values.shape[1] // self.size, self.size) @ self.up.to(
            values
        )
        pieces = flat.split([d * columns for d, columns in self.sizes.values()], -1)
        pairs = zip(self.sizes.items(), pieces, strict=True)
        return {shape: piece.unflatten(-1, sizes).movedim(2, 0) for (shape, sizes), piece in pairs}

    def descend(self, parts: Parts) -> Tensor:
        """The inverse of `ascend`."""
        flat = torch.cat([parts[shape].movedim(0, 2).flatten(2) for shape in self.sizes], -1)
        return (flat @ self.down.to(flat)).flatten(1)


def _lift(shape: Partition, target: Partition) -> Array:
    """The columns of rho_target(s_j) that belong to `shape`, side by side for all j.

    The s_j represent the cosets s_j S_(m-1) of S_m: s_j maps the last point m - 1 to m - 1 - j and
    moves the points between up by one.
    """
    m, exchanges = sum(target), adjacent(target)
    start = sum(dimension(smaller) for smaller in below(target)[: below(target).index(shape)])
    lift = np.eye(dimension(target))[:, start : start + dimension(shape)]
    lifts = [lift]
    for k in range(m - 2, -1, -1):  # s_(j+1) is s_j followed by the exchange of k and k + 1
        lift = exchanges.times(k, lift)
        lifts.append(lift)
    return np.concatenate(lifts, axis=1)
