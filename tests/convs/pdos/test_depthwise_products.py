"""Coefficients of functions: the theorem they obey, and sums by hand."""

import copy
import itertools
from functools import partial

import pytest
import torch

from convs.pdos.test_tensor_products import features, randomised
from steerable import Field, FieldMismatchError
from steerable.convs.pdos.depthwise_products import DepthwiseProducts, Functions, function_field
from steerable.filters.derivative import Derivatives
from steerable.groups import (
    O3,
    GroupError,
    cyclic,
    dihedral,
    point_group,
    quotient,
    trivial,
)

DOUBLE = torch.float64


COSETS = [
    (cyclic(8), None),
    (dihedral(4), None),
    (cyclic(16), cyclic(4)),
    (point_group("O"), None),
    (point_group("Oh"), point_group("C4v")),
]


def depthwise(group, subgroup, count=4, channels=2, **options):
    field = function_field(group, count, subgroup)
    return field, partial(DepthwiseProducts, channels=channels, subgroup=subgroup, **options)


@pytest.mark.parametrize(("group", "subgroup"), COSETS, ids=str)
def test_coefficients_of_functions_transform_as_the_theorem_says(group, subgroup):
    torch.manual_seed(0)
    h = Derivatives(3, group).field
    field, make = depthwise(group, subgroup)
    products = randomised(make(h, field, field).double())
    functions = products.functions
    x, d = features(field, 6), torch.randn(6, field.dim, h.dim, dtype=DOUBLE)
    y = products(x, partial(weighted, d))
    for g in group.sample(3, torch.Generator().manual_seed(2)):
        permutation = torch.from_numpy(
            quotient(group, subgroup or trivial(group.dim)).matrices(g[None].numpy())[0]
        )
        rho, rho_h = field.matrix(g), h.matrix(g)
        torch.testing.assert_close(functions.values(x @ rho.T), functions.values(x) @ permutation.T)
        torch.testing.assert_close(functions.irreps(functions.values(x)), x)
        moved = torch.einsum(
            "st,nctk,lk->ncsl", permutation, d.unflatten(1, (-1, functions.points)), rho_h
        ).flatten(1, 2)
        moved_y = products(x @ rho.T, partial(weighted, moved))
        torch.testing.assert_close(moved_y, y @ rho.T, atol=1e-12, rtol=1e-12)


def weighted(d, _, weights):
    """The sum over operators, for given derivatives (node, (group, copy, s), operator)."""
    copies = d.unflatten(1, (weights.shape[1], -1, weights.shape[2]))
    return torch.einsum("ngqsk,ngsk->ngqs", copies, weights).flatten(1)


def test_depthwise_products_are_the_sum_written_out_by_hand():
    """With permutations of the values in place of irreps, equivariant by hand.

    w(s) = rho_h(s) (K * silu(A f))(s).
    """
    torch.manual_seed(0)
    group = dihedral(3)
    h = Derivatives(2, group).field
    field, make = depthwise(group, None, 4, 2, hidden=6)
    products = randomised(make(h, field, field).double())
    x, d = features(field, 3), torch.randn(3, field.dim, h.dim, dtype=DOUBLE)
    w = products._coefficients(x)
    assert w.shape == (3, 2, 6, h.dim)
    torch.testing.assert_close(
        w.square().mean((2, 3)), torch.ones(3, 2, dtype=DOUBLE), atol=0.2, rtol=0
    )
    values = d.unflatten(1, (4, 6))
    wanted = torch.zeros(3, 4, 6, dtype=DOUBLE)
    for function, s, k in itertools.product(range(4), range(6), range(h.dim)):
        wanted[:, function, s] += w[:, function // 2, s, k] * values[:, function, s, k] / h.dim**0.5
    torch.testing.assert_close(
        products(x, partial(weighted, d)), products.mix(products.functions.irreps(wanted))
    )
    # groups of the hidden layer see their own channels alone
    hidden = products.hidden.values(products.read(x))
    hidden[:, 3:] += 1
    other = copy.deepcopy(products)
    other.hidden.values = lambda _: hidden
    torch.testing.assert_close(other._coefficients(x)[:, 0], w[:, 0])
    assert (other._coefficients(x)[:, 1] - w[:, 1]).abs().min() > 0


def test_errors():
    with pytest.raises(GroupError, match="Only finite groups induce here; .*infinite"):
        function_field(O3(), 2)
    group = cyclic(4)
    assert Functions(Field.parse("1x2+1x1+1x0", group)).count == 1  # in any order
    with pytest.raises(
        FieldMismatchError,
        match=r"values the group permutes, hold 1x0\+1x1\+1x2 each; got 4x0\+2x1",
    ):
        Functions(Field.parse("4x0+2x1", group))
    (field, make), h = depthwise(group, None, 3, 2), Derivatives(1, group).field
    with pytest.raises(
        ValueError,
        match="channels=2 does not divide the 3 functions of the input and the 3 of the hidden",
    ):
        make(h, field, field)
