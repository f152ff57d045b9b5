"""Contractions are steerable; groups do not mix, a rank is one, and outer products are plain."""

import numpy as np
import pytest
import torch

from oracles.groups import name
from oracles.per_edge import contraction_tensor
from steerable import Field
from steerable.field import harmonic_field
from steerable.groups import O2, O3, SO3, axial, irreps, point_group
from steerable.layers import Contraction, Depthwise, Full, Outer

FILTER = Field.parse("1x0e+1x1o")
MANY = Field.parse("8x0e+4x1o")


@pytest.mark.parametrize("kind", [Full, Depthwise])
@pytest.mark.parametrize("group", [O3(), axial("Cinfv"), point_group("D4h"), O2()], ids=name)
def test_whole_tensors_are_equivariant(kind, group):
    """W (g h, g f) = g W (h, f) at random elements, reflections among them."""
    field = Field(group, tuple((2, irrep) for irrep in irreps(group, 1)))
    contraction = kind(harmonic_field(group, 1)[0], 2, field, field).double()
    assert isinstance(contraction, Contraction)
    tensor = contraction_tensor(contraction)
    g = torch.cat([group.sample(5), torch.from_numpy(group.representatives)])
    assert (torch.linalg.det(g) < 0).any()
    turns, matrices = contraction.paths.field_filter.matrix(g), field.matrix(g)
    moved = torch.einsum("khoi,nhp,nij->nkpoj", tensor, turns, matrices)
    expected = torch.einsum("khoi,npo->nkhpi", tensor, matrices)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-12)


def test_groups_do_not_mix():
    contraction = Full(FILTER, 3, MANY, MANY, groups=4)
    for k, path in enumerate(contraction.paths):
        weight = contraction.weight(k)
        inputs = torch.arange(weight.shape[0]) // (path.copies // 4)
        outputs = torch.arange(weight.shape[2]) // (weight.shape[2] // 4)
        apart = inputs[:, None] != outputs
        assert not weight.transpose(1, 2)[apart].any() and weight.transpose(1, 2)[~apart].all()
    assert contraction.mixed(8) == 2
    for groups in (0, 3):
        with pytest.raises(ValueError, match=f"groups={groups} does not divide every multiplicity"):
            Full(FILTER, 3, MANY, MANY, groups=groups)


def test_depthwise_weights_have_a_rank():
    """Of every path from input to output, whatever the channel."""
    contraction = Depthwise(FILTER, 5, MANY, MANY, rank=2).double()
    assert str(contraction.before.field_out) == "2x0e+2x1o" and contraction.mixed(10) == 3
    x = torch.eye(MANY.dim, dtype=torch.float64)
    before = contraction.before(x)
    blocks = {"0e": before[:8, :2], "1o": before[8::3, 2::3]}
    for k, path in enumerate(contraction.paths):
        block = blocks[contraction.paths.field_in.terms[path.term].irrep.name]
        whole = torch.einsum("ic,cko->iko", block, contraction.weight(k))
        ranks = [torch.linalg.matrix_rank(whole[:, c]).item() for c in range(5)]
        assert ranks == [2] * 5 and len(whole) in (8, 4)


@pytest.mark.parametrize("kind", [Full, Depthwise])
def test_weights_are_drawn_anew_with_variance_one_over_fan_in(kind):
    torch.manual_seed(1)
    contraction = kind(FILTER, 40, MANY, MANY)
    first = [parameter.detach().clone() for parameter in contraction.own_parameters()]
    fans = [tensor.shape[-2] for tensor in first]
    for tensor, fan_in in zip(first, fans, strict=True):
        assert tensor.square().mean().item() * fan_in == pytest.approx(1, abs=0.5)
    torch.manual_seed(1)
    contraction.reset_parameters()
    assert all(a.equal(b) for a, b in zip(first, contraction.own_parameters(), strict=True))


def test_outer_products_are_written_out():
    """In the order (term, copy, channel of the filter), of terms of one irrep too."""
    fields = Field.parse("2x0e+1x1o+1x0e"), Field.parse("6x0e+3x1o+3x0e")
    outer = Outer(Field.parse("1x0e"), 3, *fields).double()
    tensor = contraction_tensor(outer)[:, 0]
    h, x = torch.randn(3, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    expected = [np.outer(x[:2], h), np.outer(h, x[2:5]), h * x[5]]
    np.testing.assert_allclose(
        torch.einsum("k,koi,i->o", h, tensor, x),
        np.concatenate([part.ravel() for part in expected]),
        atol=1e-14,
    )
    assert outer.own_parameters() == [] and outer.mixed(7) == 0
    with pytest.raises(ValueError, match=r"3 channels and .* 3 times as often; got 2x0e\+1x1o"):
        Outer(Field.parse("1x0e"), 3, fields[0], fields[0])


def test_what_a_filter_cannot_make():
    with pytest.raises(ValueError, match="Give the filter"):
        Full(Field.parse("1x0e"), 2, MANY, Field.parse("1x1e"))
    with pytest.raises(ValueError, match="one group"):
        Depthwise(FILTER, 2, MANY, Field.parse("1x0", SO3()))
