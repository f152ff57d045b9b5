"""Signals on the sphere and on the rotations as feature fields.

What all spherical layers hand to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ...field import Field, FieldMismatchError, Term
from ...functions import Layout
from ...groups import SO3, Group, irrep


@dataclass(frozen=True)
class SphereSignals:
    """`channels` signals of one layout as a field of SO(3).

    Copies of an irrep lie together, channel after channel, and within a channel column after
    column:

        8 signals on the sphere             8x0 + 8x1 + 8x2 + ...
        8 signals on the rotations          8x0 + 24x1 + 40x2 + ...
        the same with columns |n| <= 1      8x0 + 24x1 + 24x2 + ...

    So a steerable feature with as many copies of every degree is such signals already, and every
    layer for fields acts on them.

    Args:
        layout: the coefficients of one signal.
        channels: the number of signals.

    Raises:
        ValueError: fewer than no channels.
    """

    layout: Layout
    channels: int

    def __post_init__(self) -> None:
        if self.channels < 0:
            raise ValueError(f"Signals have 0 or more channels; got {self.channels}.")

    @classmethod
    def sphere(cls, max_degree: int, channels: int) -> SphereSignals:
        """Signals on the sphere."""
        return cls(Layout.sphere(max_degree), channels)

    @classmethod
    def rotations(
        cls, max_degree: int, channels: int, max_order: int | None = None
    ) -> SphereSignals:
        """Signals on the rotations, with the columns |n| <= max_order; all by default."""
        return cls(Layout.rotations(max_degree, max_order), channels)

    @classmethod
    def read(cls, field: Field | str) -> SphereSignals:
        """The signals that features are.

        On the sphere where all degrees have as many copies, else on the rotations.

        Args:
            field: a field of SO(3). Features of O(3) become such by Restrict.

        Raises:
            FieldMismatchError: copies that no signals have, or another group.
        """
        field = Field.parse(field, SO3())
        copies = [term.multiplicity for term in field]
        degrees = len(copies) - 1
        if copies and copies[0] and field == (sphere := cls.sphere(degrees, copies[0])).field:
            return sphere
        for order in range(1, degrees + 1) if copies and copies[0] else ():
            if field == (signals := cls.rotations(degrees, copies[0], order)).field:
                return signals
        raise FieldMismatchError(
            "Signals are C copies of every degree 0, 1, ... (on the sphere) or C min(2l + 1, 2N + "
            f"1) (on the rotations); got {field}. Map it with Linear to the field of SphereSignals "
            "first."
        )

    @cached_property
    def degrees(self) -> list[int]:
        """The degrees that have columns."""
        return [l for l in range(self.layout.max_degree + 1) if self.layout.columns(l)]

    @cached_property
    def field(self) -> Field:
        """The type of features that hold these signals."""
        group = SO3()
        return Field(
            group,
            tuple(
                Term(self.channels * len(self.layout.columns(l)), irrep(group, str(l)))
                for l in self.degrees
            ),
        )

    def blocks(self, x: Tensor) -> list[Tensor]:
        """Features (..., field.dim) by degree from 0: (..., channels, column, 2l + 1)."""
        columns = [len(self.layout.columns(l)) for l in range(self.layout.max_degree + 1)]
        parts = x.split([self.channels * n * (2 * l + 1) for l, n in enumerate(columns)], -1)
        return [
            part.unflatten(-1, (self.channels, columns[l], 2 * l + 1))
            for l, part in enumerate(parts)
        ]

    def features(self, blocks: Sequence[Tensor]) -> Tensor:
        """The inverse of `blocks`."""
        return torch.cat([block.flatten(-3) for block in blocks], -1)

    def coefficients(self, x: Tensor) -> Tensor:
        """Features (..., field.dim) to coefficients of every signal.

        Returns (..., channels, layout.size).
        """
        return torch.cat([block.flatten(-2) for block in self.blocks(x)], -1)

    def join(self, coefficients: Tensor) -> Tensor:
        """The inverse of `coefficients`."""
        return self.features(self.layout.split(coefficients))

    def __str__(self) -> str:
        orders = self.layout.orders
        kind = "on the sphere" if orders == (0,) else f"with orders {orders[0]} to {orders[-1]}"
        return f"{self.channels} signals {kind} up to degree {self.layout.max_degree}"


def sphere_field(max_degree: int, group: Group) -> Field:
    """The harmonics of degrees 0 to `max_degree` as a field of O(3) or SO(3).

    One signal on the sphere.

    Raises:
        FieldMismatchError: another group.
    """
    if group.dim != 3 or group.identity_component != "full":
        raise FieldMismatchError(f"Signals on the sphere are fields of O(3) or SO(3); got {group}.")
    parity = ("e", "o") if group.has_reflections else ("", "")
    return Field(
        group, tuple(Term(1, irrep(group, f"{l}{parity[l % 2]}")) for l in range(max_degree + 1))
    )
