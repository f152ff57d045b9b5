"""Filters of spherical convolutions.

What multiplies the degrees of signals, as a combination of few fixed functions.

A filter is a function psi on the rotations (or on the sphere). With psi^l = sqrt(2l+1) M^l it acts
by the matrices M^l_(n' n), a row for every column n' of the result and a column for every column n
of the argument. A spectral filter says which M there are: M = sum over k of w_k M_k with fixed M_k
and learned w_k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..functions import Layout, euler_rotation, wigner_matrix

_INDEPENDENT = 1e-8  # the smallest singular value of the spectra of taps, each of length 1


class SpectralFilter(Protocol):
    """Fixed functions M_k between two layouts."""

    def spectra(self, layout_in: Layout, layout_out: Layout) -> Tensor:
        """All M_k (k, entry), float64.

        Degree after degree of both layouts, row after row n', n last.
        """


@dataclass(frozen=True)
class DegreeKnots:
    """M_n'n is piecewise linear in the degree.

    The smoother in the degree, the more local a filter is.

    Knots are evenly spaced from the lowest degree that holds n' and n to the highest one; where
    there are fewer degrees than knots every degree is free.

    Args:
        count: the number of knots, at least 2.

    Raises:
        ValueError: fewer than 2 knots.

    Source: Esteves, Makadia, Daniilidis 2020, arXiv:2006.10731.
    """

    count: int = 4

    def __post_init__(self) -> None:
        if self.count < 2:
            raise ValueError(f"A piecewise linear function has at least 2 knots; got {self.count}.")

    def spectra(self, layout_in: Layout, layout_out: Layout) -> Tensor:
        places: dict[tuple[int, int], list[tuple[int, int]]] = {}
        entry = 0
        for l, rows, columns in _blocks(layout_in, layout_out):
            for pair in ((row, column) for row in rows for column in columns):
                places.setdefault(pair, []).append((l, entry))
                entry += 1
        profiles = []
        for place in places.values():
            degrees = torch.tensor([l for l, _ in place], dtype=torch.float64)
            knots = torch.linspace(
                place[0][0], place[-1][0], min(self.count, len(place)), dtype=torch.float64
            )
            step = (knots[-1] - knots[0]) / max(len(knots) - 1, 1)
            hats = torch.zeros(len(knots), entry, dtype=torch.float64)
            hats[:, [k for _, k in place]] = (
                1 - (degrees - knots[:, None]).abs() / step.clamp(min=1)
            ).clamp(min=0)
            profiles.append(hats)
        return torch.cat(profiles)


@dataclass(frozen=True, eq=False)
class Taps:
    """A filter that is a sum of points: y(R) = sum over k of w_k f(R Q_k).

    f is the smoothed signal.

    M_k = exp(-l (l + 1) s^2 / 2) D^l(Q_k) with the width s: a sharp cut of the degrees alone makes
    points ring, which the Gaussian taper stops.

    Args:
        rotations: Q_k (tap, 3, 3); `near_identity` makes good ones. For signals on the sphere only
            where they take the pole matters.
        width: s in radians.

    Source: Cohen et al. 2018, arXiv:1801.10130.
    """

    rotations: Tensor
    width: float = 0.0

    def __repr__(self) -> str:
        return f"Taps({len(self.rotations)} rotations, width={self.width:g})"

    def spectra(self, layout_in: Layout, layout_out: Layout) -> Tensor:
        """As a SpectralFilter.

        Raises:
            ValueError: taps that the layouts do not tell apart.
        """
        rotations = self.rotations.double()
        parts = []
        for l, rows, columns in _blocks(layout_in, layout_out):
            matrix = wigner_matrix(l, rotations)[:, [n + l for n in rows]][
                ..., [n + l for n in columns]
            ]
            parts.append(math.exp(-l * (l + 1) * self.width**2 / 2) * matrix.flatten(1))
        spectra = torch.cat(parts, 1)
        directions = spectra / spectra.norm(dim=1, keepdim=True)
        independent = int((torch.linalg.svdvals(directions) > _INDEPENDENT).sum())
        if independent < len(spectra):
            raise ValueError(
                f"{len(spectra)} taps make {independent} independent filters at degrees up to "
                f"{min(layout_in.max_degree, layout_out.max_degree)}. Take fewer taps, a wider "
                "grid of them, or higher degrees; for signals on the sphere taps with turns=1."
            )
        return spectra


def near_identity(radius: float, rings: int, azimuths: int, turns: int = 1) -> Tensor:
    """Distinct rotations near the identity: R_y(a) R_x(b) R_y(g - a).

    b = i radius / rings, i = 0 .. rings, so with the pole itself; a = 2 pi j / azimuths; g = 2 pi k
    / turns.

    Args:
        radius: the largest polar angle b, in radians; pi over the number of degrees fits them.
        rings: of points around the pole.
        azimuths: points of a ring.
        turns: at every point.

    Returns:
        (turns (1 + rings azimuths), 3, 3), float64; the taps of the pole first.

    Raises:
        ValueError: a radius that is not between 0 and pi, or no azimuth or turn.
    """
    if not 0 < radius < torch.pi or rings < 0 or azimuths < 1 or turns < 1:
        raise ValueError(
            "Taps have a radius between 0 and pi, rings and at least 1 azimuth and turn; got "
            f"{radius}, {rings}, {azimuths}, {turns}."
        )
    polar = torch.arange(1, rings + 1, dtype=torch.float64) * (radius / max(rings, 1))
    azimuth = torch.arange(azimuths, dtype=torch.float64) * (2 * torch.pi / azimuths)
    turn = torch.arange(turns, dtype=torch.float64) * (2 * torch.pi / turns)
    pole = euler_rotation(torch.zeros_like(turn), torch.zeros_like(turn), turn)
    polar, azimuth, turn = torch.meshgrid(polar, azimuth, turn, indexing="ij")
    b, a, g = polar.flatten(), azimuth.flatten(), turn.flatten()
    return torch.cat([pole, euler_rotation(a, b, g - a)])


def _blocks(layout_in: Layout, layout_out: Layout) -> list[tuple[int, list[int], list[int]]]:
    """Every degree of both layouts with its columns in the result and in the argument."""
    top = min(layout_in.max_degree, layout_out.max_degree)
    return [(l, layout_out.columns(l), layout_in.columns(l)) for l in range(top + 1)]
