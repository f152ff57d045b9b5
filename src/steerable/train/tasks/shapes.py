"""The task `shapes`: the class of a point cloud from the places of its points alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from steerable.certify import POSITIONS, Role
from steerable.data import Shapes, read_shapes, stratified
from steerable.data.shapes import ROTATIONS, Augmentation, Clouds
from steerable.groups import named_group
from steerable.models import Claim, ClassifierSettings, build_shapes, in_space

from ..config import ConfigError, RunConfig, check_choices, check_range
from ..data_record import DataSource, Part
from ..measures import percent, quantity
from ..task import Outcome, Table
from .labels import (
    ENTROPY,
    ERROR,
    Guesses,
    LabelData,
    LabelsFit,
    LabelTask,
    cross_entropy,
    majority,
)

ShapesModel = ClassifierSettings


@dataclass
class ShapesData:
    """Which shapes are learned, and how they are turned.

    Args:
        root: folder of OFF files as ModelNet10 and ModelNet40 unpack, or an .npz file of arrays;
            left out, solids that are made on the spot.
        points: points of each cloud; a random choice, anew in each epoch, where there are more.
        validation: share of the training clouds that choose the best weights, the same of every
            class.
        train_rotation: rotations in training and validation: `aligned` (none), `z` (about the
            upright axis) or `so3`.
        test_rotation: the same in the test.
        votes: random rotations of each test cloud, where it is rotated; the accuracy is the mean
            over them.
        stretch: each axis is scaled by a random factor between 1 - stretch and 1 + stretch in
            training.
        jitter: standard deviation of what is added to each coordinate in training, in radii of the
            cloud.
        drop: at most this share of the points is left out in training.
        seed: of the validation part and of the rotations of validation and test.
    """

    root: str | None = None
    points: int = 1024
    validation: float = 0.1
    train_rotation: Literal["aligned", "z", "so3"] = "so3"
    test_rotation: Literal["aligned", "z", "so3"] = "so3"
    votes: int = 5
    stretch: float = 0.2
    jitter: float = 0.01
    drop: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_choices("data", self)
        for name in ("points", "votes"):
            check_range("data", self, name, least=1)
        check_range("data", self, "validation", above=0, below=1)
        for name in ("stretch", "drop"):
            check_range("data", self, name, least=0, below=1)
        for name in ("jitter", "seed"):
            check_range("data", self, name, least=0)


@dataclass
class ShapesFit(LabelsFit):
    """How the network is trained: settings that suit it."""

    epochs: int = 18
    lr: float = 3e-3
    weight_decay: float = 0.02
    clip: float = 5.0
    ema_decay: float = 0.99
    smoothing: float = 0.1


class ShapesConfig(RunConfig[ShapesData, ClassifierSettings, ShapesFit]):
    """A training run on shapes."""

    task = "shapes"


def read(config: ShapesConfig, dataset: Shapes | None = None) -> LabelData:
    """Read and split the clouds that the settings ask for.

    Args:
        config: the settings.
        dataset: the shapes; those at `config.data.root` by default.

    Raises:
        ValueError: the shapes cannot be read, have fewer points than asked for, or a class is too
            small to be split.
    """
    data = config.data
    shapes = _shapes(config, dataset)
    index = _indices(config, shapes)
    train, validation = _clouds(shapes, index["train"]), _clouds(shapes, index["validation"])
    counts = shapes.label[~shapes.is_test].bincount(minlength=len(shapes.classes))
    metadata = {
        "task": f"shapes/{Path(data.root).stem if data.root else 'solids'}",
        "classes": list(shapes.classes),
        "units": {
            "positions": "radius of the cloud about its centroid",
            "prediction": "logits of the classes",
        },
        "split": {
            "seed": data.seed,
            "train": len(train),
            "validation": len(validation),
            "test": int(shapes.is_test.sum()),
        },
        "rotation": {"train": data.train_rotation, "test": data.test_rotation},
    }
    augmentation = Augmentation(
        data.train_rotation, data.points, data.stretch, data.jitter, data.drop
    )
    return LabelData(
        train=train,
        validation=Augmentation(data.train_rotation, data.points).once(validation, data.seed),
        frequency=counts / counts.sum(),
        arguments=_arguments(config, len(shapes.classes)),
        metadata=metadata,
        change=augmentation,
    )


def usual(config: ShapesConfig) -> tuple[Shapes, DataSource]:
    """The shapes of the settings."""
    root = config.data.root
    shapes = read_shapes(root, config.data.points)
    if root is None:
        return shapes, DataSource("solids that are made here", computed=True)
    if Path(root).is_file():
        return shapes, DataSource.of_files(f"the shapes of {root}", [Path(root)])
    return shapes, DataSource(f"the OFF files of {root}")


def part(config: ShapesConfig, dataset: Shapes, name: str) -> Part:
    """The clouds of one part, before they are turned."""
    index = _indices(config, dataset)[name]
    clouds = _clouds(dataset, index)
    return Part(index.numpy(), (clouds.points, clouds.label))


def held_out(config: ShapesConfig, dataset: Shapes | None = None) -> dict[str, list[Clouds]]:
    """The test clouds as the protocols turn them.

    The protocol of the test comes first, `votes` times; every other comes once.
    """
    data = config.data
    shapes = _shapes(config, dataset)
    clouds = _clouds(shapes, shapes.is_test)
    votes = {data.test_rotation: data.votes} | {
        name: 1 for name in ROTATIONS if name != data.test_rotation
    }
    votes["aligned"] = 1
    protocols: dict[str, list[Clouds]] = {}
    for name, count in votes.items():
        augmentation = Augmentation(name, data.points)
        seeds = range(data.seed + 1, data.seed + 1 + count)
        protocols[name] = [augmentation.once(clouds, seed) for seed in seeds]
    return protocols


def views(passes: dict[str, list[Clouds]]) -> dict[str, list[Clouds]]:
    """The test has its clouds under every protocol."""
    return passes


def score(guesses: Guesses) -> Outcome:
    """Accuracies of a network, and of guesses that know only how frequent each class is.

    The accuracy is the mean over the rotations of the test; `voted_accuracy` is that of the mean of
    the probabilities over them. `rotations` has the accuracy under each protocol.
    """
    classes, label = tuple(guesses.metadata["classes"]), guesses.label
    protocol, logits = next(iter(guesses.logits.items()))
    right, voted = logits.argmax(-1) == label, logits.softmax(-1).mean(0).argmax(-1)
    accuracies = {name: percent(each.argmax(-1) == label) for name, each in guesses.logits.items()}
    most, right_guess = majority(guesses.frequency, label)
    rows = zip(label.tolist(), voted.tolist(), right.double().mean(0).tolist(), strict=True)
    return Outcome(
        test={
            "clouds": len(label),
            "accuracy": accuracies[protocol],
            "voted_accuracy": percent(voted == label),
            "cross_entropy": cross_entropy(logits.flatten(0, 1), label.repeat(len(logits))),
            "per_class": {name: percent(right[:, label == k]) for k, name in enumerate(classes)},
            "rotation": protocol,
            "votes": len(logits),
            "rotations": accuracies,
        },
        baselines={
            "majority": {
                "name": f"always {classes[most]}",
                "accuracy": percent(right_guess),
                "cross_entropy": quantity(-guesses.frequency[label].log().mean(), "nat"),
            }
        },
        tables={
            "class": Table(
                ("true", "predicted", "right [%]"),
                [(classes[true], classes[guess], 100 * share) for true, guess, share in rows],
                classes,
            )
        },
    )


def claim(model: nn.Module, inputs: Sequence[Tensor], metadata: dict[str, Any]) -> Claim:
    """The claim of any network of clouds, under the group of its settings acting on space."""
    pos, batch = inputs
    group = named_group(metadata["model"]["group"])
    return Claim(model, [(pos, POSITIONS), (batch, Role())], Role(rows="graph"), group)


def _arguments(config: ShapesConfig, classes: int) -> dict[str, Any]:
    """The keyword arguments of the network: what the user chose and what the data decide."""
    arguments = asdict(config.model)
    points = [config.data.points, *arguments.pop("levels")]
    group = in_space(config.model.group)
    return arguments | {"classes": classes, "points": points, "group": group}


def _indices(config: ShapesConfig, shapes: Shapes) -> dict[str, Tensor]:
    """The numbers of the clouds of each part."""
    learned = torch.nonzero(~shapes.is_test).flatten()
    data = config.data
    train, validation = stratified(shapes.label[learned], data.validation, data.seed)
    return {
        "train": learned[torch.from_numpy(train)],
        "validation": learned[torch.from_numpy(validation)],
        "test": torch.nonzero(shapes.is_test).flatten(),
    }


def _clouds(shapes: Shapes, chosen: Tensor) -> Clouds:
    return Clouds(shapes.points[chosen], shapes.label[chosen])


def _shapes(config: ShapesConfig, dataset: Shapes | None) -> Shapes:
    shapes = usual(config)[0] if dataset is None else dataset
    if shapes.points.shape[1] < config.data.points:
        raise ConfigError(
            f"data.points is {config.data.points}, and the clouds have {shapes.points.shape[1]}: "
            "ask for at most that."
        )
    return shapes


TASK = LabelTask(
    name=ShapesConfig.task,
    items="clouds",
    config=ShapesConfig,
    build=build_shapes,
    read=read,
    held_out=held_out,
    views=views,
    score=score,
    claim=claim,
    usual=usual,
    part=part,
    measures=(ENTROPY, ERROR),
).task()
