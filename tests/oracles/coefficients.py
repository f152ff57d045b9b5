"""Random coefficients of harmonics, and the error of a transform there and back."""

import torch


def coefficients(degree, batch=2, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, (degree + 1) ** 2, generator=generator, dtype=dtype)


def round_trip(transform, batch=2, dtype=torch.float64):
    c = coefficients(transform.layout.max_degree, batch, dtype)
    return float((transform.analysis(transform.synthesis(c)) - c).abs().max())
