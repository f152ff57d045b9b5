"""The order that turns edges onto one axis: rotations, their matrices, and results there.

All orders are compared with a kernel per edge in `test_engines.py`.
"""

import pytest
import torch

from convs.points.test_engines import field_of
from oracles.per_edge import per_edge_conv
from oracles.sphere import rotations
from steerable.convs.points.frame import Frame, rotation_to_axis, wigner_matrices
from steerable.convs.points.point_conv import PointConv
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.functions import spherical_harmonics
from steerable.groups import O2, O3, SO3, axial, point_group

DOUBLE = torch.float64
AXIS = torch.tensor([0.0, 1.0, 0.0], dtype=DOUBLE)
# On the axis, against it, nearly so, across it, at the origin.
SPECIAL = [[0, 2, 0], [0, -3, 0], [1e-9, -1, 0], [0, -1, 1e-6], [1, 0, 0], [0, 0, -2], [0, 0, 0]]


def offsets():
    return torch.cat([torch.tensor(SPECIAL, dtype=DOUBLE), torch.randn(50, 3, dtype=DOUBLE)])


def test_edges_are_turned_onto_the_axis_by_proper_rotations():
    x = offsets()
    turns = rotation_to_axis(x)
    eye = torch.eye(3, dtype=DOUBLE).expand(len(x), 3, 3)
    torch.testing.assert_close(turns @ turns.mT, eye, atol=1e-14, rtol=0)
    torch.testing.assert_close(torch.linalg.det(turns), eye[:, 0, 0], atol=1e-14, rtol=0)
    result = torch.einsum("eij,ej->ei", turns, x)
    torch.testing.assert_close(result, x.norm(dim=1, keepdim=True) * AXIS, atol=1e-13, rtol=0)
    assert torch.equal(turns[len(SPECIAL) - 1], eye[0])


def test_matrices_move_harmonics():
    """D^l(R) Y_l(x) = Y_l(R x), for more points than harmonics: that determines the matrices."""
    turns, x, degree = rotations(20), torch.randn(15, 3, dtype=DOUBLE), 5
    sizes = [2 * l + 1 for l in range(degree + 1)]
    before = spherical_harmonics(x, degree).split(sizes, 1)
    after = spherical_harmonics(x @ turns.mT, degree).split(sizes, 2)
    for matrices, fixed, moved in zip(wigner_matrices(turns, degree), before, after, strict=True):
        torch.testing.assert_close(fixed @ matrices.mT, moved, atol=1e-12, rtol=0)
    assert [len(wigner_matrices(turns, l)) for l in range(4)] == [1, 2, 3, 4]


def test_on_the_axis_only_the_middle_component_of_harmonics_is_left():
    x, degree = offsets()[:-1], 4
    x = x[x.norm(dim=1) > 0]
    harmonics = spherical_harmonics(x, degree).split([2 * l + 1 for l in range(degree + 1)], 1)
    for l, matrices in enumerate(wigner_matrices(rotation_to_axis(x), degree)):
        turned = torch.einsum("eij,ej->ei", matrices, harmonics[l])
        middle = torch.zeros(2 * l + 1, dtype=DOUBLE)
        middle[l] = (2 * l + 1) ** 0.5
        torch.testing.assert_close(turned, middle.expand_as(turned), atol=1e-7, rtol=0)


@pytest.mark.parametrize("contraction", ["full", "depthwise"])
@pytest.mark.parametrize("group", [O3(), SO3()], ids=str)
def test_edges_along_the_axis_against_it_and_of_no_length(group, contraction):
    filter = HarmonicFilter(2, 4.0, channels=3, group=group)
    fields = field_of(group, 2, 2), field_of(group, 3, 2)
    conv = PointConv(*fields, filter, contraction, neighbours=4.0, engine="frame").double()
    pos = torch.cat([torch.zeros(1, 3, dtype=DOUBLE), torch.tensor(SPECIAL, dtype=DOUBLE)])
    x = torch.randn(len(pos), fields[0].dim, dtype=DOUBLE)
    edges = torch.cartesian_prod(torch.arange(len(pos)), torch.arange(len(pos))).T
    wanted = per_edge_conv(conv, x, pos, edges)
    torch.testing.assert_close(conv(x, pos, edges), wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("group", "separable", "applies"),
    [
        (O3(), True, True),
        (SO3(), True, True),
        (O3(), False, False),
        (O2(), True, False),
        (axial("Cinf"), True, False),
        (point_group("Oh"), True, False),
    ],
    ids=str,
)
def test_where_it_applies(group, separable, applies):
    field = field_of(group, 1)
    filter = HarmonicFilter(1, 2.0, group=group) if separable else ImplicitFilter(field, 2.0)
    assert Frame().applies(filter, PointConv(field, field, filter).contraction) is applies
