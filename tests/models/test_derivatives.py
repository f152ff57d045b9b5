import ase
import numpy as np
import pytest
import torch
from ase.calculators.lj import LennardJones

from steerable.models import build_property
from steerable.models.derivatives import Derivatives, energy_derivatives, hessian, hessian_product
from steerable.ops import periodic_graph

STEP = 1e-4


def network(seed=0):
    torch.manual_seed(seed)
    heads = [{"name": "energy", "reference": [-13.0, -1000.0]}]
    return build_property(elements=[1, 6], heads=heads, layers=2, cutoff=4.0).double().eval()


def structures():
    """A molecule and two crystals, one of them skewed and with one open direction."""
    torch.manual_seed(1)
    sizes = [4, 3, 5]
    batch = torch.arange(3).repeat_interleave(torch.tensor(sizes))
    z = torch.tensor([1, 6])[torch.randint(2, (12,))]
    pos = 3 * torch.rand(12, 3, dtype=torch.float64)
    cell = 3.5 * torch.eye(3, dtype=torch.float64).expand(3, 3, 3).clone()
    cell[0] = 0.0
    cell[2, 0, 1] = 1.3
    pbc = torch.tensor([[False] * 3, [True] * 3, [True, True, False]])
    return z, pos, batch, cell, pbc


def central(function, step=STEP):
    """Central differences of an odd order more, by Richardson."""
    coarse = (function(2 * step) - function(-2 * step)) / (4 * step)
    fine = (function(step) - function(-step)) / (2 * step)
    return (4 * fine - coarse) / 3


def test_forces_are_finite_differences():
    net = network()
    z, pos, batch, cell, pbc = structures()
    forces = Derivatives(net).eval()(z, pos, batch, cell, pbc=pbc)["forces"]
    direction = torch.randn(12, 3, dtype=torch.float64)

    def energy(step):
        return net(z, pos + step * direction, batch, cell, pbc)["energy"].sum().item()

    assert -(forces * direction).sum() == pytest.approx(central(energy), rel=1e-7)


@pytest.mark.parametrize("structure", [1, 2])
def test_stresses_are_finite_differences(structure):
    net = network()
    z, pos, batch, cell, pbc = structures()
    result = Derivatives(net).eval()(z, pos, batch, cell, pbc=pbc)
    strain = torch.randn(3, 3, dtype=torch.float64)
    strain = strain + strain.T

    def energy(step):
        change = torch.eye(3, dtype=torch.float64) + step * strain
        moved = net(z, pos @ change, batch, cell @ change, pbc)["energy"]
        return moved[structure].item()

    volume = float(torch.linalg.det(cell[structure]).abs())
    stress = result["stress"][structure]
    assert torch.equal(stress, stress.T)
    assert volume * (stress * strain).sum() == pytest.approx(central(energy), rel=1e-7)
    assert result["stress"][0].isnan().all()  # a molecule has no volume


def test_an_energy_of_ones_own_has_the_forces_and_the_stress_of_ase():
    atoms = ase.Atoms("Ar8", cell=[7.0, 8.0, 9.0], pbc=True)
    random = np.random.default_rng(0)
    corners = np.stack(np.meshgrid(*[[0.0, 0.5]] * 3), -1).reshape(8, 3)
    atoms.set_scaled_positions(corners + 0.02 * random.normal(size=(8, 3)))
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.01, rc=3.4 * 2, smooth=True, ro=3.4)
    pos, cell = torch.from_numpy(atoms.positions), torch.from_numpy(atoms.cell[:])[None]
    index, shift = periodic_graph(pos, 6.8, cell[0], torch.ones(3, dtype=torch.bool))

    def energy(pos, cell):
        offset = pos[index[0]] - pos[index[1]] + shift.double() @ cell[0]
        r = offset.norm(dim=1)
        power = (3.4 / r) ** 6
        pairs = 4 * 0.01 * (power**2 - power)
        x = (r**2 - 3.4**2).clamp(min=0) / (6.8**2 - 3.4**2)
        window = (1 - x) ** 2 * (1 + 2 * x)
        return (pairs * window).sum()[None] / 2

    result = energy_derivatives(energy, pos, None, cell)
    assert float(result["energy"]) == pytest.approx(atoms.get_potential_energy(), rel=1e-8)
    assert np.allclose(result["forces"], atoms.get_forces(), atol=1e-8)
    assert np.allclose(result["stress"][0], atoms.get_stress(voigt=False), atol=1e-9)


def test_derivatives_can_be_differentiated_in_training():
    net = network()
    z, pos, batch, cell, pbc = structures()
    model = Derivatives(net).train()
    result = model(z, pos, batch, cell, pbc=pbc)
    loss = result["forces"].square().sum() + result["stress"][1:].square().sum()
    loss.backward()
    missing = {name for name, weight in net.named_parameters() if weight.grad is None}
    assert missing <= {"heads.0.readout.2.bias"}  # a constant has no forces
    assert all(
        weight.grad.isfinite().all() for weight in net.parameters() if weight.grad is not None
    )
    assert not model.eval()(z, pos, batch, cell, pbc=pbc)["forces"].requires_grad


def test_the_hessian_is_that_of_torch():
    net = network()
    z, pos, *_ = structures()
    z, pos = z[:4], pos[:4]

    def energy(pos):
        return net(z, pos)["energy"]

    exact = torch.autograd.functional.hessian(lambda pos: energy(pos).sum(), pos)
    full = hessian(energy, pos)
    assert torch.allclose(full, exact, atol=1e-9)
    assert torch.equal(hessian(energy, pos, torch.tensor([2, 0])), full[[2, 0]])
    vector = torch.randn(4, 3, dtype=torch.float64)
    product = hessian_product(energy, pos, vector)
    assert torch.allclose(product, torch.einsum("iajb,jb->ia", exact, vector), atol=1e-9)
