"""The steps S_(m-1) < S_m of the Fourier transform over permutations, and its dense start.

At every step the coefficients of one irrep are a tensor (d, batch, coset, column): those of the
function on each coset s S_m. The columns are the tableaux of the irrep with the first `fixed`
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
    """Coefficients on the cosets of S_(m-1) to those on the cosets of S_m, and back.

    F_lambda = sum over the cosets s_j S_(m-1) in S_m and over mu of rho_lambda(s_j) F_mu: for every
    irrep mu of S_(m-1) one product with a square matrix, whose inverse is its transpose weighted
    with d_lambda / (m d_mu).

    Args:
        m: the larger number of points.
        fixed: only the irreps with vectors that S_fixed leaves take part.
    """

    def __init__(self, m: int, fixed: int) -> None:
        self.m = m
        self.above = {shape: above(shape) for shape in partitions_of_degree(m - 1, m - 1 - fixed)}
        self.below = {
            shape: [smaller for smaller in below(shape) if smaller in self.above]
            for shape in partitions_of_degree(m, m - fixed)
        }
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
        moved: dict[tuple[Partition, Partition], Tensor] = {}
        for shape, matrix in self.up.items():
            d, batch, count, columns = parts[shape].shape
            rest = batch, count // self.m, columns
            by_coset = (
                parts[shape].reshape(d, batch, count // self.m, self.m, columns).movedim(3, 0)
            )
            whole = matrix.to(by_coset) @ by_coset.reshape(self.m * d, rest[0] * rest[1] * rest[2])
            pieces = whole.reshape(len(matrix), *rest).split(
                [self.dims[target] for target in self.above[shape]]
            )
            moved |= {
                (shape, target): piece
                for target, piece in zip(self.above[shape], pieces, strict=True)
            }
        return {
            target: torch.cat([moved[shape, target] for shape in sources], -1)
            for target, sources in self.below.items()
        }

    def descend(self, parts: Parts) -> Parts:
        """The inverse of `ascend`."""
        moved: dict[tuple[Partition, Partition], Tensor] = {}
        for target, sources in self.below.items():
            pieces = parts[target].split([self.columns[shape] for shape in sources], -1)
            moved |= {(shape, target): piece for shape, piece in zip(sources, pieces, strict=True)}
        found = {}
        for shape, matrix in self.down.items():
            stacked = torch.cat([moved[shape, target] for target in self.above[shape]])
            whole = matrix.to(stacked) @ stacked.flatten(1)
            by_coset = whole.reshape(self.m, self.dims[shape], *stacked.shape[1:]).movedim(0, 3)
            found[shape] = by_coset.flatten(2, 3)
        return found


class Start:
    """The first steps as one dense product.

    It is faster than they are for a hundred values or so.

    Args:
        fixed: where the chain begins.
        steps: the steps to put together.
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
    """rho_target(s_j) on the part that restricts to `shape`.

    They are side by side for the cosets s_j S_(m-1) of S_m.

    s_j takes the last point m - 1 to m - 1 - j and moves the points between up by one.
    """
    m, exchanges = sum(target), adjacent(target)
    start = sum(dimension(smaller) for smaller in below(target)[: below(target).index(shape)])
    lift = np.eye(dimension(target))[:, start : start + dimension(shape)]
    lifts = [lift]
    for k in range(m - 2, -1, -1):
        lift = exchanges.times(k, lift)
        lifts.append(lift)
    return np.concatenate(lifts, axis=1)
