"""Signals on the circle: samples to harmonics of the plane and back."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..tracing import is_traced


def circle_analysis(samples: Tensor, max_order: int) -> Tensor:
    """Coefficients of sqrt(2) cos k t and sqrt(2) sin k t.

    Means of f times these, orthonormal; k = 0: the mean.

    They are in the order of `solid_harmonics` of the plane, a field 1x0 + 1x1 + 1x2 + ... of SO(2)
    (1x0e of O(2)).

    Args:
        samples: f (..., point) at the angles 2 pi j / count in radians.
        max_order: the highest k.

    Returns:
        (..., 2 max_order + 1).

    Raises:
        ValueError: fewer than 2 max_order + 1 samples, or samples that are not finite.
    """
    count = samples.shape[-1]
    _check(count, max_order)
    if not samples.numel():
        return no_signals(samples, 2 * max_order + 1)
    waves = torch.fft.rfft(samples, norm="forward")[..., : max_order + 1]
    pairs = math.sqrt(2) * torch.stack([waves.real, -waves.imag], -1)[..., 1:, :]
    found = torch.cat([waves.real[..., :1], pairs.flatten(-2)], -1)
    if not is_traced(found) and not bool(found[..., :1].isfinite().all()):
        raise ValueError(
            "circle_analysis needs finite samples; got NaN or infinity. Fill or mask them first."
        )
    return found


def circle_synthesis(coefficients: Tensor, count: int) -> Tensor:
    """Samples (..., count) at the angles 2 pi j / count.

    The signal has these coefficients (..., 2 K + 1).

    Raises:
        ValueError: an even number of coefficients, or fewer samples than coefficients.
    """
    size = coefficients.shape[-1] if coefficients.dim() else 0
    if size % 2 == 0:
        raise ValueError(f"A signal on the circle has 2 K + 1 coefficients; got {size}.")
    _check(count, size // 2)
    if not coefficients.numel():
        return no_signals(coefficients, count)
    pairs = coefficients[..., 1:].unflatten(-1, (size // 2, 2)) / math.sqrt(2)
    mean = torch.stack([coefficients[..., :1], torch.zeros_like(coefficients[..., :1])], -1)
    waves = torch.cat([mean, pairs * pairs.new_tensor([1.0, -1.0])], -2)
    return torch.fft.irfft(torch.view_as_complex(waves), count, norm="forward")


def no_signals(x: Tensor, size: int) -> Tensor:
    """What becomes of an empty batch (..., number): (..., size).

    The FFT of nothing is an error in some libraries.
    """
    return x @ x.new_zeros(1, 1).expand(x.shape[-1], size)


def _check(count: int, max_order: int) -> None:
    if max_order < 0 or count < 2 * max_order + 1:
        raise ValueError(
            f"Orders 0 to {max_order} on the circle need at least {2 * max_order + 1} samples; got "
            f"{count}."
        )
