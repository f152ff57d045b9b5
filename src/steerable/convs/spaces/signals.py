"""Fields on homogeneous spaces: their coefficients as a Field of irreps, and their samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ...constants import ConstantModule
from ...field import Field, FieldMismatchError, Term
from ...functions import RingTransform, RotationTransform, SphereGrid, SphereTransform
from ...groups import SO3, Group, HomSpace, PermutationFourier, SymmetricGroup, YoungSubgroup, axial
from ...groups.permutations import permutation_matrices

Array = NDArray[np.float64]

_MAX_ENTRIES = 2**27


def signal_field(space: HomSpace, channels: int) -> Field:
    """The coefficients of `channels` fields on a homogeneous space as a Field.

    Copies of an irrep lie together, channel after channel: 8 signals on the rotations are
    8x0+24x1+40x2+...
    """
    terms = tuple(
        Term(channels * matrices.shape[1], irrep) for irrep, matrices in space.isometries.items()
    )
    return Field(
        cast(Group, space.group), terms
    )  # a Field asks no more of its group than S_n can answer


class Transform(Protocol):
    """Coefficients (..., size) of a field to samples (..., point * component) and back."""

    def synthesis(self, coefficients: Tensor) -> Tensor: ...

    def analysis(self, samples: Tensor) -> Tensor: ...


class HomSignals(ConstantModule):
    """Features as samples of fields on G / H, and back.

        samples      f(g) = sum over rho, m of sqrt(dim rho) B_m^T rho(g)^T F_(rho,m)  at g in G
        components   F_(rho,m) = sqrt(dim rho) * mean of rho(g) B_m f(g)

    One is the inverse of the other for the degrees of the space. By default the points are those of
    `space.points`: one of every coset if G is finite, so that G permutes the samples of numbers and
    any pointwise function of them commutes with it; else a grid. The sphere, the rotations and S_n
    use fast transforms, others one matrix product.

    Args:
        space: the fields.
        channels: their number.
        oversampling: for infinite groups, the grid resolves degree `oversampling` (L + 1) - 1; at
            least 1.
        elements: points of your own as elements of G (point, d, d); components are then found by
            least squares.

    Raises:
        ValueError: oversampling below 1, too few points for the degrees of the space, or more than
            fit in memory.
    """

    def __init__(
        self,
        space: HomSpace,
        channels: int,
        oversampling: float = 1.0,
        elements: ArrayLike | Tensor | None = None,
    ) -> None:
        super().__init__()
        if oversampling < 1:
            raise ValueError(
                "oversampling is at least 1, where the grid resolves the field; got "
                f"{oversampling}."
            )
        self.space, self.channels = space, channels
        self.field_in = self.field_out = signal_field(space, channels)
        degree = (
            None
            if space.max_degree is None
            else math.ceil(oversampling * (space.max_degree + 1)) - 1
        )
        self.transform: Transform
        fast = _fast_transform(space, degree) if elements is None else None
        if fast is not None:
            self.transform, self.elements = fast
        elif elements is None:
            self.elements, weights = space.points(degree)
            self.transform = _Dense(_functions(space, self.elements), weights)
        else:
            self.elements = space.check(elements)
            self.transform = _Dense(_functions(space, self.elements), None)

    def samples(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to samples (..., channels, point, dim sigma)."""
        self.field_in.check(x, "HomSignals")
        parts = [
            x[..., place].unflatten(-1, (self.channels, -1)) for place in self.field_in.slices()
        ]
        flat = self.transform.synthesis(torch.cat(parts, -1))
        return flat.unflatten(-1, (len(self.elements), self.space.sigma.dim))

    def extra_repr(self) -> str:
        return f"{self.channels} x {self.space}"

    def components(self, samples: Tensor) -> Tensor:
        """Samples (..., channels, point, dim sigma) to features (..., field_out.dim)."""
        wanted = self.channels, len(self.elements), self.space.sigma.dim
        if samples.shape[-3:] != wanted:
            raise FieldMismatchError(
                f"HomSignals expects samples (..., {', '.join(map(str, wanted))}) of {self.space}, "
                f"by channel, point and component; got {tuple(samples.shape)}."
            )
        coefficients = self.transform.analysis(samples.flatten(-2))
        sizes = [(place.stop - place.start) // self.channels for place in self.field_in.slices()]
        return torch.cat([part.flatten(-2) for part in coefficients.split(sizes, -1)], -1)


class _Dense(ConstantModule):
    """One matrix product each way.

    Args:
        functions: the values of every component (size, point * component).
        weights: of the points, where the functions are orthonormal in the mean with them; else
            least squares.
    """

    _synthesis: Tensor
    _analysis: Tensor

    def __init__(self, functions: Array, weights: Array | None) -> None:
        super().__init__()
        if weights is None:
            values = np.linalg.eigvalsh(functions @ functions.T)
            if values[0] < 1e-10 * values[-1]:
                raise ValueError(
                    f"{functions.shape[1]} samples do not determine the {len(functions)} "
                    "coefficients of a field. Take more points, or a lower degree."
                )
            analysis = np.linalg.pinv(functions)
        else:
            analysis = (functions * np.repeat(weights, functions.shape[1] // len(weights))).T
        self.register_constant("_synthesis", torch.from_numpy(functions))
        self.register_constant("_analysis", torch.from_numpy(analysis))

    def synthesis(self, coefficients: Tensor) -> Tensor:
        return coefficients @ self._synthesis

    def analysis(self, samples: Tensor) -> Tensor:
        return samples @ self._analysis


class _Rings(nn.Module):
    """A transform on the sphere or the rotations, with its points on one axis."""

    def __init__(self, transform: RingTransform) -> None:
        super().__init__()
        self.rings = transform

    def synthesis(self, coefficients: Tensor) -> Tensor:
        return self.rings.synthesis(coefficients).flatten(coefficients.dim() - 1)

    def analysis(self, samples: Tensor) -> Tensor:
        return self.rings.analysis(samples.unflatten(-1, self.rings.shape))


class _Permutations(nn.Module):
    """Functions on S_n / H with coefficients of unit variance, copies before components."""

    def __init__(self, fourier: PermutationFourier, space: HomSpace) -> None:
        super().__init__()
        self.fourier = fourier
        count = len(fourier.representatives)
        self.blocks = [
            (r.shapes[0], m.shape[1], r.dim, count / r.dim**0.5)
            for r, m in space.isometries.items()
        ]

    def synthesis(self, coefficients: Tensor) -> Tensor:
        parts = coefficients.split([copies * dim for _, copies, dim, _ in self.blocks], -1)
        pairs = zip(self.blocks, parts, strict=True)
        return self.fourier.synthesis(
            {
                shape: scale * part.unflatten(-1, (copies, dim)).mT
                for (shape, copies, dim, scale), part in pairs
            }
        )

    def analysis(self, samples: Tensor) -> Tensor:
        spectra: Mapping[tuple[int, ...], Tensor] = self.fourier.analysis(samples)
        return torch.cat(
            [spectra[shape].mT.flatten(-2) / scale for shape, _, _, scale in self.blocks], -1
        )


def _functions(space: HomSpace, elements: Array) -> Array:
    """The functions of the space as one matrix (size, point * component)."""
    entries = space.size * len(elements) * space.sigma.dim
    if entries > _MAX_ENTRIES:
        raise ValueError(
            f"{len(elements)} samples of {space} take a matrix of {entries} entries; at most "
            f"{_MAX_ENTRIES}. Take fewer points or a lower degree; a GConv needs no samples."
        )
    return space.functions(elements).reshape(space.size, -1)


def _fast_transform(space: HomSpace, degree: int | None) -> tuple[Transform, Array] | None:
    """A fast transform in the layout of the space, if there is one.

    Returned with its points as elements of G.
    """
    group, subgroup = space.group, space.subgroup
    if isinstance(group, YoungSubgroup):
        return _permutation_transform(space)
    if not space.is_scalar or group != SO3() or space.max_degree is None or degree is None:
        return None
    grid = SphereGrid.resolving(degree)
    rings: RingTransform
    if subgroup.order == 1:
        rings = RotationTransform(space.max_degree, grid=grid, turns=grid.longitudes)
    elif subgroup == axial("Cinf", (0, 1, 0)):
        rings = SphereTransform(space.max_degree, grid)
    else:
        return None
    return _Rings(rings), space.points(degree)[0]


def _permutation_transform(space: HomSpace) -> tuple[Transform, Array] | None:
    group, subgroup = space.group, space.subgroup
    young = group == SymmetricGroup(group.dim) and isinstance(subgroup, YoungSubgroup)
    if not young or not space.is_scalar or space.size * subgroup.order != group.order:
        return None
    fourier = PermutationFourier(group.dim, subgroup.parts)
    return _Permutations(fourier, space), permutation_matrices(fourier.representatives)
