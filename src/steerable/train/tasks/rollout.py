"""A trained network of motion, led on from its own predictions, beside what really happens."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from steerable.data import Forecast
from steerable.data.particles import angular_momentum, gather, momentum
from steerable.deploy import placement, write

TRAJECTORY = "trajectory.npz"
FRAMES = 10  # of a step, where the data have none between
FAR = 1e3  # times the spread at the start


class RolloutDivergedError(ArithmeticError):
    """Particles that left all bounds."""


class Frames(NamedTuple):
    """One system over time: `time` (frame,), `position` and `velocity` (frame, particle, 3)."""

    time: np.ndarray
    position: np.ndarray
    velocity: np.ndarray


def lead_on(
    model: nn.Module,
    task: Forecast,
    number: int,
    bodies: bool,
    steps: int,
    labels: dict[str, str],
    folder: Path,
) -> Path:
    """Predict a system for many steps, each from where the one before ended.

    Args:
        model: a network of motion.
        task: the trajectories.
        number: of the system in them.
        bodies: whether particle k is the same body in all systems.
        steps: how many times the interval that was learned.
        labels: `title`, and the units `length` and `clock`.
        folder: where the file is written.

    Returns:
        `trajectory.npz` in the folder.

    Raises:
        RolloutDivergedError: particles that fly away; the file has the frames before.
    """
    truth = _truth(task, number, steps, bodies)
    path = folder / TRAJECTORY
    path.parent.mkdir(exist_ok=True)
    frames = [Frames(*(part[:1] for part in truth))]
    constants = gather(task, np.array([number]), bodies).batch(torch.tensor([0]))[2:5]
    try:
        for k in range(steps):
            frames.append(_step(model, frames[-1], constants, task))
            _check(frames, k + 1, labels["length"], path)
    finally:
        ours = Frames(*(np.concatenate(part) for part in zip(*frames, strict=True)))
        arrays: dict[str, Any] = _measured(task, number, ours)
        arrays |= _measured(task, number, truth, "true_") | labels
        arrays["scale"] = _scale(task, number, frames[0])
        _write(path, arrays)
    return path


def _truth(task: Forecast, number: int, steps: int, bodies: bool) -> Frames:
    """What happens to a system from where a rollout of so many steps begins.

    Systems of bodies are windows that follow each other; others begin with the frame that was
    learned, or as much earlier as lets the truth last.
    """
    apart = task.asked - task.given
    if bodies:
        rows = np.arange(number, min(number + steps + 1, len(task.position)))
        position, velocity = task.position[rows, task.given], task.velocity[rows, task.given]
        return Frames(np.arange(len(rows)) * task.interval, position, velocity)
    first = max(0, min(task.given, task.position.shape[1] - 1 - steps * apart))
    frames = slice(first, first + steps * apart + 1)
    position, velocity = task.position[number, frames], task.velocity[number, frames]
    return Frames(np.arange(len(position)) * (task.interval / apart), position, velocity)


@torch.no_grad()
def _step(
    model: nn.Module, before: Frames, constants: tuple[Tensor, ...], task: Forecast
) -> Frames:
    """The frames of one prediction, computed where the network is."""
    device, dtype = placement(model)
    pos, velocity = torch.from_numpy(before.position[-1]), torch.from_numpy(before.velocity[-1])
    inputs = [
        x.to(device, dtype if x.is_floating_point() else None) for x in (pos, velocity, *constants)
    ]
    path: Tensor = model.path(*inputs).cpu()  # type: ignore[operator]
    count = task.asked - task.given if task.asked - task.given > 1 else FRAMES
    shown = np.unique(-(-np.arange(1, count + 1) * len(path) // count))  # rounded up
    displacement, later = path[shown - 1].chunk(2, -1)
    time = before.time[-1] + task.interval * shown / len(path)
    return Frames(time, (pos + displacement).numpy(), later.numpy())


def _check(pieces: list[Frames], step: int, unit: str, path: Path) -> None:
    """Stop where particles are no longer near."""
    start, now = pieces[0].position[0], pieces[-1].position[-1]
    spread = np.linalg.norm(start - start.mean(0), axis=1).max()
    far = np.linalg.norm(now - start.mean(0), axis=1).max()
    if far < FAR * spread:  # false for NaN too
        return
    pieces.pop()
    raise RolloutDivergedError(
        f"The rollout diverged in step {step}: a particle is {far:.3g} {unit} away and at the "
        f"start none was more than {spread:.3g}. {path} has the steps before; train longer, or ask "
        "for fewer steps."
    )


def _measured(task: Forecast, number: int, frames: Frames, prefix: str = "") -> dict[str, Any]:
    """Frames with what physics keeps constant."""
    position, velocity = frames.position[None], frames.velocity[None]
    mass = None if task.mass is None else task.mass[number][None]
    invariants = {
        "energy": task.energy(position, velocity, np.array([number]))[0],
        "momentum": momentum(velocity, mass)[0],
        "angular_momentum": angular_momentum(position, velocity, mass)[0],
    }
    return {f"{prefix}{name}": value for name, value in (frames._asdict() | invariants).items()}


def _scale(task: Forecast, number: int, start: Frames) -> np.ndarray:
    """What drifts are measured by: totals may be 0 where their parts are not."""
    x, v = start.position[0], start.velocity[0]
    mass = np.ones(len(x)) if task.mass is None else task.mass[number]
    parts = (v * v).sum(1) / 2, np.linalg.norm(v, axis=1), np.linalg.norm(np.cross(x, v), axis=1)
    return np.array([mass @ part for part in parts])


def _write(path: Path, arrays: dict[str, Any]) -> None:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write(path, content.getvalue())
