"""How a contraction lays out its numbers: which components every path joins.

A `PathLayout` holds plain numbers and no group, so that any process can rebuild it from its text:
compiled and exported programs carry that text, and tensors, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor


class Path(NamedTuple):
    """One equivariant product filter irrep (x) input irrep -> output irrep.

    Args:
        term: number of the term of the input field.
        at: components of the filter that take part.
        out: number of the output irrep in `PathLayout.outputs`.
        copies: multiplicity of the input term.
    """

    term: int
    at: slice
    out: int
    copies: int


class Sizes(NamedTuple):
    """The components of filter, input and output that a path joins, and the copies of its ends."""

    m_h: int
    m_i: int
    m_o: int
    copies: int
    copies_out: int


class Copies(NamedTuple):
    """Copies of one irrep.

    Args:
        copies: how many.
        dim: components of each.
        degree: degree of the harmonics that the irrep is made from.
    """

    copies: int
    dim: int
    degree: int


class TermOut(NamedTuple):
    """A term of the output field.

    Args:
        irrep: number of its irrep in `PathLayout.outputs`; None where no path makes it.
        first: the first of the copies of that irrep that it holds.
        copies: how many copies it holds.
        dim: components of each.
    """

    irrep: int | None
    first: int
    copies: int
    dim: int


@dataclass(frozen=True, eq=False)
class PathLayout:
    """The paths of a contraction, and where features, results and weights lie.

    Inside a contraction the copies of an irrep are the last axis: features (node, m_i, copy),
    results (node, m_o, copy).

    Args:
        inputs: the terms of the input field.
        outputs: the irreps of the output that paths make, with all their copies together.
        terms_out: the terms of the output field.
        paths: the paths.
        filter_dim: components of one channel of the filter.

    Attributes:
        sizes: the sizes of every path.
        width: the number of channels of the output field.
    """

    inputs: tuple[Copies, ...]
    outputs: tuple[Copies, ...]
    terms_out: tuple[TermOut, ...]
    paths: tuple[Path, ...]
    filter_dim: int

    sizes: tuple[Sizes, ...] = field(init=False)
    width: int = field(init=False)

    def __post_init__(self) -> None:
        sizes = []
        for path in self.paths:
            source, target = self.inputs[path.term], self.outputs[path.out]
            m_h = path.at.stop - path.at.start
            sizes.append(Sizes(m_h, source.dim, target.dim, path.copies, target.copies))
        # Plain attributes: code that is being compiled cannot enter a cached_property.
        object.__setattr__(self, "sizes", tuple(sizes))
        width = sum(term.copies * term.dim for term in self.terms_out)
        object.__setattr__(self, "width", width)

    def places(self, sizes: Sequence[int]) -> list[slice]:
        """Where paths of the given sizes lie among those that make the same output irrep."""
        start = [0] * len(self.outputs)
        places = []
        for path, size in zip(self.paths, sizes, strict=True):
            places.append(slice(start[path.out], start[path.out] + size))
            start[path.out] += size
        return places

    def totals(self, sizes: Sequence[int]) -> list[int]:
        """The sum of the sizes of the paths to every output irrep."""
        totals = [0] * len(self.outputs)
        for path, size in zip(self.paths, sizes, strict=True):
            totals[path.out] += size
        return totals

    def split(self, x: Tensor) -> list[Tensor]:
        """Features (node, field_in.dim) by term: (node, m_i, copy)."""
        widths = [term.copies * term.dim for term in self.inputs]
        return [
            part.unflatten(-1, (term.copies, term.dim)).transpose(1, 2).contiguous()
            for term, part in zip(self.inputs, x.split(widths, 1), strict=True)
        ]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Results by output irrep, (node, m_o, copy) each, to (node, field_out.dim)."""
        terms = []
        for irrep, first, copies, dim in self.terms_out:
            if irrep is None:
                terms.append(parts[0].new_zeros(parts[0].shape[0], copies * dim))
            else:
                block = parts[irrep][..., first : first + copies]
                terms.append(block.transpose(1, 2).flatten(1))
        return torch.cat(terms, 1)

    def part(self, y: Tensor) -> list[Tensor]:
        """The inverse of `join`."""
        parts: list[list[Tensor]] = [[] for _ in self.outputs]
        blocks = y.split([term.copies * term.dim for term in self.terms_out], 1)
        for (irrep, _, copies, dim), block in zip(self.terms_out, blocks, strict=True):
            if irrep is not None:
                parts[irrep].append(block.unflatten(1, (copies, dim)).transpose(1, 2))
        return [torch.cat(terms, 2) for terms in parts]

    def as_text(self) -> str:
        """The layout as JSON, from which `from_text` rebuilds it."""
        paths = [(p.term, p.at.start, p.at.stop, p.out, p.copies) for p in self.paths]
        return json.dumps([self.inputs, self.outputs, self.terms_out, paths, self.filter_dim])

    @staticmethod
    @lru_cache(1024)
    def from_text(text: str) -> PathLayout:
        """The layout that `as_text` wrote."""
        inputs, outputs, terms_out, paths, filter_dim = json.loads(text)
        return PathLayout(
            tuple(Copies(*term) for term in inputs),
            tuple(Copies(*irrep) for irrep in outputs),
            tuple(TermOut(*term) for term in terms_out),
            tuple(Path(term, slice(a, b), out, copies) for term, a, b, out, copies in paths),
            filter_dim,
        )
