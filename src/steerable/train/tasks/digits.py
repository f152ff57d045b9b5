"""The task `digits`: which digit a turned picture shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steerable.certify import POSITIONS, Role
from steerable.data import Digits, read_digits, rotated_parts
from steerable.data.images import PictureBatch, Pictures, deformations, turns, warp
from steerable.groups import cyclic, dihedral, planar_group
from steerable.models import build_digits

from ...data import Batches, Change
from ..config import check_choices, check_range
from ..predict import predict
from ..task import Measure, Outcome, Problem, Symmetry, Task
from .labels import LabelsFit, label_errors, percent

PASS = 250  # pictures that are predicted together
DOTS = 6  # in each picture that is certified


@dataclass
class DigitsData:
    """Which digits are learned.

    Args:
        root: folder of the four MNIST files; left out, digits that are drawn here.
        train: pictures to learn from.
        validation: pictures that choose the best weights.
        test: pictures of the test, which no choice sees.
        turn: whether each training picture is turned anew, by a random angle, in each epoch.
        deform: size of the random linear maps that each training picture goes through in each
            epoch.
        seed: of the split and of the angles.
    """

    root: str | None = None
    train: int = 500
    validation: int = 100
    test: int = 400
    turn: bool = True
    deform: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):
            check_range("data", self, name, least=1)
        for name in ("seed", "deform"):
            check_range("data", self, name, least=0)


@dataclass
class DigitsModel:
    """The part of `steerable.models.ImageClassifier` that a user chooses; the data decide the rest.

    Args:
        group: name of a group of the plane, such as C8, D8 or O(2).
        kernel: what the convolutions are: `kernel`, `pdo` or `neural`.
        widths: regular fields of every layer.
        stops: layers before which the array is halved.
        size: points of the stencils along every axis, odd.
        order: of the differential operators, or degree of the harmonics.
        hidden: width of the last linear layers.
        dropout: probability before the last linear layer.
    """

    group: str = "C8"
    kernel: Literal["kernel", "pdo", "neural"] = "pdo"
    widths: list[int] = field(default_factory=lambda: [8, 8, 8, 8, 12, 12])
    stops: list[int] = field(default_factory=lambda: [1, 4])
    size: int = 5
    order: int = 4
    hidden: int = 64
    dropout: float = 0.3

    def __post_init__(self) -> None:
        check_choices("model", self)
        for name in ("size", "order", "hidden"):
            check_range("model", self, name, least=1)
        check_range("model", self, "dropout", least=0, below=1)


@dataclass
class DigitsFit(LabelsFit):
    """How the network is trained: settings that suit it."""

    epochs: int = 20
    batch_size: int = 50
    lr: float = 5e-3
    weight_decay: float = 0.01
    clip: float = 5.0
    ema_decay: float = 0.99


@dataclass
class DigitsConfig:
    """A training run on turned digits.

    Args:
        data: the pictures.
        model: the network.
        fit: the training.
        run: folder that the run writes; it must be new or empty.
    """

    task: ClassVar[str] = "digits"

    data: DigitsData = field(default_factory=DigitsData)
    model: DigitsModel = field(default_factory=DigitsModel)
    fit: DigitsFit = field(default_factory=DigitsFit)
    run: str = "runs/digits"


def augmentation(data: DigitsData) -> Change | None:
    """What is done to each picture anew in each epoch, by one interpolation."""

    def change(batch: PictureBatch, generator: torch.Generator) -> PictureBatch:
        angle = 2 * torch.pi * torch.rand(len(batch.y), generator=generator) * data.turn
        return PictureBatch(
            warp(batch.images, deformations(len(batch.y), data.deform, generator) @ turns(-angle)),
            batch.y,
        )

    return change if data.turn or data.deform else None


def pose(config: DigitsConfig, dataset: Digits | None = None) -> Problem:
    """Read, split and turn the digits that the settings ask for.

    Args:
        config: the settings.
        dataset: upright digits; those at `config.data.root` by default.

    Raises:
        ValueError: the digits cannot be read, or are fewer than asked for.
    """
    data = config.data
    train, validation, _ = _parts(config, dataset)
    arguments = {"classes": 10, **asdict(config.model)}
    metadata = {
        "task": f"digits/{'mnist' if data.root else 'strokes'}",
        "units": {"prediction": "logits of the digits"},
        "split": {
            "seed": data.seed,
            "train": len(train),
            "validation": len(validation),
            "test": data.test,
        },
        "baselines": {"frequency": (train.label.bincount(minlength=10) / len(train)).tolist()},
        "model": arguments,
    }
    return Problem(
        train=Batches(train, config.fit.batch_size, config.fit.seed, augmentation(data)),
        validation=Batches(validation, PASS),
        measures=(Measure("error", "%"), Measure("cross entropy", "nat")),
        errors=label_errors,
        loss=config.fit.cross_entropy,
        probe=validation.batch(torch.tensor([0]))[:1],
        arguments=arguments,
        metadata=metadata,
    )


def held_out(config: DigitsConfig, dataset: Digits | None = None) -> Pictures:
    """The pictures of the test."""
    return _parts(config, dataset)[2]


def test(model: nn.Module, pictures: Pictures, metadata: dict[str, Any]) -> Outcome:
    """The share of pictures that a network takes for another digit.

    Also that of a guess of the most frequent digit.
    """
    logits, label = predict(model, pictures, PASS), pictures.label
    frequency = torch.tensor(metadata["baselines"]["frequency"], dtype=torch.float64)
    most, guess = int(frequency.argmax()), logits.argmax(-1)
    return Outcome(
        test={
            "pictures": len(label),
            "error": percent(guess != label),
            "cross_entropy": {"value": float(F.cross_entropy(logits, label)), "unit": "nat"},
            "per_class": {
                str(k): percent(guess[label == k] != k) for k in range(10) if (label == k).any()
            },
        },
        baselines={"majority": {"name": f"always {most}", "error": percent(label != most)}},
        header=("true", "predicted"),
        rows=list(zip(label.tolist(), guess.tolist(), strict=True)),
    )


def symmetry(model: nn.Module, pictures: Pictures, metadata: dict[str, Any]) -> Symmetry:
    """The network on pictures of soft dots whose places the group turns.

    The group is reduced to what keeps the grid.
    """
    group, generator = planar_group(metadata["model"]["group"]), torch.Generator().manual_seed(0)
    exact = [dihedral(4), cyclic(4), dihedral(2), cyclic(2), dihedral(1)]
    kept = next((known for known in exact if known.subgroup_of(group)), cyclic(1))
    places = 0.25 * pictures.images.shape[1] * torch.randn(2 * DOTS, 2, generator=generator)
    owner = torch.arange(2).repeat_interleave(DOTS)
    dots = Dots(model, pictures.images.shape[1])
    return Symmetry(dots, [(places, POSITIONS), (owner, Role())], Role(rows="graph"), kept)


class Dots(nn.Module):
    """A network on pictures of soft dots about their centroid.

    It is a function of the places of the dots.
    """

    def __init__(self, model: nn.Module, size: int) -> None:
        super().__init__()
        self.model, self.size = model, size

    def forward(self, pos: Tensor, batch: Tensor) -> Tensor:
        """Places (dot, 2) in points and pictures (dot,) to logits (picture, classes).

        The latter are the picture of every dot.
        """
        count = int(batch.max()) + 1
        dots = pos.new_zeros(count, self.size, self.size)
        middle = torch.stack([pos[batch == k].mean(0) for k in range(count)])
        axis = torch.arange(self.size, dtype=pos.dtype, device=pos.device) - self.size // 2
        along = torch.exp(-((axis - (pos - middle[batch]).unsqueeze(-1)) ** 2) / 4)
        result: Tensor = self.model(
            dots.index_add(0, batch, along[:, 0, :, None] * along[:, 1, None, :])
        )
        return result


def _parts(config: DigitsConfig, dataset: Digits | None) -> tuple[Pictures, Pictures, Pictures]:
    data = config.data
    digits = read_digits(data.root) if dataset is None else dataset
    train, validation, test = rotated_parts(
        digits, (data.train, data.validation, data.test), data.seed
    )
    return Pictures(train), Pictures(validation), Pictures(test)


TASK = Task(
    DigitsConfig.task, "pictures", DigitsConfig, build_digits, pose, held_out, test, symmetry
)
