"""A trained network, led on from its own predictions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from steerable.deploy import AUTO, CONFIG, load

from .config import ConfigError
from .options import load_config
from .run_data import run_data
from .tasks.registry import TASKS, task_of


def rollout(
    run: Path | str,
    steps: int,
    system: int = 0,
    dataset: Any = None,
    build: Callable[..., nn.Module] | None = None,
    device: str | torch.device = AUTO,
) -> Path:
    """Predict a test system for many steps, each from where the one before ended.

    All is computed in float64, so that what drifts is the network's doing and not the rounding's.

    Args:
        run: a run folder of a task that has rollouts, such as `nbody`.
        steps: how many times the interval that was learned.
        system: number of the test system.
        dataset: what it was trained on; that of its preset by default.
        build: makes the network, as in `load`.
        device: where the network runs, as in `load`; where it was trained by default.

    Returns:
        `RUN/rollout/trajectory.npz`: `time`, `position`, `velocity`, `energy`, `momentum` and
        `angular_momentum` of all frames; the same of what really happens as far as it is known
        (`true_time`, ...); `scale`, the sums over particles of the sizes of their parts of energy
        of motion, momentum and angular momentum; `title`, and units.

    Raises:
        ConfigError: no step, no such system, or a network of another task.
        RolloutDivergedError: particles that fly away; the file has the frames before.
        OtherDataError: the run was trained on other data.
    """
    run = Path(run)
    model, metadata = load(run, build, device, torch.float64)
    task = task_of(metadata)
    if task.rollout is None:
        names = ", ".join(name for name, task in TASKS.items() if task.rollout is not None)
        raise ConfigError(
            f"A rollout needs a run of {names}, whose predictions have the form of its inputs; "
            f"{run} learned {metadata['task']}."
        )
    config = load_config(run / CONFIG, task.config)
    call = f"rollout({str(run)!r}, {steps}, {system}, dataset=...)"
    content, _ = run_data(run, task, config, dataset, call)
    return task.rollout(model, metadata, config, steps, system, content, run / "rollout")
