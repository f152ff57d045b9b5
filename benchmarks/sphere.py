"""Fourier transforms on the sphere and on SO(3) against torch-harmonics and e3nn.

Synthesis, then analysis.

Everyone gets random coefficients of variance 1; the error is that of the round trip, relative to
the largest of them. On the sphere torch-harmonics has our grid, e3nn the one it offers; on SO(3)
e3nn has (4 r) (2 r) (4 r) points for the resolution r = degree + 1, and at degree 15 a table of 2.9
GB that takes it minutes. Construction starts from empty caches.

    python benchmarks/sphere.py [--quick] [--threads N] [--match TEXT] [--json FILE]
"""

from collections.abc import Callable
from functools import partial

import torch
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor

from steerable.functions import RotationTransform, SphereGrid, SphereTransform, rings, wigner


def pair(
    coefficients: Tensor, there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor]
) -> Job:
    c = coefficients.requires_grad_()
    return differentiable(lambda: back(there(c)), [c], lambda: c.detach().double())


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def sphere_ours(degree: int, batch: int) -> Job:
    transform = SphereTransform(degree)
    return pair(drawn(batch, transform.layout.size), transform.synthesis, transform.analysis)


def sphere_torch_harmonics(degree: int, batch: int) -> Job:
    from torch_harmonics import InverseRealSHT, RealSHT

    grid = SphereGrid.resolving(degree)
    sizes = {"lmax": degree + 1, "mmax": degree + 1, "grid": "legendre-gauss"}
    back, there = (kind(grid.rings, grid.longitudes, **sizes) for kind in (RealSHT, InverseRealSHT))
    real, imaginary = drawn(2, batch, degree + 1, degree + 1).tril()
    imaginary[..., 0] = 0  # the order 0 of a real signal
    packed = torch.stack([real, imaginary], -1)
    return pair(
        packed, lambda c: there(torch.view_as_complex(c)), lambda x: torch.view_as_real(back(x))
    )


def sphere_e3nn(degree: int, batch: int) -> Job:
    from e3nn.o3 import FromS2Grid, ToS2Grid

    grid = SphereGrid.resolving(degree, "fejer")
    there = ToS2Grid(degree, (grid.rings, grid.rings - 1))
    back = FromS2Grid((grid.rings, grid.rings - 1), degree)
    return pair(drawn(batch, (degree + 1) ** 2), there, back)


def rotations_ours(degree: int, batch: int, order: int | None = None) -> Job:
    transform = RotationTransform(degree, order)
    return pair(drawn(batch, transform.layout.size), transform.synthesis, transform.analysis)


def rotations_e3nn(degree: int, batch: int) -> Job:
    from e3nn.o3 import SO3Grid

    grid = SO3Grid(degree, degree + 1)
    size = sum((2 * l + 1) ** 2 for l in range(degree + 1))
    return pair(drawn(batch, size), grid.to_grid, grid.from_grid)


def construction(make: Callable[[], object]) -> Job:
    def build() -> None:
        for cache in (rings._table, wigner._eigenvectors, wigner.swap):
            cache.cache_clear()
        make()

    return Job({"construction": build}, lambda: 0.0)


def sphere_grids_of_e3nn(degree: int) -> object:
    from e3nn.o3 import FromS2Grid, ToS2Grid

    grid = 2 * degree + 2, 2 * degree + 1
    return ToS2Grid(degree, grid), FromS2Grid(grid, degree)


def cases(quick: bool) -> list[Case]:
    found = []
    for degree, batch in ((7, 64), (63, 64)) if quick else ((7, 64), (10, 64), (63, 64), (255, 8)):
        rivals = {"steerable": partial(sphere_ours, degree, batch)}
        rivals["torch-harmonics"] = partial(sphere_torch_harmonics, degree, batch)
        if degree <= 10:  # beyond it, e3nn loses the signal
            rivals["e3nn"] = partial(sphere_e3nn, degree, batch)
        found.append(Case(f"sphere, degree {degree}, batch {batch}", rivals))
    for degree, batch in ((5, 16),) if quick else ((5, 16), (7, 16), (15, 16)):
        rivals = {
            "steerable": partial(rotations_ours, degree, batch),
            "e3nn": partial(rotations_e3nn, degree, batch),
        }
        found.append(
            Case(f"SO(3), degree {degree}, batch {batch}", rivals, rounds=3 if degree == 15 else 9)
        )
    if not quick:
        found.append(
            Case(
                "SO(3), degree 31, |n| <= 1, batch 16",
                {"steerable": partial(rotations_ours, 31, 16, 1)},
            )
        )
        made = {"steerable": partial(construction, partial(SphereTransform, 10))}
        made["e3nn"] = partial(construction, partial(sphere_grids_of_e3nn, 10))
        found.append(Case("sphere, degree 10", made, rounds=3))
        found.append(
            Case(
                "SO(3), degree 31",
                {"steerable": partial(construction, partial(RotationTransform, 31))},
            )
        )
    return found


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
