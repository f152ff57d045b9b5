"""What an ImplicitFilter is made of and may see.

Convolutions with messages that are not linear in the features.
"""

from functools import partial

import pytest
import torch

from oracles.groups import EVERY, name
from oracles.per_edge import per_edge_conv
from steerable import Field, FieldMismatchError
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs.points.point_conv import PointConv
from steerable.filters import ImplicitFilter, attribute_field
from steerable.groups import O3, SO2, SO3, axial, irreps
from steerable.layers import FourierActivation, NormActivation
from steerable.ops import radius_graph

DOUBLE = torch.float64


def every_irrep(group, copies, degree=1):
    return Field(group, tuple((copies, irrep) for irrep in irreps(group, degree)))


def graph(group, nodes=8):
    torch.manual_seed(0)
    pos = torch.randn(nodes, group.dim, dtype=DOUBLE)
    return pos, radius_graph(pos, 2.5)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("group", EVERY, ids=name)
def test_messages_that_see_the_features_of_both_ends(group, recompute):
    """They commute, equal the kernel per edge, and are not linear.

    Doubled features do not give a doubled result.
    """
    pos, edges = graph(group)
    field = every_irrep(group, 1)
    filter = ImplicitFilter(field, 2.5, attribute_field(node=field), channels=2, hidden=2)
    conv = PointConv(field, field, filter, neighbours=4.0, recompute=recompute).double()
    x = torch.randn(len(pos), field.dim, dtype=DOUBLE, requires_grad=True)

    def messages(x, pos, edges):
        return conv(x, pos, edges, node_attr=x)

    inputs = [(x.detach(), Role(field=field)), (pos, POSITIONS), (edges, EDGE_INDEX)]
    report = certify(messages, inputs, Role(field=field), group, elements=3)
    assert report.error < 1e-11, report
    ours, wanted = messages(x, pos, edges), per_edge_conv(conv, x, pos, edges, node_attr=x)
    torch.testing.assert_close(ours, wanted, atol=1e-12, rtol=1e-12)
    found, expected = (torch.autograd.grad(y.square().sum(), x)[0] for y in (ours, wanted))
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-10)
    assert (messages(2 * x, pos, edges) - 2 * ours).abs().max() > 0.05 * ours.abs().max()
    linear = PointConv(field, field, ImplicitFilter(field, 2.5), neighbours=4.0).double()
    torch.testing.assert_close(linear(2 * x, pos, edges), 2 * linear(x, pos, edges))


def test_nonlinear_messages_can_be_differentiated_twice():
    pos, edges = graph(SO3(), 5)
    filter = ImplicitFilter(
        "0+1", 2.5, attribute_field(node=Field.parse("1x0+1x1", SO3())), channels=2, hidden=2
    )
    conv = PointConv("1x0+1x1", "1x0+1x1", filter, neighbours=4.0).double()
    x = torch.randn(5, 4, dtype=DOUBLE, requires_grad=True)
    pos.requires_grad_()
    assert torch.autograd.gradgradcheck(
        lambda x, p: conv(x, p, edges, node_attr=x), (x, pos), fast_mode=True
    )


def test_the_field_of_attributes():
    assert str(attribute_field("1x0e", "2x1o")) == "1x0e+2x1o+2x1o"
    assert str(attribute_field(node="1x0e")) == "1x0e+1x0e" and attribute_field().dim == 0
    by_field = attribute_field("1x0", Field.parse("1x1", SO3()))
    assert by_field == attribute_field("1x0", "1x1", SO3()) and by_field.group == SO3()
    with pytest.raises(FieldMismatchError, match="Expected a field of SO.*got 1x0e of O"):
        attribute_field(Field.parse("1x0", SO3()), Field.parse("1x0e"))


@pytest.mark.parametrize("activation", ["gate", "norm", "product", NormActivation, None])
@pytest.mark.parametrize(
    "hidden", [3, "4x0e+2x1o+1x1e+3x2e", "2x1o", Field.parse("1x0e+3x1o+2x0e")], ids=str
)
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_depth_width_hidden_field_and_activation(hidden, layers, activation):
    torch.manual_seed(0)
    filter = ImplicitFilter(
        "0e+1o+2e", 2.0, "1x0e+1x1o", 3, hidden, layers, activation=activation
    ).double()
    x, a = torch.randn(5, 3, dtype=DOUBLE), torch.randn(5, 4, dtype=DOUBLE)
    inputs = [(x, Role("edge", Field.parse("1o"))), (a, Role("edge", filter.attributes))]
    output = Role("edge", filter.field * filter.channels)
    report = certify(lambda x, a: filter(x, a).flatten(1), inputs, output, elements=3)
    assert report.error < 1e-12, report


def test_an_activation_of_ones_own():
    def on_the_sphere(field):
        return FourierActivation(SO2(), 2, 4)

    filter = ImplicitFilter(every_irrep(SO2(), 1, 2), 2.0, hidden=1, activation=on_the_sphere)
    assert filter(torch.randn(5, 2)).shape == (5, 8, 5)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_only_invariants_survive_at_zero_distance(group):
    """With invariant attributes; others stay what they are."""
    torch.manual_seed(0)
    field, invariant = every_irrep(group, 1, 2), Field(group, ((2, irreps(group, 0)[0]),))
    filter = ImplicitFilter(field, 2.0, invariant, channels=3, hidden=3).double()
    h = filter(torch.zeros(4, group.dim, dtype=DOUBLE), torch.randn(4, 2, dtype=DOUBLE))
    for term, place in zip(field, field.slices(), strict=True):
        size = h[..., place].abs().max()
        assert size > 1e-3 if term.irrep.is_trivial else size < 1e-13, term


def test_a_vector_attribute_makes_vectors_at_zero_distance():
    torch.manual_seed(0)
    filter = ImplicitFilter("0e+1o", 2.0, "1x1o").double()
    a = torch.randn(4, 3, dtype=DOUBLE)
    h = filter(torch.zeros(4, 3, dtype=DOUBLE), a)[..., 1:]
    assert h.abs().max() > 1e-3
    assert torch.linalg.cross(h, a[:, None].expand_as(h)).abs().max() < 1e-13


@pytest.mark.parametrize("group", [O3(), SO2(), axial("Cinfv")], ids=name)
def test_coincident_points_are_smooth(group):
    """Any direction of approach gives the same limit, and second derivatives are right there."""
    torch.manual_seed(0)
    filter = ImplicitFilter(every_irrep(group, 1), 2.0, channels=2, hidden=2).double()
    zero = torch.zeros(1, group.dim, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(filter, zero) and torch.autograd.gradgradcheck(filter, zero)
    near = filter(1e-7 * torch.randn(20, group.dim, dtype=DOUBLE))
    assert (near - filter(zero)).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(ImplicitFilter, channels=0), "1 channel or more, hidden and not; got 0, 8"),
        (partial(ImplicitFilter, hidden=0), "1 channel or more, hidden and not; got 8, 0"),
        (partial(ImplicitFilter, layers=0), "at least 1 linear layer; got 0"),
        (
            partial(ImplicitFilter, activation="relu"),
            "activation is one of gate, norm, product; got 'relu'",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make("0e+1o", 2.0)
    with pytest.raises(FieldMismatchError, match=r"Expected a field of O\(3\); got 2x0 of SO\(3\)"):
        ImplicitFilter(Field.parse("0e"), 2.0, hidden=Field.parse("2x0", SO3()))
