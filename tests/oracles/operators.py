"""Random steerable operators, and points where kernels are compared."""

import numpy as np
import torch

from steerable.field import Field
from steerable.groups import irreps
from steerable.operators import symbol_basis


def some_field(group, count=3):
    return Field(group, tuple((1, irrep) for irrep in irreps(group, 2)[:count]))


def drawn(field_in, field_out, order, seed=0):
    """A random steerable operator."""
    rng = np.random.default_rng(seed)
    basis = symbol_basis(field_in, field_out, order)
    return sum((rng.normal() * element for element in basis[1:]), start=rng.normal() * basis[0])


def points(count, dim, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, dtype=torch.float64, generator=generator)
