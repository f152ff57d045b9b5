"""What every filter gives to a convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from ..field import Field
from ..groups import Group
from ..layers import Meaningful


@runtime_checkable
class Filter(Protocol):
    """A steerable vector per neighbour: `channels` copies of the irreps of `field`.

    h(g x, rho(g) a) = rho_field(g) h(x, a) for relative positions x and attributes a.
    """

    field: Field
    channels: int
    attributes: Field

    def __call__(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) and attributes to (edge, channels, field.dim).

        The attributes are (edge, attributes.dim).
        """
        ...


class SharedGeometry:
    """Marks filters that take `ops.Edges` in place of relative positions.

    They take from it what another layer may have computed already, such as harmonics.
    """


@runtime_checkable
class SeparableFilter(Filter, Protocol):
    """A filter h_k(x, a) = phi_k(|x|, a) Y(x / |x|).

    Convolutions use that all channels share the harmonics Y.
    """

    def radial(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """The invariant functions phi (edge, channels)."""
        ...

    def harmonics(self, offset: Tensor) -> Tensor:
        """The harmonics Y (edge, field.dim)."""
        ...


@runtime_checkable
class GridFilter(Filter, Protocol):
    """A filter that defines its own values on the offsets of a grid.

    They may be the weights of a stencil.
    """

    def on_grid(
        self,
        size: int,
        sample: Callable[[Filter, Tensor | None], Tensor],
        attributes: Tensor | None,
    ) -> Tensor:
        """Its values (sample, offset, channels, field.dim).

        The attributes are those of samples (sample, attributes.dim).

        Args:
            size: number of offsets along every axis.
            sample: gives these values for any other filter.
            attributes: (sample, attributes.dim); without them there is one sample.
        """
        ...


def attribute_field(
    edge: Field | str = "", node: Field | str = "", group: Group | None = None
) -> Field:
    """The field of the attributes that a convolution hands to a filter.

    Those of the edge come first, then those of the source and of the target.

    `node=conv.field_in` and `conv(x, pos, edges, node_attr=x)` make the kernel depend on the
    features of both ends.

    Args:
        edge: field of the attributes of an edge.
        node: field of the attributes of a node.
        group: the group of fields given as text; by default that of the other one.
    """
    group = group_of(edge, node) or group
    node = Field.parse(node, group)
    return Field.parse(edge, group) + node + node


def filter_line(filter: Filter) -> str:
    """The class of a filter and, where its own state does not hold them, its arguments."""
    name = type(filter).__name__
    if isinstance(filter, nn.Module) and not filter.state_dict():
        return f"{name}({filter.extra_repr()})"
    return name


def filter_details(filter: Filter) -> str:
    """What `filter_line` leaves out of a filter whose own state does not say it.

    It is what the `details` of the filter gives, if it has such a method.
    """
    if isinstance(filter, Meaningful) or not hasattr(filter, "details"):
        return ""
    details: str = filter.details()
    return details


def group_of(*fields: Field | str) -> Group | None:
    """The group of the first that is a Field, so that others may be text."""
    return next((field.group for field in fields if isinstance(field, Field)), None)
