"""SphereConv: the integral that defines it, known values, and homogeneous spaces."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from oracles.sphere import evaluated, random_signals, relative_error, rotations
from oracles.states import weights_of
from steerable.convs.spaces.group_conv import GConv, LocalGConv
from steerable.convs.spheres.sphere_conv import SphereConv
from steerable.field import FieldMismatchError
from steerable.filters.spectral import DegreeKnots, Taps, near_identity
from steerable.functions.layout import Layout
from steerable.functions.rotations import RotationTransform
from steerable.functions.wigner import euler_rotation, wigner_matrix
from steerable.groups import SO3, axial, trivial
from steerable.groups.homogeneous import HomSpace
from steerable.layers.sphere.signals import SphereSignals

S, R = SphereSignals.sphere, SphereSignals.rotations
PAIRS = [
    (S(4, 2), R(4, 3)),
    (R(4, 2), R(4, 3)),
    (R(4, 3), S(4, 2)),
    (S(4, 2), S(4, 3)),
    (R(4, 2, 1), R(3, 3, 2)),
    (S(4, 2), SphereSignals(Layout.spin(4, 2), 2)),
    (SphereSignals(Layout.spin(4, 1), 2), R(4, 2, 1)),
]


def embedded(layout, c):
    """Coefficients (..., size) among those of all columns."""
    whole = Layout.rotations(4)
    blocks = [c.new_zeros(*c.shape[:-1], 2 * l + 1, 2 * l + 1) for l in range(5)]
    for l, block in enumerate(layout.split(c)):
        blocks[l][..., [n + l for n in layout.columns(l)], :] = block
    return whole.join(blocks)


@pytest.mark.parametrize(("signals_in", "signals_out"), PAIRS, ids=str)
def test_equals_the_mean_over_all_rotations(signals_in, signals_out):
    torch.manual_seed(0)
    conv, grid = (
        SphereConv(signals_in, signals_out, bias=False).double(),
        RotationTransform(4).double(),
    )
    f = signals_in.coefficients(random_signals(signals_in))
    found = signals_out.coefficients(conv(signals_in.join(f)))
    psi = torch.zeros(
        signals_out.channels, signals_in.channels, grid.layout.size, dtype=torch.float64
    )
    for l, matrix in enumerate(conv.matrices()):
        rows, columns = signals_out.layout.columns(l), signals_in.layout.columns(l)
        parts = matrix.detach().view(
            signals_out.channels, len(rows), signals_in.channels, len(columns)
        )
        start = sum((2 * k + 1) ** 2 for k in range(l))
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                place = start + (column + l) * (2 * l + 1) + row + l
                psi[..., place] = (2 * l + 1) ** 0.5 * parts[:, i, :, j]
    where, samples = rotations(3, seed=2), grid.synthesis(embedded(signals_in.layout, f))
    weights = grid.grid.weights[:, None, None] / (grid.grid.longitudes * grid.turns)
    for o in range(signals_out.channels):
        wanted = 0
        for i in range(signals_in.channels):
            kernel = evaluated(
                grid.layout, psi[o, i], where.mT[:, None, None, None] @ grid.rotations()
            )
            wanted = wanted + (weights * kernel * samples[i]).sum((1, 2, 3))
        came = evaluated(signals_out.layout, found[o].detach(), where)
        torch.testing.assert_close(came, wanted, atol=1e-13 * float(psi.abs().sum()), rtol=0)


def test_known_values():
    conv = SphereConv(S(2, 1), R(2, 1), bias=False).double()
    f = torch.tensor([0.5, 1, 2, 3, 1, -1, 0.5, 0, 2], dtype=torch.float64)
    psi = torch.tensor([2, 0, 1, -1, 0.3, 0.2, 0.1, 0, -0.1], dtype=torch.float64)
    sizes = torch.tensor([1, 3, 5])
    with torch.no_grad():
        conv.weight.copy_((psi / sizes.repeat_interleave(sizes).double().sqrt())[:, None, None])
    where = euler_rotation(*torch.tensor([0.3, 1.1, -0.7], dtype=torch.float64))
    found = float(evaluated(Layout.rotations(2), conv(f).detach(), where))
    assert found == pytest.approx(5.75054714114538, abs=1e-13)
    polar = torch.zeros(9, dtype=torch.float64)
    polar[2] = 1.0
    with torch.no_grad():
        conv.weight.copy_((polar / 3**0.5)[:, None, None])
    found = float(evaluated(Layout.rotations(2), conv(polar).detach(), where))
    assert found == pytest.approx(math.cos(1.1), abs=1e-14)


@pytest.mark.parametrize(
    "filter", [None, DegreeKnots(3), Taps(near_identity(1.0, 1, 3), 0.3)], ids=str
)
@pytest.mark.parametrize(("signals_in", "signals_out"), PAIRS[:3] + PAIRS[4:5], ids=str)
def test_commutes_with_rotations(signals_in, signals_out, filter):
    torch.manual_seed(0)
    conv = SphereConv(signals_in, signals_out, filter).double()
    torch.nn.init.normal_(conv.bias)
    x = random_signals(signals_in, 4)
    for rotation in rotations(3):
        before, after = signals_in.field.matrix(rotation).T, signals_out.field.matrix(rotation).T
        torch.testing.assert_close(conv(x @ before), conv(x) @ after, atol=1e-12, rtol=0)
        single = conv.float()
        x32, before, after = x.float(), before.float(), after.float()
        assert relative_error(single(x32 @ before), single(x32) @ after) < 2e-6
        conv.double()


def test_a_map_that_mixes_rows_does_not():
    conv = SphereConv(S(4, 2), R(4, 3)).double()
    x, rotation = random_signals(S(4, 2), 4), rotations(1)[0]
    before, after = conv.field_in.matrix(rotation).T, conv.field_out.matrix(rotation).T
    assert (conv(x @ before).flip(-1) - conv(x).flip(-1) @ after).abs().max() > 0.1


def test_taps_are_values_at_neighbours():
    taps = near_identity(0.7, 2, 4, 2)
    signals = R(5, 1, 2)
    conv = SphereConv(signals, R(5, 1), Taps(taps), bias=False).double()
    x = random_signals(signals)[None]
    found = conv(x)[0].detach()
    where = rotations(4)
    values = evaluated(signals.layout, x[0], where[:, None] @ taps)
    torch.testing.assert_close(
        evaluated(Layout.rotations(5), found, where), values @ conv.weight.detach()[:, 0, 0]
    )


def test_the_convolutions_of_homogeneous_spaces_are_the_same():
    """The sphere is SO(3) / SO(2) about the pole.

    The same maps, weight for weight up to their bases.
    """
    group, pole = SO3(), axial("Cinf", (0, 1, 0))
    spaces = {
        "S": HomSpace(group, pole, max_degree=3),
        "R": HomSpace(group, trivial(3), max_degree=3),
    }
    signals = {"S": S(3, 2), "R": R(3, 2)}
    for a, b in ("SS", "SR", "RS", "RR"):
        ours, theirs = SphereConv(signals[a], signals[b]), GConv(spaces[a], spaces[b], 2, 2)
        assert (ours.field_in, ours.field_out) == (theirs.field_in, theirs.field_out)
        assert ours.weight.numel() == theirs.linear.weight.numel()
    taps = near_identity(0.8, 1, 3)
    theirs = LocalGConv(spaces["S"], spaces["R"], 2, 2, taps, bias=False).double()
    ours = SphereConv(signals["S"], signals["R"], Taps(taps), bias=False).double()
    x = random_signals(signals["S"], 4)
    basis = (
        torch.stack([m.flatten() for m in _maps(ours)]),
        torch.stack([m.flatten() for m in _maps(theirs)]),
    )
    assert (
        torch.linalg.matrix_rank(torch.cat(basis), rtol=1e-9)
        == torch.linalg.matrix_rank(basis[0], rtol=1e-9)
        == 16
    )
    assert ours(x).shape == theirs(x).shape


def _maps(conv):
    """The matrix of a layer for every single weight."""
    eye = torch.eye(conv.field_in.dim, dtype=torch.float64)
    found = []
    for k in range(conv.weight.numel()):
        with torch.no_grad():
            conv.weight.zero_()
            conv.weight.view(-1)[k] = 1
            found.append(conv(eye))
    return found


@pytest.mark.parametrize(("signals_in", "signals_out"), PAIRS[:2], ids=str)
@pytest.mark.parametrize("filter", [None, DegreeKnots(3)], ids=str)
def test_signals_keep_their_size_at_the_start(signals_in, signals_out, filter):
    generator = torch.Generator().manual_seed(0)
    wide = [SphereSignals(s.layout, 48) for s in (signals_in, signals_out)]
    conv = SphereConv(*wide, filter)
    conv.reset_parameters(generator)
    x = torch.randn(16, wide[0].field.dim, generator=generator) / signals_in.layout.size**0.5
    power = wide[1].coefficients(conv(x)).square().sum(-1).mean()
    assert 0.8 < power < 1.25


def test_derivatives_compiler_batches_and_state():
    torch.manual_seed(0)
    for filter in (None, DegreeKnots(2)):
        conv = SphereConv(R(2, 2, 1), R(2, 2, 2), filter).double()
        x = random_signals(R(2, 2, 1), 3)
        assert gradcheck(
            lambda x, w, b, c=conv: torch.func.functional_call(c, {"weight": w, "bias": b}, x),
            (x.requires_grad_(), conv.weight, conv.bias),
        )
        compiled = torch.compile(conv, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x), conv(x), atol=1e-14, rtol=0)
        torch.testing.assert_close(conv(x)[1], conv(x[1]), atol=1e-14, rtol=0)
        assert conv(x[:0]).shape == (0, conv.field_out.dim)
        assert weights_of(conv.train()) == weights_of(conv.eval()) == {"weight", "bias"}
    assert SphereConv(S(2, 1), SphereSignals(Layout.spin(2, 1), 1)).bias is None


def test_degrees_without_columns_get_nothing():
    tangent = SphereSignals(Layout.spin(3, 2), 2)
    y = R(3, 2, 1).blocks(
        SphereConv(tangent, R(3, 2, 1), bias=False)(torch.ones(1, tangent.field.dim))
    )
    assert y[0].eq(0).all() and y[1].eq(0).all() and y[2].ne(0).all()


def test_what_cannot_be_convolved():
    with pytest.raises(ValueError, match="makes no new degrees: it cannot take degree 2 to 3"):
        SphereConv(S(2, 1), R(3, 1))
    with pytest.raises(FieldMismatchError, match=r"SphereConv expects features of 1x0\+1x1\+1x2"):
        SphereConv(S(2, 1), R(2, 1))(torch.zeros(3, 8))


def test_wigner_columns_are_the_layout():
    """The convention under all of this.

    f(R) of a sphere's signal is its value where R takes the pole.
    """
    c, where = torch.eye(9, dtype=torch.float64)[5], rotations(2)
    expected = 5**0.5 * wigner_matrix(2, where)[:, 1, 2]
    torch.testing.assert_close(evaluated(Layout.sphere(2), c, where), expected)
