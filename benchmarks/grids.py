"""Convolutions on grids with a learned filter, against plain ones.

The plain `torch.nn` convolution has the expanded kernel.

The plain twin is the same function; what the layer does more is to make its kernel anew in every
pass.

    python benchmarks/grids.py [--quick] [--threads N] [--match TEXT] [--json FILE]
"""

from functools import partial

from harness import Case, measure, parser, write
from pdo import on_grid

from steerable.convs import GridConv2d, GridConv3d
from steerable.filters import HarmonicFilter
from steerable.groups import O2, O3


def plane(size: int) -> GridConv2d:
    field = "16x0e+16x1"
    return GridConv2d(field, field, HarmonicFilter(2, (size + 1) / 2, group=O2()), size)


def space(size: int) -> GridConv3d:
    field = "15x0e+15x1o"
    return GridConv3d(field, field, HarmonicFilter(2, (size + 1) / 2, group=O3()), size)


def cases(quick: bool) -> list[Case]:
    sizes = [(plane, 16, 32, 3), (plane, 16, 32, 5), (plane, 16, 32, 7)]
    sizes += [(space, 4, 16, 3), (space, 4, 16, 5), (space, 4, 32, 3)]
    if quick:
        sizes = [(plane, 2, 16, 3), (space, 1, 8, 3)]
    found = []
    for make, batch, width, size in sizes:
        rivals = {
            kind: partial(on_grid, kind, partial(make, size), batch, width)
            for kind in ("steerable", "plain")
        }
        power = 2 if make is plane else 3
        found.append(Case(f"{batch} x {width}^{power}, kernel {size}^{power}", rivals, rounds=25))
    return found


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
