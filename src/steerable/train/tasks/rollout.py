"""A trained network of motion, led on from its own predictions, beside what really happens."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from steerable.data import Forecast, read_nbody
from steerable.data.particles import angular_momentum, momentum

from ...data.particles import gather
from ...deploy import CONFIG, load, write
from ..config import ConfigError
from ..options import load_config
from .nbody import BODIES, NBodyConfig

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


def rollout(
    run: Path | str,
    steps: int,
    system: int = 0,
    dataset: Forecast | None = None,
    build: Callable[..., nn.Module] | None = None,
) -> Path:
    """Predict a test system for many steps, each from where the one before ended.

    All is computed in float64, so that what drifts is the network's doing and not the rounding's.

    Args:
        run: a run folder of the task `nbody`.
        steps: how many times the interval that was learned.
        system: number of the test system.
        dataset: what it was trained on; that of its preset by default.
        build: makes the network, as in `load`.

    Returns:
        `RUN/rollout/trajectory.npz`: `time`, `position`, `velocity`, `energy`, `momentum` and
        `angular_momentum` of all frames; the same of what really happens as far as it is known
        (`true_time`, ...); `scale`, the sums over particles of the sizes of their parts of energy
        of motion, momentum and angular momentum; `title`, and units.

    Raises:
        ConfigError: no step, no such system, or a network of another task.
        RolloutDivergedError: particles that fly away; the file has the frames before.
    """
    model, metadata = load(run, build)
    model = model.double()
    if not metadata["task"].startswith("nbody/"):
        raise ConfigError(
            f"A rollout is of particles that move, and {run} learned {metadata['task']}."
        )
    config = load_config(Path(run) / CONFIG, NBodyConfig)
    task = read_nbody(config.data.preset) if dataset is None else dataset
    chosen = task.split.test[: config.data.test or None]
    if steps < 1 or not 0 <= system < len(chosen):
        raise ConfigError(
            f"A rollout has at least 1 step, of a test system from 0 to {len(chosen) - 1}; got "
            f"{steps} and {system}."
        )
    number, bodies = int(chosen[system]), config.data.preset in BODIES
    truth = _truth(task, number, steps, bodies)
    path = Path(run) / "rollout" / TRAJECTORY
    path.parent.mkdir(exist_ok=True)
    found = [Frames(*(part[:1] for part in truth))]
    known = gather(task, np.array([number]), bodies).batch(torch.tensor([0]))[2:5]
    try:
        for k in range(steps):
            found.append(_step(model, found[-1], known, task))
            _check(found, k + 1, metadata["units"]["positions"], path)
    finally:
        ours = Frames(*(np.concatenate(part) for part in zip(*found, strict=True)))
        title = f"{config.data.preset}, test system {system}"
        labels: dict[str, Any] = {
            "title": title,
            "length": metadata["units"]["positions"],
            "clock": metadata["units"]["time"],
        }
        labels["scale"] = _scale(task, number, found[0])
        _write(
            path, _measured(task, number, ours) | _measured(task, number, truth, "true_") | labels
        )
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
def _step(model: nn.Module, before: Frames, known: tuple[Tensor, ...], task: Forecast) -> Frames:
    """The frames of one prediction."""
    pos, velocity = (torch.from_numpy(part[-1]) for part in (before.position, before.velocity))
    inputs = (x.double() if x.is_floating_point() else x for x in (pos, velocity, *known))
    path: Tensor = model.path(*inputs)  # type: ignore[operator]
    count = task.asked - task.given if task.asked - task.given > 1 else FRAMES
    shown = np.unique(-(-np.arange(1, count + 1) * len(path) // count))  # rounded up
    displacement, later = path[shown - 1].chunk(2, -1)
    time = before.time[-1] + task.interval * shown / len(path)
    return Frames(time, (pos + displacement).numpy(), later.numpy())


def _check(found: list[Frames], step: int, unit: str, path: Path) -> None:
    """Stop where particles are no longer near."""
    start, now = found[0].position[0], found[-1].position[-1]
    spread = np.linalg.norm(start - start.mean(0), axis=1).max()
    far = np.linalg.norm(now - start.mean(0), axis=1).max()
    if far < FAR * spread:  # false for NaN too
        return
    found.pop()
    raise RolloutDivergedError(
        f"The rollout diverged in step {step}: a particle is {far:.3g} {unit} away and at the "
        f"start none was more than {spread:.3g}. {path} has the steps before; train longer, or ask "
        "for fewer steps."
    )


def _measured(task: Forecast, number: int, frames: Frames, prefix: str = "") -> dict[str, Any]:
    """Frames with what physics keeps constant."""
    position, velocity = frames.position[None], frames.velocity[None]
    mass = None if task.mass is None else task.mass[number][None]
    kept = {
        "energy": task.energy(position, velocity, np.array([number]))[0],
        "momentum": momentum(velocity, mass)[0],
        "angular_momentum": angular_momentum(position, velocity, mass)[0],
    }
    return {f"{prefix}{name}": value for name, value in (frames._asdict() | kept).items()}


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
