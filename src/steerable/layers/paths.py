"""The paths of a contraction.

Every way in which a filter turns an input irrep into an output irrep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..constants import ConstantModule
from ..field import Field, require_same_group
from ..groups import Irrep, coupling

Products = Callable[[Irrep, Irrep], Iterable[tuple[slice, NDArray[np.float64]]]]
"""From irreps of input and output to the products of filter and input that may be used.

A product says where the components of the filter are, and has a tensor (m_o, m_h, m_i) of norm 1,
orthogonal to those of the same components.
"""


class Path(NamedTuple):
    """One equivariant product filter irrep (x) input irrep -> output irrep.

    Args:
        term: number of the term of the input field.
        at: components of the filter that take part.
        out: number of the output irrep in `Paths.irreps`.
        copies: multiplicity of the input term.
    """

    term: int
    at: slice
    out: int
    copies: int


class Sizes(NamedTuple):
    """The components of filter, input and output that a path joins.

    Also the copies of input and output.
    """

    m_h: int
    m_i: int
    m_o: int
    copies: int
    copies_out: int


class Paths(ConstantModule):
    """All paths of Hom(filter (x) in, out) with their Clebsch-Gordan tensors.

    Also the layout that contractions work in.

    Inside a contraction copies of an irrep are the last axis: features (node, m_i, copy), results
    (node, m_o, copy). `irreps` are those of the output that are made, `copies` their
    multiplicities; `terms_out` tells for every term of the output the number of its irrep there,
    None for 0, and which of that irrep's copies it holds.

    Args:
        field_filter: the irreps of one channel of the filter.
        field_in: type of the features.
        field_out: type of the result; terms of one irrep are made together.
        products: which products may be used; by default all.
        allow_zero: whether irreps of the output that no product makes are 0; else they are an
            error.

    Raises:
        FieldMismatchError: fields of different groups.
        ValueError: irreps of the output that no filter component can make from the input, or none
            that one can.
    """

    def __init__(
        self,
        field_filter: Field,
        field_in: Field,
        field_out: Field,
        products: Products | None = None,
        allow_zero: bool = False,
    ) -> None:
        super().__init__()
        products = products or partial(_products, field_filter)
        require_same_group("Contraction", field_filter, field_in, field_out)
        self.field_filter, self.field_in, self.field_out = field_filter, field_in, field_out
        wanted = dict.fromkeys(term.irrep for term in field_out if term.multiplicity)
        sources = [term.irrep for term in field_in if term.multiplicity]
        self.irreps: list[Irrep] = [
            out for out in wanted if any(any(True for _ in products(s, out)) for s in sources)
        ]
        if len(self.irreps) < len(wanted) and not (allow_zero and self.irreps):
            missing = next(irrep for irrep in wanted if irrep not in self.irreps)
            raise ValueError(
                f"No filter of {field_filter} makes {missing} from {field_in}. Give the filter "
                "more irreps (a higher degree or order), or drop that irrep from the output."
            )
        self.copies = [
            sum(t.multiplicity for t in field_out if t.irrep == irrep) for irrep in self.irreps
        ]
        self.terms_out = _copies_of_terms(field_out, self.irreps)
        self._paths: list[Path] = []
        for i, term in enumerate(field_in):
            for o, irrep in enumerate(self.irreps if term.multiplicity else []):
                for at, tensor in products(term.irrep, irrep):
                    scaled = torch.from_numpy(tensor * irrep.dim**0.5).permute(1, 2, 0)
                    self.register_constant(f"_tensor_{len(self._paths)}", scaled.contiguous())
                    self._paths.append(Path(i, at, o, term.multiplicity))
            self.register_constant(
                f"_coupled_{i}", self._stack(i, field_filter.dim, term.irrep.dim)
            )

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._paths)

    def __getitem__(self, k: int) -> Path:
        return self._paths[k]

    def tensor(self, k: int) -> Tensor:
        """The constant tensor (m_h, m_i, m_o) of path k, of Frobenius norm sqrt(m_o)."""
        found: Tensor = getattr(self, f"_tensor_{k}")
        return found

    def coupled(self, i: int) -> Tensor:
        """The tensors of all paths from term i of the input, as one matrix.

        It is (m of the filter, ((path, m_o), m_i)).
        """
        found: Tensor = getattr(self, f"_coupled_{i}")
        return found

    def sizes(self) -> list[Sizes]:
        """The sizes of every path."""
        found = []
        for k, path in enumerate(self._paths):
            m_h, m_i, m_o = self.tensor(k).shape
            found.append(Sizes(m_h, m_i, m_o, path.copies, self.copies[path.out]))
        return found

    def _stack(self, i: int, filter_dim: int, dim: int) -> Tensor:
        columns = [torch.zeros(filter_dim, 0, dtype=torch.float64)]
        for k, path in enumerate(self._paths):
            if path.term == i:
                tensor = self._exact[f"_tensor_{k}"]
                full = torch.zeros(filter_dim, tensor.shape[2], dim, dtype=torch.float64)
                full[path.at] = tensor.transpose(1, 2)
                columns.append(full.flatten(1))
        return torch.cat(columns, 1)

    def split(self, x: Tensor) -> list[Tensor]:
        """Features (node, field_in.dim) by term: (node, m_i, copy)."""
        return [
            x[:, place]
            .unflatten(-1, (term.multiplicity, term.irrep.dim))
            .transpose(1, 2)
            .contiguous()
            for term, place in zip(self.field_in, self.field_in.slices(), strict=True)
        ]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Results by output irrep, (node, m_o, copy) each, to (node, field_out.dim)."""
        terms = []
        for (o, copies), term in zip(self.terms_out, self.field_out, strict=True):
            made = None if o is None else parts[o][..., copies].transpose(1, 2).flatten(1)
            terms.append(parts[0].new_zeros(parts[0].shape[0], term.dim) if made is None else made)
        return torch.cat(terms, 1)

    def part(self, y: Tensor) -> list[Tensor]:
        """The inverse of `join`."""
        found: list[list[Tensor]] = [[] for _ in self.irreps]
        for (o, _), (multiplicity, irrep), place in zip(
            self.terms_out, self.field_out, self.field_out.slices(), strict=True
        ):
            if o is not None:
                found[o].append(y[:, place].unflatten(1, (multiplicity, irrep.dim)).transpose(1, 2))
        return [torch.cat(terms, 2) for terms in found]

    def places(self, sizes: Sequence[int]) -> list[slice]:
        """Where path after path lies among those that make the same output irrep.

        The paths have the given sizes.
        """
        start = [0] * len(self.irreps)
        found = []
        for path, size in zip(self._paths, sizes, strict=True):
            found.append(slice(start[path.out], start[path.out] + size))
            start[path.out] += size
        return found


def _copies_of_terms(field: Field, irreps: Sequence[Irrep]) -> list[tuple[int | None, slice]]:
    """The number of every term's irrep among `irreps`, if it is there.

    Also which of its copies the term holds.
    """
    end = dict.fromkeys(irreps, 0)
    found: list[tuple[int | None, slice]] = []
    for multiplicity, irrep in field:
        start = end.get(irrep, 0)
        end[irrep] = start + multiplicity
        found.append(
            (irreps.index(irrep) if irrep in irreps else None, slice(start, start + multiplicity))
        )
    return found


def _products(
    field_filter: Field, irrep_in: Irrep, irrep_out: Irrep
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Filter components and tensor (m_o, m_h, m_i) of every product.

    A product is one of one copy of a filter irrep.
    """
    for term, place in zip(field_filter, field_filter.slices(), strict=True):
        for copy in range(term.multiplicity):
            start = place.start + copy * term.irrep.dim
            for tensor in coupling(term.irrep, irrep_in, irrep_out):
                yield slice(start, start + term.irrep.dim), tensor
