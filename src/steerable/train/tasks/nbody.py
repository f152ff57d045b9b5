"""The task `nbody`: where particles are some time later, from where they are and how they move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from steerable.certify import EDGE_INDEX, POSITIONS, Role
from steerable.data import Forecast, Split, baselines, read_nbody
from steerable.data.particles import PRESETS
from steerable.groups import named_group
from steerable.models import build_nbody

from ...data import Batches
from ...data.particles import Systems, gather
from ...models import Moved
from ..config import ConfigError, TrainingConfig, check_choices, check_range
from ..predict import predict
from ..task import Measure, Outcome, Problem, Symmetry, Task

IN_SPACE = {
    "SO(2)": "Cinf",
    "O(2)": "Cinfv",
}  # the groups of the plane, acting on space about the upright axis
BODIES = ("solar",)  # presets in which particle k is the same body in all systems
PASS = 5000  # particles that are predicted together
CERTIFIED = 4  # systems in the graph that is certified
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
class NBodyModel:
    """The part of `steerable.models.Dynamics` that a user chooses; the data decide the rest.

    Args:
        forces: `pairs` (central forces of pairs: symplectic, conserves momentum), `gravitation`
            (the same with one law and learned masses) or `messages` (any forces that commute with
            the group, of particles that remember).
        steps: of leapfrog from one frame to the next; 0 takes 200 of pair forces, 8 of messages.
        hidden: width of the perceptrons, and size of the memory.
        softening: of distances in pair forces at the start, in units of the spread of the
            particles.
        group: name of the symmetry group of `messages`; SO(2) and O(2) turn about the upright axis.
        translations: `all`, those of the `plane` that is turned, or `none`: what leaves the forces
            of `messages` alone.
    """

    forces: Literal["pairs", "gravitation", "messages"] = "pairs"
    steps: int = 0
    hidden: int = 32
    softening: float = 0.05
    group: str = "O(3)"
    translations: Literal["all", "plane", "none"] = "all"

    def __post_init__(self) -> None:
        check_choices("model", self)
        check_range("model", self, "steps", least=0)
        check_range("model", self, "hidden", least=1)
        check_range("model", self, "softening", above=0)


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


@dataclass
class NBodyConfig:
    """A training run on the motion of particles.

    Args:
        data: the motion.
        model: the network.
        fit: the training.
        run: folder that the run writes; it must be new or empty.
    """

    task: ClassVar[str] = "nbody"

    data: NBodyData = field(default_factory=NBodyData)
    model: NBodyModel = field(default_factory=NBodyModel)
    fit: NBodyFit = field(default_factory=NBodyFit)
    run: str = "runs/nbody"


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
        held = preset != "springs-0"
        config.model = NBodyModel(
            "messages", steps=16, group="O(2)", translations="plane" if held else "all"
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
    task = _task(config, dataset)
    bodies, dtype = (
        config.data.preset in BODIES,
        torch.float64 if config.fit.precision == 64 else torch.float32,
    )
    parts = (
        _part(config.data.train, task.split.train),
        _part(config.data.validation, task.split.validation),
    )
    train, validation = (gather(task, part, bodies).to(dtype) for part in parts)
    arguments = _arguments(config.model, train)
    preset = config.data.preset
    length, time = ("AU", "day") if preset == "solar" else ("length", "time")
    metadata = {
        "task": f"nbody/{preset}",
        "units": {"positions": length, "time": time, "prediction": f"{length}, {length}/{time}"},
        "split": {"train": len(train), "validation": len(validation)},
        "model": arguments,
    }
    return Problem(
        train=Batches(train, config.fit.batch_size, config.fit.seed),
        validation=Batches(validation, _together(validation)),
        measures=(Measure("MSE", f"{length}^2"), Measure("velocity MSE", f"({length}/{time})^2")),
        errors=_errors,
        loss=_loss(config, train),
        probe=train.batch(train.apart().argmax().reshape(1))[
            :5
        ],  # close encounters multiply rounding errors
        arguments=arguments,
        metadata=metadata,
    )


class HeldOut(NamedTuple):
    """The test systems, the errors of predictions that learn nothing, and the true masses."""

    systems: Systems
    baselines: dict[str, float]
    mass: np.ndarray | None


def held_out(config: NBodyConfig, dataset: Forecast | None = None) -> HeldOut:
    """The test systems of the settings, which nothing else looks at."""
    task = _task(config, dataset)
    chosen = _part(config.data.test, task.split.test)
    known = baselines(replace(task, split=Split(task.split.train, task.split.validation, chosen)))
    mass = None if task.mass is None else task.mass[chosen[0]]
    return HeldOut(gather(task, chosen, config.data.preset in BODIES), known, mass)


def test(model: nn.Module, held: HeldOut, metadata: dict[str, Any]) -> Outcome:
    """Mean squared errors of a network, and of predictions that learn nothing.

    Where masses are learned they stand beside the true ones, both in units of the largest.
    """
    systems, length = held.systems, metadata["units"]["positions"]
    predicted, true = predict(model, systems, _together(systems)), systems.y.flatten(0, 1)
    squares, velocities = _errors(predicted, true)
    (_, unit), (_, speed) = metadata["measures"]
    found = {"mse": (squares.mean(), unit), "velocity_mse": (velocities.mean(), speed)}
    found["median_mse"] = (squares.unflatten(0, (len(systems), -1)).mean((1, 2)).median(), unit)
    columns = [part[:, : squares.shape[1]].flatten() for part in (true, predicted)]
    return Outcome(
        test={"systems": len(systems)}
        | {name: {"value": float(value), "unit": unit} for name, (value, unit) in found.items()}
        | _masses(model, systems, held.mass),
        baselines={
            key.replace(" ", "_"): {"name": key, "mse": {"value": value, "unit": unit}}
            for key, value in held.baselines.items()
        },
        header=(f"true [{length}]", f"predicted [{length}]"),
        rows=torch.stack(columns, 1).tolist(),
    )


def symmetry(model: nn.Module, held: HeldOut, metadata: dict[str, Any]) -> Symmetry:
    """The whole motion of a few systems in one graph.

    They are those whose particles stay farthest apart at the start: in close encounters motion
    multiplies rounding errors, as it does every other difference.
    """
    systems, settings = held.systems, metadata["model"]
    calm = systems.apart().argsort(descending=True)[:CERTIFIED]
    pos, velocity, attributes, pairs, pair_attributes, _ = systems.batch(calm)
    group, translations = (
        named_group(settings.get("group", "O(3)")),
        settings.get("translations", "all"),
    )
    moved = Moved(model, group, translations)
    place, way = ((x @ moved.change.T.to(x), Role(field=moved.field)) for x in (pos, velocity))
    inputs = [
        (pos, POSITIONS if translations != "none" else Role()),
        place,
        way,
        (attributes, Role()),
        (pairs, EDGE_INDEX),
        (pair_attributes, Role(rows="edge")),
    ]
    return Symmetry(moved, inputs, Role(field=moved.field * 2), group)


def _task(config: NBodyConfig, dataset: Forecast | None) -> Forecast:
    return read_nbody(config.data.preset) if dataset is None else dataset


def _arguments(config: NBodyModel, train: Systems) -> dict[str, Any]:
    """The keyword arguments of `build`.

    What the user chose, and what the training systems decide.
    """
    found: dict[str, Any] = {"forces": config.forces, "hidden": config.hidden}
    found["steps"] = config.steps or (8 if config.forces == "messages" else 200)
    found |= {
        "length": train.spread(),
        "time": train.interval,
        "attributes": train.attributes.shape[-1],
    }
    if config.forces != "gravitation":
        found["pair_attributes"] = train.pair_attributes.shape[-1]
    if config.forces != "messages":
        return found | {"softening": config.softening, "strength": train.strength()}
    group = IN_SPACE.get(config.group, config.group)
    neighbours = max(train.particles - 1.0, 1.0)
    return found | {"group": group, "translations": config.translations, "neighbours": neighbours}


def _part(count: int, whole: np.ndarray) -> np.ndarray:
    """The first `count` of the systems of a part, all if it is 0."""
    if count > len(whole):
        raise ConfigError(
            f"{count:,} systems are asked for where there are {len(whole):,}: ask for at most "
            "that, or 0."
        )
    return whole[:count] if count else whole


def _together(systems: Systems) -> int:
    """How many systems are predicted together."""
    return max(1, PASS // systems.particles)


def _errors(prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Squared errors of positions and velocities (node, d) in their units."""
    positions, velocities = (prediction - y).square().chunk(2, -1)
    return positions, velocities


def _loss(config: NBodyConfig, train: Systems) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of the settings.

    Its unit is the mean squared deviation from constant velocity in the training set.

    Where every particle is a body of its own the unit is that body's: else the least predictable
    would be all that is learned.
    """
    displacement, velocity = train.y.chunk(2, -1)
    before = train.velocity.double()
    bent = (
        torch.stack([displacement - before * train.interval, velocity - before]).square().mean(-1)
    )
    unit = (
        bent.mean(1) if train.bodies else bent.mean((1, 2)).unsqueeze(1).expand(-1, train.particles)
    )
    unit, weight = (
        unit.clamp(min=1e-30),
        torch.tensor([1.0, config.fit.velocity], dtype=torch.float64),
    )

    def loss(prediction: Tensor, y: Tensor) -> Tensor:
        error = torch.stack(_errors(prediction, y)).mean(-1).unflatten(
            1, (-1, unit.shape[1])
        ) / unit.to(y).unsqueeze(1)
        if config.fit.loss == "log":
            error = torch.log1p(error / ROBUST)
        return (error.mean((1, 2)) * weight.to(y)).sum()

    return loss


def _masses(model: nn.Module, systems: Systems, true: np.ndarray | None) -> dict[str, Any]:
    """Learned and true masses in units of the largest of each, where masses are learned."""
    forces: Any = model.forces
    if not hasattr(forces, "masses"):
        return {}
    with torch.no_grad():
        mass = forces.masses(systems.attributes[0].to(forces.log_mass.weight)).flatten()
    found = {"learned": (mass / mass.max()).tolist()}
    return {"masses": found if true is None else found | {"true": (true / true.max()).tolist()}}


TASK = Task(
    NBodyConfig.task, "systems", NBodyConfig, build_nbody, pose, held_out, test, symmetry, settings
)
