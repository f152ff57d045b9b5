"""Figures of a rollout: a film of the particles, and what physics keeps constant over time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import INK, QUIET, VALIDATION, dress, save

FILMS = ("gif", "mp4")
LONGEST = 120  # frames of a film
A_SECOND = 12  # frames shown
TAIL = 15  # frames of the way behind a particle
UNEVEN = (
    5.0  # times the median: so far out are particles beside which the others cannot be told apart
)

Table = dict[str, np.ndarray]


def draw_rollout(trajectory: Path | str, film: str = "gif") -> tuple[Path, Path]:
    """Draw a rollout from the `trajectory.npz` that `steerable rollout` writes.

    Args:
        trajectory: the file.
        film: `gif`, or `mp4`, which needs the program ffmpeg.

    Returns:
        The paths of `motion.gif` (or `.mp4`) and of `conserved.png`, beside the file.

    Raises:
        ValueError: another kind of film, or ffmpeg is missing.
    """
    check_film(film)
    path = Path(trajectory)
    with np.load(path, allow_pickle=False) as archive:
        table = dict(archive)
    return motion(table, path.with_name(f"motion.{film}")), conserved(
        table, path.with_name("conserved.png")
    )


def check_film(film: str) -> None:
    """Raise ValueError for a kind of film that is unknown, or whose program is missing."""
    if film not in FILMS:
        raise ValueError(f"A film is one of {', '.join(FILMS)}; got {film!r}.")
    if film == "mp4" and not FFMpegWriter.isAvailable():
        raise ValueError(
            "An mp4 is made by the program ffmpeg and it is not there: install it, or take a gif."
        )


def conserved(table: Table, path: Path) -> Path:
    """Draw the error, and how far conserved quantities are from their values at the start.

    These are energy, momentum and angular momentum.

    Args:
        table: the arrays of a rollout.
        path: the PNG to write.

    Returns:
        `path`.
    """
    figure = Figure(figsize=(9.6, 6.4), dpi=160, layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    length, time_label = str(table["length"]), _label("time", str(table["clock"]))
    time, shown, true = _in_common(table)
    error = np.sqrt(((table["position"][shown] - table["true_position"][true]) ** 2).mean((1, 2)))
    axes[0].plot(time[1:], error[1:], color=VALIDATION, linewidth=2)
    dress(axes[0], f"{table['title']}: error", time_label, _label("root mean square", length))
    names = ("energy", "momentum", "angular_momentum")
    for place, name, scale in zip(axes[1:], names, table["scale"], strict=True):
        for prefix, label, color in (("true_", "true", QUIET), ("", "network", VALIDATION)):
            value = _columns(table[f"{prefix}{name}"])
            drift = np.linalg.norm(value - value[0], axis=1) / max(scale, 1e-30)
            place.plot(table[f"{prefix}time"][1:], drift[1:], color=color, linewidth=2, label=label)
        dress(place, f"drift of {name.replace('_', ' ')}", time_label, "share of the sum of parts")
        place.legend(frameon=False, labelcolor=INK, fontsize=9)
    for place in axes:
        if any((line.get_ydata() > 0).any() for line in place.lines):
            place.set_yscale("log")
    return save(figure, path)


def motion(table: Table, path: Path) -> Path:
    """Draw the particles in space as they move, with their true ways in grey.

    Args:
        table: the arrays of a rollout.
        path: the GIF or MP4 to write.

    Returns:
        `path`.
    """
    position, true, time = table["position"], table["true_position"], table["time"]
    shown = np.unique(np.linspace(0, len(time) - 1, min(len(time), LONGEST)).round().astype(int))
    views = _views(true)
    figure = Figure(figsize=(5.2 * len(views), 5.4), dpi=100, layout="constrained")
    title = figure.suptitle(" ", fontsize=10, fontweight="bold", color=INK)
    drawn = []
    for column, chosen in enumerate(views):
        axes = figure.add_subplot(1, len(views), column + 1, projection="3d")
        colors = [f"C{k % 10}" for k in chosen]
        for k in chosen:
            axes.plot(*true[:, k].T, color=QUIET, linewidth=0.8, alpha=0.5)
        tails = [axes.plot([], [], [], color=color, linewidth=1.5)[0] for color in colors]
        marks = axes.scatter(
            *position[0, chosen].T, c=colors, s=30 if len(chosen) < 20 else 8, depthshade=False
        )
        both = np.concatenate([position[:, chosen], true[:, chosen]])
        _frame(axes, both.reshape(-1, 3), str(table["length"]))
        drawn.append((chosen, tails, marks))

    def show(frame: int) -> list[Artist]:
        for chosen, tails, marks in drawn:
            for k, tail in zip(chosen, tails, strict=True):
                tail.set_data_3d(*position[max(0, frame - TAIL) : frame + 1, k].T)
            marks._offsets3d = tuple(position[frame, chosen].T)
        title.set_text(f"{table['title']}: {_label('time', str(table['clock']))} {time[frame]:.4g}")
        return [title]

    kind = PillowWriter if path.suffix == ".gif" else FFMpegWriter
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    try:
        FuncAnimation(figure, show, frames=shown.tolist(), blit=False).save(
            name, writer=kind(fps=A_SECOND)
        )
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _in_common(table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times at which both the prediction and the truth have a frame, and where these are."""
    near = np.abs(table["time"][:, None] - table["true_time"]) < 1e-6 * max(
        float(table["time"][-1]), 1e-30
    )
    shown, true = near.nonzero()
    return table["time"][shown], shown, true


def _label(name: str, unit: str) -> str:
    """A quantity with its unit, where it has one."""
    return name if unit in ("length", "time") else f"{name} [{unit}]"


def _views(true: np.ndarray) -> list[list[int]]:
    """All particles; and the inner half of them once more where the others are far out."""
    middle = np.median(true, axis=1, keepdims=True)
    reach = np.linalg.norm(true - middle, axis=2).max(0)
    whole, half = list(range(len(reach))), float(np.median(reach))
    return (
        [whole, [k for k in whole if reach[k] <= half]] if reach.max() > UNEVEN * half else [whole]
    )


def _columns(value: np.ndarray) -> np.ndarray:
    return value.reshape(len(value), -1)


def _frame(axes: Axes, points: np.ndarray, unit: str) -> None:
    """The same scale along all axes."""
    middle, half = (points.max(0) + points.min(0)) / 2, max(np.ptp(points, axis=0).max() / 2, 1e-9)
    for name, centre in zip("xyz", middle, strict=True):
        getattr(axes, f"set_{name}lim")(centre - half, centre + half)
        getattr(axes, f"set_{name}label")(_label(name, unit), color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=7)
