"""Our harmonics against those of e3nn, sphericart and cuequivariance.

Eager and compiled, on 100,000 vectors.

All return e3nn's real harmonics in its order and normalisation; the error is against e3nn in
float64.

    python benchmarks/harmonics.py [--quick] [--threads N] [--json FILE]
"""

from collections.abc import Callable
from functools import partial

import torch
from e3nn import o3
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor

from steerable.functions import solid_harmonics, spherical_harmonics

Harmonics = Callable[[Tensor], Tensor]


def ours(max_degree: int, normalize: bool) -> Harmonics:
    return partial(spherical_harmonics if normalize else solid_harmonics, max_degree=max_degree)


def e3nn(max_degree: int, normalize: bool) -> Harmonics:
    return o3.SphericalHarmonics(list(range(max_degree + 1)), normalize, "component")


def sphericart(max_degree: int, normalize: bool) -> Harmonics:
    from sphericart.torch import e3nn_spherical_harmonics

    degrees = list(range(max_degree + 1))
    return lambda x: e3nn_spherical_harmonics(degrees, x, normalize, "component")


def cuequivariance(max_degree: int, normalize: bool) -> Harmonics:
    from cuequivariance_torch import SphericalHarmonics

    return SphericalHarmonics(list(range(max_degree + 1)), normalize, method="naive")


def job(
    make: Callable[[int, bool], Harmonics],
    max_degree: int,
    normalize: bool,
    points: int,
    compiled: bool,
) -> Job:
    x = torch.randn(points, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    function = make(max_degree, normalize)
    if compiled:
        function = torch.compile(function, fullgraph=True)
    exact = partial(
        o3.spherical_harmonics,
        list(range(max_degree + 1)),
        x.detach().double(),
        normalize,
        "component",
    )
    return differentiable(lambda: function(x), [x], exact)


def cases(quick: bool) -> list[Case]:
    points = 10_000 if quick else 100_000
    found = []
    for kind, normalize in (("spherical", True), ("solid", False)):
        for degree in (4,) if quick else (2, 4, 6):
            rivals = {"steerable": (ours, False), "steerable compiled": (ours, True)}
            rivals |= {
                "e3nn": (e3nn, False),
                "e3nn compiled": (e3nn, True),
                "sphericart": (sphericart, False),
            }
            if degree < 6:  # where cuequivariance ends
                rivals["cuequivariance"] = (cuequivariance, False)
            jobs = {
                name: partial(job, make, degree, normalize, points, how)
                for name, (make, how) in rivals.items()
            }
            found.append(Case(f"{kind} l <= {degree}, {points} vectors", jobs))
    return found


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
