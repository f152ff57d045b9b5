"""The task `digits`: which digit a turned picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from steerable.data import Change, Digits, read_digits, rotated_parts
from steerable.data.images import (
    PictureBatch,
    Pictures,
    deformations,
    digit_files,
    part_indices,
    turns,
    warp,
)
from steerable.groups import planar_group
from steerable.models import Claim, ImageClassifierSettings, build_digits, dots_claim

from ..config import RunConfig, check_range
from ..data_record import PARTS, DataSource, Part
from ..measures import percent
from ..task import Outcome, Table
from .labels import Guesses, LabelData, LabelsFit, LabelTask, cross_entropy, majority

DigitsModel = ImageClassifierSettings


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
class DigitsFit(LabelsFit):
    """How the network is trained: settings that suit it."""

    epochs: int = 20
    batch_size: int = 50
    lr: float = 5e-3
    weight_decay: float = 0.01
    clip: float = 5.0
    ema_decay: float = 0.99


class DigitsConfig(RunConfig[DigitsData, ImageClassifierSettings, DigitsFit]):
    """A training run on turned digits."""

    task = "digits"


def augmentation(data: DigitsData) -> Change | None:
    """What is done to each picture anew in each epoch, by one interpolation."""

    def change(batch: PictureBatch, generator: torch.Generator) -> PictureBatch:
        angle = 2 * torch.pi * torch.rand(len(batch.y), generator=generator) * data.turn
        return PictureBatch(
            warp(batch.images, deformations(len(batch.y), data.deform, generator) @ turns(-angle)),
            batch.y,
        )

    return change if data.turn or data.deform else None


def read(config: DigitsConfig, dataset: Digits | None = None) -> LabelData:
    """Read, split and turn the digits that the settings ask for.

    Args:
        config: the settings.
        dataset: upright digits; those at `config.data.root` by default.

    Raises:
        ValueError: the digits cannot be read, or are fewer than asked for.
    """
    train, validation, _ = _parts(config, dataset)
    return LabelData(
        train=train,
        validation=validation,
        frequency=train.label.bincount(minlength=10) / len(train),
        arguments={"classes": 10, **asdict(config.model)},
        metadata=digits_metadata(config, len(train), len(validation)),
        change=augmentation(config.data),
    )


def digits_metadata(config: Any, train: int, validation: int) -> dict[str, Any]:
    """What is known of digits that are learned, in the plane or on the sphere."""
    data = config.data
    return {
        "task": f"{config.task}/{'mnist' if data.root else 'strokes'}",
        "units": {"prediction": "logits of the digits"},
        "split": {
            "seed": data.seed,
            "train": train,
            "validation": validation,
            "test": data.test,
        },
    }


def usual(config: Any) -> tuple[Digits, DataSource]:
    """The upright digits of the settings of this task and of that on the sphere."""
    root = config.data.root
    if root is None:
        return read_digits(), DataSource("digits that are drawn here", computed=True)
    return read_digits(root), DataSource.of_files(f"the digits of {root}", digit_files(root))


def part(config: Any, digits: Digits, name: str) -> Part:
    """The upright digits of one part."""
    data = config.data
    sizes = (data.train, data.validation, data.test)
    index = part_indices(len(digits), sizes, data.seed)[PARTS.index(name)]
    return Part(index.numpy(), (digits.images[index], digits.label[index]))


def held_out(config: DigitsConfig, dataset: Digits | None = None) -> Pictures:
    """The pictures of the test."""
    return _parts(config, dataset)[2]


def views(pictures: Pictures) -> dict[str, list[Pictures]]:
    """The test has its pictures once."""
    return {"turned": [pictures]}


def score(guesses: Guesses) -> Outcome:
    """The share of pictures that a network takes for another digit.

    The baseline is the share for a guess of the most frequent digit.
    """
    logits, label = guesses.logits["turned"][0], guesses.label
    guess = logits.argmax(-1)
    return digits_outcome(
        guesses,
        {"error": percent(guess != label)},
        Table(("true", "predicted"), list(zip(label.tolist(), guess.tolist(), strict=True))),
    )


def digits_outcome(guesses: Guesses, measured: dict[str, Any], table: Table) -> Outcome:
    """The outcome of a test on digits.

    Args:
        guesses: what the network says; the first protocol is the one that is tested.
        measured: the errors.
        table: the predictions.
    """
    logits, label = next(iter(guesses.logits.values()))[0], guesses.label
    wrong = logits.argmax(-1) != label
    most, right = majority(guesses.frequency, label)
    per_class = {
        str(digit): percent(wrong[label == digit]) for digit in label.unique(sorted=True).tolist()
    }
    return Outcome(
        test={
            "pictures": len(label),
            **measured,
            "cross_entropy": cross_entropy(logits, label),
            "per_class": per_class,
        },
        baselines={"majority": {"name": f"always {most}", "error": percent(~right)}},
        tables={"class": table._replace(classes=tuple(map(str, range(logits.shape[-1]))))},
    )


def claim(model: nn.Module, inputs: Sequence[Tensor], metadata: dict[str, Any]) -> Claim:
    """The claim of any network of pictures, under the group of its settings."""
    return dots_claim(model, planar_group(metadata["model"]["group"]), inputs[0].shape[-1])


def _parts(config: DigitsConfig, dataset: Digits | None) -> tuple[Pictures, Pictures, Pictures]:
    data = config.data
    digits = usual(config)[0] if dataset is None else dataset
    train, validation, test = rotated_parts(
        digits, (data.train, data.validation, data.test), data.seed
    )
    return Pictures(train), Pictures(validation), Pictures(test)


TASK = LabelTask(
    name=DigitsConfig.task,
    items="pictures",
    config=DigitsConfig,
    build=build_digits,
    read=read,
    held_out=held_out,
    views=views,
    score=score,
    claim=claim,
    usual=usual,
    part=part,
).task()
