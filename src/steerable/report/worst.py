"""Pictures of the structures with the largest errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.data.colors import jmol_colors
from ase.io import read
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from steerable.deploy import convert

from .style import INK, QUIET, item_label, save, signed

COLUMNS = 5
BOND = 1.25  # times the sum of the covalent radii: atoms that are nearer are bonded
PRINTED = 5  # items in a line
SPAN = 2.2  # Angstrom from the centre to the edge, at least
LETTERS = 60  # atoms, beyond which elements have no letters


def draw_worst(frames: Path, path: Path, name: str = "", units: str | None = None) -> Path:
    """Draw structures flat, with their names, the truth and the prediction.

    Args:
        frames: extended XYZ with `true`, `predicted`, `unit` and perhaps `name` and `formula` of
            each structure.
        path: the PNG to write.
        name: of the target.
        units: the unit of the numbers, where it is of their kind.

    Returns:
        `path`.
    """
    structures = read(frames, ":", format="extxyz")
    rows = -(-len(structures) // COLUMNS)
    grid = _grid(rows)
    for rank, (axes, atoms) in enumerate(zip(grid, structures, strict=False), start=1):
        _draw(axes, atoms)
        axes.set_title(f"{rank}  {_title(atoms.info)}", fontsize=9, fontweight="bold", color=INK)
        axes.set_xlabel(_numbers(atoms.info, units), fontsize=8, color=INK)
    for axes in grid:
        axes.set(xticks=[], yticks=[], frame_on=False)
    title = f"{name + ': ' if name else ''}the largest errors of the test"
    figure = grid[0].figure
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    return save(figure, path)


def _grid(rows: int) -> np.ndarray:
    """Axes side by side, with room for a line above each and two below it; sizes in inches."""
    side, gap, top, bottom = 2.4, 0.8, 0.7, 0.6
    height = top + bottom + side * rows + gap * (rows - 1)
    figure = Figure(figsize=(2.7 * COLUMNS, height), dpi=130)
    places = {"left": 0.01, "right": 0.99, "wspace": 0.05, "hspace": gap / side}
    places |= {"top": 1 - top / height, "bottom": bottom / height}
    grid = figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=places)
    return np.asarray(grid.ravel())


def worst_line(name: str, worst: Sequence[Mapping[str, Any]], units: str | None = None) -> str:
    """The first of the worst items in one line, with their errors.

    Args:
        name: of what is predicted.
        worst: the items, as in `metrics.json`.
        units: the unit of the errors, where it is of their kind.
    """
    factor, unit = convert(worst[0]["unit"], units)
    items = [f"{_title(item)} {signed(factor * item['error'])}" for item in worst[:PRINTED]]
    return f"largest errors of {name} [{unit}]: {', '.join(items)}"


def flat(positions: np.ndarray) -> np.ndarray:
    """Positions (atom, 3) seen from where they spread most: across, up, and towards the eye."""
    centred = positions - positions.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=True)
    return np.asarray(centred @ axes.T)


def bonds(numbers: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Pairs of atoms (2, bond) that are as near as covalent radii allow; open boundaries."""
    first, second = np.triu_indices(len(numbers), 1)
    distance = np.linalg.norm(positions[first] - positions[second], axis=1)
    near = distance < BOND * (covalent_radii[numbers[first]] + covalent_radii[numbers[second]])
    return np.stack([first[near], second[near]])


def _draw(axes: Axes, atoms: Atoms) -> None:
    """Atoms as discs of their elements' colours, the farther ones first, and bonds as lines."""
    numbers, places = atoms.numbers, flat(atoms.positions)
    x, y, depth = places.T
    radius = 0.55 * covalent_radii[numbers]
    for pair in bonds(numbers, atoms.positions).T:
        level = depth[pair].min() - 1e-3  # both atoms hide the ends of their bond
        axes.plot(x[pair], y[pair], color=QUIET, linewidth=2.4, zorder=level)
    for k in depth.argsort():
        colour = jmol_colors[numbers[k]]
        disc = Circle((x[k], y[k]), radius[k], facecolor=colour, edgecolor=INK, zorder=depth[k])
        axes.add_patch(disc)
        if numbers[k] not in (1, 6) and len(numbers) <= LETTERS:
            level = depth[k] + 1e-3
            style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 6, "color": INK}
            axes.text(x[k], y[k], atoms.symbols[k], zorder=level, **style)
    reach = max(np.abs(places[:, :2]).max() + radius.max(), SPAN)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")


def _title(info: Mapping[str, Any]) -> str:
    """The name of a structure, or its number, and its formula."""
    name = str(info.get("name") or f"#{info.get('index', '')}")
    return item_label(name, str(info.get("formula", "")))


def _numbers(info: Mapping[str, Any], units: str | None) -> str:
    """The truth, the prediction and the error."""
    factor, unit = convert(str(info.get("unit", "")), units)
    true, predicted = factor * float(info["true"]), factor * float(info["predicted"])
    error = signed(predicted - true)
    return f"true {true:.6g}, predicted {predicted:.6g}\nerror {error} {unit}"
