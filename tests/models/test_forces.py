"""Pair forces: the sum written out, what they conserve, the potential behind them."""

import pytest
import torch

from oracles.states import assert_refused
from steerable.models.forces import Gravitation, PairForces, Particles

NODES = 5
PAIRS = torch.triu_indices(NODES, NODES, 1)


def draw(seed=0):
    """Positions, velocities and what is known of five particles, float64."""
    generator = torch.Generator().manual_seed(seed)
    x, v = torch.randn(2, NODES, 3, generator=generator, dtype=torch.float64)
    attributes = torch.randn(NODES, 2, generator=generator, dtype=torch.float64)
    known = torch.randn(PAIRS.shape[1], 1, generator=generator, dtype=torch.float64)
    return x, v, Particles(attributes, PAIRS, known)


def forces(kind=PairForces):
    torch.manual_seed(0)
    made = kind(2, 1, hidden=8) if kind is PairForces else kind(2, hidden=8, softening=0.1)
    with torch.no_grad():
        made.law.phi[-1].weight *= 30
        if kind is Gravitation:
            made.log_mass.weight.copy_(torch.tensor([[0.09, -0.05]]))
    return made.double()


def acceleration(made, x, v, particles):
    return made(x, v, made.begin(particles), particles)[0]


def by_hand(made, x, particles):
    """The sum over all j of every i, each written as the docstrings have it."""
    found = torch.zeros_like(x)
    softening = made.law.log_softening.exp()
    for i in range(NODES):
        for j in range(NODES):
            if i == j:
                continue
            offset = x[i] - x[j]
            rho = (offset @ offset + softening**2).sqrt()
            seen = torch.stack([rho.log(), softening / rho])
            if isinstance(made, PairForces):
                k = next(k for k, ends in enumerate(PAIRS.T.tolist()) if sorted((i, j)) == ends)
                ends = particles.attributes[i], particles.attributes[j]
                known = particles.pair_attributes[k]
                s = made.psi(torch.cat([*ends, known])) + made.psi(torch.cat([*ends[::-1], known]))
                found[i] += made.law.phi(made.law.radial(seen) + s) * offset / rho**3
            else:
                mass = (8 * particles.attributes[j] @ made.log_mass.weight[0]).exp()
                found[i] += mass * made.law.phi(made.law.radial(seen)) * offset / rho**3
    return found


@pytest.mark.parametrize("kind", [PairForces, Gravitation])
def test_the_sum_written_out(kind):
    x, v, particles = draw()
    made = forces(kind)
    torch.testing.assert_close(
        acceleration(made, x, v, particles), by_hand(made, x, particles), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("kind", [PairForces, Gravitation])
def test_momentum_and_angular_momentum_stay(kind):
    x, v, particles = draw()
    made = forces(kind)
    mass = made.masses(particles.attributes) if kind is Gravitation else 1.0
    force = mass * acceleration(made, x, v, particles)
    assert force.abs().max() > 0.1
    assert force.sum(0).abs().max() < 1e-13
    assert torch.linalg.cross(x, force).sum(0).abs().max() < 1e-12


@pytest.mark.parametrize("kind", [PairForces, Gravitation])
def test_forces_have_a_potential(kind):
    x, v, particles = draw()
    made = forces(kind)
    mass = made.masses(particles.attributes) if kind is Gravitation else 1.0
    jacobian = torch.autograd.functional.jacobian(
        lambda x: (mass * acceleration(made, x, v, particles)).flatten(), x
    )
    jacobian = jacobian.flatten(1)
    torch.testing.assert_close(jacobian, jacobian.T, rtol=1e-10, atol=1e-12)


def test_the_ends_of_a_pair_may_be_exchanged():
    x, v, particles = draw()
    made = forces()
    turned = particles._replace(pairs=PAIRS.flip(0))
    torch.testing.assert_close(
        acceleration(made, x, v, particles), acceleration(made, x, v, turned)
    )


@pytest.mark.parametrize("kind", [PairForces, Gravitation])
def test_derivatives_to_second_order(kind):
    x, v, particles = draw()
    made = forces(kind)
    x = x[:3].clone().requires_grad_()
    few = Particles(
        particles.attributes[:3], PAIRS[:, [0, 1, 4]], particles.pair_attributes[[0, 1, 4]]
    )

    def at(x):
        return acceleration(made, x, v[:3], few)

    assert torch.autograd.gradcheck(at, x)
    assert torch.autograd.gradgradcheck(at, x)


@pytest.mark.parametrize("kind", [PairForces, Gravitation])
@pytest.mark.parametrize("nodes", [0, 1, 3])
def test_particles_without_pairs_feel_nothing(kind, nodes):
    x, v, particles = draw()
    alone = Particles(particles.attributes[:nodes], PAIRS[:, :0], particles.pair_attributes[:0])
    found = acceleration(forces(kind), x[:nodes], v[:nodes], alone)
    assert found.shape == (nodes, 3) and not found.any()


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        (PairForces(strength=1.0), PairForces(strength=2.0)),
        (PairForces(1, 2), PairForces(2, 0)),
        (Gravitation(strength=1.0), Gravitation(strength=2.0)),
    ],
)
def test_states_for_another_unit_or_other_attributes_are_refused(ours, other):
    assert_refused(ours, other.state_dict())
