"""The regressor: symmetries, sums over molecules, elements, precision."""

import pytest
import torch

from steerable.certify import POSITIONS, Role, certify
from steerable.groups import O3, named_group
from steerable.models import Reference, Regressor, UnknownElementError

Z = torch.tensor([8, 1, 1, 6, 1, 1, 1, 1])
BATCH = torch.tensor([0, 0, 0, 1, 1, 1, 1, 1])
POS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))


def network(**changes):
    torch.manual_seed(0)
    reference = Reference((1, 6, 8), (-1.0, -2.0, -3.0), scale=2.0)
    return Regressor(reference, hidden="8x0e+4x1o", layers=2, **changes)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_invariant_in_both_precisions(dtype, limit):
    inputs = [(Z, Role()), (POS, POSITIONS), (BATCH, Role())]
    report = certify(network(), inputs, Role("graph"), dtype=dtype)
    assert report.error < limit, report


def test_a_batch_equals_its_molecules():
    model = network().double()
    apart = [model(Z[g == BATCH], POS[g == BATCH].double()) for g in range(2)]
    torch.testing.assert_close(model(Z, POS.double(), BATCH), torch.cat(apart))


def test_one_atom_two_atoms_in_one_place_and_none():
    model = network()
    assert torch.isfinite(model(Z[:1], POS[:1])).all()
    assert torch.isfinite(model(Z[:2], torch.zeros(2, 3))).all()
    assert model(Z[:0], POS[:0]).shape == (1,)


def test_forces_are_smooth_at_the_cutoff():
    model = network(cutoff=2.0).double()
    pos = torch.zeros(2, 3, dtype=torch.float64)
    values = []
    for distance in (2 - 1e-5, 2 + 1e-5):
        pos[1, 0] = distance
        p = pos.clone().requires_grad_(True)
        values.append(
            torch.autograd.grad(
                model(Z[:2], p).sum(), p, allow_unused=True, materialize_grads=True
            )[0]
        )
    torch.testing.assert_close(*values, atol=1e-6, rtol=0)


def test_unknown_elements():
    with pytest.raises(
        UnknownElementError, match=r"knows the elements \[1, 6, 8\] \(atomic numbers\); got \[7\]"
    ):
        network()(torch.tensor([7]), torch.zeros(1, 3))


@pytest.mark.parametrize(
    ("group", "hidden", "filter_field"),
    [("SO(3)", "8x0e+4x1o", "0e+1o"), ("Cinfv", "8x0+4x2", "0+2"), ("C3v", "8x0+2x1+4x2", "0+1+2")],
)
def test_any_group_by_its_name(group, hidden, filter_field):
    torch.manual_seed(0)
    model = Regressor(
        Reference((1, 6, 8)), hidden=hidden, layers=2, group=group, filter_field=filter_field
    )
    inputs = [(Z, Role()), (POS, POSITIONS), (BATCH, Role())]
    chosen = named_group(group)
    assert (
        certify(model, inputs, Role("graph"), chosen, elements=5, dtype=torch.float64).error < 1e-10
    )
    broken = certify(model, inputs, Role("graph"), O3(), elements=5, dtype=torch.float64).error
    assert group == "SO(3)" or broken > 1e-6
