"""Harmonic and implicit filters are the same kernels where theory says so.

Elsewhere the harmonic ones are fewer.

A steerable kernel is known from its values at one point of every orbit, where any matrix is allowed
that commutes with the point's stabiliser. So kernels at n orbits make a space of n times the number
of such matrices.
"""

import pytest
import torch

from contracts.sweeps import sweep
from oracles.groups import name
from steerable import Field
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.groups import O2, O3, SO2, SO3, axial, cyclic, irreps
from steerable.layers import Full, dense_kernel

DOUBLE = torch.float64
RADII = torch.tensor([0.4, 1.1], dtype=DOUBLE)
DIRECTIONS, FILTERS = 4, 4

# A scalar and a vector to the same. Matrices that commute with the stabiliser O(2), SO(2), a
# mirror, or nothing.
COMPLETE = {O3(): 5, SO3(): 6, O2(): 5, SO2(): 9}
# Invariants of the harmonics up to degree 2 times those matrices, counted with characters.
INCOMPLETE = {axial("Cinf"): 36, axial("Cinf", [1, 2, -1]): 36, cyclic(4): 11}


def fields(group):
    """A scalar and a vector, and all that harmonics up to degree 2 hold."""
    vector = Field.parse(
        "1x0e+1x1o" if group.dim == 3 else "1x0e+1x1", O3() if group.dim == 3 else O2()
    )
    return vector.restrict(group).field, Field(
        group, tuple((1, irrep) for irrep in irreps(group, 2))
    )


def points(group):
    torch.manual_seed(0)
    directions = torch.randn(len(RADII) * DIRECTIONS, group.dim, dtype=DOUBLE)
    return (
        torch.nn.functional.normalize(directions, dim=1)
        * RADII.repeat_interleave(DIRECTIONS)[:, None]
    )


def sampled(family, group, count, attributes=None):
    """Random kernels of one family at the points, (kernel, numbers): filters times contractions."""
    field, field_filter = fields(group)
    x, found = points(group), []
    kind = Field(group, ((1, irreps(group, 0)[0]),) if attributes is not None else ())
    for _ in range(FILTERS):
        if family is HarmonicFilter:
            filter = HarmonicFilter(2, 2.0, 12, kind, group=group).double()
        else:
            filter = ImplicitFilter(field_filter, 2.0, kind, channels=12, hidden=6).double()
        h = filter(x, attributes).detach()
        for _ in range(-(-count // FILTERS)):
            contraction = Full(filter.field, filter.channels, field, field).double()
            found.append(dense_kernel(contraction, h).detach().flatten())
    return torch.nn.functional.normalize(torch.stack(found), dim=1)


def rank(kernels):
    values = torch.linalg.svdvals(kernels)
    return int((values > 1e-8 * values[0]).sum())


def residual(family, other):
    """How far kernels of another family are from the span of the first, at most.

    They have length 1.
    """
    solution = torch.linalg.lstsq(family.T, other.T, driver="gelsd", rcond=1e-11).solution
    return float((family.T @ solution - other.T).norm(dim=0).max())


@pytest.mark.parametrize("with_attributes", [False, True])
@pytest.mark.parametrize("group", COMPLETE, ids=name)
def test_both_families_are_all_steerable_kernels(group, with_attributes):
    torch.manual_seed(0)
    attributes, orbits = None, len(RADII)
    if with_attributes:  # other orbits of position and attribute together
        attributes = torch.tensor([0.3, -1.0], dtype=DOUBLE).repeat(len(RADII) * DIRECTIONS // 2)[
            :, None
        ]
        orbits *= 2
    complete = orbits * COMPLETE[group]
    harmonic = sampled(HarmonicFilter, group, 2 * complete, attributes)
    implicit = sampled(ImplicitFilter, group, 2 * complete, attributes)
    assert rank(harmonic) == rank(implicit) == rank(torch.cat([harmonic, implicit])) == complete
    assert residual(harmonic, implicit) < 1e-10 and residual(implicit, harmonic) < 1e-10


@pytest.mark.parametrize("group", sweep(INCOMPLETE, [cyclic(4)]), ids=name)
def test_harmonics_up_to_a_degree_are_a_part_where_directions_differ(group):
    """Every point is an orbit of its own and has no stabiliser.

    Kernels are 16 or 9 free numbers at each.
    """
    torch.manual_seed(0)
    complete = len(points(group)) * (1 + group.dim) ** 2
    harmonic, implicit = (
        sampled(HarmonicFilter, group, complete),
        sampled(ImplicitFilter, group, 2 * complete),
    )
    assert rank(harmonic) == len(RADII) * INCOMPLETE[group] < complete
    assert rank(implicit) == rank(torch.cat([harmonic, implicit])) == complete
    assert residual(harmonic, implicit) > 0.1 and residual(implicit, harmonic) < 1e-3
