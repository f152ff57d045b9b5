"""A network of motion as a function of features of a field, to certify its symmetry."""

from __future__ import annotations

from torch import Tensor, nn

from steerable.certify import EDGE_INDEX, POSITIONS, Role
from steerable.constants import ConstantModule
from steerable.field import harmonic_field
from steerable.groups import Group

from .certifiable import Claim
from .forces import Particles
from .messages import held


class Moved(ConstantModule):
    """A network of motion whose vectors are features of a field.

    Positions come in two parts.

    Args:
        model: from positions, velocities and the rest to displacements and new velocities, all
            along the axes of space.
        group: acts on the vectors.
        translations: those that change no displacement; the others would, so what they move is
            given as a vector.
    """

    change: Tensor
    _held: Tensor

    def __init__(self, model: nn.Module, group: Group, translations: str) -> None:
        super().__init__()
        harmonics, change = harmonic_field(group, 1)
        self.model, self.field = model, harmonics[1:]
        self.register_constant("change", change[1:, 1:])
        self.register_constant("_held", held(group, translations))

    def forward(self, pos: Tensor, place: Tensor, velocity: Tensor, *attributes: Tensor) -> Tensor:
        """Positions, reduced to the free directions, and features.

        The features are those of all positions and velocities.
        """
        moved = pos - pos @ self._held + place @ self.change @ self._held
        y = self.model(moved, velocity @ self.change, *attributes)
        return (y.unflatten(1, (2, -1)) @ self.change.T).flatten(1)


def motion_claim(
    model: nn.Module,
    group: Group,
    translations: str,
    pos: Tensor,
    velocity: Tensor,
    particles: Particles,
) -> Claim:
    """The claim that the motion of some particles commutes with a group and with translations.

    Args:
        model: from positions, velocities, attributes, pairs and attributes of pairs to
            displacements and new velocities, as `Dynamics`.
        group: acts on the vectors.
        translations: `all`, `plane` or `none`.
        pos: positions (node, d).
        velocity: (node, d).
        particles: attributes and pairs.
    """
    moved = Moved(model, group, translations)
    change = moved.change.T.to(pos)
    inputs = [
        (pos, POSITIONS if translations != "none" else Role()),
        (pos @ change, Role(field=moved.field)),
        (velocity @ change, Role(field=moved.field)),
        (particles.attributes, Role()),
        (particles.pairs, EDGE_INDEX),
        (particles.pair_attributes, Role(rows="edge")),
    ]
    return Claim(moved, inputs, Role(field=moved.field * 2), group)
