"""Filters of derivatives.

Parts that turn as harmonics, weights of stencils, and filters joined to one.
"""

import itertools
from functools import partial

import pytest
import torch

from oracles.groups import EVERY, name
from oracles.states import weights_of
from steerable import FieldMismatchError
from steerable.filters.derivative import DerivativeFilter, Derivatives, StencilFilter
from steerable.filters.filter import Filter, GridFilter
from steerable.functions.polynomials import exponents_up_to, monomials
from steerable.groups import O2, O3, SO2, cyclic, point_group
from steerable.ops.stencils.grid import METHODS, grid_stencil

DOUBLE = torch.float64


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_all_derivatives_as_operators_that_turn_with_the_field(group):
    basis = Derivatives(4, group)
    powers = exponents_up_to(group.dim, 4)
    coefficients = basis.coefficients
    assert coefficients.shape == (len(powers), len(powers)) and torch.linalg.matrix_rank(
        coefficients
    ) == len(powers)
    xi, elements = torch.randn(5, group.dim, dtype=DOUBLE), group.sample(6)
    moved = monomials(torch.einsum("gij,xj->gxi", elements, xi), powers) @ coefficients.T
    wanted = (monomials(xi, powers) @ coefficients.T) @ basis.field.matrix(elements).mT
    torch.testing.assert_close(moved, wanted, atol=1e-12 * float(wanted.abs().max()), rtol=0)


def test_parts_by_order_and_degree():
    basis = Derivatives(3, O3())
    assert [(part.order, part.degree) for part in basis.parts] == [
        (0, 0),
        (1, 1),
        (2, 2),
        (2, 0),
        (3, 3),
        (3, 1),
    ]
    assert str(basis.field) == "1x0e+1x1o+1x2e+1x0e+1x3o+1x1o"
    assert basis.part_of.tolist() == [0, *[1] * 3, *[2] * 5, 3, *[4] * 7, *[5] * 3]
    with pytest.raises(ValueError, match="order of a derivative is 0 or more; got -1"):
        Derivatives(-1, O3())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("group", [O2(), cyclic(8), point_group("Oh")], ids=str)
def test_values_on_a_grid_are_the_weights_of_its_stencil(group, method):
    order, size = (3, 5) if group.dim == 2 else (2, 3)
    filter = StencilFilter(order, size, method, spacing=0.5, group=group).double()
    assert isinstance(filter, Filter) and isinstance(filter, GridFilter)
    orders = torch.from_numpy(exponents_up_to(group.dim, order).sum(1))
    weights = grid_stencil(group.dim, size, order, method) * 2.0 ** orders.unsqueeze(1)
    torch.testing.assert_close(filter.values().T, filter.operators @ weights, atol=1e-12, rtol=0)
    for part in filter.basis.parts:
        assert abs(filter.values()[:, part.place].square().mean() - 1) < 1e-12
    half = size // 2
    offsets = (
        torch.tensor(
            list(itertools.product(range(-half, half + 1), repeat=group.dim)), dtype=DOUBLE
        )
        / 2
    )
    torch.testing.assert_close(filter(offsets)[:, 0], filter.values(), atol=0, rtol=0)
    assert filter(offsets + 0.25).eq(0).all() and filter(offsets + size / 2).eq(0).all()
    turn = torch.tensor([[0.0, -1], [1, 0]], dtype=DOUBLE)
    turn = torch.block_diag(turn, torch.eye(group.dim - 2, dtype=DOUBLE))
    moved = filter(offsets @ turn.T)[:, 0]
    torch.testing.assert_close(
        moved, filter.values() @ filter.field.matrix(turn).T, atol=1e-13, rtol=0
    )


def test_a_stencil_may_be_a_part():
    broad = StencilFilter(2, 5, partial(grid_stencil, method="gaussian", sigma=1.2), group=SO2())
    wanted = StencilFilter(2, 5, "gaussian", group=SO2())
    assert 1e-3 < (broad.values() - wanted.values()).abs().max() < 0.5


def test_components_of_points_have_unit_mean_square_from_the_first_graph_on():
    torch.manual_seed(0)
    filter = DerivativeFilter(2).double()
    assert isinstance(filter, Filter) and filter.attributes == filter.field
    scales = 10.0 ** torch.from_numpy(exponents_up_to(3, 3).sum(1))
    stencil = torch.randn(50, 20, dtype=DOUBLE) * scales  # of order 3: more than needed
    found = filter.components(stencil)
    torch.testing.assert_close(found, stencil[:, :10] @ filter.operators.T)
    for part in filter.basis.parts:
        assert abs(found[:, part.place].square().mean() - 1) < 1e-12
    torch.testing.assert_close(filter.components(3 * stencil), 3 * found)  # measured once
    twin = DerivativeFilter(2).double()
    assert weights_of(filter) == {"scale"}
    twin.load_state_dict(filter.state_dict())
    torch.testing.assert_close(twin.components(3 * stencil), 3 * found)
    assert filter(torch.zeros(50, 3, dtype=DOUBLE), found).shape == (50, 1, 10)
    none = DerivativeFilter(2).double()
    assert none.components(stencil[:0]).shape == (0, 10) and none.scale.isnan().all()
    assert none.components(0 * stencil).isfinite().all()


def test_errors():
    with pytest.raises(
        FieldMismatchError, match="DerivativeFilter expects attributes of .* and got 0"
    ):
        DerivativeFilter(1)(torch.zeros(2, 3))
    with pytest.raises(
        ValueError, match=r"up to order 2 take weights \(edge, 6 mono.*got \(4, 3\).*of order 2"
    ):
        DerivativeFilter(2, SO2()).components(torch.zeros(4, 3))
    with pytest.raises(
        ValueError, match="resolves derivatives of orders 0 to 2; got order 3.*size of 5"
    ):
        StencilFilter(3, 3, group=SO2())
    with pytest.raises(ValueError, match="spacing of a grid is positive and finite; got 0"):
        StencilFilter(2, 3, spacing=0.0, group=SO2())
    with pytest.raises(ValueError, match="odd"):
        StencilFilter(2, 4, group=SO2())
    with pytest.raises(ValueError, match="maximum_offset is for finite groups of the plane"):
        list(Derivatives(1, O3(), maximum_offset=0).products(O3().irreps(0)[0], O3().irreps(0)[0]))
