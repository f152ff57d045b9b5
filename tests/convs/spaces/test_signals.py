"""Fields on homogeneous spaces as samples: by definition, by fast transforms, and as functions."""

import numpy as np
import pytest
import torch

from convs.spaces.test_group_conv import (
    D2,
    FINITE,
    INFINITE,
    MIRRORS,
    PAIRS,
    POLAR,
    S4,
    O,
    act,
    draw,
    normal,
    values,
)
from steerable.convs.spaces.signals import HomSignals, signal_field
from steerable.field import FieldMismatchError
from steerable.functions.rotations import RotationTransform
from steerable.functions.sphere import SphereTransform
from steerable.groups import (
    O3,
    SO3,
    point_group,
    trivial,
)
from steerable.groups.homogeneous import HomSpace
from steerable.groups.permutations.symmetric import SymmetricGroup, YoungSubgroup


def test_samples_are_those_of_the_sphere_and_the_rotations():
    """The coefficients of SphereTransform and RotationTransform at the same points.

    They agree number for number.
    """
    for subgroup, transform in ((POLAR, SphereTransform(4)), (trivial(), RotationTransform(4))):
        space, transform = HomSpace(SO3(), subgroup, max_degree=4), transform.double()
        signals = HomSignals(space, 1).double()
        x = normal(2, space.size)
        wanted = transform.synthesis(x).flatten(1)
        torch.testing.assert_close(signals.samples(x)[:, 0, :, 0], wanted, atol=1e-12, rtol=0)
        torch.testing.assert_close(
            values(space, x, 1, signals.elements)[:, 0, :, 0], wanted, atol=1e-12, rtol=0
        )


@pytest.mark.parametrize("space", [space for pair in PAIRS for space in pair], ids=repr)
def test_samples_and_components_are_inverse(space):
    signals = HomSignals(space, 2).double()
    x = normal(3, signals.field_in.dim)
    samples = signals.samples(x)
    torch.testing.assert_close(samples, values(space, x, 2, signals.elements), atol=1e-12, rtol=0)
    torch.testing.assert_close(signals.components(samples), x, atol=1e-12, rtol=0)
    mean = (samples**2).sum((2, 3)) / len(signals.elements)
    if space.group.order is not None:
        terms = zip(signals.field_in, signals.field_in.slices(), strict=True)
        squares = [(x[:, place].view(3, 2, -1) ** 2).sum(2) for _, place in terms]
        torch.testing.assert_close(mean, sum(squares))
    own = HomSignals(
        space, 2, elements=draw(space.group, 40 if space.size < 20 else 130, seed=3)
    ).double()
    torch.testing.assert_close(own.components(own.samples(x)), x, atol=1e-9, rtol=0)


@pytest.mark.parametrize("parts", [(1, 1, 1, 1, 1), (3, 2), (4, 1), (2, 2, 1), (5,)])
def test_fast_transforms_of_permutations(parts):
    space = HomSpace(SymmetricGroup(5), YoungSubgroup(parts))
    signals = HomSignals(space, 2).double()
    assert type(signals.transform).__name__ == "_Permutations"
    x = normal(3, 2 * space.size)
    torch.testing.assert_close(
        signals.samples(x), values(space, x, 2, signals.elements), atol=1e-12, rtol=0
    )
    torch.testing.assert_close(signals.components(signals.samples(x)), x, atol=1e-12, rtol=0)
    np.testing.assert_array_equal(signals.elements, space.points()[0])


@pytest.mark.parametrize(
    "space", [HomSpace(O, point_group("C4")), HomSpace(S4, YoungSubgroup((2, 1, 1)))], ids=repr
)
def test_pointwise_functions_on_cosets_are_exact(space):
    signals = HomSignals(space, 2).double()
    x = normal(3, signals.field_in.dim)
    act_on = lambda t: signals.components(torch.relu(signals.samples(t)))  # noqa: E731
    for element in draw(space.group):
        moved = act_on(act(signals.field_in, element, x))
        torch.testing.assert_close(
            moved, act(signals.field_in, element, act_on(x)), atol=1e-12, rtol=0
        )


def test_oversampling_makes_pointwise_functions_equivariant():
    """A generic rotation about the polar axis too.

    SiLU on a projective plane and on spins of no frame would not be.
    """
    space = HomSpace(O3(), MIRRORS, max_degree=3)
    errors = []
    for oversampling in (1.0, 2.0, 4.0):
        signals = HomSignals(space, 4, oversampling).double()
        x = normal(20, signals.field_in.dim) / space.size**0.5  # samples of variance 1

        def silu(t, s=signals):
            return s.components(torch.nn.functional.silu(s.samples(t)))

        (g,) = draw(O3(), 1, seed=2)
        wanted = act(signals.field_in, g, silu(x))
        errors.append(float((silu(act(signals.field_in, g, x)) - wanted).norm() / wanted.norm()))
    assert errors[0] > 1e-2 and errors[1] < 5e-3 and errors[2] < 1e-5


def test_copies_of_an_irrep_lie_together():
    assert str(signal_field(HomSpace(SO3(), trivial(), max_degree=2), 8)) == "8x0+24x1+40x2"
    for space, _ in PAIRS:
        field = signal_field(space, 3)
        assert field.dim == 3 * space.size and len({term.irrep for term in field}) == len(field)


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (
            lambda: HomSignals(FINITE[0][0], 1, oversampling=0.5),
            ValueError,
            "oversampling is at least 1",
        ),
        (
            lambda: HomSignals(INFINITE[0][0], 1, elements=draw(SO3(), 8)),
            ValueError,
            "8 samples do not determine the 9 coefficients",
        ),
        (
            lambda: HomSignals(HomSpace(SO3(), D2, max_degree=23), 1),
            ValueError,
            "take a matrix of .* entries; at most .* a GConv needs no samples",
        ),
        (
            lambda: HomSignals(FINITE[0][0], 1).components(torch.zeros(2, 8)),
            FieldMismatchError,
            r"samples \(..., 1, 8, 1\) of C8 / trivial, by channel, point and component; got \(2, "
            r"8\)",
        ),
        (
            lambda: HomSignals(FINITE[0][0], 1).samples(torch.zeros(2, 9)),
            FieldMismatchError,
            "HomSignals expects features of",
        ),
    ],
)
def test_errors(wrong, error, text):
    with pytest.raises(error, match=text):
        wrong()
