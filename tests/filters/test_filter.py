"""Filters: steerable in position and attributes, smooth at zero and at the cutoff."""

import pytest
import torch

from oracles.groups import EVERY, name
from steerable import Field, FieldMismatchError
from steerable.certify import Role, certify
from steerable.filters import Filter, HarmonicFilter, ImplicitFilter
from steerable.groups import Harmonic, irreps
from steerable.groups.irreps import Irrep

DOUBLE = torch.float64


def vector(group):
    """Offsets as a field: the matrices of the group themselves."""
    import numpy as np

    harmonic = Harmonic(group, 1, -1 if group.dim == 3 else 1)
    return Field(group, ((1, Irrep(group, "offset", harmonic, np.eye(group.dim))),))


@pytest.mark.parametrize("group", EVERY, ids=name)
@pytest.mark.parametrize("kind", ["harmonic", "implicit"])
def test_is_steerable(group, kind):
    torch.manual_seed(0)
    field = Field(group, tuple((1, irrep) for irrep in irreps(group, 2)))
    invariant = Field(group, ((2, irreps(group, 0)[0]),))
    attributes = invariant if kind == "harmonic" else invariant + field
    if kind == "harmonic":
        filter = HarmonicFilter(2, 2.0, channels=3, attributes=attributes, group=group)
    else:
        filter = ImplicitFilter(field, 2.0, attributes, channels=3, hidden=3)
    assert isinstance(filter, Filter)
    x = torch.randn(6, group.dim, dtype=DOUBLE)
    a = torch.randn(6, attributes.dim, dtype=DOUBLE)
    inputs = [(x, Role("edge", vector(group))), (a, Role("edge", attributes))]
    filter = filter.double()
    output = Role("edge", filter.field * filter.channels)
    report = certify(lambda x, a: filter(x, a).flatten(1), inputs, output, group, elements=5)
    assert report.error < 1e-12, report


@pytest.mark.parametrize(
    "filter",
    [HarmonicFilter(2, 2.0), ImplicitFilter("0e+1o+2e", 2.0)],
    ids=["harmonic", "implicit"],
)
def test_zero_offset_gives_invariants_alone_and_the_cutoff_is_smooth(filter):
    filter = filter.double()
    h = filter(torch.zeros(1, 3, dtype=DOUBLE))
    assert h[..., 1:].abs().max() < 1e-15 and h[..., 0].abs().max() > 0
    radius = torch.tensor([[2 - 1e-6, 0, 0], [2 + 1e-6, 0, 0]], dtype=DOUBLE, requires_grad=True)
    h = filter(radius)
    (slope,) = torch.autograd.grad(h.sum(), radius)
    assert h.abs().max() < 1e-12 and slope.abs().max() < 1e-8


def test_the_implicit_filter_may_be_any_function_of_several_vectors():
    """With products the invariants of two attribute vectors steer the filter.

    With gates alone they cannot.
    """
    offset = torch.randn(1, 3, dtype=DOUBLE).expand(2, 3)
    vectors = torch.randn(1, 6, dtype=DOUBLE).repeat(2, 1)
    vectors[1, 3:] *= -1  # only the angle between the two vectors changes
    seen = {}
    for activation in ("gate", "product"):
        torch.manual_seed(0)
        filter = ImplicitFilter("0e", 9.0, "2x1o", activation=activation).double()
        h = filter(offset, vectors)
        seen[activation] = float((h[0] - h[1]).detach().abs().max())
    assert seen["gate"] < 1e-14 and seen["product"] > 1e-4


def test_attributes_that_do_not_fit():
    filter = ImplicitFilter("0e+1o", 2.0, "2x0e")
    with pytest.raises(
        FieldMismatchError,
        match=r"ImplicitFilter expects attributes of 2x0e \(2 channels\) and got 0",
    ):
        filter(torch.randn(3, 3))
    with pytest.raises(
        FieldMismatchError,
        match=r"ImplicitFilter expects attributes of 2x0e \(2 channels\) and got 3",
    ):
        filter(torch.randn(3, 3), torch.randn(3, 3))
    with pytest.raises(FieldMismatchError, match="HarmonicFilter expects attributes of 2x0e"):
        HarmonicFilter(1, 2.0, attributes="2x0e")(torch.randn(3, 3))
