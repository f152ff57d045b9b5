"""The Fourier transform over S_n against the direct sum over all permutations.

For one function and for 16 at once.

The direct sum is one matrix product with the matrices of all permutations in all irreps, made
beforehand. Those of S_8 would fill 6.5 GB, so its row multiplies the part of 1,260 permutations 32
times: as much work, read from memory as often. Its error is that of the one part; the error of our
row on S_8 is against our transform in float64.

    python benchmarks/permutations.py [--quick] [--threads N] [--json FILE]
"""

from functools import cache, partial
from math import factorial

import torch
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor

from steerable.groups import PermutationFourier, orthogonal_form, partitions

LARGEST_TABLE = 5040**2


def functions(n: int, count: int) -> Tensor:
    return torch.randn(
        count, factorial(n), generator=torch.Generator().manual_seed(0)
    ).requires_grad_()


@cache
def table(n: int, elements: int) -> Tensor:
    """The matrices of the first permutations in all irreps (elements, n!), float64."""
    permutations = PermutationFourier(n).representatives[:elements]
    blocks = [
        torch.from_numpy(orthogonal_form(shape, permutations)).flatten(1) for shape in partitions(n)
    ]
    return torch.cat(blocks, 1)


def ours(n: int, count: int) -> Job:
    f, fourier = functions(n, count), PermutationFourier(n)

    def transform(f: Tensor) -> Tensor:
        return torch.cat([block.flatten(1) for block in fourier.analysis(f).values()], 1)

    if factorial(n) ** 2 > LARGEST_TABLE:
        return differentiable(partial(transform, f), [f], partial(transform, f.detach().double()))
    return differentiable(
        partial(transform, f), [f], lambda: f.detach().double() @ table(n, factorial(n))
    )


def direct(n: int, count: int) -> Job:
    size = factorial(n)
    parts = max(1, 32 * (size**2 > LARGEST_TABLE))
    f, part = functions(n, count), size // parts
    matrices = table(n, part).float()
    pieces = [
        f.detach()[:, k * part : (k + 1) * part].clone().requires_grad_() for k in range(parts)
    ]

    def transform() -> Tensor:
        return torch.stack([piece @ matrices for piece in pieces])

    def exact() -> Tensor:
        return torch.stack([piece.detach().double() @ table(n, part) for piece in pieces])

    return differentiable(transform, pieces, exact)


def cases(quick: bool) -> list[Case]:
    return [
        Case(
            f"S_{n}, functions at once: {count}",
            {"steerable": partial(ours, n, count), "direct sum": partial(direct, n, count)},
            rounds=5,
        )
        for n in ((6,) if quick else (6, 7, 8))
        for count in (1, 16)
    ]


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
