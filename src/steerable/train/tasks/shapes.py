"""The task `shapes`: the class of a point cloud from the places of its points alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steerable.certify import POSITIONS, Role
from steerable.data import Shapes, read_shapes, stratified
from steerable.groups import named_group
from steerable.models import build_shapes

from ...data import Batches
from ...data.shapes import ROTATIONS, Augmentation, Clouds
from ..config import ConfigError, check_choices, check_range
from ..predict import predict
from ..task import Measure, Outcome, Problem, Symmetry, Task
from .labels import LabelsFit, label_errors, percent

CERTIFIED = 4  # clouds in the graph that is certified
PASS = 32  # clouds that are predicted together
IN_SPACE = {
    "SO(2)": "Cinf",
    "O(2)": "Cinfv",
}  # the groups of the plane, acting on space about the upright axis


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
class ShapesModel:
    """The part of `steerable.models.Classifier` that a user chooses; the data decide the rest.

    Args:
        group: name of the symmetry group; SO(2) and O(2) turn about the upright axis.
        width: of the features on the first level; sets the size of the network.
        levels: points that every level keeps, ever fewer.
        neighbours: of each point.
        radial: number of radial functions of the filters.
        depth: residual convolutions of every level but the first.
        dropout: probability before the last layer.
    """

    group: str = "SO(3)"
    width: int = 24
    levels: list[int] = field(default_factory=lambda: [256, 64, 16])
    neighbours: int = 16
    radial: int = 1
    depth: int = 1
    dropout: float = 0.4

    def __post_init__(self) -> None:
        for name in ("width", "neighbours", "radial"):
            check_range("model", self, name, least=1)
        check_range("model", self, "depth", least=0)
        check_range("model", self, "dropout", least=0, below=1)


@dataclass
class ShapesFit(LabelsFit):
    """How the network is trained: settings that suit it."""

    epochs: int = 18
    lr: float = 3e-3
    weight_decay: float = 0.02
    clip: float = 5.0
    ema_decay: float = 0.99
    smoothing: float = 0.1


@dataclass
class ShapesConfig:
    """A training run on shapes.

    Args:
        data: the point clouds.
        model: the network.
        fit: the training.
        run: folder that the run writes; it must be new or empty.
    """

    task: ClassVar[str] = "shapes"

    data: ShapesData = field(default_factory=ShapesData)
    model: ShapesModel = field(default_factory=ShapesModel)
    fit: ShapesFit = field(default_factory=ShapesFit)
    run: str = "runs/shapes"


def pose(config: ShapesConfig, dataset: Shapes | None = None) -> Problem:
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
    learned = torch.nonzero(~shapes.is_test).flatten()
    parts = [
        learned[torch.from_numpy(part)]
        for part in stratified(shapes.label[learned], data.validation, data.seed)
    ]
    train, validation = (Clouds(shapes.points[part], shapes.label[part]) for part in parts)
    classes, arguments = len(shapes.classes), asdict(config.model)
    arguments |= {"classes": classes, "points": [data.points, *arguments.pop("levels")]}
    arguments["group"] = IN_SPACE.get(config.model.group, config.model.group)
    counts = shapes.label[learned].bincount(minlength=classes)
    metadata = {
        "task": f"shapes/{Path(data.root).stem if data.root else 'solids'}",
        "classes": list(shapes.classes),
        "units": {
            "positions": "radius of the cloud about its centroid",
            "prediction": "logits of the classes",
        },
        "split": {"seed": data.seed, "train": len(train), "validation": len(validation)}
        | {"test": int(shapes.is_test.sum())},
        "rotation": {"train": data.train_rotation, "test": data.test_rotation},
        "baselines": {"frequency": (counts / counts.sum()).tolist()},
        "model": arguments,
    }
    augmentation = Augmentation(
        data.train_rotation, data.points, data.stretch, data.jitter, data.drop
    )
    turned = Augmentation(data.train_rotation, data.points).once(validation, data.seed)
    return Problem(
        train=Batches(train, config.fit.batch_size, config.fit.seed, augmentation),
        validation=Batches(turned, PASS),
        measures=(Measure("cross entropy", "nat"), Measure("error", "%")),
        errors=_errors,
        loss=config.fit.cross_entropy,
        probe=turned.batch(torch.tensor([0]))[:2],
        arguments=arguments,
        metadata=metadata,
    )


def held_out(config: ShapesConfig, dataset: Shapes | None = None) -> dict[str, list[Clouds]]:
    """The test clouds as the protocols turn them.

    That of the test, first, `votes` times, and each other once.
    """
    data = config.data
    shapes = _shapes(config, dataset)
    clouds = Clouds(shapes.points[shapes.is_test], shapes.label[shapes.is_test])
    votes = {data.test_rotation: data.votes} | {
        name: 1 for name in ROTATIONS if name != data.test_rotation
    }
    votes["aligned"] = 1
    return {
        name: [
            Augmentation(name, data.points).once(clouds, data.seed + 1 + vote)
            for vote in range(count)
        ]
        for name, count in votes.items()
    }


def test(model: nn.Module, passes: dict[str, list[Clouds]], metadata: dict[str, Any]) -> Outcome:
    """Accuracies of a network, and of guesses that know only how frequent each class is.

    The accuracy is the mean over the rotations of the test; `voted_accuracy` is that of the mean of
    the probabilities over them. `rotations` has the accuracy under each protocol.
    """
    logits = {
        name: torch.stack([predict(model, clouds, PASS) for clouds in found])
        for name, found in passes.items()
    }
    (protocol, own), label = next(iter(logits.items())), next(iter(passes.values()))[0].label
    classes, frequency = (
        metadata["classes"],
        torch.tensor(metadata["baselines"]["frequency"], dtype=torch.float64),
    )
    most = int(frequency.argmax())
    right, voted = own.argmax(-1) == label, own.softmax(-1).mean(0).argmax(-1)
    accuracies = {name: percent(found.argmax(-1) == label) for name, found in logits.items()}
    rows = zip(label.tolist(), voted.tolist(), right.double().mean(0).tolist(), strict=True)
    return Outcome(
        test={
            "clouds": len(label),
            "accuracy": accuracies[protocol],
            "voted_accuracy": percent(voted == label),
            "cross_entropy": _nat(F.cross_entropy(own.flatten(0, 1), label.repeat(len(own)))),
            "per_class": {name: percent(right[:, label == k]) for k, name in enumerate(classes)},
            "rotation": protocol,
            "votes": len(own),
            "rotations": accuracies,
        },
        baselines={
            "majority": {
                "name": f"always {classes[most]}",
                "accuracy": percent(label == most),
                "cross_entropy": _nat(-frequency[label].log().mean()),
            }
        },
        header=("true", "predicted", "right [%]"),
        rows=[(classes[true], classes[guess], 100 * share) for true, guess, share in rows],
    )


def symmetry(
    model: nn.Module, passes: dict[str, list[Clouds]], metadata: dict[str, Any]
) -> Symmetry:
    """The network on a few clouds in one graph, under its group acting on space."""
    clouds = next(iter(passes.values()))[0]
    batch = clouds.batch(torch.arange(min(CERTIFIED, len(clouds))))
    group = named_group(metadata["model"]["group"])
    return Symmetry(
        model, [(batch.pos, POSITIONS), (batch.batch, Role())], Role(rows="graph"), group
    )


def _shapes(config: ShapesConfig, dataset: Shapes | None) -> Shapes:
    shapes = read_shapes(config.data.root, config.data.points) if dataset is None else dataset
    if shapes.points.shape[1] < config.data.points:
        raise ConfigError(
            f"data.points is {config.data.points}, and the clouds have {shapes.points.shape[1]}: "
            "ask for at most that."
        )
    return shapes


def _errors(prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy in nat, which chooses the weights, and 100 where the class is wrong."""
    return label_errors(prediction, y)[::-1]


def _nat(value: Tensor) -> dict[str, Any]:
    return {"value": float(value), "unit": "nat"}


TASK = Task(ShapesConfig.task, "clouds", ShapesConfig, build_shapes, pose, held_out, test, symmetry)
