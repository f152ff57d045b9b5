"""The paths of a contraction.

Every way in which a filter turns an input irrep into an output irrep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..constants import ConstantModule
from ..field import Field, require_same_group
from ..groups import Irrep, coupling
from .path_layout import Copies, Path, PathLayout, Sizes, TermOut

_SMALLEST = 1e-14  # what is below it in a Clebsch-Gordan tensor is rounding

Products = Callable[[Irrep, Irrep], Iterable[tuple[slice, NDArray[np.float64]]]]
"""From irreps of input and output to the products of filter and input that may be used.

A product says where the components of the filter are, and has a tensor (m_o, m_h, m_i) of norm 1,
orthogonal to those of the same components.
"""


class Paths(ConstantModule):
    """All paths of Hom(filter (x) in, out) with their Clebsch-Gordan tensors.

    Defines the layout that contractions work in as well.

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

    _place: Tensor
    _value: Tensor

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
        self.irreps: list[Irrep] = [out for out in wanted if _reaches(products, sources, out)]
        if len(self.irreps) < len(wanted) and not (allow_zero and self.irreps):
            missing = next(irrep for irrep in wanted if irrep not in self.irreps)
            raise ValueError(
                f"No filter of {field_filter} makes {missing} from {field_in}. Give the filter "
                "more irreps (a higher degree or order), or drop that irrep from the output."
            )
        self.copies = [_multiplicity(field_out, irrep) for irrep in self.irreps]
        self.terms_out = _copies_of_terms(field_out, self.irreps)
        paths: list[Path] = []
        for i, term in enumerate(field_in):
            for o, irrep in enumerate(self.irreps if term.multiplicity else []):
                for at, tensor in products(term.irrep, irrep):
                    scaled = torch.from_numpy(tensor * irrep.dim**0.5).permute(1, 2, 0)
                    self.register_constant(f"_tensor_{len(paths)}", scaled.contiguous())
                    paths.append(Path(i, at, o, term.multiplicity))
        self.layout = self._layout(paths)
        for i in range(len(field_in)):
            self.register_constant(f"_coupled_{i}", self._coupled(i))
        place, value = self._nonzeros()
        self.register_constant("_place", place)
        self.register_constant("_value", value)

    def __len__(self) -> int:
        return len(self.layout.paths)

    def __iter__(self) -> Iterator[Path]:
        return iter(self.layout.paths)

    def __getitem__(self, k: int) -> Path:
        return self.layout.paths[k]

    def tensor(self, k: int) -> Tensor:
        """The constant tensor (m_h, m_i, m_o) of path k, of Frobenius norm sqrt(m_o)."""
        tensor: Tensor = getattr(self, f"_tensor_{k}")
        return tensor

    def coupled(self, i: int) -> Tensor:
        """The tensors of all paths from term i of the input, as one matrix.

        The shape is (m of the filter, ((path, m_o), m_i)).
        """
        matrix: Tensor = getattr(self, f"_coupled_{i}")
        return matrix

    def nonzeros(self) -> tuple[Tensor, Tensor]:
        """The numbers of all tensors that are not 0, with their places (number, 2).

        A place is a component of the filter, and an entry of the products (path, m_i, m_o) of all
        paths in one row.
        """
        place, value = self._place, self._value
        return place, value

    def sizes(self) -> tuple[Sizes, ...]:
        """The sizes of every path."""
        return self.layout.sizes

    def split(self, x: Tensor) -> list[Tensor]:
        """Features (node, field_in.dim) by term: (node, m_i, copy)."""
        return self.layout.split(x)

    def _layout(self, paths: list[Path]) -> PathLayout:
        inputs = [Copies(n, irrep.dim, irrep.harmonic.degree) for n, irrep in self.field_in]
        outputs = [
            Copies(copies, irrep.dim, irrep.harmonic.degree)
            for copies, irrep in zip(self.copies, self.irreps, strict=True)
        ]
        terms_out = [
            TermOut(number, copies.start, term.multiplicity, term.irrep.dim)
            for (number, copies), term in zip(self.terms_out, self.field_out, strict=True)
        ]
        return PathLayout(
            tuple(inputs), tuple(outputs), tuple(terms_out), tuple(paths), self.field_filter.dim
        )

    def _coupled(self, i: int) -> Tensor:
        columns = [torch.zeros(self.field_filter.dim, 0, dtype=torch.float64)]
        for k, (path, sizes) in enumerate(zip(self.layout.paths, self.layout.sizes, strict=True)):
            if path.term == i:
                full = torch.zeros(self.field_filter.dim, sizes.m_o, sizes.m_i, dtype=torch.float64)
                full[path.at] = self._exact[f"_tensor_{k}"].transpose(1, 2)
                columns.append(full.flatten(1))
        return torch.cat(columns, 1)

    def _nonzeros(self) -> tuple[Tensor, Tensor]:
        places, values, first = [], [], 0
        for k, (path, sizes) in enumerate(zip(self.layout.paths, self.layout.sizes, strict=True)):
            tensor = self._exact[f"_tensor_{k}"]
            h, i, o = torch.nonzero(tensor.abs() > _SMALLEST, as_tuple=True)
            values.append(tensor[h, i, o])
            places.append(torch.stack([path.at.start + h, first + i * sizes.m_o + o], 1))
            first += sizes.m_i * sizes.m_o
        return torch.cat(places), torch.cat(values)


def _reaches(products: Products, sources: Sequence[Irrep], out: Irrep) -> bool:
    """Whether a filter leads from one of the sources to an irrep."""
    return any(True for source in sources for _ in products(source, out))


def _multiplicity(field: Field, irrep: Irrep) -> int:
    """The number of copies of an irrep in all terms of a field."""
    return sum(term.multiplicity for term in field if term.irrep == irrep)


def _copies_of_terms(field: Field, irreps: Sequence[Irrep]) -> list[tuple[int | None, slice]]:
    """For every term the number of its irrep, and which copies of that irrep it holds.

    The number is None for an irrep that is not among `irreps`.
    """
    end = dict.fromkeys(irreps, 0)
    copies: list[tuple[int | None, slice]] = []
    for multiplicity, irrep in field:
        start = end.get(irrep, 0)
        end[irrep] = start + multiplicity
        copies.append(
            (irreps.index(irrep) if irrep in irreps else None, slice(start, start + multiplicity))
        )
    return copies


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
