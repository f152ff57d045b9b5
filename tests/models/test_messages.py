"""Forces by messages.

Invariants by hand, every group with the translations it has, what must not be symmetric.
"""

import pytest
import torch
from torch import nn

from oracles.states import assert_refused
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.field import harmonic_field
from steerable.groups import O3, axial, named_group
from steerable.models.dynamics import Dynamics
from steerable.models.messages import MessageForces, VectorInvariants, VectorMaker

NODES = 4
AXES = [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)]
PAIRS = torch.triu_indices(NODES, NODES, 1)
UPRIGHT = torch.diag(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def draw(seed=0):
    generator = torch.Generator().manual_seed(seed)
    pos, velocity = torch.randn(2, NODES, 3, generator=generator, dtype=torch.float64)
    return pos, velocity, torch.randn(NODES, 1, generator=generator, dtype=torch.float64)


def breaking(module):
    """The parameters that are 0 at the start."""
    ends = ("breaking", "factors.weight", "factors.bias")
    return [parameter for name, parameter in module.named_parameters() if name.endswith(ends)]


def broken(module):
    """The module with them at random."""
    for parameter in breaking(module):
        nn.init.normal_(parameter, std=0.3)
    return module.double()


def network(group, translations="all"):
    torch.manual_seed(0)
    forces = MessageForces(named_group(group), hidden=8, translations=translations, neighbours=3.0)
    return Dynamics(broken(forces), 2).eval()


def certified(model, group, free):
    """The certificate under a group.

    `free` projects positions on the directions in which all may be moved.
    """
    group = named_group(group)
    harmonics, change = harmonic_field(group, 1)
    vector, change = harmonics[1:], change[1:, 1:]

    def move(pos, place, velocity, attributes, pairs):
        y = model(
            pos @ free + place @ change @ (torch.eye(3) - free),
            velocity @ change,
            attributes,
            pairs,
        )
        return (y.unflatten(1, (2, 3)) @ change.T).flatten(1)

    pos, velocity, attributes = draw()
    role = Role(field=vector)
    inputs = [
        (pos, POSITIONS),
        (pos @ change.T, role),
        (velocity @ change.T, role),
        (attributes, Role()),
    ]
    return certify(move, [*inputs, (PAIRS, EDGE_INDEX)], Role(field=vector * 2), group, elements=6)


@pytest.mark.parametrize("group", ["O(3)", "SO(3)", "Cinf", "Cinfv", "D3h", "Oh", "C1"])
def test_equivariant_under_its_group_and_all_translations(group):
    report = certified(network(group), group, torch.eye(3, dtype=torch.float64))
    assert {check.symmetry for check in report.checks} == {"group", "translation", "permutation"}
    assert report.error < 1e-10, report


@pytest.mark.parametrize("group", ["Cinf", "Cinfv"])
def test_translations_in_the_plane(group):
    model = network(group, "plane")
    assert certified(model, group, torch.eye(3, dtype=torch.float64) - UPRIGHT).error < 1e-10
    assert (
        certified(model, group, torch.eye(3, dtype=torch.float64)).error > 1e-4
    )  # the height matters


def test_no_translations():
    model = network("O(3)", "none")
    assert certified(model, "O(3)", torch.zeros(3, 3, dtype=torch.float64)).error < 1e-10
    assert certified(model, "O(3)", torch.eye(3, dtype=torch.float64)).error > 1e-4


@pytest.mark.parametrize(
    ("group", "larger"), [("Cinf", "Cinfv"), ("Cinfv", "O(3)"), ("D3h", "O(3)")]
)
def test_not_under_a_larger_group(group, larger):
    assert certified(network(group), larger, torch.eye(3, dtype=torch.float64)).error > 1e-5


@pytest.mark.parametrize(
    ("group", "larger"), [("Cinf", "O(3)"), ("Cinfv", "O(3)"), ("C1", "O(3)"), ("D3h", "O(3)")]
)
def test_begins_with_the_larger_symmetry(group, larger):
    model = Dynamics(MessageForces(named_group(group), hidden=8, neighbours=3.0), 2).double().eval()
    assert certified(model, larger, torch.eye(3, dtype=torch.float64)).error < 1e-10


@pytest.mark.parametrize("group", ["Cinf", "Cinfv", "D3h"])
def test_breaks_the_larger_symmetry_from_the_start(group):
    model = Dynamics(MessageForces(named_group(group), hidden=8, neighbours=3.0), 2).double()
    pos, velocity, attributes = draw()
    model(pos, velocity, attributes)[:, 2].sum().backward()
    zeros = breaking(model)
    assert len(zeros) == 4
    assert not any(parameter.any() for parameter in zeros)
    assert all(parameter.grad.abs().max() > 0 for parameter in zeros)


def test_begins_as_the_network_of_the_larger_group():
    pos, velocity, attributes = draw()
    found = []
    for group in ("O(3)", "Cinf"):
        torch.manual_seed(0)
        model = Dynamics(MessageForces(named_group(group), hidden=8), 2).double()
        found.append(model(pos, velocity, attributes))
    torch.testing.assert_close(*found)


def test_invariants_of_space_are_dot_products():
    vectors = torch.randn(6, 2, 3, dtype=torch.float64)
    first, second = vectors.unbind(1)
    wanted = torch.stack(
        [(first * first).sum(1), (first * second).sum(1), (second * second).sum(1)], 1
    )
    found = VectorInvariants(O3(), 2).double()(vectors)
    torch.testing.assert_close(found, torch.asinh(wanted / 3**0.5))  # 1 / 3**0.5 has norm 1


def test_invariants_about_an_axis():
    invariants = VectorInvariants(named_group("Cinf"), 1).double()
    u = torch.randn(6, 1, 3, dtype=torch.float64)
    found = torch.sinh(invariants(u))
    square, height = u[:, 0].square().sum(1), u[:, 0, 2]
    uneven = (square - 3 * height.square()) / 6**0.5
    torch.testing.assert_close(found[:, 0].abs(), height.abs())
    torch.testing.assert_close(found[:, 3], square / 3**0.5)
    wanted = torch.stack([uneven.abs(), torch.zeros(6)], 1)
    torch.testing.assert_close(found[:, 1:3].abs().sort(1).values, wanted.sort(1).values)


@pytest.mark.parametrize(
    ("group", "count", "ways"),
    [("O(3)", 3, 2), ("SO(3)", 3, 2), ("Cinfv", 8, 5), ("Cinf", 11, 7), ("C1", 33, 21)],
)
def test_how_many_invariants_and_vectors_there_are(group, count, ways):
    invariants, make = (
        VectorInvariants(named_group(group), 2),
        VectorMaker(named_group(group), 2, 4),
    )
    assert (invariants.count, invariants.count - invariants.breaking) == (count, 3)
    assert make.factors.out_features == ways
    vectors = torch.randn(5, 2, 3)
    assert invariants(vectors).shape == (5, count)
    assert make(torch.randn(5, 4), vectors).shape == (5, 3)


def test_vectors_are_made_by_hand():
    make = broken(VectorMaker(named_group("Cinfv"), 2, 4))
    state, vectors = (
        torch.randn(5, 4, dtype=torch.float64),
        torch.randn(5, 2, 3, dtype=torch.float64),
    )
    fixed, turned, kept = make.factors(state).split([1, 2, 2], 1)
    wanted = fixed * make._fixed[0] + (kept.unsqueeze(2) * vectors).sum(1)
    wanted = wanted + torch.einsum("nu,de,nue->nd", turned, make._broken[0], vectors)
    assert wanted.any(1).all()
    torch.testing.assert_close(make(state, vectors), wanted)


@pytest.mark.parametrize("group", ["Cinf", "Cinfv", "D3h", "C1", "O(3)"])
def test_matrices_that_commute_with_the_group_alone(group):
    group = named_group(group)
    matrices = VectorMaker(group, 1, 1)._broken
    for element in group.sample(5).numpy():
        for matrix in matrices.numpy():
            assert abs(element @ matrix - matrix @ element).max() < 1e-12
    basis = torch.cat([torch.eye(3)[None].double() / 3**0.5, matrices]).flatten(1)
    torch.testing.assert_close(basis @ basis.T, torch.eye(len(basis)).double())


def test_the_memory_tells_particles_apart():
    model = network("O(3)")
    pos, velocity, attributes = draw()
    moved = model(pos, velocity, attributes)
    assert (model(pos, velocity, -attributes) - moved).abs().max() > 1e-4
    pair_forces = MessageForces(O3(), 1, 1, hidden=8)
    joined = Dynamics(pair_forces, 2).double().eval()
    ones = torch.ones(6, 1, dtype=torch.float64)
    found, other = (joined(pos, velocity, attributes, PAIRS, known) for known in (ones, -ones))
    assert (found - other).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("group", "translations", "message"),
    [
        ("O(3)", "plane", r"translations under O\(3\) are one of all, none; got 'plane'"),
        ("Cinfv", "some", "translations under Cinfv are one of all, plane, none; got 'some'"),
    ],
)
def test_translations_that_do_not_exist(group, translations, message):
    with pytest.raises(ValueError, match=message):
        MessageForces(named_group(group), translations=translations)


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        (("Cinfv", AXES[0], "plane"), ("Cinfv", AXES[0], "none")),
        (("Cinfv", AXES[0], "all"), ("Cinfv", AXES[1], "all")),
        (("Cinfv", AXES[0], "plane"), ("Cinfv", AXES[1], "plane")),
    ],
)
def test_states_for_other_translations_or_another_axis_are_refused(ours, other):
    forces = [
        MessageForces(axial(name, axis), hidden=4, translations=translations)
        for name, axis, translations in (ours, other)
    ]
    assert_refused(forces[0], forces[1].state_dict())
