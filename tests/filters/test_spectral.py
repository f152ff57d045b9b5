"""Spectral filters: how many functions they have, and what these are."""

import math

import pytest
import torch

from steerable.filters.spectral import DegreeKnots, Taps, near_identity
from steerable.functions.layout import Layout
from steerable.functions.wigner import euler_rotation, wigner_matrix

LAYOUTS = [
    (Layout.sphere(7), Layout.rotations(7)),
    (Layout.rotations(7), Layout.rotations(6)),
    (Layout.rotations(7, 1), Layout.rotations(5, 2)),
    (Layout.rotations(6), Layout.sphere(6)),
    (Layout.sphere(6), Layout.sphere(6)),
    (Layout.spin(5, 2), Layout.rotations(5, 1)),
]


def entries(layout_in, layout_out):
    top = min(layout_in.max_degree, layout_out.max_degree)
    return [
        (l, n, k)
        for l in range(top + 1)
        for n in layout_out.columns(l)
        for k in layout_in.columns(l)
    ]


@pytest.mark.parametrize(("layout_in", "layout_out"), LAYOUTS)
def test_knots_are_linear_between(layout_in, layout_out):
    spectra = DegreeKnots(3).spectra(layout_in, layout_out)
    places = entries(layout_in, layout_out)
    assert spectra.shape[1] == len(places)
    assert torch.linalg.matrix_rank(spectra) == len(spectra)
    torch.testing.assert_close(spectra.sum(0), torch.ones(len(places), dtype=torch.float64))
    ramp = torch.tensor([3.0 * l - 1 for l, _, _ in places], dtype=torch.float64)
    weights = torch.linalg.lstsq(spectra.T, ramp).solution
    torch.testing.assert_close(
        weights @ spectra, ramp
    )  # what is linear in the degree is among them
    for function in spectra:
        assert len({places[k][1:] for k in torch.nonzero(function).flatten().tolist()}) == 1


def test_enough_knots_are_all_functions():
    spectra = DegreeKnots(9).spectra(Layout.rotations(3), Layout.rotations(4))
    assert torch.equal(spectra.sum(0), torch.ones(84, dtype=torch.float64)) and spectra.shape == (
        84,
        84,
    )
    with pytest.raises(ValueError, match="at least 2 knots; got 1"):
        DegreeKnots(1)


@pytest.mark.parametrize(
    ("rings", "azimuths", "turns"), [(3, 8, 6), (2, 6, 5), (1, 3, 1), (3, 8, 1), (0, 1, 7)]
)
def test_taps_near_the_identity_are_distinct_and_independent(rings, azimuths, turns):
    count = turns * (1 + rings * azimuths)
    found = near_identity(math.pi / 4, rings, azimuths, turns)
    assert found.shape == (count, 3, 3)
    apart = (found[:, None] - found).abs().amax((2, 3)) + 9 * torch.eye(count, dtype=torch.float64)
    assert apart.min() > 0.05
    torch.testing.assert_close(
        found.mT @ found, torch.eye(3, dtype=torch.float64).expand(count, 3, 3)
    )
    degree = 15
    layouts = (
        (Layout.sphere(degree), Layout.rotations(degree))
        if turns == 1
        else (Layout.rotations(7),) * 2
    )
    spectra = Taps(found).spectra(*layouts)
    assert spectra.shape[0] == torch.linalg.matrix_rank(spectra, rtol=1e-10) == count


def test_taps_are_wigner_matrices_with_a_taper():
    layout_in, layout_out = Layout.rotations(4, 2), Layout.rotations(3, 1)
    rotations = near_identity(0.5, 1, 3, 2)
    spectra = Taps(rotations, 0.4).spectra(layout_in, layout_out)
    for k, (l, n, column) in enumerate(entries(layout_in, layout_out)):
        expected = math.exp(-0.08 * l * (l + 1)) * wigner_matrix(l, rotations)[:, l + n, l + column]
        torch.testing.assert_close(spectra[:, k], expected, atol=1e-15, rtol=0)


def test_taps_that_coincide_are_named():
    zero, quarter = torch.zeros(2).double(), torch.tensor([0.0, 0.5]).double()
    same = euler_rotation(zero, zero + 0.2, quarter)  # they take the pole to one place
    assert len(Taps(same).spectra(Layout.rotations(2), Layout.rotations(2))) == 2
    with pytest.raises(
        ValueError, match="2 taps make 1 independent filters at degrees up to 2. Take fewer"
    ):
        Taps(same).spectra(Layout.sphere(2), Layout.rotations(2))
    with pytest.raises(ValueError, match="make 3 independent"):
        Taps(near_identity(1.0, 2, 4)).spectra(Layout.sphere(5), Layout.sphere(5))


@pytest.mark.parametrize(
    "arguments", [(0.0, 1, 2), (4.0, 1, 2), (0.5, 1, 0), (0.5, -1, 2), (0.5, 1, 2, 0)]
)
def test_grids_that_cannot_be_made(arguments):
    with pytest.raises(ValueError, match="a radius between 0 and pi"):
        near_identity(*arguments)
