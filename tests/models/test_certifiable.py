"""Networks say what symmetry they have, and a certificate agrees."""

import pytest
import torch

from steerable.certify import Role, certify
from steerable.groups import O3, SO3, named_group
from steerable.models import (
    Certifiable,
    Classifier,
    Dynamics,
    Gravitation,
    ImageClassifier,
    MessageForces,
    PairForces,
    Reference,
    Regressor,
    SphereClassifier,
)


def particles(count=4, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    pos, velocity = torch.randn(2, count, 3, generator=generator, dtype=dtype)
    pairs = torch.triu_indices(count, count, 1)
    attributes = torch.randn(count, 1, generator=generator, dtype=dtype)
    return pos, velocity, attributes, pairs, torch.zeros(pairs.shape[1], 0, dtype=dtype)


def cloud(count=20):
    generator = torch.Generator().manual_seed(0)
    pos = torch.randn(2 * count, 3, generator=generator, dtype=torch.float64)
    return pos, torch.arange(2).repeat_interleave(count)


def molecule():
    z = torch.tensor([8, 1, 1])
    pos = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.8, 0.6], [0.0, -0.8, 0.6]], dtype=torch.float64)
    return z, pos, torch.zeros(3, dtype=torch.long)


def regressor():
    reference = Reference((1, 8), (-500.0, -2000.0), shift=3.0)
    return Regressor(reference, hidden="4x0e+2x1o", layers=1, filter_field="0e+1o")


def motion(forces):
    return lambda: Dynamics(forces(), steps=2)


NETWORKS = {
    "molecules": (regressor, molecule, "O(3)"),
    "clouds": (lambda: Classifier(3, "SO(3)", 4, (20, 8), 5), cloud, "SO(3)"),
    "pictures": (
        lambda: ImageClassifier(3, "C4", [2, 2], [1], "kernel", 3, 2, 4),
        lambda: (torch.zeros(1, 15, 15, dtype=torch.float64),),
        "C4",
    ),
    "sphere": (
        lambda: SphereClassifier(3, 8, [5, 3], [2], knots=2, hidden=4),
        lambda: (torch.zeros(1, 8, 16, dtype=torch.float64),),
        "about the pole",
    ),
    "pairs": (motion(PairForces), particles, "O(3)"),
    "gravitation": (motion(Gravitation), particles, "O(3)"),
    "messages": (
        motion(lambda: MessageForces(named_group("Cinfv"), hidden=4, translations="plane")),
        particles,
        "Cinfv",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_claim_of_a_network_holds(name):
    build, inputs, group = NETWORKS[name]
    torch.manual_seed(0)
    model = build().double().eval()
    assert isinstance(model, Certifiable)
    claim = model.certifiable(*inputs())
    certificate = certify(*claim, elements=5, dtype=torch.float64)
    assert certificate.passed, str(certificate)
    assert claim.group.name.endswith(group)


def test_a_network_that_breaks_its_claim_fails():
    class Tilted(Regressor):
        def forward(self, z, pos, batch=None, edge_index=None):
            return super().forward(z, pos, batch, edge_index) + 1e-6 * pos[:, 0].sum()

    torch.manual_seed(0)
    model = Tilted(Reference((1, 8)), hidden="4x0e+2x1o", layers=1, filter_field="0e+1o").double()
    assert not certify(*model.certifiable(*molecule()), elements=5).passed


def test_references_of_atoms_are_left_out_of_the_claim():
    torch.manual_seed(0)
    model = regressor().double().eval()
    claim = model.certifiable(*molecule())
    tensors = [tensor for tensor, _ in claim.inputs]
    with torch.no_grad():
        learned, whole = claim.function(*tensors), model(*tensors)
    assert whole - learned == pytest.approx(-3000.0 + 3.0)
    assert model.statistics[0] == 3.0


def test_a_smaller_group_is_not_enough_for_a_larger():
    torch.manual_seed(0)
    model = Dynamics(MessageForces(named_group("Cinfv"), hidden=4), steps=2).double().eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    claim = model.certifiable(*particles())
    assert certify(*claim, elements=5, dtype=torch.float64).passed
    wrong = claim._replace(group=O3())
    assert not certify(*wrong, elements=5, dtype=torch.float64).passed


def test_a_claim_without_names_has_one_role():
    claim = regressor().certifiable(*molecule())
    assert claim.output == Role(rows="graph")
    assert claim.group != SO3()
