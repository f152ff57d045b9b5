"""The classifier: invariance, batches, clouds of few points, and what a group can tell apart."""

import math

import pytest
import torch

from oracles.states import assert_refused
from steerable.certify import POSITIONS, Role, certify
from steerable.groups import O3, named_group
from steerable.models import Classifier

GROUPS = ["Cinf", "Cinfv", "SO(3)", "O(3)", "D3h"]
BATCH = torch.tensor([0] * 40 + [1] * 25)
POS = 0.5 * torch.randn(65, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def network(group="SO(3)", **changes):
    """A network in float64 whose normalisations have seen data."""
    torch.manual_seed(0)
    settings = {"width": 6, "points": (40, 16, 5), "neighbours": 6} | changes
    model = Classifier(3, group, **settings).double()
    for _ in range(3):
        model(torch.randn(60, 3, dtype=torch.float64), torch.arange(60) // 30)
    return model.eval()


def certified(model, group):
    return certify(
        model, [(POS, POSITIONS), (BATCH, Role())], Role("graph"), named_group(group), elements=8
    )


@pytest.mark.parametrize("group", GROUPS)
def test_invariant_under_its_group_translations_and_permutations(group):
    report = certified(network(group), group)
    assert {check.symmetry for check in report.checks} == {"group", "translation", "permutation"}
    assert report.error < 1e-10, report


@pytest.mark.parametrize("group", ["Cinf", "Cinfv", "SO(3)", "D3h"])
def test_not_invariant_under_a_larger_group(group):
    assert certified(network(group), "O(3)").error > 1e-4


def test_invariant_in_float32():
    report = certify(
        network().float(),
        [(POS.float(), POSITIONS), (BATCH, Role())],
        Role("graph"),
        named_group("SO(3)"),
        elements=5,
    )
    assert report.error < 1e-4, report


@pytest.mark.parametrize("group", ["Cinfv", "SO(3)"])
def test_a_batch_equals_its_clouds(group):
    model = network(group)
    apart = [model(POS[cloud == BATCH]) for cloud in range(2)]
    torch.testing.assert_close(model(POS, BATCH), torch.cat(apart))


def test_a_helix_and_its_mirror_image():
    turn = torch.linspace(0, 4 * math.pi, 40, dtype=torch.float64)
    helix = torch.stack([turn.cos(), turn.sin(), turn / 6], -1) / 2
    image = helix * torch.tensor([1.0, 1.0, -1.0])
    left, right = (network("O(3)")(pos) for pos in (helix, image))
    torch.testing.assert_close(left, right)
    left, right = (network("SO(3)")(pos) for pos in (helix, image))
    assert (left - right).abs().max() > 1e-4


def test_few_points_coincident_points_and_none():
    model = network()
    assert torch.isfinite(model(POS[:1])).all()
    assert torch.isfinite(model(POS[:3])).all()
    assert torch.isfinite(model(torch.zeros(30, 3, dtype=torch.float64))).all()
    assert model(POS[:0]).shape == (1, 3)
    apart = model(POS[:20], torch.tensor([0] * 10 + [2] * 10))  # cloud 1 has no points
    torch.testing.assert_close(apart[[0, 2]], torch.cat([model(POS[:10]), model(POS[10:20])]))


def test_every_parameter_learns():
    model = network().train()
    torch.nn.functional.cross_entropy(model(POS, BATCH), torch.tensor([0, 1])).backward()
    still = [
        name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0
    ]
    assert not still, still


def test_learns_rods_from_rings_however_they_lie():
    torch.manual_seed(0)
    model = Classifier(2, "SO(3)", width=6, points=(32, 12, 4), neighbours=6, dropout=0.0)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    label = torch.arange(16) % 2
    batch = torch.arange(16).repeat_interleave(32)

    def shapes():
        angle = 2 * math.pi * torch.rand(8, 32)
        rings = torch.stack([angle.cos(), angle.sin(), 0 * angle], -1)
        rods = torch.stack([2 * torch.rand(8, 32) - 1, torch.zeros(8, 32), torch.zeros(8, 32)], -1)
        pos = torch.stack([rings, rods], 1).flatten(0, 1) + 0.05 * torch.randn(16, 32, 3)
        return (pos @ O3().sample(16).float()).flatten(0, 1)

    for _ in range(30):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(shapes(), batch), label).backward()
        optimiser.step()
    correct = (model.eval()(shapes(), batch).argmax(1) == label).double().mean()
    assert correct > 0.9


def test_width_counts_components_of_every_irrep():
    assert (
        str(Classifier(2, "O(3)", width=10, points=(9, 3)).invariants.field_in) == "10x0e+3x1o+2x2e"
    )
    assert Classifier(2, "Cinfv", width=10, points=(9, 3)).invariants.field_in.dim == 30


@pytest.mark.parametrize("points", [(64,), (64, 64), (64, 16, 32)])
def test_levels_become_smaller(points):
    with pytest.raises(
        ValueError, match="points are those of a cloud and of one level or more, ever fewer"
    ):
        Classifier(2, points=points)


def test_states_for_another_last_level_are_refused():
    """Its points are those of no filter."""
    ours, other = [Classifier(3, width=6, points=(40, 16, n), depth=0) for n in (5, 8)]
    assert_refused(ours, other.state_dict())
