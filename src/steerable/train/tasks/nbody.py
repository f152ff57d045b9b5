"""The task `nbody`: where particles are some time later, from where they are and how they move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from steerable.data import Batches, Forecast, Split, baselines, read_nbody
from steerable.data.particles import BODIES, PRESETS, Systems, gather
from steerable.deploy import placement
from steerable.groups import named_group
from steerable.models import (
    Certifiable,
    Claim,
    Dynamics,
    DynamicsSettings,
    Particles,
    build_nbody,
    in_space,
    motion_claim,
)

from ..config import ConfigError, RunConfig, TrainingConfig, check_range
from ..data_record import DataSource, Part
from ..losses import Elementary, Loss, Term
from ..measures import Measure, quantity
from ..predict import predict
from ..task import Outcome, Problem, Table, Task
from .rollout import lead_on

NBodyModel = DynamicsSettings
MOTION = "motion"  # name of displacements and new velocities, side by side
ROBUST = 0.01  # of the mean squared acceleration: errors beyond it count by their logarithm


@dataclass
class NBodyData:
    """Which motion is learned.

    Args:
        preset: `charged` (frames 30 to 40 of the EGNN benchmark), `gravity` (that of SEGNN),
            `springs-0`, `springs-10`, `springs-50` (particles on sticks of that stiffness) or
            `solar` (ten days of the Solar System).
        train: how many of its training systems, the first ones; 0 takes all.
        validation: the same of those that choose the best weights.
        test: the same of those that nothing else looks at.
    """

    preset: str = "charged"
    train: int = 3000
    validation: int = 2000
    test: int = 2000

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ConfigError(f"data.preset is one of {', '.join(PRESETS)}; got {self.preset!r}.")
        for name in ("train", "validation", "test"):
            check_range("data", self, name, least=0)


@dataclass
class NBodyFit(TrainingConfig):
    """How the network is trained.

    Args:
        loss: `mse`, the mean squared error of positions; `log`, its logarithm for each particle,
            which learns the law of motion from what can be predicted rather than from the close
            encounters that cannot.
        velocity: weight of the error of velocities beside that of positions.
    """

    epochs: int = 10_000
    max_seconds: float = 1800.0
    batch_size: int = 100
    lr: float = 2e-3
    loss: Literal["mse", "log"] = "log"
    velocity: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("fit", self, "velocity", least=0)


class NBodyConfig(RunConfig[NBodyData, DynamicsSettings, NBodyFit]):
    """A training run on the motion of particles."""

    task = "nbody"


def settings(preset: str) -> NBodyConfig:
    """Settings that are known to work well for a preset.

    Raises:
        ConfigError: there is no such preset.
    """
    config = NBodyConfig(NBodyData(preset))
    if preset == "gravity":
        config.data = NBodyData(preset, 0, 0, 0)
        config.model = NBodyModel(steps=40, hidden=16)
        config.fit = NBodyFit(batch_size=4, lr=5e-4)
    elif preset.startswith("springs"):
        is_plane = preset != "springs-0"
        config.model = NBodyModel(
            "messages", steps=16, group="O(2)", translations="plane" if is_plane else "all"
        )
        config.fit = NBodyFit(loss="mse")
    elif preset == "solar":
        config.data = NBodyData(preset, 0, 0, 0)
        config.model = NBodyModel("gravitation", steps=20, softening=1e-6)
        config.fit = NBodyFit(batch_size=8, lr=1e-2, precision=64)
    return config


def pose(config: NBodyConfig, dataset: Forecast | None = None) -> Problem:
    """Read, choose and measure the systems that the settings ask for.

    Everything measured comes from the training systems alone.

    Args:
        config: the settings.
        dataset: the trajectories; those of `config.data.preset` by default.

    Raises:
        ValueError: the data cannot be made, or have fewer systems than asked for.
    """
    task = _forecast(config, dataset)
    preset = config.data.preset
    dtype = torch.float64 if config.fit.precision == 64 else torch.float32
    first = _part(config.data.train, task.split.train)
    second = _part(config.data.validation, task.split.validation)
    train = gather(task, first, preset in BODIES).to(dtype)
    validation = gather(task, second, preset in BODIES).to(dtype)
    arguments = _arguments(config.model, train)
    length, time = ("AU", "day") if preset == "solar" else ("length", "time")
    metadata = {
        "task": f"nbody/{preset}",
        "units": {"positions": length, "time": time, "prediction": f"{length}, {length}/{time}"},
        "split": {"train": len(train), "validation": len(validation)},
        "model": arguments,
    }
    return Problem(
        train=Batches(train, config.fit.batch_size, config.fit.seed),
        validation=Batches(validation, validation.together),
        measures=(
            Measure("MSE", f"{length}^2", MOTION, position_error),
            Measure("velocity MSE", f"({length}/{time})^2", MOTION, velocity_error),
        ),
        loss=Loss((Term(MOTION, _loss(config, train)),)),
        # Close encounters multiply rounding errors.
        probe=train.batch(train.apart().argmax().reshape(1))[:5],
        arguments=arguments,
        metadata=metadata,
        output=MOTION,
    )


def usual(config: NBodyConfig) -> tuple[Forecast, DataSource]:
    """The trajectories of the preset of the settings."""
    preset = config.data.preset
    source = DataSource(f"the trajectories of the preset {preset}", computed=True)
    return read_nbody(preset), source


def part(config: NBodyConfig, dataset: Forecast, name: str) -> Part:
    """The systems of one part."""
    index = _part(getattr(config.data, name), getattr(dataset.split, name))
    systems = gather(dataset, index, config.data.preset in BODIES)
    state = (systems.pos, systems.velocity, systems.attributes, systems.pair_attributes)
    return Part(index, (*state, systems.y))


class HeldOut(NamedTuple):
    """The test systems, the errors of predictions that learn nothing, and the true masses."""

    systems: Systems
    baselines: dict[str, float]
    mass: np.ndarray | None


def held_out(config: NBodyConfig, dataset: Forecast | None = None) -> HeldOut:
    """The test systems of the settings, which nothing else looks at."""
    task = _forecast(config, dataset)
    chosen = _part(config.data.test, task.split.test)
    errors = baselines(replace(task, split=Split(task.split.train, task.split.validation, chosen)))
    mass = None if task.mass is None else task.mass[chosen[0]]
    return HeldOut(gather(task, chosen, config.data.preset in BODIES), errors, mass)


def test(model: nn.Module, items: HeldOut, metadata: dict[str, Any]) -> Outcome:
    """Mean squared errors of a network, and of predictions that learn nothing.

    Where masses are learned they stand beside the true ones, both in units of the largest.
    """
    systems, length = items.systems, metadata["units"]["positions"]
    predicted = predict(model, systems, systems.together, MOTION)[MOTION]
    true = systems.y.flatten(0, 1)
    squares, velocities = position_error(predicted, true), velocity_error(predicted, true)
    (_, unit), (_, speed) = metadata["measures"]
    median = squares.unflatten(0, (len(systems), -1)).mean((1, 2)).median()
    header = (f"true [{length}]", f"predicted [{length}]")
    columns = [values[:, : squares.shape[1]].flatten() for values in (true, predicted)]
    rows = torch.stack(columns, 1).tolist()
    system = torch.arange(len(systems)).repeat_interleave(len(rows) // len(systems))
    return Outcome(
        test={
            "systems": len(systems),
            "mse": quantity(squares.mean(), unit),
            "velocity_mse": quantity(velocities.mean(), speed),
            "median_mse": quantity(median, unit),
        }
        | _masses(model, systems, items.mass),
        baselines={
            key.replace(" ", "_"): {"name": key, "mse": {"value": value, "unit": unit}}
            for key, value in items.baselines.items()
        },
        tables={MOTION: Table(header, rows, items=system.tolist())},
    )


def claim(model: nn.Module, items: HeldOut, metadata: dict[str, Any]) -> Claim:
    """What is certified of a network: the whole motion of a few systems in one graph.

    They are those whose particles stay farthest apart at the start: in close encounters motion
    multiplies rounding errors, as it does every other difference.
    """
    systems, settings = items.systems, metadata["model"]
    calm = systems.apart().argsort(descending=True)[: systems.certified]
    *inputs, _ = systems.batch(calm)
    if isinstance(model, Certifiable):
        return model.certifiable(*inputs)
    pos, velocity, *particles = inputs
    group = named_group(settings.get("group", "O(3)"))
    translations = settings.get("translations", "all")
    return motion_claim(model, group, translations, pos, velocity, Particles(*particles))


def _forecast(config: NBodyConfig, dataset: Forecast | None) -> Forecast:
    return usual(config)[0] if dataset is None else dataset


def _arguments(config: NBodyModel, train: Systems) -> dict[str, Any]:
    """The keyword arguments of `build`.

    What the user chose, and what the training systems decide.
    """
    pairs = config.forces != "messages"
    arguments: dict[str, Any] = {
        "forces": config.forces,
        "hidden": config.hidden,
        "steps": config.steps or (200 if pairs else 8),
        "length": train.spread(),
        "time": train.interval,
        "attributes": train.attributes.shape[-1],
    }
    if config.forces != "gravitation":
        arguments["pair_attributes"] = train.pair_attributes.shape[-1]
    if pairs:
        return arguments | {"softening": config.softening, "strength": train.strength()}
    return arguments | {
        "group": in_space(config.group),
        "translations": config.translations,
        "neighbours": max(train.particles - 1.0, 1.0),
    }


def _part(count: int, whole: np.ndarray) -> np.ndarray:
    """The first `count` of the systems of a part, all if it is 0."""
    if count > len(whole):
        raise ConfigError(
            f"{count:,} systems are asked for where there are {len(whole):,}: ask for at most "
            "that, or 0."
        )
    return whole[:count] if count else whole


def position_error(prediction: Tensor, y: Tensor) -> Tensor:
    """Squared errors of positions (node, d) in their unit."""
    return (prediction - y).square().chunk(2, -1)[0]


def velocity_error(prediction: Tensor, y: Tensor) -> Tensor:
    """Squared errors of velocities (node, d) in their unit."""
    return (prediction - y).square().chunk(2, -1)[1]


def _loss(config: NBodyConfig, train: Systems) -> Elementary:
    """The loss of the settings.

    Its unit is the mean squared deviation from constant velocity in the training set.

    Where every particle is a body of its own the unit is that body's: else the least predictable
    would be all that is learned.
    """
    displacement, velocity = train.y.chunk(2, -1)
    before = train.velocity.double()
    bent = torch.stack([displacement - before * train.interval, velocity - before])
    bent = bent.square().mean(-1)
    if train.bodies:
        unit = bent.mean(1)
    else:
        unit = bent.mean((1, 2)).unsqueeze(1).expand(-1, train.particles)
    unit = unit.clamp(min=1e-30)
    weight = torch.tensor([1.0, config.fit.velocity], dtype=torch.float64)

    def loss(prediction: Tensor, y: Tensor) -> Tensor:
        squares = torch.stack((prediction - y).square().chunk(2, -1)).mean(-1)
        # (2, node) to (2, system, particle): a unit for each particle.
        error = squares.unflatten(1, (-1, unit.shape[1])) / unit.to(y).unsqueeze(1)
        if config.fit.loss == "log":
            error = torch.log1p(error / ROBUST)
        return (error.mean((1, 2)) * weight.to(y)).sum()

    return loss


def _masses(model: nn.Module, systems: Systems, true: np.ndarray | None) -> dict[str, Any]:
    """Learned and true masses in units of the largest of each, where masses are learned."""
    if not isinstance(model, Dynamics):
        return {}
    device, dtype = placement(model)
    with torch.no_grad():
        mass = model.masses(systems.attributes[0].to(device, dtype))
    if mass is None:
        return {}
    masses = {"learned": (mass.flatten() / mass.max()).tolist()}
    return {"masses": masses if true is None else masses | {"true": (true / true.max()).tolist()}}


def rollout(
    model: nn.Module,
    metadata: dict[str, Any],
    config: NBodyConfig,
    steps: int,
    system: int,
    dataset: Forecast | None,
    folder: Path,
) -> Path:
    """A test system led on for many steps; the file in the folder that `lead_on` writes."""
    forecast = _forecast(config, dataset)
    chosen = forecast.split.test[: config.data.test or None]
    if steps < 1 or not 0 <= system < len(chosen):
        raise ConfigError(
            f"A rollout has at least 1 step, of a test system from 0 to {len(chosen) - 1}; got "
            f"{steps} and {system}."
        )
    labels = {
        "title": f"{config.data.preset}, test system {system}",
        "length": metadata["units"]["positions"],
        "clock": metadata["units"]["time"],
    }
    bodies = config.data.preset in BODIES
    return lead_on(model, forecast, int(chosen[system]), bodies, steps, labels, folder)


TASK = Task(
    name=NBodyConfig.task,
    items="systems",
    config=NBodyConfig,
    build=build_nbody,
    pose=pose,
    held_out=held_out,
    test=test,
    claim=claim,
    settings=settings,
    rollout=rollout,
    usual=usual,
    part=part,
)
