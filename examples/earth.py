"""Fields on the Earth in harmonics: transformed, rotated, smoothed, differentiated and drawn.

python examples/earth.py [--figure earth.png]    the magnetic field of 2025, from the package ppigrf
python examples/earth.py FOLDER                  topography, and the wind in January at 200 hPa,
                                                 with the package h5py

FOLDER contains srtmp300.msl with rows l, m, C, S: the topography in metres in real harmonics of
mean square 1 (4 pi normalised, without the Condon-Shortley phase); and uwnd_mean.nc, vwnd_mean.nc:
monthly means of the wind to the east and to the north in m/s from 90 to -90 degrees of latitude.
Errors are relative to the field.
"""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import normalize

from steerable.functions import (
    Rotate,
    SphereGrid,
    SphereTransform,
    SpinTransform,
    curl,
    divergence,
    power_spectrum,
    spherical_harmonics,
)
from steerable.groups import SO3

RADIUS = 6371.2  # of the Earth, km
WIDTH = np.radians(4)  # of the Gaussian that smooths
SEA = [
    (0, "#08204a"),
    (0.25, "#2a6ea8"),
    (0.5, "#b9def0"),
]  # half of the colours each, up to the height 0
LAND = [(0.5, "#3f7a45"), (0.65, "#cdbf83"), (0.85, "#8a5a3c"), (1, "#ffffff")]

options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument(
    "folder", nargs="?", type=Path, help="of topography and wind; without it the magnetic field"
)
options.add_argument(
    "--figure", type=Path, default=Path("earth.png"), help="file to draw the maps in"
)
asked = options.parse_args()


class Fields(NamedTuple):
    """Coefficients of a signal and of vectors along the ground, and a derivative of vectors."""

    signal: Tensor
    vectors: Tensor
    derivative: Callable[[Tensor], Tensor]
    names: tuple[str, str, str]
    units: tuple[str, str, str]
    style: dict[str, object]


def relative(found, true):
    return float((found - true).norm() / true.norm())


def degrees(top):
    return torch.arange(top + 1).repeat_interleave(2 * torch.arange(top + 1) + 1)


def magnetic_field():
    from ppigrf import igrf_gc

    grid = SphereGrid.resolving(13)
    places = np.meshgrid(
        *(np.degrees(x.numpy()) for x in (grid.polar, grid.azimuths)), indexing="ij"
    )
    up, south, east = map(torch.from_numpy, igrf_gc(RADIUS, *places, datetime(2025, 1, 1)))
    up = SphereTransform(13, grid).double().analysis(up[0] / 1000)
    along = SpinTransform(13, grid=grid).double().analysis(torch.cat([south, east]) / 1000)
    error = relative(divergence(along), degrees(13) * up)
    print(
        "the divergence along the ground is l times the field upwards, as of a potential: error "
        f"{error:.1e}"
    )
    names = "magnetic field upwards", "field along the ground", "divergence"
    style = {"cmap": "RdBu_r", "norm": TwoSlopeNorm(0, -65, 65)}
    return Fields(
        up, along, lambda c: divergence(c) / RADIUS * 1000, names, ("µT", "µT", "nT/km"), style
    )


def topography_and_wind(folder):
    import h5py

    rows = np.loadtxt(folder / "srtmp300.msl")
    degree, order = rows[:, :2].astype(int).T
    height = np.zeros((degree.max() + 1) ** 2)
    height[degree * (degree + 1) - order] = (
        rows[:, 3] / 1000
    )  # sines; what order 0 has is overwritten
    height[degree * (degree + 1) + order] = rows[:, 2] / 1000
    east, north = (
        h5py.File(folder / f"{name}wnd_mean.nc")[f"{name}wnd"][0].astype(float) for name in "uv"
    )
    grid = SphereGrid("clenshaw-curtis", *east.shape)
    transform = SpinTransform(grid.max_degree, grid=grid).double()
    samples = torch.from_numpy(np.stack([-north, east]))
    wind = transform.analysis(samples)
    print(
        f"what degree {grid.max_degree} leaves of the wind: "
        f"{relative(transform.synthesis(wind), samples):.1e}"
    )
    names, units = ("topography", "wind", "vorticity"), ("km", "m/s", "10⁻⁵/s")
    relief = LinearSegmentedColormap.from_list("relief", SEA + LAND)
    style = {"cmap": relief, "norm": TwoSlopeNorm(0, -6, 5)}
    return Fields(
        torch.from_numpy(height), wind, lambda c: curl(c) / RADIUS * 100, names, units, style
    )


def transform(c):
    return SphereTransform(round(len(c) ** 0.5) - 1, grid).double()


torch.manual_seed(2)
fields = topography_and_wind(asked.folder) if asked.folder else magnetic_field()
signal, vectors, derivative, names, units, style = fields
grid, rotation = SphereGrid("gauss", 301, 601), SO3().sample(1)[0]
sphere, spin = (
    transform(signal),
    SpinTransform(round(len(derivative(vectors)) ** 0.5) - 1, grid=grid).double(),
)
turned, turned_vectors = (
    Rotate(t.layout).double()(c, rotation) for t, c in ((sphere, signal), (spin, vectors))
)
top = sphere.layout.max_degree
smooth = signal * torch.exp(
    -degrees(top) * (degrees(top) + 1) * WIDTH**2 / 2
)  # heat after the time WIDTH^2 / 2

points = normalize(torch.randn(50, 3, dtype=torch.float64))
there, before = (
    spherical_harmonics(x, top) @ c for x, c in ((points, turned), (points @ rotation, signal))
)
finer = SphereTransform(spin.layout.max_degree + 1, grid).double()
first, last = (  # components x, y, z
    finer.analysis(torch.einsum("frl,frli->irl", spin.synthesis(c), grid.frames()))
    for c in (vectors, turned_vectors)
)
components = rotation @ Rotate(finer.layout).double()(first, rotation)
print(
    f"{names[0]} of degree {top}: round trip "
    f"{relative(sphere.analysis(sphere.synthesis(signal)), signal):.1e}"
)
print(f"turned, at 50 points, against where they come from: error {relative(there, before):.1e}")
print(
    f"{names[1]} turned, against its three components turned: error "
    f"{relative(last, components):.1e}"
)
print(
    f"smoothed, it keeps {smooth[1:].square().sum() / signal[1:].square().sum():.1%} of its "
    "variance"
)

spectra = {names[0]: power_spectrum(signal, sphere.layout)}
parts = torch.stack(
    [torch.zeros(2), *(2 * block.square().sum(-1) for block in spin.layout.split(vectors)[1:])], 1
)
spectra |= {f"curl part of the {names[1]}": parts[0], f"gradient part of the {names[1]}": parts[1]}
for name, spectrum in spectra.items():
    shown = [l for l in (1, 2, 3, 5, 10, 20, 36, 100, 300) if l < len(spectrum)]
    print(f"mean square by degree, {name}: " + ", ".join(f"{l}: {spectrum[l]:.1e}" for l in shown))

longitude, latitude = np.arange(-300, 301) * (2 * np.pi / 601), np.pi / 2 - grid.polar.numpy()
places = [
    (j, int(k)) for j in range(10, 300, 14) for k in np.arange(0, 601, 20 / np.cos(latitude[j]))
]
rings, azimuths = map(list, zip(*places, strict=True))


def draw(axes, title, c, line, **style):
    """A map of a signal, with the line where another one is 0."""
    values, border = (transform(x).synthesis(x).roll(300, -1).numpy() for x in (c, line))
    picture = axes.pcolormesh(longitude, latitude, values, rasterized=True, **style)
    axes.contour(longitude, latitude, border, [0], colors="black", linewidths=0.4)
    axes.set_title(title, fontsize=10)
    axes.set(xticklabels=[], yticklabels=[])
    axes.grid(color="white", linewidth=0.3)
    figure.colorbar(picture, ax=axes, shrink=0.7, extend="both", pad=0.02)


def arrows(axes, c):
    """Vectors along the ground, in their direction on the map: north is not up on the page."""
    south, east = spin.synthesis(c).roll(300, -1)[:, rings, azimuths].numpy()
    start = np.stack([longitude[azimuths], latitude[rings]], 1)
    step = 1e-4 * np.stack([east / np.cos(start[:, 1]), -south], 1) / np.hypot(south, east)[:, None]
    along = axes.transProjection.transform(start + step) - axes.transProjection.transform(start)
    size = np.hypot(south, east)
    along *= (size / np.hypot(*along.T))[:, None]
    drawn = axes.quiver(*start.T, *along.T, width=0.002, headwidth=4)
    axes.quiverkey(
        drawn, 0.93, 0.02, size.max(), f"{size.max():.0f} {units[1]}", fontproperties={"size": 8}
    )


figure = Figure(figsize=(11, 8.7), layout="constrained")
maps = figure.subplot_mosaic("ab;cd;ef", per_subplot_kw={"abcef": {"projection": "mollweide"}})
draw(maps["a"], f"{names[0]}, {units[0]}", signal, signal, **style)
draw(maps["b"], f"{names[0]} turned at random, {units[0]}", turned, turned, **style)
draw(maps["c"], f"smoothed by a Gaussian of 4°, {units[0]}", smooth, signal, **style)
for (name, spectrum), unit in zip(spectra.items(), (units[0], units[1], units[1]), strict=True):
    if spectrum.max() > 1e-5:
        maps["d"].loglog(range(1, len(spectrum)), spectrum[1:], label=f"{name}, ({unit})²")
maps["d"].set_title("mean square by degree", fontsize=10)
maps["d"].set(xlabel="degree", ylim=(1e-5, None))
maps["d"].legend(fontsize=8)
high = float(transform(derivative(vectors)).synthesis(derivative(vectors)).abs().quantile(0.995))
style = {"cmap": "RdBu_r", "norm": TwoSlopeNorm(0, -high, high)}
for axes, c, line, how in (
    (maps["e"], vectors, signal, ""),
    (maps["f"], turned_vectors, turned, " turned"),
):
    draw(axes, f"{names[1]}{how} on its {names[2]}, {units[2]}", derivative(c), line, **style)
    arrows(axes, c)
part = asked.figure.with_name(f".{asked.figure.name}")
figure.savefig(part, dpi=130)
part.replace(asked.figure)
print(f"maps drawn in {asked.figure}")
