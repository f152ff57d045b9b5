"""Filters joined to one have the channels of all."""

import pytest
import torch

from steerable import FieldMismatchError
from steerable.filters import HarmonicFilter
from steerable.filters.derivative import DerivativeFilter
from steerable.filters.joint import JointFilter
from steerable.groups import O3, SO3

DOUBLE = torch.float64


def test_a_joint_filter_has_the_channels_of_all():
    torch.manual_seed(0)
    harmonic = HarmonicFilter(1, 2.0, channels=3, attributes="2x0e").double()
    derivative = DerivativeFilter(1).double()
    joint = JointFilter([derivative, harmonic])
    assert str(joint.field) == "1x0e+1x1o" + 3 * "+1x0e+1x1o" and joint.channels == 1
    assert str(joint.attributes) == "1x0e+1x1o+2x0e"
    x, a = torch.randn(6, 3, dtype=DOUBLE), torch.randn(6, 6, dtype=DOUBLE)
    torch.testing.assert_close(
        joint(x, a)[:, 0], torch.cat([a[:, :4], harmonic(x, a[:, 4:]).flatten(1)], 1)
    )
    g = O3().sample(1)[0]
    moved = joint(x @ g.T, a @ joint.attributes.matrix(g).T)
    torch.testing.assert_close(moved, joint(x, a) @ joint.field.matrix(g).T, atol=1e-12, rtol=0)
    plain = JointFilter([HarmonicFilter(0, 1.0, channels=1), HarmonicFilter(1, 1.0, channels=1)])
    assert plain(x.float()).shape == (6, 1, 5)


def test_errors():
    with pytest.raises(FieldMismatchError, match="JointFilter needs fields of one group"):
        JointFilter([HarmonicFilter(1, 2.0), HarmonicFilter(1, 2.0, group=SO3())])
    joint = JointFilter([HarmonicFilter(1, 2.0, attributes="1x0e"), DerivativeFilter(1)])
    with pytest.raises(
        FieldMismatchError,
        match=r"JointFilter expects attributes of 1x0e\+1x0e\+1x1o \(5 channels\)",
    ):
        joint(torch.zeros(2, 3), torch.zeros(2, 4))


def test_new_weights_are_drawn_for_every_part():
    joint = JointFilter([HarmonicFilter(1, 2.0, channels=2), HarmonicFilter(0, 2.0, channels=2)])
    before = joint(torch.ones(4, 3) / 3)[:, 0]
    joint.reset_parameters()
    changed = (joint(torch.ones(4, 3) / 3)[:, 0] != before).all(0)
    assert changed.tolist() == [True] * 10
