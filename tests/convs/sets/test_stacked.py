"""Several features as one: against the matrices of the group and loops over copies."""

import pytest
import torch

from oracles.groups import EVERY, name
from steerable.convs.sets.stacked import stack, stacked_field, unstack
from steerable.field import Field
from steerable.groups import irreps


def features(field, count):
    generator = torch.Generator().manual_seed(0)
    return list(torch.randn(count, 5, field.dim, generator=generator, dtype=torch.float64))


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_it_commutes_with_the_group(group):
    field = Field(group, tuple((2, irrep) for irrep in irreps(group, 2)))
    parts, stacked = features(field, 3), stacked_field(field, 3)
    for g in group.sample(3, torch.Generator().manual_seed(1)):
        turned = stack([part @ field.matrix(g).T for part in parts], field)
        wanted = stack(parts, field) @ stacked.matrix(g).T
        torch.testing.assert_close(turned, wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize("text", ["2x0e+3x1o", "1x1o+1x0e+2x1o", "4x2e", "0x0e+1x1o", ""])
def test_the_copies_of_a_term_lie_together_feature_after_feature(text):
    field = Field.parse(text)
    parts, x = features(field, 3), stack(features(field, 3), field)
    assert x.shape == (5, stacked_field(field, 3).dim)
    for term, place in zip(stacked_field(field, 3), stacked_field(field, 3).slices(), strict=True):
        assert place.stop - place.start == term.multiplicity * term.irrep.dim
    start = 0
    for place in field.slices():
        for part in parts:
            width = place.stop - place.start
            assert torch.equal(x[:, start : start + width], part[:, place])
            start += width
    for result, part in zip(unstack(x, field, 3), parts, strict=True):
        assert torch.equal(result, part)
