"""Paths of contractions: equivariant, counted by the solver, and laid out twice alike."""

import pytest
import torch

from oracles.groups import PLANAR, SPATIAL, name
from steerable import Field, FieldMismatchError
from steerable.field import harmonic_field
from steerable.groups import O3, SO3, Product, intertwiners, irreps
from steerable.layers.paths import Paths

GROUPS = [group for group in (*SPATIAL, *PLANAR) if group.order is None or group.order > 5]


def paths_of(group):
    """Two terms of every irrep of the input, and of one irrep of the output."""
    kinds = irreps(group, 1)
    field_in = Field(group, tuple((k + 1, irrep) for k, irrep in enumerate(kinds)))
    first = Field(group, ((2, kinds[0]),))
    return Paths(harmonic_field(group, 1)[0], field_in, first + field_in)


@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_tensors_are_equivariant_and_all(group):
    """C (g h, g f) = g C(h, f), of norm sqrt(m_o); as many as the solver finds."""
    paths = paths_of(group).double()
    g = group.sample(4, torch.Generator().manual_seed(1))
    turns = [paths.field_filter.matrix(g), paths.field_in.matrix(g)]
    count = 0
    for term in paths.field_in:
        for copies, irrep in paths.field_filter:
            for out in paths.irreps:
                count += copies * len(intertwiners(Product(irrep, term.irrep), out))
    assert len(paths) == count
    for k, path in enumerate(paths):
        tensor, out = paths.tensor(k), paths.irreps[path.out]
        source = paths.field_in.terms[path.term].irrep
        moved = torch.einsum(
            "hio,nhk,nij->nkjo", tensor, turns[0][:, path.at, path.at], source.matrix(g)
        )
        expected = torch.einsum("hio,npo->nhip", tensor, out.matrix(g))
        torch.testing.assert_close(moved, expected, rtol=0, atol=1e-12)
        assert tensor.square().sum().item() == pytest.approx(out.dim)


def test_the_matrix_of_a_term_and_the_nonzeros_are_the_tensors():
    paths = paths_of(O3()).double()
    sizes = paths.sizes()
    for i in range(len(paths.field_in)):
        columns = paths.coupled(i).split(
            [s.m_o * s.m_i for s, path in zip(sizes, paths, strict=True) if path.term == i], 1
        )
        numbers = [k for k, path in enumerate(paths) if path.term == i]
        for k, column in zip(numbers, columns, strict=True):
            whole = column.unflatten(1, (sizes[k].m_o, sizes[k].m_i)).mT
            torch.testing.assert_close(whole[paths[k].at], paths.tensor(k))
            assert whole.square().sum().item() == pytest.approx(sizes[k].m_o)
    place, value = paths.nonzeros()
    row = torch.zeros(paths.field_filter.dim, sum(s.m_i * s.m_o for s in sizes)).double()
    row[place[:, 0], place[:, 1]] = value
    start = 0
    for k, s in enumerate(sizes):
        block = row[paths[k].at, start : start + s.m_i * s.m_o]
        torch.testing.assert_close(block.unflatten(1, (s.m_i, s.m_o)), paths.tensor(k))
        start += s.m_i * s.m_o


def test_what_cannot_be_made():
    scalar, vector, axial = Field.parse("2x0e"), Field.parse("1x1o"), Field.parse("1x1e")
    with pytest.raises(ValueError, match="No filter of 2x0e makes 1o of .* from 2x0e. Give"):
        Paths(scalar, scalar, scalar + vector)
    paths = Paths(scalar, scalar, vector + scalar, allow_zero=True)
    assert paths.terms_out == [(None, slice(0, 1)), (0, slice(0, 2))] and len(paths) == 2
    with pytest.raises(ValueError, match="No filter of 1x1o makes 1e"):
        Paths(vector, scalar, axial, allow_zero=True)
    with pytest.raises(FieldMismatchError, match="Contraction needs fields of one group"):
        Paths(scalar, scalar, Field.parse("1x0", SO3()))
