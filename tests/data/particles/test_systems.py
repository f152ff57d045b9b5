"""Systems as flat tensors: batches by hand, units of a Kepler problem, and systems refused."""

import numpy as np
import pytest
import torch

from steerable.data.particles.nbody import Forecast
from steerable.data.particles.systems import Systems, gather
from steerable.data.splits import Split

DOUBLE = torch.float64


def forecast(systems=5, frames=4, particles=3, pair=True):
    random = np.random.default_rng(0)
    position, velocity = random.normal(size=(2, systems, frames, particles, 3))
    ties = random.normal(size=(systems, particles, particles)) if pair else None
    scalar = random.normal(size=(systems, particles))
    split = Split(*np.split(np.arange(systems), [2, 3]))
    return Forecast(position, velocity, scalar, ties, None, 1, 3, 0.5, split, energy=None)


def test_batches_are_graphs_system_after_system():
    task, index = forecast(), np.array([4, 0, 2])
    batch = gather(task, index, False).batch(torch.tensor([2, 0]))
    node = 0
    for s in (2, 4):
        for i in range(3):
            now, later = task.position[s, 1, i], task.position[s, 3, i]
            assert batch.pos[node].tolist() == now.tolist()
            assert batch.velocity[node].tolist() == task.velocity[s, 1, i].tolist()
            assert batch.attributes[node].tolist() == [task.scalar[s, i]]
            wanted = [*(later - now), *task.velocity[s, 3, i]]
            assert batch.y[node].tolist() == wanted
            node += 1
    pairs = [(s, i, j) for s in range(2) for i in range(3) for j in range(i + 1, 3)]
    assert batch.pairs.T.tolist() == [[3 * s + i, 3 * s + j] for s, i, j in pairs]
    ties = [task.pair[(2, 4)[s], i, j] for s, i, j in pairs]
    assert batch.pair_attributes.flatten().tolist() == ties


def test_bodies_are_numbered_and_pairs_may_have_no_attributes():
    systems = gather(forecast(pair=False), np.arange(5), True)
    assert torch.equal(systems.attributes, torch.eye(3, dtype=DOUBLE).expand(5, 3, 3))
    assert systems.pair_attributes.shape == (5, 3, 0)
    single = systems.to(torch.float32)
    assert single.pos.dtype == torch.float32 and single.y.dtype == DOUBLE
    assert len(single) == 5 and single.together == 5000 // 3


def circle(radius, angle, mass, interval):
    """Bodies that fall towards a centre of attraction: deviations from straight motion of a step.

    The acceleration is -mass r / |r|^3, constant during a short step.
    """
    pos = radius[..., None] * torch.stack([angle.cos(), angle.sin(), 0 * angle], -1)
    pos = torch.cat([pos, -pos], 1)  # so that the centre of every system is at 0
    velocity = torch.randn(pos.shape, dtype=DOUBLE)
    acceleration = -mass * pos / pos.norm(dim=-1, keepdim=True) ** 3
    moved = interval * velocity + interval**2 * acceleration / 2
    y = torch.cat([moved, velocity + interval * acceleration], -1)
    nothing = pos.new_zeros(*pos.shape[:2], 0)
    return Systems(pos, velocity, nothing, nothing, y, interval, False)


def test_the_strength_of_attraction_is_the_same_at_every_distance():
    radius, angle = 1 + torch.rand(6, 4, dtype=DOUBLE), 6 * torch.rand(6, 4, dtype=DOUBLE)
    systems = circle(radius, angle, mass=3.0, interval=0.1)
    spread = float(radius.square().mean().sqrt())
    assert systems.spread() == pytest.approx(spread)
    assert systems.strength() == pytest.approx(3.0 * 0.1**2 / spread**3)
    shifted = Systems(systems.pos + 7.0, *list(vars(systems).values())[1:])
    assert shifted.spread() == pytest.approx(spread)
    wanted = [torch.pdist(pos).min().item() for pos in systems.pos]
    assert systems.apart().tolist() == pytest.approx(wanted)


def test_systems_that_cannot_be_learned_from():
    task = forecast()
    task.position[3, 3, 1, 0] = np.nan
    with pytest.raises(ValueError, match="System 3 has a position or velocity that is no number"):
        gather(task, np.array([0, 3]), False)
    gather(task, np.array([0, 2]), False)
    task.position[2, 1, 1] = task.position[2, 1, 0]
    with pytest.raises(ValueError, match="System 2 has two particles in one place"):
        gather(task, np.array([0, 2]), False)
    assert len(gather(task, np.array([], dtype=int), False)) == 0
