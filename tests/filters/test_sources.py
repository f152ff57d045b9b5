"""Closed forms as filters.

Of points convolutions, and against the potential and the bump that they stand for.
"""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.convs import PointConv
from steerable.filters import Filter
from steerable.filters.sources import BumpFilter, CoulombFilter
from steerable.functions.sphere import SphereTransform
from steerable.groups import O3, SO3

POINTS = torch.tensor([[0.3, 2.0, -1.0], [-4.0, 0.1, 0.5], [1.3, 1.2, -1.1]], dtype=torch.float64)


def test_values_on_the_sphere():
    transform = SphereTransform(40).double()
    u = transform.grid.points()[:, :, None]
    found = transform.synthesis(CoulombFilter(40, (0.3, 0.6))(POINTS))
    for k, radius in enumerate((0.3, 0.6)):
        expected = 1 / (radius * u - POINTS).norm(dim=-1)
        torch.testing.assert_close(found[:, k], expected.movedim(-1, 0), atol=1e-12, rtol=0)
    found = transform.synthesis(BumpFilter(40, (1.0, 5.0))(POINTS))
    cosine = (u * POINTS / POINTS.norm(dim=1, keepdim=True)).sum(-1).movedim(-1, 0)
    for k, sharpness in enumerate((1.0, 5.0)):
        torch.testing.assert_close(
            found[:, k], (sharpness * (cosine - 1)).exp(), atol=1e-12, rtol=0
        )


@pytest.mark.parametrize(
    "filter", [CoulombFilter(2, (0.3, 0.6)), BumpFilter(2, (1.0, 5.0), SO3())], ids=repr
)
def test_they_are_filters_of_convolutions(filter):
    assert isinstance(filter, Filter) and filter.channels == 2 and filter.state_dict() == {}
    group = filter.field.group
    for element in group.sample(4, torch.Generator().manual_seed(0)):
        turned = filter(POINTS) @ filter.field.matrix(element).T
        torch.testing.assert_close(filter(POINTS @ element.T), turned, atol=1e-13, rtol=0)
    assert gradcheck(filter, POINTS.clone().requires_grad_()) and gradgradcheck(
        filter, POINTS.clone().requires_grad_()
    )
    names = ("2x0e+1o", "1x0e+1x1o") if group == O3() else ("2x0+1", "1x0+1x1")
    torch.manual_seed(0)
    conv = PointConv(*(type(filter.field).parse(name, group) for name in names), filter).double()
    x, edges = torch.randn(3, 5, dtype=torch.float64), torch.tensor([[0, 1, 2, 1], [1, 0, 1, 2]])
    element = group.sample(1, torch.Generator().manual_seed(1))[0]
    turned = conv(x @ conv.field_in.matrix(element).T, POINTS @ element.T, edges)
    expected = conv(x, POINTS, edges) @ conv.field_out.matrix(element).T
    torch.testing.assert_close(turned, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: BumpFilter(2, (1.0,))(torch.zeros(1, 3)), "point at the origin has no direction"),
        (lambda: CoulombFilter(2, (1.0,))(torch.eye(3)), "lies on the sphere of radius 1.0"),
        (
            lambda: CoulombFilter(2, (-1.0,))(torch.eye(3)),
            "radius of the sphere is positive; got -1.0",
        ),
    ],
)
def test_points_that_make_no_signal(call, text):
    with pytest.raises(ValueError, match=text):
        call()
