"""Our transforms against those of torch-harmonics and s2fft, where these are installed."""

import math

import numpy as np
import pytest
import torch

from steerable.functions import RotationTransform, SphereGrid, SphereTransform, SpinTransform
from steerable.functions.wigner import real_basis


@pytest.fixture
def in_double():
    """Some of torch-harmonics' constants take the default dtype for good."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def draw(transform):
    return torch.randn(
        transform.layout.size, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )


def waves(block):
    """Real coefficients (..., 2l + 1) to those of exp(i m a), m >= 0, as an FFT has them."""
    top = block.shape[-1] // 2
    pairs = (block[..., top + 1 :] - 1j * block[..., :top].flip(-1)) / math.sqrt(2)
    return torch.cat([block[..., top : top + 1] + 0j, pairs], -1)


@pytest.mark.parametrize(
    ("degree", "rule", "theirs"),
    [(31, "gauss", "legendre-gauss"), (16, "clenshaw-curtis", "equiangular")],
)
def test_torch_harmonics(in_double, degree, rule, theirs):
    """Scalars, and vectors by their gradients and curls.

    The harmonics are orthonormal in the integral.
    """
    peer = pytest.importorskip("torch_harmonics", reason="torch-harmonics is not installed")
    grid = SphereGrid(rule, degree + 1 if rule == "gauss" else 2 * degree + 1, 2 * degree + 2)
    options = {
        "lmax": degree + 1,
        "mmax": degree + 1,
        "grid": theirs,
        "norm": "ortho",
        "csphase": False,
    }
    sphere, spin = SphereTransform(degree, grid), SpinTransform(degree, grid=grid)
    scalar, vector = draw(sphere), draw(spin)
    found = peer.RealSHT(grid.rings, grid.longitudes, **options)(sphere.synthesis(scalar))
    parts = peer.RealVectorSHT(grid.rings, grid.longitudes, **options)(spin.synthesis(vector))
    for l, (block, pair) in enumerate(
        zip(sphere.layout.split(scalar), spin.layout.split(vector), strict=True)
    ):
        wanted = math.sqrt(4 * math.pi) * waves(block[0])
        torch.testing.assert_close(found[l, : l + 1], wanted, atol=1e-11, rtol=0)
        if l:
            wanted = math.sqrt(8 * math.pi / (l * (l + 1))) * waves(pair.flip(0))
            torch.testing.assert_close(parts[:, l, : l + 1], wanted, atol=1e-11, rtol=0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("band", "spin"), [(8, 0), (24, 0), (8, 1), (24, 1), (24, 2)])
def test_s2fft(band, spin):
    """(-1)^s u + i v in the standard complex basis.

    It is made of the gradients and -i times the curls.
    """
    peer = pytest.importorskip("s2fft", reason="s2fft is not installed")
    grid = SphereGrid("gauss", band, 2 * band - 1)
    ours = (
        SpinTransform(band - 1, spin, grid) if spin else SphereTransform(band - 1, grid)
    ).double()
    c = draw(ours)
    samples = ours.synthesis(c).numpy()
    samples = (samples[0] + 1j * samples[1]) * (-1) ** spin if spin else samples + 0j
    found = peer.forward(samples, band, spin=spin, sampling="gl", method="numpy")
    for l, block in enumerate(ours.layout.split(c)):
        if len(block):
            real = math.sqrt(2) * (block[1] - 1j * block[0]) if spin else block[0] + 0j
            wanted = math.sqrt(4 * math.pi) * real @ real_basis(l)
            np.testing.assert_allclose(found[l, band - 1 - l : band + l], wanted, atol=1e-11)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("band", "orders"), [(4, 2), (12, 4)])
def test_s2fft_on_rotations(band, orders):
    peer = pytest.importorskip("s2fft", reason="s2fft is not installed")
    grid = SphereGrid("gauss", band, 2 * band - 1)
    ours = RotationTransform(band - 1, orders - 1, grid, turns=2 * orders - 1).double()
    c = draw(ours)
    samples = ours.synthesis(c).numpy().transpose(2, 0, 1) + 0j
    found = peer.transforms.wigner.forward(samples, band, orders, sampling="gl", method="numpy")
    for l, block in enumerate(ours.layout.split(c)):
        top, basis = min(l, orders - 1), real_basis(l)
        matrix = torch.zeros(2 * l + 1, 2 * l + 1, dtype=torch.complex128)
        matrix[l - top : l + top + 1] = block + 0j
        wanted = 8 * math.pi**2 / math.sqrt(2 * l + 1) * basis.mH @ matrix @ basis
        kept = found[orders - 1 - top : orders + top, l, band - 1 - l : band + l]
        np.testing.assert_allclose(kept, wanted[l - top : l + top + 1], atol=1e-10)
