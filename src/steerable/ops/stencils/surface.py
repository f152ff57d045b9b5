"""Derivatives along a surface, on points scattered over it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ...functions import exponents_up_to
from ..sums.neighbourhoods import Neighbourhoods
from .cloud import CloudStencil, assembled
from .polynomial_fit import LIMIT, Fit


def surface_stencil(
    offset: Tensor,
    hood: Neighbourhoods,
    order: int,
    normal: Tensor | None = None,
    method: str = "least_squares",
    degree: int | None = None,
    sigma: float = 0.5,
    ridge: float = 0.0,
) -> CloudStencil:
    """Weights of derivatives along a surface in space, by fits of functions on its tangent planes.

    The neighbours of a point are projected onto its tangent plane, and `cloud_stencil` in this
    plane gives derivatives. They are returned as those of a function in space that is constant
    along the normal: tensors without a choice of axes, that commute with rotations and reflections.
    At the point, where the plane touches, first derivatives are the gradient on the surface, second
    ones its Hessian, and their trace is the Laplace-Beltrami operator.

    Args:
        offset: relative positions (edge, 3), as for `cloud_stencil`.
        hood: the edges of every point.
        order: highest order of the derivatives.
        normal: normals of the surface (node, 3), of any length and sign. Without them they are
            found: first the direction in which neighbours scatter least, then the normal of a
            polynomial fitted to the heights along it.
        method: as for `cloud_stencil`, and so are the others.
        degree: of the polynomials on the plane.
        sigma: width of the Gaussian.
        ridge: strength of the ridge.

    Returns:
        Weights (edge, monomial) in three variables, and condition numbers: those of the fit, or of
        the normal where that is worse.

    Raises:
        ValueError: what `cloud_stencil` raises; points that are not in space; normals that do not
            fit or are 0.
    """
    _check(offset, hood, normal)
    fit = Fit(order, method, degree, sigma, ridge)

    def on_planes(x: Tensor, used: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
        if normal is None:
            axis, doubt = _estimated(x, used, replace(fit, order=max(order, 1)))
        else:
            axis, doubt = normalize(normal.to(x).index_select(0, nodes)), x.new_zeros(len(nodes))
        frame = _frame(axis)
        weight, condition = fit(x @ frame, used)
        return weight @ _in_space(frame, order), torch.maximum(condition, doubt)

    return assembled(offset, hood, order, on_planes)


def _check(offset: Tensor, hood: Neighbourhoods, normal: Tensor | None) -> None:
    if offset.shape[-1:] != (3,):
        raise ValueError(
            f"A surface has points in space, with offsets (edge, 3); got {tuple(offset.shape)}."
        )
    if normal is None:
        return
    if normal.shape != (hood.size, 3):
        raise ValueError(
            f"Every node has a normal, ({hood.size}, 3) numbers; got {tuple(normal.shape)}."
        )
    length = normal.detach().norm(dim=1)
    poor = (~(length > 0) | length.isinf()).nonzero().flatten()
    if len(poor):
        raise ValueError(
            f"Normals are finite and not 0; those of nodes {poor[:5].tolist()} are neither."
        )


def _estimated(x: Tensor, used: Tensor, fit: Fit) -> tuple[Tensor, Tensor]:
    """Normals (node, 3) of the surface through points (node, slot, 3).

    Returned with how doubtful each is (node,).

    They are those of polynomials fitted to the heights over the planes in which the points lie
    best.
    """
    axis, doubt = _thinnest(x, used)
    frame = _frame(axis)
    slopes = fit(x @ frame, used)[0][..., 1:3].mT @ (x @ axis.unsqueeze(2))
    return normalize(axis - (frame @ slopes).squeeze(2)), doubt


def _thinnest(x: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors (node, 3) along which points (node, slot, 3) scatter least.

    Returned with how doubtful each is (node,).

    Eigenvectors of covariances: LAPACK's have no second derivative, nor a first one where two
    others share a value. So these are improved by two steps of Newton's iteration with a fixed
    slope, each of which makes one order exact.
    """
    centred = (
        x - (x * used.unsqueeze(2)).sum(1, keepdim=True) / used.sum(1)[:, None, None]
    ) * used.unsqueeze(2)
    covariance = centred.mT @ centred
    values, vectors = torch.linalg.eigh(covariance.detach())
    gap = values[:, 1:] - values[:, :1]
    clear = gap > values[:, 2:] / LIMIT
    others, axis = vectors[..., 1:], vectors[..., :1]
    slope = others / torch.where(clear, gap, torch.inf).unsqueeze(1) @ others.mT
    for _ in range(2):
        image = covariance @ axis
        axis = normalize(axis - slope @ (image - axis * (axis.mT @ image)), dim=1)
    return axis.squeeze(2), torch.where(clear.all(1), values[:, 2] / gap[:, 0], torch.inf)


def _frame(normal: Tensor) -> Tensor:
    """Any two orthonormal vectors that are orthogonal to unit vectors (node, 3).

    They are the columns of (node, 3, 2).

    Source:
        Duff et al. (2017), Building an orthonormal basis, revisited.
    """
    x, y, z = normal.unbind(1)
    sign = torch.where(z >= 0, 1.0, -1.0).to(z)
    a = -1 / (sign + z)
    first = torch.stack([1 + sign * a * x * x, sign * a * x * y, -sign * x], 1)
    return torch.stack([first, torch.stack([a * x * y, sign + a * y * y, -y], 1)], 2)


def _in_space(frame: Tensor, order: int) -> Tensor:
    """Derivatives in space from those on planes: (node, planar, spatial).

    The functions are constant along normals.

    As d_i = sum over j of frame[i, j] d_j, the polynomial of a spatial derivative in planar ones is
    such a sum times the polynomial of the derivative with one d_i less.
    """
    planar = {tuple(a): k for k, a in enumerate(exponents_up_to(2, order).tolist())}
    times = frame.new_zeros(2, len(planar), len(planar))  # multiplication by d_1 and by d_2
    for (a, b), k in planar.items():
        if a + b < order:
            times[0, k, planar[a + 1, b]] = times[1, k, planar[a, b + 1]] = 1.0
    step = torch.einsum("nij,jkl->inkl", frame, times)
    one = frame.new_zeros(len(frame), 1, len(planar))
    one[..., 0] = 1.0
    spatial = {(0, 0, 0): one}
    for a in exponents_up_to(3, order)[1:].tolist():
        i = next(i for i in range(3) if a[i])
        lower = a[0] - (i == 0), a[1] - (i == 1), a[2] - (i == 2)
        spatial[tuple(a)] = spatial[lower] @ step[i]
    return torch.cat(list(spatial.values()), 1).mT
