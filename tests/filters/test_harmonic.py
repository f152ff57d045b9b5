"""The classical filter against its formula, and what it cannot be made of."""

import pytest
import torch
from torch import nn

from steerable import FieldMismatchError
from steerable.filters import HarmonicFilter, Radial
from steerable.functions import bessel, polynomial_cutoff, spherical_harmonics
from steerable.groups import O3, SO2, point_group

DOUBLE = torch.float64


def offsets(count=6, dim=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, dtype=DOUBLE, generator=generator)


def test_without_a_perceptron_it_is_the_product_of_its_parts():
    """Up to one factor: radial functions, then attributes, times envelope and harmonics."""
    filter = HarmonicFilter(2, 3.0, channels=None, attributes="2x0e").double()
    x, a = offsets(), offsets(dim=2, seed=1)
    r = x.norm(dim=1)
    values = torch.cat([bessel(r, 8, 3.0), a], 1) * polynomial_cutoff(r, 3.0)[:, None]
    h = filter(x, a)
    assert filter.channels == 10 and h.shape == (6, 10, 9)
    factors = h / (values[:, :, None] * spherical_harmonics(x, 2)[:, None])
    inside = factors[r < 3]
    torch.testing.assert_close(inside[:, :8], inside[:1, :8, :1].expand_as(inside[:, :8]))
    torch.testing.assert_close(inside[:, 8:], inside[:1, 8:, :1].expand_as(inside[:, 8:]))
    assert not h[r >= 3].any()


@pytest.mark.parametrize("group", [O3(), point_group("D4h"), SO2()], ids=str)
def test_radial_functions_are_invariant_and_harmonics_turn(group):
    filter = HarmonicFilter(2, 4.0, channels=3, group=group).double()
    x = offsets(dim=group.dim)
    elements = torch.cat([group.sample(4), torch.from_numpy(group.representatives)])
    for g in elements:
        torch.testing.assert_close(filter.radial(x @ g.T), filter.radial(x))
        turned = filter.harmonics(x) @ filter.field.matrix(g).T
        torch.testing.assert_close(filter.harmonics(x @ g.T), turned)
    torch.testing.assert_close(filter.harmonics(3 * x), filter.harmonics(x))


def test_weights_are_drawn_anew_as_at_first():
    torch.manual_seed(3)
    filter = HarmonicFilter(1, Radial(2.0, count=4), channels=5, attributes="1x0e", hidden=(7, 6))
    shapes = [m.weight.shape for m in filter.phi if isinstance(m, nn.Linear)]
    assert shapes == [(7, 5), (6, 7), (5, 6)] and filter.cutoff == 2
    first = {key: value.clone() for key, value in filter.state_dict().items()}
    with torch.no_grad():
        for parameter in filter.parameters():
            parameter.add_(1)
    torch.manual_seed(3)
    filter.reset_parameters()
    assert all(value.equal(first[key]) for key, value in filter.state_dict().items())


def test_what_cannot_be_made():
    with pytest.raises(ValueError, match="takes invariant attributes; got 1x1o. Use ImplicitFilt"):
        HarmonicFilter(1, 2.0, attributes="1x1o")
    with pytest.raises(ValueError, match=r"at least 1; got \(8, 0, 4\)"):
        HarmonicFilter(1, 2.0, channels=4, hidden=(0,))
    filter = HarmonicFilter(1, 2.0, attributes="2x0e")
    with pytest.raises(FieldMismatchError, match="HarmonicFilter expects attributes of 2x0e"):
        filter(torch.zeros(3, 3))
