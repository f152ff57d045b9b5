"""A network of signals on the sphere as a function of directions, to certify its symmetry."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..certify import POSITIONS, Role
from ..functions import SphereTransform, bump_harmonics
from ..groups import Group, rotation
from ..layers import SphereActivation
from ..ops import segment_mean, segment_sum
from .certifiable import Claim

_BUMPS = 6  # in each signal
_SHARPNESS = 10.0  # of these bumps


class Bumps(nn.Module):
    """A network on signals of bumps in the directions of points from their centroid.

    It is a function of the points.

    Args:
        model: samples (signal, ring, longitude) to logits (signal, classes).
        transform: to the samples from their spectrum.
    """

    def __init__(self, model: nn.Module, transform: SphereTransform) -> None:
        super().__init__()
        self.model, self.transform = model, transform

    def forward(self, pos: Tensor, batch: Tensor) -> Tensor:
        """Points (bump, 3) and the signal of every bump (bump,) to logits (signal, classes)."""
        count, degree = int(batch.max()) + 1, self.transform.layout.max_degree
        places = pos - segment_mean(pos, batch, count).index_select(0, batch)
        bumps = math.exp(-_SHARPNESS) * bump_harmonics(places, degree, _SHARPNESS)
        result: Tensor = self.model(self.transform.synthesis(segment_sum(bumps, batch, count)))
        return result


def bumps_claim(model: nn.Module, transform: SphereTransform) -> Claim:
    """The claim that a network does not see how signals of bumps are turned about the pole.

    The turns are reduced to those that keep the grids of the samples and of all activations, under
    which the network is exact.

    Args:
        model: samples (signal, ring, longitude) to logits (signal, classes).
        transform: to the samples from their spectrum.
    """
    longitudes = [
        layer.transform.shape[1] for layer in model.modules() if isinstance(layer, SphereActivation)
    ]
    turns = math.gcd(*longitudes) or transform.shape[1]
    subgroup = Group.from_generators(
        [rotation(2 * math.pi / turns, (0, 1, 0))], f"C{turns} about the pole"
    )
    generator = torch.Generator().manual_seed(0)
    places = torch.randn(2 * _BUMPS, 3, generator=generator)
    signal = torch.arange(2).repeat_interleave(_BUMPS)
    inputs = [(places, POSITIONS), (signal, Role())]
    return Claim(Bumps(model, transform), inputs, Role(rows="graph"), subgroup)
