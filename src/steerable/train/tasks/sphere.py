"""The task `sphere`: which digit a picture on the sphere shows, however the sphere is turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor, nn

from steerable.data import Digits
from steerable.data.images import FlatPictures, SphereDigits, SpherePictures, sphere_parts
from steerable.functions import SphereGrid, SphereTransform
from steerable.models import Claim, SphereClassifierSettings, build_sphere, bumps_claim

from ..config import RunConfig, check_choices, check_range
from ..measures import percent
from ..task import Outcome, Table
from .digits import digits_metadata, digits_outcome, part, usual
from .labels import Guesses, LabelData, LabelsFit, LabelTask

SphereModel = SphereClassifierSettings


@dataclass
class SphereData:
    """Which digits are learned.

    The test always has the same pictures twice, upright and each turned by a rotation of its own.
    With NR for upright and R for turned pictures, `rotation="none"` gives NR/NR and NR/R in one run
    and `rotation="so3"` gives R/R.

    Args:
        root: folder of the four MNIST files; left out, digits that are drawn here.
        train: pictures to learn from.
        validation: pictures that choose the best weights.
        test: pictures of the test, which no choice sees.
        rotation: of the pictures of training and validation: `none`, or `so3`, one rotation for
            each.
        deform: size of the random linear maps that each training picture goes through in the plane
            in each epoch.
        seed: of the split and of the rotations.
    """

    root: str | None = None
    train: int = 500
    validation: int = 100
    test: int = 400
    rotation: Literal["none", "so3"] = "so3"
    deform: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_choices("data", self)
        for name in ("train", "validation", "test"):
            check_range("data", self, name, least=1)
        for name in ("seed", "deform"):
            check_range("data", self, name, least=0)


@dataclass
class SphereFit(LabelsFit):
    """How the network is trained: settings that suit it."""

    epochs: int = 12
    batch_size: int = 32
    lr: float = 3e-3
    weight_decay: float = 0.01
    clip: float = 5.0
    ema_decay: float = 0.99


class SphereConfig(RunConfig[SphereData, SphereClassifierSettings, SphereFit]):
    """A training run on digits on the sphere."""

    task = "sphere"


def read(config: SphereConfig, dataset: Digits | None = None) -> LabelData:
    """Read and split the digits that the settings ask for.

    Args:
        config: the settings.
        dataset: upright digits; those at `config.data.root` by default.

    Raises:
        ValueError: the digits cannot be read, or are fewer than asked for.
    """
    data, rings = config.data, config.model.rings
    first, second, _ = _parts(config, dataset)
    train = SpherePictures(first, rings, data.rotation == "so3")
    validation = SpherePictures(second, rings, data.rotation == "so3")
    flat = FlatPictures(train, data.deform)
    return LabelData(
        train=flat,
        validation=validation,
        frequency=train.label.bincount(minlength=10) / len(train),
        arguments={"classes": 10, **asdict(config.model)},
        metadata=digits_metadata(config, len(train), len(validation)) | {"rotation": data.rotation},
        change=flat.change,
    )


def held_out(config: SphereConfig, dataset: Digits | None = None) -> SpherePictures:
    """The pictures of the test, rotated."""
    return SpherePictures(_parts(config, dataset)[2], config.model.rings, True)


def views(pictures: SpherePictures) -> dict[str, list[SpherePictures]]:
    """The test has its pictures rotated, and once more upright."""
    return {"rotated": [pictures], "upright": [pictures.upright()]}


def score(guesses: Guesses) -> Outcome:
    """The share of rotated and of upright pictures that a network takes for another digit.

    A guess is beside it.
    """
    label = guesses.label
    guess = guesses.logits["rotated"][0].argmax(-1)
    upright = guesses.logits["upright"][0].argmax(-1)
    measured = {
        "error": percent(guess != label),
        "error_upright": percent(upright != label),
        "changed_by_rotation": percent(guess != upright),
    }
    rows = list(zip(label.tolist(), guess.tolist(), upright.tolist(), strict=True))
    return digits_outcome(
        guesses, measured, Table(("true", "predicted", "predicted upright"), rows)
    )


def claim(model: nn.Module, inputs: Sequence[Tensor], metadata: dict[str, Any]) -> Claim:
    """The claim of any network of signals on the sphere."""
    rings, degree = metadata["model"]["rings"], metadata["model"]["degrees"][0]
    return bumps_claim(model, SphereTransform(degree, SphereGrid("gauss", rings, 2 * rings)))


def _parts(
    config: SphereConfig, dataset: Digits | None
) -> tuple[SphereDigits, SphereDigits, SphereDigits]:
    data = config.data
    digits = usual(config)[0] if dataset is None else dataset
    return sphere_parts(digits, (data.train, data.validation, data.test), data.seed)


TASK = LabelTask(
    name=SphereConfig.task,
    items="pictures on the sphere",
    config=SphereConfig,
    build=build_sphere,
    read=read,
    held_out=held_out,
    views=views,
    score=score,
    claim=claim,
    usual=usual,
    part=part,
).task()
