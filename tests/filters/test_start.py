"""Filters begin at unit mean square, and convolutions with them at unit variance."""

from functools import partial

import pytest
import torch

from oracles.groups import name
from steerable import Field
from steerable.convs.points.point_conv import PointConv
from steerable.field import harmonic_field
from steerable.filters import HarmonicFilter, ImplicitFilter, Radial
from steerable.groups import O2, O3, SO2, SO3, axial, cyclic, irreps, point_group
from steerable.ops import radius_graph

CUTOFF = 2.0
GROUPS = [O3(), SO3(), O2(), SO2(), axial("Cinfv"), point_group("D4h"), cyclic(4)]


def field_of(group, copies, degree):
    """What the harmonics up to a degree hold."""
    found = dict.fromkeys(term.irrep for term in harmonic_field(group, degree).field)
    return Field(group, tuple((copies, irrep) for irrep in found))


def filter_of(kind, group, degree, radial=CUTOFF, invariants=0):
    attributes = Field(group, ((invariants, irreps(group, 0)[0]),))
    if kind == "harmonic":
        return HarmonicFilter(degree, radial, attributes=attributes, group=group)
    return ImplicitFilter(field_of(group, 1, degree), radial, attributes)


def ball(group, count=4000):
    """Points spread evenly over the ball up to the cutoff, by rejection."""
    cube = CUTOFF * (2 * torch.rand(6 * count, group.dim) - 1)
    return cube[cube.norm(dim=1) < CUTOFF][:count]


def cloud(dim, seed):
    generator = torch.Generator().manual_seed(seed)
    pos = torch.rand(200, dim, generator=generator) * (6.0 if dim == 3 else 8.0)
    return pos, radius_graph(pos, CUTOFF)


def variance(conv, attributes=0):
    """That of the result on a cloud, after another one that is seen first."""
    for seed in (3, 4):
        pos, edges = cloud(conv.field_in.group.dim, seed)
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(len(pos), conv.field_in.dim, generator=generator)
        a = torch.randn(edges.shape[1], attributes, generator=generator) if attributes else None
        y = conv(x, pos, edges, a).detach().index_select(0, torch.unique(edges[1]))
    return float(y.square().mean())


@pytest.mark.parametrize("degree", [0, 1, 2])
@pytest.mark.parametrize("kind", ["harmonic", "implicit"])
@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_filters_begin_near_unit_mean_square(group, kind, degree):
    torch.manual_seed(degree)
    filter = filter_of(kind, group, degree, invariants=3)
    x = ball(group)
    found = float(filter(x, torch.randn(len(x), 3)).detach().square().mean())
    assert 0.8 < found < 1.25 if kind == "implicit" else 0.25 < found < 2.5, found


@pytest.mark.parametrize("basis", ["bessel", "gaussian", "learned"])
@pytest.mark.parametrize("envelope", ["polynomial", "cosine", "gaussian", "none"])
@pytest.mark.parametrize("kind", ["harmonic", "implicit"])
def test_convolutions_begin_at_unit_variance_with_every_radial_part(kind, envelope, basis):
    torch.manual_seed(0)
    filter = filter_of(kind, O3(), 1, Radial(CUTOFF, basis, 6, envelope))
    assert variance(PointConv("32x0e+32x1o", "32x0e+32x1o", filter)) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(("contraction", "copies"), [("full", 32), ("depthwise", 128)])
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("kind", ["harmonic", "implicit"])
@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_convolutions_begin_at_unit_variance_for_every_group(
    group, kind, degree, contraction, copies
):
    """Depthwise weights are few, so that the variance over draws of them needs more copies."""
    torch.manual_seed(1)
    field = field_of(group, copies, degree)
    conv = PointConv(field, field, filter_of(kind, group, degree, invariants=2), contraction)
    assert variance(conv, attributes=2) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    "options", [{"layers": 2}, {"layers": 4}, {"hidden": 24}, {"activation": "norm"}], ids=str
)
def test_convolutions_begin_at_unit_variance_for_every_perceptron(options):
    torch.manual_seed(2)
    filter = ImplicitFilter("0e+1o+2e", CUTOFF, channels=6, **options)
    conv = PointConv("32x0e+32x1o+32x2e", "32x0e+32x1o+32x2e", filter)
    assert variance(conv) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    "make", [partial(HarmonicFilter, 1, CUTOFF), partial(ImplicitFilter, "0e+1o+1e", CUTOFF)]
)
def test_the_start_depends_on_the_seed_alone(make):
    torch.manual_seed(0)
    first, state = make(), torch.get_rng_state()
    torch.manual_seed(0)
    second = make()
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )
    assert torch.equal(state, torch.get_rng_state())
