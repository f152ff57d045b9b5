"""Pictures of dots: the sums of Gaussians by hand, and which symmetry is claimed of a network."""

import math

import pytest
import torch
from torch import nn

from steerable.certify import certify
from steerable.groups import O2, SO2, cyclic, dihedral, trivial
from steerable.models.dots import Dots, dots_claim

SIZE = 9


class Moments(nn.Module):
    """Sums over the picture that no turn or mirror changes, and a part that all change."""

    def __init__(self, broken=0.0):
        super().__init__()
        self.broken = broken

    def forward(self, images):
        axis = torch.arange(SIZE, dtype=images.dtype) - SIZE // 2
        radius = axis[:, None] ** 2 + axis**2
        whole = (images * radius).sum((1, 2)) + (images**2).sum((1, 2))
        corner = self.broken * images[:, :3, :2].sum((1, 2))
        return torch.stack([whole + corner, -whole], 1)


def test_pictures_are_sums_of_gaussians_about_the_centroid():
    pos, batch = 2 * torch.randn(7, 2, dtype=torch.float64), torch.tensor([0, 1, 1, 0, 2, 1, 0])
    pictures = Dots(nn.Identity(), SIZE)(pos, batch)
    for k in range(3):
        places = (pos[batch == k] - pos[batch == k].mean(0)).tolist()
        for i in range(SIZE):
            for j in range(SIZE):
                squares = [(i - 4 - x) ** 2 + (j - 4 - y) ** 2 for x, y in places]
                wanted = sum(math.exp(-square / 4) for square in squares)
                assert float(pictures[k, i, j]) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("group", "claimed"),
    [
        (O2(), dihedral(4)),
        (SO2(), cyclic(4)),
        (dihedral(8), dihedral(4)),
        (cyclic(8), cyclic(4)),
        (dihedral(6), dihedral(2)),
        (cyclic(6), cyclic(2)),
        (dihedral(3), dihedral(1)),
        (cyclic(3), cyclic(1)),
        (trivial(2), cyclic(1)),
    ],
    ids=str,
)
def test_the_subgroup_that_keeps_the_grid_is_claimed_and_certified(group, claimed):
    claim = dots_claim(Moments(), group, SIZE)
    assert claim.group == claimed
    assert certify(*claim, elements=5, dtype=torch.float64).passed
    if claimed.order > 1:
        broken = dots_claim(Moments(0.1), group, SIZE)
        assert not certify(*broken, elements=5, dtype=torch.float64).passed
