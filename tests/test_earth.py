"""The example of fields on the Earth.

The magnetic field, a made-up folder, and data where they are at hand.
"""

import os
import re
import runpy
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import sph_legendre_p_all

from steerable.functions import spherical_harmonics

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("STEERABLE_TEST_DATA", "absent")) / "sphere"


@pytest.fixture
def earth(monkeypatch, capsys, tmp_path):
    """Run the example and return its printed errors, by what is before them, and its names."""

    def run(*arguments):
        figure = tmp_path / "earth.png"
        monkeypatch.setattr(
            sys, "argv", ["earth.py", *map(str, arguments), "--figure", str(figure)]
        )
        names = runpy.run_path(str(ROOT / "examples" / "earth.py"))
        assert figure.stat().st_size > 100_000 and not figure.with_name(".earth.png").exists()
        printed = capsys.readouterr().out
        assert "nan" not in printed
        errors = re.findall(r"(.*?):? (?:error )?(\d\.\de[-+]\d\d)\n", printed)
        return {name: float(error) for name, error in errors if "by degree" not in name}, names

    return run


def test_the_magnetic_field(earth):
    igrf = pytest.importorskip("ppigrf", reason="the extra earth is not installed")
    errors, names = earth()
    assert len(errors) == 4 and max(errors.values()) < 1e-13
    place = torch.tensor(
        [0.36, 0.48, 0.8], dtype=torch.float64
    )  # x to 90 degrees east, y to the north, z to 0
    polar, azimuth = np.degrees(np.arccos(0.48)), np.degrees(np.arctan2(0.36, 0.8))
    up = igrf.igrf_gc(6371.2, polar, azimuth, datetime(2025, 1, 1))[0].item() / 1000
    assert float(spherical_harmonics(place, 13) @ names["signal"]) == pytest.approx(up, rel=1e-12)


def written(path, top):
    """A topography of one harmonic, and the wind of a turning sphere.

    The topography is 2 km of sin(2 longitude) (sin colatitude)^2.
    """
    h5py = pytest.importorskip("h5py", reason="the extra earth is not installed")
    rows = [(l, m, 0.0, 0.0) for l in range(top + 1) for m in range(l + 1)]
    rows[4] = (2, 1, 0.0, 0.0)
    rows[5] = (2, 2, 0.0, 2000 * 2 / 15**0.5)
    np.savetxt(path / "srtmp300.msl", rows)
    latitude = np.radians(np.linspace(90, -90, 73))
    east = np.broadcast_to(30 * np.cos(latitude)[:, None], (12, 73, 144))
    for name, samples in (("u", east), ("v", np.zeros_like(east))):
        with h5py.File(path / f"{name}wnd_mean.nc", "w") as file:
            file[f"{name}wnd"] = samples.astype(np.float32)
    return path


def test_a_folder(earth, tmp_path):
    errors, names = earth(written(tmp_path, 4))
    assert len(errors) == 4 and max(errors.values()) < 1e-6
    polar, azimuth = torch.meshgrid(names["grid"].polar, names["grid"].azimuths, indexing="ij")
    height = 2 * torch.sin(2 * azimuth) * torch.sin(polar) ** 2
    torch.testing.assert_close(
        names["sphere"].synthesis(names["signal"]), height, atol=1e-12, rtol=0
    )
    south, east = names["spin"].synthesis(names["vectors"])
    torch.testing.assert_close(east, 30 * torch.sin(polar), atol=1e-5, rtol=0)
    assert south.abs().max() < 1e-5


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="STEERABLE_TEST_DATA names no folder with sphere")
def test_topography_of_degree_300(earth):
    """The round trip, and the height of three places by scipy's Legendre functions."""
    pytest.importorskip("h5py", reason="the extra earth is not installed")
    errors, names = earth(DATA)
    assert errors["topography of degree 300: round trip"] < 1e-12
    rows = np.loadtxt(DATA / "srtmp300.msl")
    degree, order = rows[:, :2].astype(int).T
    for polar, azimuth in ((1.1, 0.4), (0.3, -2.0), (2.5, 5.0)):
        functions = sph_legendre_p_all(300, 300, polar)[0][degree, order]
        functions *= np.sqrt(4 * np.pi * np.where(order > 0, 2, 1)) * (-1.0) ** order
        height = (
            functions
            @ (rows[:, 2] * np.cos(order * azimuth) + rows[:, 3] * np.sin(order * azimuth))
            / 1000
        )
        x = [np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth)]
        found = spherical_harmonics(torch.tensor(x), 300) @ names["signal"]
        assert float(found) == pytest.approx(height, rel=1e-10)
