"""GridConv under random elements of its group, on sums of plane waves.

`python tests/convs/grids/test_grid_rotations.py`.

The waves are evaluated at the points of the grid, turned or not, so nothing is interpolated: what
is measured is the convolution alone. Run as a program, it prints the tables of docs/grids.md.
"""

import math
import sys

import pytest
import torch

from steerable import Field
from steerable.convs.grids.downsample import Downsample
from steerable.convs.grids.grid_conv import GridConv2d, GridConv3d
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.implicit import ImplicitFilter
from steerable.groups import O2, O3, SO2, SO3, cyclic, dihedral, irreps, point_group

DOUBLE = torch.float64
SIZES, WAVES = (3, 5, 7, 9), (4, 8, 16)
SAMPLES, SEEDS = 100, 3
GROUPS = [SO2(), O2(), cyclic(4), dihedral(6), cyclic(8), SO3(), O3(), point_group("Oh")]
QUICK = [SO2(), O2(), cyclic(4)]


def field_of(group, degree):
    return Field(group, tuple((2, irrep) for irrep in irreps(group, degree)))


def layer_of(group, size, kind="harmonic", smoothing=None, degree=3, seed=0):
    """A convolution at its start that gives one point.

    It takes irreps up to degree 1 to those up to degree 2.
    """
    torch.manual_seed(seed)
    cutoff = (size + 1) / 2
    if kind == "harmonic":
        filter = HarmonicFilter(degree, cutoff, channels=4, group=group)
    else:
        filter = ImplicitFilter(field_of(group, degree), cutoff, channels=4)
    layer = GridConv2d if group.dim == 2 else GridConv3d
    options = {} if smoothing is None else {"smoothing": smoothing}
    return layer(
        field_of(group, 1), field_of(group, 2), filter, size, padding=0, **options
    ).double()


@torch.no_grad()
def rotation_error(layer, field_in, field_out, size, wave):
    """|L(g f) - rho(g) L(f)| / |L f|, root mean squares.

    The fields f are of 4 waves of one length; g are elements.
    """
    group, generator = field_in.group, torch.Generator().manual_seed(1)
    axis = torch.arange(size, dtype=DOUBLE) - size // 2
    points = torch.cartesian_prod(*[axis] * group.dim)
    direction = torch.randn(SAMPLES, 4, group.dim, generator=generator, dtype=DOUBLE)
    waves = direction / direction.norm(dim=-1, keepdim=True) * (math.tau / wave)
    height = torch.randn(SAMPLES, 4, field_in.dim, generator=generator, dtype=DOUBLE)
    phase = math.tau * torch.rand(SAMPLES, 4, 1, generator=generator, dtype=DOUBLE)
    g = group.sample(SAMPLES, generator)

    def result(waves, height):
        f = torch.einsum("swp,swi->sip", torch.cos(waves @ points.T + phase), height)
        return layer(f.unflatten(2, [size] * group.dim)).flatten(1)

    wanted = torch.einsum("sij,sj->si", field_out.matrix(g), result(waves, height))
    turned = (
        torch.einsum("sij,swj->swi", g, waves),
        torch.einsum("sij,swj->swi", field_in.matrix(g), height),
    )
    return float((result(*turned) - wanted).norm() / wanted.norm())


def error(group, size, wave, kind="harmonic", smoothing=None, degree=3):
    """The error of layers at their start, averaged over seeds."""
    found = []
    for seed in range(SEEDS):
        layer = layer_of(group, size, kind, smoothing, degree, seed)
        found.append(rotation_error(layer, layer.field_in, layer.field_out, size, wave))
    return sum(found) / SEEDS


@pytest.mark.parametrize(
    "group",
    QUICK + [pytest.param(group, marks=pytest.mark.slow) for group in GROUPS if group not in QUICK],
    ids=str,
)
def test_errors_fall_with_the_length_of_waves_and_the_size_of_kernels(group):
    sizes = SIZES if group.dim == 2 else SIZES[:3]
    table = torch.tensor([[error(group, size, wave) for wave in WAVES] for size in sizes])
    if group in (cyclic(4), point_group("Oh")):  # all their elements keep the grid
        assert table.max() < 1e-12
        return
    assert (table[:, 1:] < 0.7 * table[:, :-1]).all(), table
    assert (table[0] > 1.5 * table[-1]).all(), table
    assert table[1:, 1].max() < 5e-3, table


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("harmonic", SO2()),
        ("harmonic", O3()),
        ("implicit", cyclic(8)),
        pytest.param("harmonic", cyclic(8), marks=pytest.mark.slow),
        pytest.param("implicit", SO2(), marks=pytest.mark.slow),
        pytest.param("implicit", O3(), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_smoothing_makes_rotations_more_exact(kind, group):
    for wave in WAVES:
        assert 5 * error(group, 5, wave, kind) < error(group, 5, wave, kind, smoothing=0.0)


def test_no_interpolation_hides_an_error():
    layer = layer_of(SO2(), 5)
    right = rotation_error(layer, layer.field_in, layer.field_out, 5, 8)
    kernel = layer.export()
    with torch.no_grad():
        kernel.weight.mul_(1 + 0.1 * torch.arange(5).view(5, 1))
    assert right < 5e-3 < 2e-2 < rotation_error(kernel, layer.field_in, layer.field_out, 5, 8)


def test_downsampling_leaves_out_what_the_coarse_grid_cannot_hold():
    field = Field.parse("1x0+1x1", SO2())
    down = Downsample(field).double()
    x = torch.arange(201, dtype=DOUBLE)
    for wave in (2.5, 4.0, 64.0):
        f = torch.cos(x * math.tau / wave).view(1, 1, -1, 1).expand(1, field.dim, -1, 11)
        left = down(f)[:, :, 5:-5].abs().max()
        assert (
            abs(float(left) - math.exp(-((math.tau / wave) ** 2) / 2)) < 5e-3
        )  # standard deviation 1
    for wave in WAVES:  # the middle one of 7 points that are left of 13
        assert rotation_error(lambda f: down(f)[:, :, 3, 3], field, field, 13, wave) < 1e-3


def tables():
    """The tables of docs/grids.md."""
    head = " | ".join(f"{size}" for size in SIZES)
    for title, groups, kind in (
        ("harmonic", GROUPS, "harmonic"),
        ("implicit", [SO2(), dihedral(6), O3()], "implicit"),
    ):
        print(f"\n| {title}: group | wave | {head} |\n|---|---|{'---|' * len(SIZES)}")
        for group in groups:
            for wave in WAVES:
                row = [
                    f"{error(group, size, wave, kind):.1e} "
                    f"({error(group, size, wave, kind, 0.0):.1e})"
                    for size in (SIZES if kind == "harmonic" or group.dim == 2 else SIZES[:3])
                ]
                print(f"| {group} | {wave} | {' | '.join(row)} |")
                sys.stdout.flush()
    smoothings = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8)
    print(
        f"\n| kernel_size | {' | '.join(map(str, smoothings))} |\n|---|{'---|' * len(smoothings)}"
    )
    for size in SIZES:
        print(
            f"| {size} | "
            f"{' | '.join(f'{error(SO2(), size, 8, smoothing=s):.1e}' for s in smoothings)} |"
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    tables()
