"""Convolutions from one homogeneous space of a group to another."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ...constants import ConstantModule
from ...field import FieldMismatchError
from ...groups import (
    HomSpace,
    digest,
    double_coset_representatives,
    kernel_functions,
    orthonormal_rows,
)
from ...layers import Linear, Meaningful
from .signals import signal_field

Array = NDArray[np.float64]

_INDEPENDENT = 1e-8  # the smallest singular value of the spectra of taps, each of length 1
_MAX_ENTRIES = 2**27


class GConv(Meaningful):
    """y(g) = mean over u in G of kappa(u) f(g u) + bias.

    Every linear map of fields on G / H to fields on G / K.

    To commute with G a kernel obeys kappa(k u h) = sigma_out(k) kappa(u) sigma_in(h), so its value
    at one element of a double coset K u H decides the others. In coefficients it is a matrix for
    every irrep rho that both spaces hold, with a row and a column for every copy of rho, times maps
    that commute with rho: a Linear between the fields of coefficients. A pair of channels has sum
    over rho of type(rho) m_in m_out weights; for fields of numbers and finite G that is the number
    of double cosets.

    Args:
        space_in: fields on G / H.
        space_out: fields on G / K.
        channels_in: how many of them.
        channels_out: how many of them.
        bias: whether constant functions get a bias, 0 at the start.

    Raises:
        FieldMismatchError: spaces of two groups.

    Source: Kondor, Trivedi 2018, arXiv:1802.03690, theorem 1; Cohen, Geiger, Weiler 2019,
    arXiv:1811.02017.
    """

    def __init__(
        self,
        space_in: HomSpace,
        space_out: HomSpace,
        channels_in: int,
        channels_out: int,
        bias: bool = True,
    ) -> None:
        super().__init__()
        _check_spaces("GConv", space_in, space_out)
        self.space_in, self.space_out = space_in, space_out
        self.channels = channels_in, channels_out
        self.linear = Linear(
            signal_field(space_in, channels_in), signal_field(space_out, channels_out), bias
        )
        self.field_in, self.field_out = self.linear.field_in, self.linear.field_out

    def forward(self, x: Tensor) -> Tensor:
        """Coefficients (..., field_in.dim) to (..., field_out.dim).

        They are laid out by `signal_field`.
        """
        self.field_in.check(x, "GConv")
        y: Tensor = self.linear(x)
        return y

    def kernel(self, elements: ArrayLike | Tensor) -> Tensor:
        """The values of kappa at elements of G (element, d, d).

        Returns:
            (element, channels_out, dim sigma_out, channels_in, dim sigma_in).
        """
        at = self.space_in.check(elements)
        c_in, c_out = self.channels
        weight, start = self.linear.weight, 0
        total = weight.new_zeros(
            len(at), c_out, self.space_out.sigma.dim, c_in, self.space_in.sigma.dim
        )
        for irrep, values in kernel_functions(self.space_in, self.space_out, at):
            basis = torch.from_numpy(irrep.dim * values).to(weight)
            t, n, m = basis.shape[1:4]
            size = t * n * m * c_in * c_out
            part = weight[start : start + size].view(t, c_out, n, c_in, m)
            total = total + torch.einsum("gtnmki,tonpm->gokpi", basis, part)
            start += size
        return total

    def meaning(self) -> str:
        return f"{self.space_in.label} -> {self.space_out.label}"

    def details(self) -> str:
        return _types(self.space_in, self.space_out)


class LocalGConv(Meaningful, ConstantModule):
    """y(g) = sum over p of w_p mean over k in K of sigma_out(k) X_p f(g k v_p) + bias.

    The taps p are weights at points of G.

    Where fields are numbers X is 1: every tap is the mean of f over the orbit of a neighbour g v_p
    under the stabiliser of the point. In general there is a tap for every matrix X that the
    stabiliser of the double coset K v H leaves. For a finite group, with one v of every double
    coset, that is every GConv; for an infinite one it is a localised kernel, which has as many
    weights as taps, whatever the degree. At the start y has unit variance if f has.

    Args:
        space_in: fields on G / H.
        space_out: fields on G / K.
        channels_in: how many of them.
        channels_out: how many of them.
        elements: v (element, d, d); by default one of every double coset, for finite groups.
        bias: whether constant functions get a bias, 0 at the start.

    Raises:
        FieldMismatchError: spaces of two groups.
        GroupError: an infinite group and no elements, or matrices that are no elements.
        ValueError: taps that the degrees of the spaces do not tell apart.

    Source: Kondor, Trivedi 2018, arXiv:1802.03690; Cohen et al. 2018, arXiv:1801.10130, for taps
    near the identity.
    """

    _spectrum: Tensor

    def __init__(
        self,
        space_in: HomSpace,
        space_out: HomSpace,
        channels_in: int,
        channels_out: int,
        elements: ArrayLike | Tensor | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        _check_spaces("LocalGConv", space_in, space_out)
        self.space_in, self.space_out = space_in, space_out
        self.channels = channels_in, channels_out
        self.field_in, self.field_out = (
            signal_field(space_in, channels_in),
            signal_field(space_out, channels_out),
        )
        if elements is None:
            elements = double_coset_representatives(
                space_in.group, space_out.subgroup, space_in.subgroup
            )
        self.elements = space_in.check(elements)
        self._blocks, values = _blocks(space_in, space_out, channels_in, self.elements)
        self.taps, spectrum = _taps(values)
        self.register_constant("_spectrum", torch.from_numpy(spectrum))
        dims = np.concatenate(
            [np.full(math.prod(block.sizes), block.commuting.shape[1]) for block in self._blocks]
        )
        self._deviation = 1 / math.sqrt(
            max(channels_in, 1) * (spectrum**2 @ dims).sum() / space_out.size
        )
        self.weight = nn.Parameter(torch.empty(len(self.taps), channels_out, channels_in))
        self._trivial = [k for k, term in enumerate(self.field_out) if term.irrep.is_trivial]
        biases = sum(self.field_out.terms[k].multiplicity for k in self._trivial)
        self.bias = nn.Parameter(torch.zeros(biases)) if bias and biases else None
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights and set the bias to 0."""
        with torch.no_grad():
            self.weight.normal_(generator=generator).mul_(self._deviation)
            if self.bias is not None:
                self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Coefficients (..., field_in.dim) to (..., field_out.dim).

        They are laid out by `signal_field`.
        """
        self.field_in.check(x, "LocalGConv")
        c_in, c_out = self.channels
        y = [
            x.new_zeros(*x.shape[:-1], term.multiplicity, term.irrep.dim) for term in self.field_out
        ]
        spectrum = self._spectrum.T @ self.weight.flatten(1)
        parts = spectrum.split([math.prod(block.sizes) for block in self._blocks])
        for block, part in zip(self._blocks, parts, strict=True):
            weight = part.view(*block.sizes, c_out, c_in)
            copies = x[..., block.place].unflatten(
                -1, (c_in, block.sizes[2], block.commuting.shape[1])
            )
            turned = copies.unsqueeze(-4)
            if block.sizes[0] > 1:  # the one map that commutes with a real irrep is 1
                turned = torch.einsum("tab,...cmb->...tcma", block.commuting.to(x), copies)
            y[block.term] = torch.einsum("...tcma,tnmoc->...ona", turned, weight).flatten(-3, -2)
        if self.bias is not None:
            y[self._trivial[0]] = y[self._trivial[0]] + self.bias.unsqueeze(-1)
        return torch.cat([part.flatten(-2) for part in y], -1)

    def meaning(self) -> str:
        return f"{self.space_in.label} -> {self.space_out.label}, {len(self.taps)} taps"

    def details(self) -> str:
        return f"elements {digest(self.elements)} {_types(self.space_in, self.space_out)}".rstrip()


class _Block(NamedTuple):
    """An irrep that both spaces hold.

    Holds its place in the input, its term of the output, the weights by (t, n, m), and E_t.
    """

    place: slice
    term: int
    sizes: tuple[int, int, int]
    commuting: Tensor


class Tap(NamedTuple):
    """A weight of LocalGConv.

    Holds the number of its element v, and its matrix X (dim sigma_out, dim sigma_in).
    """

    element: int
    matrix: Array


def _types(*spaces: HomSpace) -> str:
    """What tells types sigma of one dimension apart: their characters, which no basis changes."""
    characters = [
        np.trace(space.sigma.matrices(space.subgroup.generators), axis1=1, axis2=2)
        for space in spaces
        if not space.is_scalar
    ]
    return f"types {digest(np.concatenate(characters))}" if characters else ""


def _check_spaces(owner: str, space_in: HomSpace, space_out: HomSpace) -> None:
    if space_in.group != space_out.group:
        raise FieldMismatchError(
            f"{owner} joins homogeneous spaces of one group; got {space_in} and {space_out}. Write "
            "both with one G."
        )


def _blocks(
    space_in: HomSpace, space_out: HomSpace, channels: int, elements: Array
) -> tuple[list[_Block], Array]:
    """The shared irreps, and the basis of kernels at elements.

    The basis is (element, (irrep, t, n, m), dim out, dim in).
    """
    inside, outside = list(space_in.isometries), list(space_out.isometries)
    shared = [r for r in outside if r in space_in.isometries]
    weights = sum(
        r.type * space_in.isometries[r].shape[1] * space_out.isometries[r].shape[1] for r in shared
    )
    entries = len(elements) * weights * space_in.sigma.dim * space_out.sigma.dim
    if entries > _MAX_ENTRIES:
        raise ValueError(
            f"LocalGConv with {len(elements)} elements on {space_in} takes {entries} constants; at "
            f"most {_MAX_ENTRIES}. Take fewer elements, lower degrees, or GConv, which has none."
        )
    places = signal_field(space_in, channels).slices()
    blocks, values = [], [np.zeros((len(elements), 0, space_out.sigma.dim, space_in.sigma.dim))]
    for irrep, value in kernel_functions(space_in, space_out, elements):
        t, n, m = value.shape[1:4]
        commuting = torch.from_numpy(irrep.endomorphisms() * irrep.dim**0.5)
        blocks.append(
            _Block(places[inside.index(irrep)], outside.index(irrep), (t, n, m), commuting)
        )
        values.append(value.reshape(len(elements), -1, *value.shape[4:]))
    return blocks, np.concatenate(values, 1)


def _taps(values: Array) -> tuple[list[Tap], Array]:
    """A basis of the matrices X at every element v that make a map, and the spectra of these.

    The spectra are (tap, (irrep, t, n, m)).

    The map that X makes has the coefficients <X, B_out^T E rho(v) B_in>.
    """
    taps, spectra = [], [np.zeros((0, values.shape[1]))]
    size = np.sqrt((values**2).sum((1, 2, 3)).max(initial=0))
    for k, value in enumerate(values):
        columns = value.reshape(len(value), value.shape[1] * value.shape[2]) / (size or 1)
        matrices = orthonormal_rows(columns.T @ columns)
        taps += [Tap(k, matrix.reshape(value.shape[1:])) for matrix in matrices]
        spectra.append(size * matrices @ columns.T)
    spectrum = np.concatenate(spectra)
    lengths = np.linalg.norm(spectrum, axis=1, keepdims=True)
    independent = (
        int(np.linalg.matrix_rank(spectrum / lengths, tol=_INDEPENDENT)) if len(taps) else 0
    )
    if independent < len(taps) or not taps:
        raise ValueError(
            f"The {len(taps)} taps of these {len(values)} elements make {independent} independent "
            "kernels at the degrees of the spaces. Take one element of a double coset, fewer of "
            "them, or higher degrees."
        )
    return taps, spectrum
