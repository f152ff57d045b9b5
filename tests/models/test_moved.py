"""Motion as features of a field: what is claimed, what passes, and what does not."""

import pytest
import torch
from torch import nn

from steerable.certify import certify
from steerable.groups import O2, O3, SO3, axial, point_group
from steerable.models.forces import Particles
from steerable.models.moved import Moved, motion_claim

DOUBLE = torch.float64


class Springs(nn.Module):
    """Pairs attract each other, and a field pulls along one direction and towards a centre."""

    def __init__(self, pull=(0.0, 0.0, 0.0), centre=0.0):
        super().__init__()
        self.pull, self.centre = torch.tensor(pull, dtype=DOUBLE), centre

    def forward(self, pos, velocity, attributes, pairs, pair_attributes):
        i, j = pairs
        force = pair_attributes * (pos[j] - pos[i])
        total = torch.zeros_like(pos).index_add(0, i, force).index_add(0, j, -force)
        total = total + attributes * self.pull.to(pos)[: pos.shape[1]] - self.centre * pos
        return torch.cat([velocity + total / 2, velocity + total], 1)


def claim_of(model, group, translations):
    pos, velocity = torch.randn(2, 4, group.dim, dtype=DOUBLE)
    pairs = torch.triu_indices(4, 4, 1)
    particles = Particles(torch.randn(4, 1, dtype=DOUBLE), pairs, torch.rand(6, 1, dtype=DOUBLE))
    return motion_claim(model, group, translations, pos, velocity, particles), pos, velocity


TILTED = axial("Cinfv", [1, 2, -2])
CASES = [
    (O3(), "all", {}, True),
    (O2(), "all", {}, True),
    (SO3(), "none", {"centre": 0.7}, True),
    (point_group("Oh"), "none", {"centre": 0.7}, True),
    (TILTED, "all", {"pull": (0.5, 1.0, -1.0)}, True),
    (O3(), "all", {"pull": (0.5, 1.0, -1.0)}, False),
    (O3(), "all", {"centre": 0.7}, False),
    (TILTED, "all", {"pull": (1.0, 0.0, 0.0)}, False),
]


@pytest.mark.parametrize(("group", "translations", "options", "passes"), CASES, ids=str)
def test_claims_hold_where_they_should(group, translations, options, passes):
    claim, _, _ = claim_of(Springs(**options), group, translations)
    assert claim.group == group
    assert certify(*claim, elements=5, dtype=torch.float64).passed is passes


class Plane(Springs):
    """Falls along an axis as its height says, whatever its place in the plane."""

    def forward(self, pos, velocity, *others):
        y = super().forward(pos, velocity, *others)
        axis = torch.from_numpy(TILTED.axis).to(pos)
        return y - torch.cat([torch.outer((pos @ axis).sin(), axis)] * 2, 1)


def test_moves_in_the_plane_of_an_axis():
    claim, _, _ = claim_of(Plane(), TILTED, "plane")
    assert certify(*claim, elements=5, dtype=torch.float64).passed
    claim, _, _ = claim_of(Plane(), TILTED, "all")
    assert not certify(*claim, elements=5, dtype=torch.float64).passed


@pytest.mark.parametrize("group", [O3(), O2(), TILTED, point_group("C3v")], ids=str)
def test_the_function_is_the_model_in_other_components(group):
    model = Springs(centre=0.3)
    claim, pos, velocity = claim_of(model, group, "none")
    tensors = [tensor for tensor, _ in claim.inputs]
    y = model(pos, velocity, *tensors[3:])
    moved = Moved(model, group, "none").double()
    matrix, eye = moved.change, torch.eye(group.dim, dtype=DOUBLE)
    torch.testing.assert_close(matrix @ matrix.T, eye, atol=1e-12, rtol=0)
    wanted = (y.unflatten(1, (2, -1)) @ matrix.T).flatten(1)
    for k, vectors in ((1, pos), (2, velocity)):  # the claim has them in single precision
        torch.testing.assert_close(tensors[k], vectors @ matrix.T, atol=1e-5, rtol=0)
        tensors[k] = vectors @ matrix.T
    torch.testing.assert_close(moved(*tensors), wanted, atol=1e-12, rtol=0)
    for g in group.sample(3, torch.Generator().manual_seed(0)):  # vectors are this field
        torch.testing.assert_close(moved.field.matrix(g), matrix @ g @ matrix.T)


def test_errors():
    with pytest.raises(ValueError, match=r"translations under O\(3\) are one of all, none; got"):
        Moved(Springs(), O3(), "plane")
