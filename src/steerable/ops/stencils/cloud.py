"""Derivatives on scattered points, as weights of neighbouring points."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ..clouds import check_finite
from ..sums.neighbourhoods import Neighbourhoods, neighbourhoods
from .polynomial_fit import LIMIT, Fit

# the matrices of a point are so small that blocks of a layer's size would be mostly overhead
_BLOCK_EDGES = 16384


class StencilWarning(UserWarning):
    """Neighbours do not determine the derivatives that are asked of them."""


class CloudStencil(NamedTuple):
    """Weights of derivatives on points.

    (d^a f)(x_i) = sum over edges e from j to i of weight[e, a] f(x_j).
    """

    weight: Tensor
    """(edge, monomial), a in the order of `exponents_up_to(d, order)`.

    In 1 / length^|a| and the offsets' precision.
    """
    condition: Tensor
    """(node,) the condition number of the fit, in float64.

    Infinite where neighbours do not determine it.
    """


def cloud_stencil(
    offset: Tensor,
    hood: Neighbourhoods,
    order: int,
    method: str = "least_squares",
    degree: int | None = None,
    sigma: float = 0.5,
    ridge: float = 0.0,
) -> CloudStencil:
    """Weights w of derivatives on points.

    (d^a f)(x_i) = sum over edges e from j to i of w[e, a] f(x_j).

    * `least_squares`: derivatives of the polynomial p of total degree `degree` with the least
      weighted mean of squares

          sum over j of g_j (p(y_j) - f(x_j))^2 / sum over j of g_j + ridge |p - p's constant|^2,

      g_j = exp(-|y_j|^2 / 2 sigma^2), y_j = x_ij / h, with the root mean square h of all |x_ij|,
      and Fischer's norm |x^a|^2 = a! / |a|!, which no rotation changes.
    * `rbf`: derivatives of the polyharmonic spline through all points that is exact on polynomials
      of `degree`.

    Both are exact on polynomials of `degree` (without ridge), with errors of order h^(degree + 1 -
    |a|) on others, and commute with rotations, reflections, shifts and scalings. A point is a
    neighbour of itself if it has an edge to itself, as in `knn(pos, pos, k)`; not needed, but
    better. Twice as many neighbours as monomials do well.

    Where neighbours do not determine the polynomial (too few, all on a line or a plane, or nearly
    so: the condition number is above 10^4) `StencilWarning` says so, and the smallest such
    polynomial in Fischer's norm is taken: derivatives along the line or plane are right, those
    across are 0, those of constants are 0 always. Of one neighbour and of none all derivatives are
    0.

    Args:
        offset: relative positions x_ij = x_j - x_i (edge, d); weights have first and second
            derivatives in them.
        hood: the edges of every point, `neighbourhoods(edge_index, nodes)`.
        order: highest order of the derivatives.
        method: one of the two.
        degree: of the polynomials, 1 or more and no less than `order`, which is the default.
        sigma: width of the Gaussian of `least_squares`, 0.1 or more.
        ridge: of `least_squares`; above 0, weights stay small where neighbours hardly determine
            them.

    Returns:
        Weights and condition numbers.

    Raises:
        ValueError: offsets that are not finite or do not fit the edges, a choice that does not
            exist.
    """
    fit = Fit(order, method, degree, sigma, ridge)
    return assembled(offset, hood, order, lambda x, used, nodes: fit(x, used))


def assembled(
    offset: Tensor,
    hood: Neighbourhoods,
    order: int,
    fit: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
) -> CloudStencil:
    """The weights (node, slot, monomial) and conditions (node,) that `fit` gives for every block.

    Its arguments are points (node, slot, d) in float64, 1 in used slots and else 0 (node, slot),
    and nodes (node,).
    """
    _check(offset, hood)
    hood = neighbourhoods(hood.edge_index, hood.size, _BLOCK_EDGES)
    dim, double = offset.shape[1], offset.double()
    none = double[:0] @ double.new_zeros(
        dim, math.comb(order + dim, dim)
    )  # so that without edges there are gradients
    weights, conditions = [none], [double.new_zeros(0)]
    gathered = double.index_select(0, hood.edges).split(
        [block.edges.numel() for block in hood.blocks]
    )
    for x, block in zip(gathered, hood.blocks, strict=True):
        used = x.new_ones(block.slots) if block.mask is None else block.mask.to(x)
        weight, condition = fit(x.unflatten(0, block.slots), used, block.nodes)
        weights.append(weight.flatten(0, 1))
        conditions.append(condition)
    # unused slots name some edge, to which they add 0
    weight = double.new_zeros(len(offset), weights[0].shape[1]).index_add(
        0, hood.edges, torch.cat(weights)
    )
    condition = double.new_full((hood.size,), math.inf).index_copy(
        0, hood.nodes, torch.cat(conditions)
    )
    _warn(condition, order)
    return CloudStencil(weight.to(offset.dtype), condition)


def _check(offset: Tensor, hood: Neighbourhoods) -> None:
    edges = hood.edge_index.shape[1]
    if offset.dim() != 2 or len(offset) != edges or not offset.is_floating_point():
        raise ValueError(
            f"Offsets are floating-point numbers (edge, d), one row for each of the {edges} edges; "
            f"got {offset.dtype} {tuple(offset.shape)}."
        )
    check_finite(offset.detach().double().square(), "edge")


def _warn(condition: Tensor, order: int) -> None:
    poor = (condition > LIMIT).nonzero().flatten()
    if len(poor):
        some = ", ".join(map(str, poor[:5].tolist())) + (", ..." if len(poor) > 5 else "")
        warnings.warn(
            f"The neighbours of {len(poor)} of {len(condition)} nodes ({some}) do not determine "
            f"all derivatives up to order {order}: what they leave open is 0. Take more "
            "neighbours or a lower degree; for points of a surface, `surface_stencil`.",
            StencilWarning,
            stacklevel=4,
        )
