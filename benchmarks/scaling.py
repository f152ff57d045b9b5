"""How time and memory of convolutions grow.

With edges, neighbours, channels and the highest degree l.
"""

from functools import partial
from pathlib import Path

import numpy as np
from harness import Case, Row
from jobs import layer_job
from ours import ours_depthwise, ours_full
from peers import E3nnDepthwise
from workload import cloud, molecules

Series = dict[str, dict[float, Case]]  # what grows, and the case at each of its values

OURS = {"steerable depthwise": ours_depthwise, "steerable full": ours_full}
MOST_EDGES_OF_E3NN = 200_000  # it needs some 24 kB an edge
MOST_L_OF_E3NN = 4  # 3.8 s there, and about four times that for each degree more
STEP = "forward + backward"


def scaling(quick: bool) -> Series:
    """The cases of every axis."""
    count = 24  # molecules, 7,000 edges
    copies = (1, 4) if quick else (1, 4, 16, 64, 424)
    neighbours = (8, 16) if quick else (4, 8, 16, 32, 64)
    channels = (16, 32) if quick else (8, 16, 32, 64, 128)
    degrees = (1, 2) if quick else (1, 2, 3, 4, 5, 6)
    recipes = {
        "edges": {n: partial(molecules, count, copies=n) for n in copies},
        "neighbours": {n: partial(cloud, 500 if quick else 2000, n) for n in neighbours},
        "channels": {n: partial(molecules, count, channels=n) for n in channels},
        "l": {n: partial(molecules, count, max_degree=n) for n in degrees},
    }
    edges = molecules(count).edge_index.shape[1]
    series: Series = {}
    for axis, found in recipes.items():
        series[axis] = {}
        for value, recipe in found.items():
            size = value * edges if axis == "edges" else value
            too_large = size > {"edges": MOST_EDGES_OF_E3NN, "l": MOST_L_OF_E3NN}.get(axis, size)
            rivals = OURS | ({} if too_large else {"e3nn uvu": E3nnDepthwise})
            jobs = {name: partial(layer_job, build, recipe) for name, build in rivals.items()}
            series[axis][size] = Case(f"{axis} = {size}", jobs, rounds=3)
    return series


def curve(points: dict[float, Case], rows: list[Row], name: str) -> list[tuple[float, Row]]:
    """The rows of one layer along an axis."""
    places = {f"{case.name}, {STEP}": value for value, case in points.items()}
    return [(places[row.case], row) for row in rows if row.name == name and row.case in places]


def print_slopes(series: Series, rows: list[Row]) -> None:
    """The exponents of time and memory in what grows, by least squares."""
    for axis, points in series.items():
        for name in (*OURS, "e3nn uvu"):
            found = curve(points, rows, name)
            if len(found) < 2:
                continue
            values = np.log([value for value, _ in found])
            exponents = [
                np.polyfit(values, np.log([max(number(row), 1e-3) for _, row in found]), 1)[0]
                for number in (time, memory)
            ]
            print(
                f"{name:<22} {STEP}: time ~ {axis}^{exponents[0]:.2f}, memory ~ "
                f"{axis}^{exponents[1]:.2f}"
            )


def time(row: Row) -> float:
    return row.median_ms


def memory(row: Row) -> float:
    return row.peak_mb or 0.0


def draw(series: Series, rows: list[Row], path: Path) -> None:
    """Time and peak memory of forward + backward along every axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        2, len(series), figsize=(4 * len(series), 7), sharey="row", layout="constrained"
    )
    for column, (axis, points) in enumerate(series.items()):
        for plot, number, label in (
            (axes[0, column], time, "ms"),
            (axes[1, column], memory, "peak MB"),
        ):
            for name in (*OURS, "e3nn uvu"):
                found = curve(points, rows, name)
                plot.loglog(
                    [value for value, _ in found],
                    [number(row) for _, row in found],
                    "o-",
                    label=name,
                )
            plot.set_xticks(list(points), [f"{value:.3g}" for value in points])
            plot.minorticks_off()
            plot.set_xlabel(axis)
            plot.grid(alpha=0.3)
            if column == 0:
                plot.set_ylabel(f"{label}, {STEP}")
    axes[0, 0].legend()
    figure.savefig(path, dpi=150)
