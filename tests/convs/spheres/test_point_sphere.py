"""Points as signals on the sphere.

Against sums written out, and in one network with convolutions on points.
"""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from oracles.sphere import rotations
from steerable.convs import PointConv
from steerable.convs.spheres.point_sphere import PointSphere
from steerable.convs.spheres.sphere_conv import SphereConv
from steerable.field import Field, FieldMismatchError
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.filters.sources import BumpFilter, CoulombFilter
from steerable.functions.harmonics import spherical_harmonics
from steerable.functions.sphere import SphereTransform
from steerable.groups import O3, SO3, cyclic
from steerable.layers import Linear, Restrict
from steerable.layers.sphere.activation import SphereProduct
from steerable.layers.sphere.readout import SphereInvariants
from steerable.layers.sphere.signals import SphereSignals, sphere_field


def cloud(count=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return x, torch.randn(count, 2, generator=generator, dtype=torch.float64)


INDEX = torch.tensor([3, 0, 0, 1, 3, 1, 0])


@pytest.mark.parametrize("group", [O3(), SO3()], ids=str)
def test_the_sum_written_out(group):
    torch.manual_seed(0)
    filter = HarmonicFilter(3, 4.0, 3, group=group).double()
    layer = PointSphere(filter, 2).double()
    x, q = cloud()
    found = layer.signals.coefficients(layer(x, q, INDEX, 5))
    assert found.shape == (5, 6, 16) and str(layer.field_out) == "6x0+6x1+6x2+6x3"
    expected = torch.zeros(5, 3, 2, 16, dtype=torch.float64)
    for j in range(7):
        h = filter.radial(x[j : j + 1])[0]
        expected[INDEX[j]] += h[:, None, None] * q[j][:, None] * spherical_harmonics(x[j], 3)
    torch.testing.assert_close(found, expected.flatten(1, 2), atol=1e-13, rtol=0)
    assert found[2].eq(0).all() and found[4].eq(0).all()


def test_the_potential_of_charges():
    x, q = cloud()
    x = x * (1 + 1 / x.norm(dim=1, keepdim=True))  # outside the sphere
    transform = SphereTransform(60).double()
    found = transform.synthesis(PointSphere(CoulombFilter(60, (0.7,)), 2).signals.coefficients(
        PointSphere(CoulombFilter(60, (0.7,)), 2)(x, q)[0]))  # fmt: skip
    where = 0.7 * transform.grid.points()
    expected = torch.einsum("rlj,jc->crl", 1 / (where[:, :, None] - x).norm(dim=-1), q)
    torch.testing.assert_close(found, expected, atol=1e-7, rtol=0)


@pytest.mark.parametrize(
    "filter",
    [HarmonicFilter(2, 4.0, 2), CoulombFilter(2, (0.01, 0.02)), BumpFilter(2, (1.0, 3.0))],
    ids=lambda filter: type(filter).__name__,
)
def test_symmetries_derivatives_and_precision(filter):
    layer = PointSphere(filter, 2).double()
    x, q = cloud()
    found = layer(x, q, INDEX, 4)
    for rotation in rotations(3):
        matrix = layer.field_out.matrix(rotation).T
        scale = float(found.detach().abs().max())
        torch.testing.assert_close(
            layer(x @ rotation.T, q, INDEX, 4), found @ matrix, atol=1e-13 * scale, rtol=0
        )
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(layer(x[order], q[order], INDEX[order], 4), found)
    torch.testing.assert_close(layer(x[INDEX == 1], q[INDEX == 1])[0], found[1])
    few = x[:2].clone().requires_grad_(), q[:2].clone().requires_grad_()
    assert gradcheck(layer, few) and gradgradcheck(layer, few)
    single = layer.float()(x.float(), q.float(), INDEX, 4)
    torch.testing.assert_close(single, found.float(), atol=1e-4 * scale, rtol=0)


def test_no_points_weights_left_out_and_the_compiler():
    layer = PointSphere(BumpFilter(2, (1.0,)))
    assert layer(torch.zeros(0, 3)).eq(0).all() and layer(torch.zeros(0, 3)).shape == (1, 9)
    assert layer(torch.zeros(0, 3), index=torch.zeros(0, dtype=torch.long), size=3).shape == (3, 9)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer(x), layer(x, torch.ones(5)))
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), layer(x))


def test_points_and_spheres_in_one_network():
    """Features of PointConv are read as signals and go back to PointConv.

    As signals they are mixed with those of neighbours.
    """
    torch.manual_seed(0)
    features = Field.parse("4x0e+4x1o+4x2e")
    conv = PointConv("2x0e", features, HarmonicFilter(2, 4.0, 3))
    restrict = Restrict(features, SO3())
    signals = SphereSignals.read(restrict.field_out)
    assert signals == SphereSignals.sphere(2, 4)
    whole = SphereSignals.rotations(2, 3)
    on_spheres = nn.Sequential(
        SphereConv(signals, whole), SphereProduct(whole), SphereConv(whole, signals)
    )
    seen = PointSphere(HarmonicFilter(2, 4.0, 2), 2)
    merge = Linear(signals.field + seen.field_out, signals.field)
    back = PointConv(signals.field, "3x0+1", HarmonicFilter(2, 4.0, 3, group=SO3()))
    invariants = SphereInvariants(SphereSignals.sphere(1, 1), power=True)
    for module in (conv, on_spheres, seen, merge, back, restrict, invariants):
        module.double()
    pos, x = cloud(6)
    edges = torch.combinations(torch.arange(6)).T.contiguous()
    edges = torch.cat([edges, edges.flip(0)], 1)

    def network(pos):
        f = on_spheres(restrict(conv(x, pos, edges)))
        views = seen(pos[edges[0]] - pos[edges[1]], x[edges[0]], edges[1], 6)
        return back(merge(torch.cat([f, views], 1)), pos, edges)

    found = network(pos)
    for rotation in rotations(3):
        turned = network(pos @ rotation.T)
        torch.testing.assert_close(
            turned, found @ back.field_out.matrix(rotation).T, atol=1e-10, rtol=0
        )


def test_fields_of_harmonics():
    assert (
        str(sphere_field(2, O3())) == "1x0e+1x1o+1x2e"
        and str(sphere_field(2, SO3())) == "1x0+1x1+1x2"
    )
    with pytest.raises(FieldMismatchError, match=r"fields of O\(3\) or SO\(3\); got C4"):
        sphere_field(2, cyclic(4, 3))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: PointSphere(ImplicitFilter("2x0e+1o", 2.0)),
            "1x0e.1x1o.1x2e.*; got one of 2x0e.1x1o",
        ),
        (
            lambda: PointSphere(HarmonicFilter(1, 2.0, group=cyclic(4, 3))),
            r"fields of O\(3\) or SO\(3\)",
        ),
        (
            lambda: PointSphere(BumpFilter(1, (1.0,)))(torch.zeros(2, 2)),
            r"places \(point, 3\); got \(2, 2\)",
        ),
        (lambda: PointSphere(BumpFilter(1, (1.0,)))(torch.zeros(2, 3)), "origin has no direction"),
        (
            lambda: PointSphere(BumpFilter(1, (1.0,)))(torch.full((2, 3), torch.nan)),
            "finite places",
        ),
        (
            lambda: PointSphere(BumpFilter(1, (1.0,)), 2)(torch.ones(2, 3), torch.ones(2)),
            r"weights \(2, 2\); got",
        ),
    ],
)
def test_what_makes_no_signals(call, text):
    with pytest.raises(ValueError, match=text):
        call()
