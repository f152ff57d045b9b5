"""Signals on the rotations as the sums that define them, and random rotations."""

import torch

from steerable.functions.layout import Layout
from steerable.functions.wigner import wigner_matrix


def rotations(count: int, seed: int = 0) -> torch.Tensor:
    """Random rotations (count, 3, 3), float64."""
    draws = torch.randn(
        count, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    q = torch.linalg.qr(draws)[0]
    return q * torch.linalg.det(q)[:, None, None]


def evaluated(layout: Layout, c: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """f(R) = sum over l of sqrt(2l+1) <F^l, D^l(R)> at rotations (..., 3, 3).

    The coefficients are (size,).
    """
    total = torch.zeros(where.shape[:-2], dtype=c.dtype)
    for l, block in enumerate(layout.split(c)):
        matrices = wigner_matrix(l, where)[..., [n + l for n in layout.columns(l)]]
        total = total + (2 * l + 1) ** 0.5 * torch.einsum("...mn,nm->...", matrices, block)
    return total


def random_signals(signals, *lead: int, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    """Features (*lead, field.dim) of unit mean square, every degree with equal power on average."""
    generator = torch.Generator().manual_seed(seed)
    blocks = [
        torch.randn(
            *lead, signals.channels, len(signals.layout.columns(l)), 2 * l + 1, generator=generator
        ).double()
        / max((2 * l + 1) * len(signals.layout.columns(l)) * len(signals.degrees), 1) ** 0.5
        for l in range(signals.layout.max_degree + 1)
    ]
    return signals.features(blocks).to(dtype)


def relative_error(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Mean over signals of |found - wanted| / |wanted|."""
    return float(((found - wanted).norm(dim=-1) / wanted.norm(dim=-1)).mean().detach())
