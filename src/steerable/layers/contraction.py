"""Equivariant contractions V_filter (x) V_in -> V_out: what is learned in a steerable kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..field import Field, Term
from .linear import Linear
from .paths import Paths


@runtime_checkable
class Contraction(Protocol):
    """y = W (h (x) f), with a number W_p[c, k, o] for every path p.

    c is the input copy, k the filter channel and o the output copy.

    `before` acts on the features at their nodes, `paths` begin at its result.
    """

    channels: int
    paths: Paths
    before: nn.Module

    def own_parameters(self) -> list[Tensor]:
        """Its parameters without those of `before`."""
        ...

    def weight(self, k: int) -> Tensor:
        """The weights of path k: (copy of the input, channel of the filter, copy of the output)."""
        ...

    def matrix(self, o: int) -> Tensor:
        """`weight` of all paths to output irrep o.

        Its shape is ((path, copy of the input, channel), copy of the output).
        """
        ...

    def mixed(self, copies: int) -> float:
        """How many multiplications `weigh` does per number of a moment.

        It is for so many copies of the output.
        """
        ...

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        """The moment of path k to (node, m_o, copy of the output).

        The moment is (node, m_o, copy of the input, channel).
        """
        ...


class Full(nn.Module):
    """Every copy of the input and every channel of the filter to every copy of the output.

    W_p is free.

    Args:
        field_filter: the irreps of one channel of the filter.
        channels: number of channels of the filter.
        field_in: type of the features.
        field_out: type of the result.
        groups: number of blocks of copies that do not mix.
        paths: makes the paths; a part of `Paths` to leave some out.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: an irrep of the output that cannot be made, or multiplicities that `groups` does
            not divide.
    """

    def __init__(
        self,
        field_filter: Field,
        channels: int,
        field_in: Field,
        field_out: Field,
        groups: int = 1,
        paths: Callable[[Field, Field, Field], Paths] = Paths,
    ) -> None:
        super().__init__()
        self.channels, self.groups = channels, groups
        self.before: nn.Module = nn.Identity()
        self.paths = paths(field_filter, field_in, field_out)
        if groups < 1 or any(
            n % groups for n in (*(path.copies for path in self.paths), *self.paths.copies)
        ):
            raise ValueError(
                f"groups={groups} does not divide every multiplicity of {field_in} and {field_out}."
            )
        sizes = [path.copies // groups * channels for path in self.paths]
        self._places = self.paths.places(sizes)
        self.weights = nn.ParameterList(
            torch.randn(groups, fan_in, copies // groups) / math.sqrt(max(fan_in, 1))
            for fan_in, copies in zip(_totals(self.paths, sizes), self.paths.copies, strict=True)
        )

    def own_parameters(self) -> list[Tensor]:
        return list(self.weights)

    def weight(self, k: int) -> Tensor:
        weights = self._own(k).unflatten(1, (-1, self.channels))
        if self.groups == 1:
            return weights[0]
        diagonal = torch.eye(self.groups, dtype=weights.dtype, device=weights.device)
        return torch.einsum("gcko,gh->gckho", weights, diagonal).flatten(3).flatten(0, 1)

    def matrix(self, o: int) -> Tensor:
        return self.weights[o][0] if self.groups == 1 else stacked_weights(self, o)

    def mixed(self, copies: int) -> float:
        return copies / self.groups

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        nodes, components = moment.shape[:2]
        if self.groups == 1:
            return (moment.reshape(nodes * components, -1) @ self._own(k)[0]).view(
                nodes, components, -1
            )
        grouped = moment.reshape(nodes * components, self.groups, -1).transpose(0, 1)
        return torch.bmm(grouped, self._own(k)).transpose(0, 1).reshape(nodes, components, -1)

    def _own(self, k: int) -> Tensor:
        """The weights of path k: (group, (copy of the input, channel), copy of the output)."""
        return self.weights[self.paths[k].out][:, self._places[k]]

    def extra_repr(self) -> str:
        return _describe(self.paths, self.channels)


class Depthwise(nn.Module):
    """A radial weight per path and copy, then a Linear: W_p[c, k, o] = V_p[k, c] L_p[c, o].

    The form of NequIP and MACE: its cost grows with the number of copies, not with its square. With
    `rank`, a Linear to that many copies of each irrep comes first, so that every path has rank at
    most `rank`.

    Args:
        field_filter: the irreps of one channel of the filter.
        channels: number of channels of the filter.
        field_in: type of the features.
        field_out: type of the result.
        rank: copies of every irrep between the two linear maps; those of `field_in` by default.
        paths: makes the paths; a part of `Paths` to leave some out.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: an irrep of the output that cannot be made.
    """

    def __init__(
        self,
        field_filter: Field,
        channels: int,
        field_in: Field,
        field_out: Field,
        rank: int | None = None,
        paths: Callable[[Field, Field, Field], Paths] = Paths,
    ) -> None:
        super().__init__()
        self.channels = channels
        inner = field_in if rank is None else _copies(field_in, rank)
        self.before: nn.Module = (
            nn.Identity() if rank is None else Linear(field_in, inner, bias=False)
        )
        self.paths = paths(field_filter, inner, field_out)
        sizes = [path.copies for path in self.paths]
        ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
        self._columns = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._places = self.paths.places(sizes)
        self.radial = nn.Parameter(torch.randn(channels, sum(sizes)) / math.sqrt(channels))
        self.mix = nn.ParameterList(
            torch.randn(fan_in, copies) / math.sqrt(max(fan_in, 1))
            for fan_in, copies in zip(_totals(self.paths, sizes), self.paths.copies, strict=True)
        )

    def columns(self, k: int) -> slice:
        """Where path k lies in the columns of `radial`."""
        return self._columns[k]

    def rows(self, k: int) -> slice:
        """Where path k lies in the rows of `mix` of its output irrep."""
        return self._places[k]

    def mixing(self, k: int) -> Tensor:
        """L_p of path k: (copy of the input, copy of the output)."""
        return self.mix[self.paths[k].out][self._places[k]]

    def own_parameters(self) -> list[Tensor]:
        return [self.radial, *self.mix]

    def weight(self, k: int) -> Tensor:
        return self.radial[:, self._columns[k]].T.unsqueeze(-1) * self.mixing(k).unsqueeze(1)

    def matrix(self, o: int) -> Tensor:
        return stacked_weights(self, o)

    def mixed(self, copies: int) -> float:
        return 1 + copies / self.channels

    def weigh(self, k: int, moment: Tensor) -> Tensor:
        return (moment * self.radial[:, self._columns[k]].T).sum(-1) @ self.mixing(k)

    def extra_repr(self) -> str:
        return _describe(self.paths, self.channels)


def stacked_weights(contraction: Contraction, o: int) -> Tensor:
    """What `Contraction.matrix` is, put together from every `weight`."""
    return torch.cat(
        [
            contraction.weight(k).flatten(0, 1)
            for k, path in enumerate(contraction.paths)
            if path.out == o
        ]
    )


def _totals(paths: Paths, sizes: Sequence[int]) -> list[int]:
    """The sum of the sizes of the paths to every output irrep."""
    pairs = list(zip(paths, sizes, strict=True))
    return [sum(size for path, size in pairs if path.out == o) for o in range(len(paths.irreps))]


def _copies(field: Field, rank: int) -> Field:
    irreps = dict.fromkeys(term.irrep for term in field)
    return Field(field.group, tuple(Term(rank, irrep) for irrep in irreps))


def _describe(paths: Paths, channels: int) -> str:
    return f"{channels} x ({paths.field_filter}) (x) {paths.field_in} -> {paths.field_out}"
