"""What every filter gives to a convolution."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from ..field import Field


@runtime_checkable
class Filter(Protocol):
    """A steerable vector per neighbour: `channels` copies of the irreps of `field`.

    h(g x, rho(g) a) = rho_field(g) h(x, a) for relative positions x and attributes a.
    """

    field: Field
    channels: int
    attributes: Field

    def __call__(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Relative positions (edge, d) and attributes (edge, attributes.dim) to (edge, channels, field.dim)."""
        ...


@runtime_checkable
class SeparableFilter(Filter, Protocol):
    """A filter h_k(x, a) = phi_k(|x|, a) Y(x / |x|): convolutions use that all channels share the harmonics Y."""

    def radial(self, offset: Tensor, attributes: Tensor | None = None) -> Tensor:
        """The invariant functions phi (edge, channels)."""
        ...

    def harmonics(self, offset: Tensor) -> Tensor:
        """The harmonics Y (edge, field.dim)."""
        ...
