"""Regular, quotient and induced representations against counting and Frobenius reciprocity."""

import numpy as np
import pytest
import torch

from steerable.groups import (
    O3,
    GroupError,
    Induced,
    decompose,
    intertwiners,
    irreps,
    point_group,
    quotient,
    regular,
    trivial,
)


@pytest.mark.parametrize("name", ["C4", "C3v", "D4", "T"])
def test_regular_holds_every_irrep_dim_over_type_times(name):
    group = point_group(name)
    parts = [irrep for irrep, _ in decompose(regular(group))]
    for irrep in irreps(group, 12):
        assert parts.count(irrep) == irrep.dim / irrep.type
    assert len(intertwiners(regular(group), regular(group))) == group.order


@pytest.mark.parametrize(
    ("name", "below"), [("C3v", "C3"), ("D4h", "C4"), ("O", "T"), ("D6", "C2")]
)
def test_induced_is_a_representation_and_obeys_frobenius(name, below):
    group, subgroup = point_group(name), point_group(below)
    elements = [group.sample(6, torch.Generator().manual_seed(k)).numpy() for k in (0, 1)]
    for inner in irreps(subgroup, 4):
        induced = Induced(group, inner)
        assert induced.dim == inner.dim * group.order // subgroup.order
        a, b = (induced.matrices(g) for g in elements)
        assert np.abs(a @ b - induced.matrices(elements[0] @ elements[1])).max() < 1e-12
        assert np.abs(a @ a.transpose(0, 2, 1) - np.eye(induced.dim)).max() < 1e-12
        for outer in irreps(group, 6):
            below_outer = [outer.matrices(h[None])[0] for h in subgroup.representatives]
            below_inner = [inner.matrices(h[None])[0] for h in subgroup.representatives]
            wanted = np.mean(
                [np.trace(x) * np.trace(y) for x, y in zip(below_outer, below_inner, strict=True)]
            )
            assert len(intertwiners(induced, outer)) == round(float(wanted))


def test_quotient_permutes_cosets():
    group = point_group("O")
    matrices = quotient(group, point_group("C4")).matrices(group.representatives)
    assert matrices.shape == (24, 6, 6)
    assert (
        set(np.unique(matrices)) == {0.0, 1.0}
        and (matrices.sum(1) == 1).all()
        and (matrices.sum(2) == 1).all()
    )


def test_errors():
    with pytest.raises(GroupError, match=r"Only finite groups induce here; O\(3\) is infinite"):
        regular(O3())
    with pytest.raises(GroupError, match="C4 is not a subgroup of C3v"):
        quotient(point_group("C3v"), point_group("C4"))
    assert regular(trivial()).dim == 1
