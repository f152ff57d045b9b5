"""Moments: sums over charges written by hand, and their symmetries."""

import pytest
import torch

from steerable.field import Field, FieldError
from steerable.groups import O2, O3, SO3, point_group
from steerable.models.multipoles import Multipoles, Polarisability
from steerable.models.tensor_of import cartesian_harmonics

DOUBLE = torch.float64
BATCH = torch.tensor([0, 1, 0, 1, 1, 3])  # in no order, molecule 2 is empty
SIZE = 4


def rows(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def charges(order):
    """A head that reads charge, dipole and quadrupole off the features as they are."""
    head = Multipoles("1x0e+1x1o+1x2e", order).double()
    with torch.no_grad():
        for source in head.sources:
            source.linear.weight.fill_(1)
    return head


@pytest.mark.parametrize("given", [False, True])
def test_moments_are_those_of_charges_and_dipoles(given):
    """Against charges alone.

    A point dipole is two opposite charges close together, a quadrupole is added as it is.
    """
    x, pos = rows(6, 9), 2 * rows(6, 3, seed=1)
    total = torch.tensor([1.0, -2.0, 0.0, 0.5], dtype=DOUBLE) if given else None
    found = charges(2)(x, pos, BATCH, SIZE, total)
    for g in range(SIZE):
        own = x[g == BATCH]
        r = pos[g == BATCH] - pos[g == BATCH].mean(0)
        q = own[:, 0]
        if given and len(q):
            q = q + (total[g] - q.sum()) / len(q)
        step = 1e-4
        centres = torch.cat([r, r + step * own[:, 1:4], r - step * own[:, 1:4]])
        parts = torch.cat([q, torch.full_like(q, 0.5 / step), torch.full_like(q, -0.5 / step)])
        outer = torch.einsum("n,ni,nj->ij", parts, centres, centres)
        local = torch.einsum("nm,mij->ij", own[:, 4:], cartesian_harmonics(2))
        wanted = 1.5 * outer - 0.5 * outer.trace() * torch.eye(3, dtype=DOUBLE) + local
        torch.testing.assert_close(found[0][g], parts.sum(), atol=1e-9, rtol=0)
        torch.testing.assert_close(found[1][g], parts @ centres, atol=1e-9, rtol=0)
        torch.testing.assert_close(found[2][g], wanted, atol=1e-6, rtol=0)
    if given:
        torch.testing.assert_close(found[0][[0, 1, 3]], total[[0, 1, 3]])
    for order in (0, 1):
        for part, whole in zip(charges(order)(x, pos, BATCH, SIZE, total), found, strict=False):
            torch.testing.assert_close(part, whole)


def test_moments_turn_and_the_first_does_not_depend_on_the_origin():
    torch.manual_seed(0)
    field = Field.parse("2x0e+1x0o+2x1o+1x1e+2x2e")
    head, alpha = Multipoles(field, 2).double(), Polarisability(field).double()
    x, pos, generator = rows(6, field.dim), rows(6, 3, seed=1), torch.Generator().manual_seed(0)
    charge, dipole, quadrupole = head(x, pos, BATCH)
    for g in O3().sample(5, generator):
        turned, order = x @ field.matrix(g).T, torch.randperm(6, generator=generator)
        found = head(turned[order], (pos @ g.T + rows(3, seed=3))[order], BATCH[order])
        torch.testing.assert_close(found[0], charge, atol=1e-12, rtol=0)
        torch.testing.assert_close(found[1], dipole @ g.T, atol=1e-12, rtol=0)
        torch.testing.assert_close(found[2], g @ quadrupole @ g.T, atol=1e-12, rtol=0)
        torch.testing.assert_close(
            alpha(turned, BATCH), g @ alpha(x, BATCH) @ g.T, atol=1e-12, rtol=0
        )
    torch.testing.assert_close(alpha(x, BATCH), alpha(x, BATCH).mT)
    neutral = torch.zeros(4, dtype=DOUBLE)
    dipoles = [head(x, pos, BATCH, 4, neutral, origin)[1] for origin in (None, rows(4, 3, seed=2))]
    torch.testing.assert_close(*dipoles, atol=1e-13, rtol=0)


@pytest.mark.parametrize("group", [SO3(), point_group("C3v"), point_group("Oh")])
def test_moments_under_other_groups_of_space(group):
    field = Field(group, tuple((1, irrep) for irrep in group.irreps(2)))
    head = Multipoles(field, 2).double()
    x, pos = rows(6, field.dim), rows(6, 3, seed=1)
    for g in group.sample(3, torch.Generator().manual_seed(0)):
        _, dipole, quadrupole = head(x @ field.matrix(g).T, pos @ g.T, BATCH)
        torch.testing.assert_close(dipole, head(x, pos, BATCH)[1] @ g.T, atol=1e-12, rtol=0)
        torch.testing.assert_close(quadrupole, g @ head(x, pos, BATCH)[2] @ g.T, atol=1e-12, rtol=0)


def test_errors():
    with pytest.raises(
        ValueError, match=r"order is 0 \(charge\), 1 \(dipole\) or 2 \(quadrupole\); got 3"
    ):
        Multipoles("1x0e", 3)
    with pytest.raises(
        FieldError,
        match="Moments are tensors of space; 1x0e is a field of O\\(2\\), a group of the plane",
    ):
        Polarisability(Field.parse("1x0e", O2()))
    with pytest.raises(ValueError, match="Positions must be finite; those of atoms"):
        charges(1)(rows(6, 9), rows(6, 3) * torch.nan, BATCH)
