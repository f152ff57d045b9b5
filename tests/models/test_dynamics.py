"""Motion by leapfrog.

By hand, exact where it is known, reversible and symplectic, equivariant, and what is refused.
"""

import pytest
import torch
from torch import nn

from oracles.states import assert_refused
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.field import Field
from steerable.groups import O3, named_group
from steerable.models.dynamics import Dynamics, _Shortened
from steerable.models.forces import Gravitation, PairForces
from steerable.models.messages import MessageForces

NODES = 5
PAIRS = torch.triu_indices(NODES, NODES, 1)


def draw(nodes=NODES, seed=0):
    """Positions, velocities and one attribute, float64."""
    generator = torch.Generator().manual_seed(seed)
    pos, velocity = torch.randn(2, nodes, 3, generator=generator, dtype=torch.float64)
    return pos, velocity, torch.randn(nodes, 1, generator=generator, dtype=torch.float64)


def network(kind="pairs", steps=4, **units):
    torch.manual_seed(0)
    if kind == "messages":
        forces = MessageForces(O3(), hidden=8)
    else:
        forces = PairForces(hidden=8) if kind == "pairs" else Gravitation(hidden=8, softening=0.1)
        with torch.no_grad():
            forces.law.phi[-1].weight *= 10
    if kind == "gravitation":
        nn.init.constant_(forces.log_mass.weight, 0.04)
    return Dynamics(forces, steps, **units).double().eval()


class Springs(nn.Module):
    """a = -x: every particle on a spring to the origin."""

    def begin(self, particles):
        return particles.attributes

    def forward(self, x, v, memory, particles):
        return -x, memory


def test_leapfrog_by_hand():
    pos, velocity, attributes = draw()
    x, v, h = pos.clone(), velocity.clone(), 0.25
    for _ in range(4):
        x = x + h / 2 * v
        v = v - h * x
        x = x + h / 2 * v
    found = Dynamics(Springs(), 4)(pos, velocity, attributes)
    torch.testing.assert_close(found, torch.cat([x - pos, v], 1), rtol=1e-13, atol=1e-13)


def test_the_error_falls_with_the_square_of_the_step():
    pos, velocity, attributes = draw()
    t = torch.tensor(1.0, dtype=torch.float64)
    exact = torch.cat(
        [pos * t.cos() + velocity * t.sin() - pos, velocity * t.cos() - pos * t.sin()], 1
    )
    errors = [
        (Dynamics(Springs(), n)(pos, velocity, attributes) - exact).abs().max() for n in (20, 40)
    ]
    assert 3.9 < errors[0] / errors[1] < 4.1


def test_the_path_ends_where_the_prediction_does():
    model, state = network("messages"), draw()
    path = model.path(*state)
    assert path.shape == (4, NODES, 6)
    torch.testing.assert_close(path[-1], model(*state), rtol=0, atol=0)


def test_the_path_passes_the_exact_motion():
    pos, velocity, attributes = draw()
    path = Dynamics(Springs(), 50).path(pos, velocity, attributes)
    for k, found in enumerate(path, start=1):
        t = torch.tensor(k / 50, dtype=torch.float64)
        exact = torch.cat(
            [pos * t.cos() + velocity * t.sin() - pos, velocity * t.cos() - pos * t.sin()], 1
        )
        torch.testing.assert_close(found, exact, rtol=0, atol=3e-4)


@pytest.mark.parametrize("kind", ["pairs", "gravitation"])
def test_motion_may_be_turned_back(kind):
    model = network(kind, steps=10)
    pos, velocity, attributes = draw()
    displacement, later = model(pos, velocity, attributes).chunk(2, -1)
    back, before = model(pos + displacement, -later, attributes).chunk(2, -1)
    torch.testing.assert_close(back, -displacement, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(before, -velocity, rtol=1e-10, atol=1e-10)


def phase_space_map(model, nodes, attributes):
    """Positions and momenta, one behind the other, to those at the end."""
    mass = (
        model.forces.masses(attributes)
        if isinstance(model.forces, Gravitation)
        else torch.ones_like(attributes)
    )

    def move(state):
        pos, momentum = state.unflatten(0, (2, nodes, 3))
        displacement, velocity = model(pos, momentum / mass, attributes).chunk(2, -1)
        return torch.cat([(pos + displacement).flatten(), (mass * velocity).flatten()])

    return move


def symplectic_error(model):
    pos, velocity, attributes = draw(3)
    move = phase_space_map(model, 3, attributes)
    jacobian = torch.autograd.functional.jacobian(
        move, torch.cat([pos.flatten(), velocity.flatten()])
    )
    form = torch.zeros(18, 18, dtype=torch.float64)
    form[:9, 9:], form[9:, :9] = torch.eye(9), -torch.eye(9)
    assert (jacobian - torch.eye(18)).abs().max() > 0.1
    return (jacobian.T @ form @ jacobian - form).abs().max()


@pytest.mark.parametrize("kind", ["pairs", "gravitation"])
def test_pair_forces_move_symplectically(kind):
    assert symplectic_error(network(kind).requires_grad_(False)) < 1e-10


def test_messages_do_not():
    assert symplectic_error(network("messages").requires_grad_(False)) > 1e-4


@pytest.mark.parametrize("kind", ["pairs", "gravitation"])
def test_momentum_does_not_drift_in_a_long_rollout(kind):
    model = network(kind)
    pos, velocity, attributes = draw()
    mass = model.forces.masses(attributes) if kind == "gravitation" else torch.ones_like(attributes)
    start, scale = (mass * velocity).sum(0), (mass * velocity).abs().sum()
    with torch.no_grad():
        for _ in range(50):
            displacement, velocity = model(pos, velocity, attributes).chunk(2, -1)
            pos = pos + displacement
    assert ((mass * velocity).sum(0) - start).abs().max() / scale < 1e-10


def test_units_change_nothing_but_units():
    pos, velocity, attributes = draw()
    plain = network()
    scaled = Dynamics(plain.forces, 4, length=3.0, time=2.0)
    displacement, later = plain(pos, velocity, attributes).chunk(2, -1)
    found = scaled(3 * pos, 1.5 * velocity, attributes)
    torch.testing.assert_close(
        found, torch.cat([3 * displacement, 1.5 * later], 1), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("kind", ["pairs", "gravitation", "messages"])
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_equivariant_in_both_precisions(kind, dtype, limit):
    pos, velocity, attributes = draw()
    vector = Field.parse("1o", O3())
    inputs = [
        (pos, POSITIONS),
        (velocity, Role(field=vector)),
        (attributes, Role()),
        (PAIRS, EDGE_INDEX),
    ]
    report = certify(network(kind), inputs, Role(field=vector * 2), O3(), dtype=dtype)
    assert {check.symmetry for check in report.checks} == {"group", "translation", "permutation"}
    assert report.error < limit, report


@pytest.mark.parametrize("kind", ["pairs", "gravitation", "messages"])
def test_a_batch_equals_its_systems(kind):
    model = network(kind)
    first, second = draw(5, seed=1), draw(3, seed=2)
    pairs = torch.cat([PAIRS, torch.triu_indices(3, 3, 1) + 5], 1)
    together = model(*(torch.cat(parts) for parts in zip(first, second, strict=True)), pairs)
    torch.testing.assert_close(
        together, torch.cat([model(*first), model(*second)]), rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("kind", ["pairs", "gravitation", "messages"])
def test_gradients_in_eval_mode_are_exact(kind):
    pos, velocity, attributes = (part[:3] for part in draw())
    model = network(kind, steps=2)
    inputs = pos.requires_grad_(), velocity.requires_grad_()
    assert torch.autograd.gradcheck(lambda x, v: model(x, v, attributes), inputs)


def test_in_training_long_gradients_are_shortened():
    torch.manual_seed(0)
    x, v = torch.randn(2, 9, 3, dtype=torch.float64).requires_grad_()
    grads = torch.randn(2, 9, 3, dtype=torch.float64)
    grads[:, 4] *= 1000
    found = torch.autograd.grad(_Shortened.apply(x, v), (x, v), tuple(grads))
    long = grads.square().sum((0, 2)).sqrt()
    wanted = grads.clone()
    wanted[:, 4] *= 10 * long.median() / long[4]
    torch.testing.assert_close(torch.stack(found), wanted)


def test_in_training_the_prediction_is_the_same_and_close_pairs_teach_less():
    pos, velocity, attributes = draw(40)
    pos[1] = pos[0] + 1e-3
    model = network(steps=40)
    with torch.no_grad():
        model.forces.law.phi[-1].bias += 1  # particles repel each other
        model.forces.law.log_softening += -3
    found, lengths = [], []
    for mode in (False, True):
        x = pos.clone().requires_grad_()
        found.append(
            model.train(mode)(x, velocity, attributes, torch.arange(40).unflatten(0, (20, 2)).T)
        )
        lengths.append(torch.autograd.grad(found[-1].square().sum(), x)[0].norm(dim=1))
    torch.testing.assert_close(*found, rtol=0, atol=0)
    exact, short = lengths
    assert exact[:2].min() > 100 * exact.median()
    assert short[:2].max() < 0.1 * exact[:2].min()
    alike = exact < exact.median()
    torch.testing.assert_close(short[alike], exact[alike])


def test_where_most_gradients_are_none_the_others_are_kept():
    pos, velocity, attributes = draw(40)
    model = network()
    pos.requires_grad_()
    exact, found = (
        torch.autograd.grad(
            model.train(mode)(pos, velocity, attributes, PAIRS).square().sum(), pos
        )[0]
        for mode in (False, True)
    )
    torch.testing.assert_close(found, exact)
    assert exact[:NODES].abs().min() > 0 and not exact[NODES:].any()


def test_one_compiled_graph():
    torch._dynamo.reset()
    model, state = network("messages", steps=1), draw()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*state, PAIRS), model(*state, PAIRS))


@pytest.mark.parametrize("kind", ["pairs", "gravitation", "messages"])
def test_every_parameter_learns(kind):
    model = network(kind).train()
    pos, velocity, attributes = draw()
    model(pos, velocity, attributes).square().sum().backward()
    still = [
        name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0
    ]
    assert not still, still


@pytest.mark.parametrize("kind", ["pairs", "gravitation", "messages"])
@pytest.mark.parametrize("nodes", [0, 1])
def test_few_particles(kind, nodes):
    found = network(kind)(*(part[:nodes] for part in draw()))
    assert found.shape == (nodes, 6) and torch.isfinite(found).all()
    if kind != "messages":
        torch.testing.assert_close(found, draw()[1][:nodes].repeat(1, 2))


def test_learns_a_law_of_force_and_keeps_it():
    torch.manual_seed(0)
    pairs = torch.triu_indices(2, 2, 1) + 2 * torch.arange(64).repeat_interleave(1)
    charge = torch.randn(128, 1).sign()

    class Coulomb(nn.Module):
        def begin(self, particles):
            return particles.attributes

        def forward(self, x, v, memory, particles):
            i, j = particles.pairs
            offset = x[i] - x[j]
            force = (
                memory[i]
                * memory[j]
                * offset
                / (offset.square().sum(1, keepdim=True) + 0.04) ** 1.5
            )
            return torch.zeros_like(x).index_add(0, i, force).index_add(0, j, -force), memory

    model = Dynamics(PairForces(hidden=16), 8)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    pos, velocity = 1.5 * torch.randn(128, 3), torch.randn(128, 3)
    wanted = Dynamics(Coulomb(), 8)(pos, velocity, charge, pairs)
    free = torch.cat([velocity, velocity], 1)
    for _ in range(80):
        optimiser.zero_grad()
        loss = (model(pos, velocity, charge, pairs) - wanted).square().mean()
        loss.backward()
        optimiser.step()
    assert loss < 0.02 * (free - wanted).square().mean()


def test_particles_in_one_place_are_refused():
    pos, velocity, attributes = draw()
    pos[3] = pos[1]
    with pytest.raises(
        ValueError, match="Particles 1 and 3 are in one place, where forces have no value: move or"
    ):
        network()(pos, velocity, attributes)
    network()(pos, velocity, attributes, PAIRS[:, [0]])  # these two do not act on each other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"pos": torch.zeros(5, 2)},
            r"are \(node, d\), attributes \(node, attribute\); got \(5, 2\), \(5, 3\) and",
        ),
        (
            {"attributes": torch.zeros(4, 1)},
            r"attributes \(node, attribute\); got \(5, 3\), \(5, 3\) and \(4, 1\)",
        ),
        (
            {"pairs": torch.zeros(2, 1)},
            r"pairs are torch.long \(2, pair\) with a row of .* got torch.float32 \(2, 1\)",
        ),
        ({"pairs": torch.tensor([[0], [5]])}, "pairs hold numbers from 0 to 4; got 0 to 5"),
        (
            {"pair_attributes": torch.zeros(3, 1)},
            r"a row of pair_attributes for each; got torch.int64 \(2, 10\) and",
        ),
        ({"pos": torch.full((5, 3), torch.nan)}, "Positions must be finite"),
        (
            {"velocity": torch.full((5, 3), torch.inf)},
            "Velocities must be finite; some are NaN or infinite",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    pos, velocity, attributes = draw()
    given = {"pos": pos, "velocity": velocity, "attributes": attributes} | change
    with pytest.raises(ValueError, match=message):
        network()(
            **{
                name: x.double() if name in ("pos", "velocity", "attributes") else x
                for name, x in given.items()
            }
        )


@pytest.mark.parametrize("units", [{"steps": 0}, {"length": 0.0}, {"time": float("inf")}])
def test_units_and_steps_are_positive(units):
    with pytest.raises(
        ValueError, match="A motion has at least 1 step and positive finite units; got steps="
    ):
        Dynamics(PairForces(), **units)


@pytest.mark.parametrize("group", ["SO(3)", "Cinfv", "Cinf", "D3h"])
def test_a_module_may_be_of_any_group(group):
    assert isinstance(Dynamics(MessageForces(named_group(group), hidden=4)), nn.Module)


@pytest.mark.parametrize("changes", [{"steps": 5}, {"length": 2.0}, {"time": 0.5}], ids=str)
def test_states_for_other_units_or_steps_are_refused(changes):
    assert_refused(network(), network(**changes).state_dict())
