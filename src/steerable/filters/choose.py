"""Which filter can be every steerable kernel at the least cost."""

from __future__ import annotations

from ..field import Field
from .filter import group_of
from .harmonic import HarmonicFilter
from .implicit import ImplicitFilter, harmonic_degree, is_harmonic
from .radial import Radial

SOLUTIONS = ("auto", "harmonic", "implicit")


def choose_filter(
    field: Field | str,
    cutoff: float | Radial,
    attributes: Field | str = "",
    channels: int = 8,
    hidden: int = 8,
    layers: int = 3,
    solution: str = "auto",
) -> HarmonicFilter | ImplicitFilter:
    """The HarmonicFilter where it solves the kernel constraint completely.

    Otherwise the ImplicitFilter.

    Where the group turns every direction into every other (O(3), SO(3), O(2), SO(2)) and all
    attributes are invariant, every steerable kernel is a sum of radial functions of the distance
    and the attributes times harmonics. A plain multilayer perceptron for those functions then
    replaces the equivariant one, exactly, and the convolution knows faster orders of computation
    (`frame`, `messages`, `radial`). Elsewhere harmonics up to a degree are only a part of the
    kernels.

    Args:
        field: the irreps that the filter has; a harmonic one has all harmonics up to the highest
            degree among them.
        cutoff: radius where the filter ends, in the unit of the positions, or a Radial.
        attributes: field of the attributes, in the order [edge, source node, target node].
        channels: number of channels of the filter.
        hidden: number of hidden channels; a plain perceptron has as many hidden numbers as so many
            copies of `field`.
        layers: number of linear layers.
        solution: `auto`; or `harmonic` or `implicit`, to force one.

    Raises:
        ValueError: another solution, or a harmonic filter with attributes that are not invariant.

    Source: Zhdanov, Hoffmann, Cesa 2023, arXiv:2212.06096; Weiler et al. 2018, arXiv:1807.02547,
    for the completeness.
    """
    if solution not in SOLUTIONS:
        raise ValueError(f"solution is one of {', '.join(SOLUTIONS)}; got {solution!r}.")
    group = group_of(field, attributes)
    field, attributes = Field.parse(field, group), Field.parse(attributes, group)
    if solution == "auto":
        solution = "harmonic" if is_harmonic(field.group, attributes) else "implicit"
    if solution == "implicit":
        return ImplicitFilter(field, cutoff, attributes, channels, hidden, layers)
    widths = (hidden * field.dim,) * (layers - 1)
    return HarmonicFilter(harmonic_degree(field), cutoff, channels, attributes, widths, field.group)
