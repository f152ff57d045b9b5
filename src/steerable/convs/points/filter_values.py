"""The values of a filter at the edges, as the orders of computation take them."""

from __future__ import annotations

from typing import cast

from torch import Tensor

from ...filters import Filter, SeparableFilter, SharedGeometry
from ...ops import Edges


def seen_by(filter: Filter, edges: Edges) -> Tensor:
    """What a filter takes: the edges where it shares functions of them, else relative positions."""
    return cast(Tensor, edges) if isinstance(filter, SharedGeometry) else edges.offset


def separable_values(filter: Filter, edges: Edges, attributes: Tensor | None) -> list[Tensor]:
    """The radial functions and the harmonics of a separable filter."""
    filter = cast(SeparableFilter, filter)  # as `applies` has seen
    return [
        radial_values(filter, edges, attributes),
        _fitting(
            filter.harmonics(seen_by(filter, edges)), (filter.field.dim,), filter, ".harmonics"
        ),
    ]


def radial_values(filter: SeparableFilter, edges: Edges, attributes: Tensor | None) -> Tensor:
    """The radial functions of a separable filter (edge, channel)."""
    values = filter.radial(seen_by(filter, edges), attributes)
    return _fitting(values, (filter.channels,), filter, ".radial")


def filter_values(filter: Filter, edges: Edges, attributes: Tensor | None) -> Tensor:
    """The values of a filter, flattened to a row (channel, component) for every edge."""
    values = filter(seen_by(filter, edges), attributes)
    return _fitting(values, (filter.channels, filter.field.dim), filter).flatten(1)


def _fitting(values: Tensor, shape: tuple[int, ...], filter: Filter, method: str = "") -> Tensor:
    """The values of a filter, whose axes in another order would give wrong sums without an error.

    Raises:
        ValueError: they are not of the shape (edge, *shape).
    """
    if values.shape[1:] != shape:
        wanted = ", ".join(["edge", *map(str, shape)])
        raise ValueError(
            f"{type(filter).__name__}{method} returns ({wanted}): {filter.channels} channels of "
            f"{filter.field}; got {tuple(values.shape)}."
        )
    return values
