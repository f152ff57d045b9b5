"""Derivative weights on scattered points.

Time against plain torch, and what all stencils reach in accuracy.

The same weights are made by batched `torch.linalg` on all neighbourhoods at once; the error is
against singular values in float64. Then tables: how far derivatives turn with plane waves, and how
errors fall with the distance of points.

    python benchmarks/stencils.py [--quick] [--threads N] [--match TEXT] [--json FILE]
"""

import math
from functools import partial

import numpy as np
import torch
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor

from steerable.functions import (
    exponents,
    exponents_up_to,
    factorials,
    harmonic_polynomials,
    monomials,
    solid_harmonics,
)
from steerable.ops import cloud_stencil, knn, neighbourhoods, surface_stencil
from steerable.ops.stencils.grid import METHODS, grid_stencil

ORDER, NEIGHBOURS, SIGMA = 2, 32, 0.5


def cloud(points: int, seed: int = 0) -> Tensor:
    return torch.rand(points, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def offsets(pos: Tensor, k: int = NEIGHBOURS) -> tuple[Tensor, Tensor]:
    edge_index = knn(pos, pos, k)
    return pos[edge_index[0]] - pos[edge_index[1]], edge_index


def ours(method: str, points: int) -> Job:
    offset, edge_index = offsets(cloud(points))
    hood = neighbourhoods(edge_index, points)
    offset.requires_grad_()
    exact = partial(by_svd if method == "least_squares" else by_saddle_point, offset)
    return differentiable(
        lambda: cloud_stencil(offset, hood, ORDER, method).weight, [offset], exact
    )


def peer(solve: str, points: int) -> Job:
    offset = offsets(cloud(points))[0].requires_grad_()
    exact = by_saddle_point if solve == "saddle point" else by_svd
    return differentiable(partial(PEERS[solve], offset), [offset], partial(exact, offset))


def surface(points: int) -> Job:
    """Of a sphere, with normals to be found, in single precision.

    The error is against the same in double precision.
    """
    pos = cloud(points) - 0.5
    offset, edge_index = offsets(pos / pos.norm(dim=1, keepdim=True), 20)
    hood = neighbourhoods(edge_index, points)
    single = offset.float().requires_grad_()
    exact = partial(surface_stencil, single.detach().double(), hood, ORDER)
    return differentiable(
        lambda: surface_stencil(single, hood, ORDER).weight, [single], lambda: exact().weight
    )


def systems(offset: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Scaled points, monomials and roots of weights of all neighbourhoods.

    Also factors of derivatives.
    """
    x = offset.double().view(-1, NEIGHBOURS, 3)
    h = x.square().sum(2).mean(1).sqrt()[:, None, None]
    powers = exponents_up_to(3, ORDER)
    root = torch.exp(-(x / h).square().sum(2, keepdim=True) / (4 * SIGMA**2))
    factors = torch.from_numpy(factorials(powers)) / h ** torch.from_numpy(powers.sum(1))
    return x / h, monomials(x / h, powers), root, factors


def by_svd(offset: Tensor) -> Tensor:
    _, basis, root, factors = systems(offset)
    return (torch.linalg.pinv(root * basis).mT * root * factors).flatten(0, 1)


def by_inverse(offset: Tensor) -> Tensor:
    _, basis, root, factors = systems(offset)
    weighted = root.square() * basis
    return (weighted @ torch.linalg.inv(weighted.mT @ basis) * factors).flatten(0, 1)


def by_saddle_point(offset: Tensor) -> Tensor:
    y, basis, _, factors = systems(offset)
    square = (y.unsqueeze(2) - y.unsqueeze(1)).square().sum(3)
    kernel = torch.where(square > 0, torch.where(square > 0, square, 1.0) ** 2.5, 0.0)
    zeros = basis.new_zeros(len(y), basis.shape[2], basis.shape[2])
    system = torch.cat([torch.cat([kernel, basis], 2), torch.cat([basis.mT, zeros], 2)], 1)
    r = y.square().sum(2, keepdim=True)
    r = torch.where(r > 0, torch.where(r > 0, r, 1.0).sqrt(), 0.0)
    powers = exponents_up_to(3, ORDER)
    second = [
        15 * r * y[..., i : i + 1] * y[..., j : j + 1] + 5 * r**3 * (i == j)
        for i in range(3)
        for j in range(i, 3)
    ]
    right = torch.cat([r**5, -5 * r**3 * y, *second], 2)
    below = torch.diag(torch.from_numpy(factorials(powers))).expand(len(y), -1, -1)
    weight = torch.linalg.solve(system, torch.cat([right, below], 1))[:, :NEIGHBOURS]
    return (weight * factors / torch.from_numpy(factorials(powers))).flatten(0, 1)


PEERS = {
    "torch pinv": by_svd,
    "torch inv": by_inverse,
    "saddle point": by_saddle_point,
}


def cases(quick: bool) -> list[Case]:
    points = 500 if quick else 10_000
    plain = {name: partial(peer, name, points) for name in ("torch pinv", "torch inv")}
    return [
        Case(
            f"least squares, {points} points",
            {"steerable": partial(ours, "least_squares", points), **plain},
            3,
        ),
        Case(
            f"rbf, {points} points",
            {
                "steerable": partial(ours, "rbf", points),
                "torch solve": partial(peer, "saddle point", points),
            },
            3,
        ),
        Case(f"surface, {points} points", {"steerable": partial(surface, points)}, 3),
    ]


def wave_error(weight: Tensor, size: int, degree: int, order: int, wavelength: float) -> float:
    """How far the harmonics in derivatives are from turning with waves in the plane.

    They are those of one degree and one order.
    """
    angle = torch.arange(360, dtype=torch.float64) * math.tau / 360
    u = torch.stack([angle.cos(), angle.sin()], 1)
    axis = torch.arange(size, dtype=torch.float64) - size // 2
    start, number = len(exponents_up_to(2, order)) - order - 1, len(exponents(2, order))
    combined = (
        torch.from_numpy(dict(harmonic_polynomials(2, order))[degree])
        @ weight[start : start + number]
    )
    phase = math.tau / wavelength * u @ torch.cartesian_prod(axis, axis).T
    symbol = torch.exp(1j * phase) @ combined.T.to(torch.complex128)
    first = max(2 * degree - 1, 0)
    ideal = solid_harmonics(u, degree)[:, first : first + symbol.shape[1]].to(symbol)
    ideal = ideal * (symbol * ideal).sum() / ideal.square().sum()
    return float((symbol - ideal).norm() / ideal.norm())


def print_waves() -> None:
    parts = {"gradient": (1, 1), "Laplacian": (0, 2), "frequency 2": (2, 2), "frequency 3": (3, 3)}
    print("\nDeviation from turning with plane waves of 16 / 6 points, relative")
    print(f"{'stencil':<30} " + " ".join(f"{name:>15}" for name in parts))
    rows = [
        (f"{method} {size}^2", size, grid_stencil(2, size, min(size - 1, 3), method))
        for method in METHODS
        for size in (3, 5, 7)
    ]
    rows += [
        (f"least_squares 5^2, sigma {s}", 5, grid_stencil(2, 5, 3, sigma=s))
        for s in (0.6, 0.8, 1.0)
    ]
    for name, size, weight in rows:
        found = [
            "/".join(f"{wave_error(weight, size, *part, wave):.5f}" for wave in (16, 6))
            if part[1] < size
            else "-"
            for part in parts.values()
        ]
        print(f"{name:<30} " + " ".join(f"{text:>15}" for text in found))


def print_orders() -> None:
    print(
        "\nError of derivatives of order 1, 2, .. of sin(x + 0.3) exp(y / 2) at distance 0.1, and "
        "its order on grids"
    )
    x, y = 0.4, -0.2
    for method in METHODS[:3]:
        for size in (3, 5, 7):
            order = min(size - 1, 4)
            rows, weight = exponents_up_to(2, order), grid_stencil(2, size, order, method).numpy()
            exact = np.array(
                [
                    math.sin(x + 0.3 + a * math.pi / 2) * math.exp(y / 2) * 0.5**b
                    for a, b in rows.tolist()
                ]
            )
            axis = np.arange(size) - size // 2
            errors = []
            for h in (0.1, 0.05):
                field = np.sin(x + 0.3 + h * axis)[:, None] * np.exp((y + h * axis) / 2)
                error = weight @ field.ravel() / h ** rows.sum(1) - exact
                errors.append(
                    [np.linalg.norm(error[rows.sum(1) == n]) for n in range(1, order + 1)]
                )
            rates = np.log2(np.divide(*errors))
            print(
                f"{method:<18} {size}^2  "
                + "  ".join(f"{e:.1e} (h^{r:.1f})" for e, r in zip(errors[0], rates, strict=True))
            )


def cloud_error(points: int, k: int, method: str, degree: int) -> tuple[float, float]:
    """Relative errors of d_x and the Laplacian of sin 3x cos 2y e^z inside the unit cube."""
    pos = cloud(points)
    offset, edge_index = offsets(pos, k)
    weight = cloud_stencil(offset, neighbourhoods(edge_index, points), 2, method, degree).weight
    x, y, z = pos.T
    f = torch.sin(3 * x) * torch.cos(2 * y) * z.exp()
    found = (weight * f[edge_index[0], None]).view(points, k, -1).sum(1)
    inside = (pos - 0.5).abs().amax(1) < 0.35
    pairs = (
        (found[:, 1], 3 * torch.cos(3 * x) * torch.cos(2 * y) * z.exp()),
        (found[:, [4, 7, 9]].sum(1), -12 * f),
    )
    one, two = (float((a - b)[inside].norm() / b[inside].norm()) for a, b in pairs)
    return one, two


def print_cloud(few: int, many: int) -> None:
    print(
        f"\nRelative error of d_x and Laplacian of sin 3x cos 2y e^z on {few} and {many} random "
        "points, and its order"
    )
    for method in ("least_squares", "rbf"):
        for degree, k in ((2, 24), (2, 32), (3, 48)):
            coarse, fine = (cloud_error(points, k, method, degree) for points in (few, many))
            rates = 3 * np.log(np.divide(coarse, fine)) / math.log(many / few)
            text = "  ".join(
                f"{a:.4f} -> {b:.4f} (h^{r:.1f})"
                for a, b, r in zip(coarse, fine, rates, strict=True)
            )
            print(f"{method:<14} degree {degree}, {k} neighbours  {text}")


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
    print_waves()
    print_orders()
    print_cloud(*((500, 2000) if options.quick else (2000, 16_000)))
