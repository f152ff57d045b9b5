"""PointConv against the convolutions of e3nn, cuequivariance and e3tools.

Also its cost against the size of the work.

The work: 96 molecules like those of QM9 (24 with --quick), all pairs within 5 Angstrom, 32 channels
of degrees 0 to 2. The official code of implicit steerable kernels needs other versions of its
packages: its rows are what e3nn took on the work of 32 channels, interleaved with ours, times the
ratio of the two where both ran. The scaling cases have fewer rounds.

    python benchmarks/conv.py [--quick] [--threads N] [--match TEXT] [--json FILE] [--figure FILE]
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import peers
from harness import Case, Row, measure, parser, show, write
from jobs import Build, force_job, layer_job
from ours import ours_depthwise, ours_full, ours_implicit
from scaling import draw, print_slopes, scaling
from workload import Work, molecules

Rival = tuple[Build, bool]  # a layer, and whether it is compiled

DEPTHWISE: dict[str, Rival] = {
    "steerable": (ours_depthwise, False),
    "steerable compiled": (ours_depthwise, True),
    "e3nn uvu": (peers.E3nnDepthwise, False),
    "e3nn uvu compiled": (peers.E3nnDepthwise, True),
    "cuequivariance mul_ir": (partial(peers.CueDepthwise, layout="mul_ir"), False),
    "cuequivariance ir_mul": (partial(peers.CueDepthwise, layout="ir_mul"), False),
    "cuequivariance compiled": (partial(peers.CueDepthwise, layout="ir_mul"), True),
    "e3tools SeparableConv": (partial(peers.E3tools, kind="SeparableConv"), False),
}
FULL: dict[str, Rival] = {
    "steerable": (ours_full, False),
    "steerable compiled": (ours_full, True),
    "e3nn fully connected": (peers.E3nnFull, False),
    "cuequivariance": (peers.CueFull, False),
    "e3tools Conv": (partial(peers.E3tools, kind="Conv"), False),
}

# Times of the official code (github.com/maxxxzdn/implicit-steerable-kernels, f04e0ac5) over those
# of e3nn's uvu layer, measured side by side on the work of 29,180 edges with 1 and 2 threads, and
# its peak memory there in MB.
OFFICIAL_TIME = {
    1: {"forward": 1480 / 283, "forward + backward": 4100 / 893},
    2: {"forward": 902 / 189, "forward + backward": 2394 / 524},
}
OFFICIAL_MB = {"forward": 1475.0, "forward + backward": 2263.0}
OFFICIAL_EDGES = 29_180
MEASURE = (
    "e3nn uvu, 32 channels"  # runs in the same rounds as ours, and tells how fast the machine is
)


def cases(quick: bool) -> list[Case]:
    """The layers on molecules."""
    count = 24 if quick else 96
    recipe = partial(molecules, count)
    edges = recipe().edge_index.shape[1]
    small = partial(molecules, count, channels=16, max_degree=1)
    eager = {name: build for name, (build, compiled) in DEPTHWISE.items() if not compiled}
    return [
        Case(f"depthwise, {edges} edges", _jobs(DEPTHWISE, recipe)),
        Case(f"full, {edges} edges", _jobs(FULL, recipe)),
        Case(
            f"depthwise, {edges} edges",
            {name: partial(force_job, build, recipe) for name, build in eager.items()},
        ),
        Case(
            f"implicit, {edges} edges",
            {
                "steerable": partial(layer_job, ours_implicit, small),
                MEASURE: partial(layer_job, peers.E3nnDepthwise, recipe),
            },
        ),
    ]


def _jobs(rivals: dict[str, Rival], recipe: Callable[[], Work]) -> dict[str, Callable]:
    return {
        name: partial(layer_job, build, recipe, compiled)
        for name, (build, compiled) in rivals.items()
    }


def official(rows: list[Row], threads: int) -> list[Row]:
    """The official code on the implicit case, if e3nn ran; memory in proportion to the edges."""
    found = []
    for e3nn in (row for row in rows if row.name == MEASURE):
        _, edges, step = e3nn.case.split(", ")
        slower = OFFICIAL_TIME[min(threads, 2)][step]
        memory = OFFICIAL_MB[step] * int(edges.split()[0]) / OFFICIAL_EDGES
        row = Row(
            e3nn.case,
            "official, from e3nn",
            e3nn.median_ms * slower,
            memory,
            None,
            e3nn.ratio * slower,
        )
        found.append(row)
        show(row)
    return found


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument(
        "--figure", type=Path, help="draw time and memory against edges, neighbours, channels and l"
    )
    options = arguments.parse_args()
    series = scaling(options.quick)
    growing = [case for points in series.values() for case in points.values()]
    rows = measure([*cases(options.quick), *growing], options)
    rows += official(rows, options.threads)
    write(rows, options)
    print_slopes(series, rows)
    if options.figure:
        draw(series, rows, options.figure)
