"""Signals as fields: layouts, and which fields are signals."""

import pytest
import torch

from oracles.sphere import rotations
from steerable.convs.spaces.signals import signal_field
from steerable.field import Field, FieldMismatchError
from steerable.functions.layout import Layout
from steerable.functions.spectra import Rotate
from steerable.groups import SO3, axial, trivial
from steerable.groups.homogeneous import HomSpace
from steerable.layers.sphere.signals import SphereSignals

ALL = [
    SphereSignals.sphere(3, 2),
    SphereSignals.rotations(2, 3),
    SphereSignals.rotations(4, 2, 1),
    SphereSignals(Layout.spin(3, 2), 2),
    SphereSignals.sphere(0, 4),
]


@pytest.mark.parametrize("signals", ALL, ids=str)
def test_coefficients_of_every_channel_turn_as_the_field_does(signals):
    x = torch.randn(
        2, 5, signals.field.dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    c = signals.coefficients(x)
    assert c.shape == (2, 5, signals.channels, signals.layout.size)
    assert torch.equal(signals.join(c), x) and torch.equal(signals.features(signals.blocks(x)), x)
    rotation = rotations(1)[0]
    expected = signals.coefficients(x @ signals.field.matrix(rotation).T)
    torch.testing.assert_close(
        Rotate(signals.layout).double()(c, rotation), expected, atol=1e-12, rtol=0
    )


def test_fields_read_as_signals():
    assert str(SphereSignals.sphere(2, 8).field) == "8x0+8x1+8x2"
    assert str(SphereSignals.rotations(2, 8).field) == "8x0+24x1+40x2"
    for signals in ALL[:3] + ALL[4:]:
        assert SphereSignals.read(signals.field) == signals
    assert SphereSignals.read("4x0+12x1+12x2") == SphereSignals.rotations(2, 4, 1)


def test_homogeneous_spaces_have_the_same_layout():
    for subgroup, signals in (
        (trivial(3), SphereSignals.rotations(2, 3)),
        (axial("Cinf", (0, 1, 0)), SphereSignals.sphere(2, 3)),
    ):
        space = HomSpace(SO3(), subgroup, max_degree=2)
        assert signal_field(space, 3) == signals.field


@pytest.mark.parametrize("text", ["4x0+5x1", "4x1", "0x0", "", "4x0+12x1+16x2", "4x0+4x0"])
def test_other_fields_are_no_signals(text):
    with pytest.raises(
        FieldMismatchError, match="Signals are C copies of every degree .* Map it with Linear"
    ):
        SphereSignals.read(text)


def test_other_groups_and_negative_channels():
    with pytest.raises(FieldMismatchError, match=r"Expected a field of SO\(3\)"):
        SphereSignals.read(Field.parse("2x0e+2x1o"))
    with pytest.raises(ValueError, match="0 or more channels; got -1"):
        SphereSignals.sphere(2, -1)
    assert SphereSignals.sphere(2, 0).field.dim == 0
