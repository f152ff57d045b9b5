"""The task `sphere`: which digit a picture on the sphere shows, however the sphere is turned."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steerable.certify import POSITIONS, Role
from steerable.data import Digits, read_digits
from steerable.data.images import FlatPictures, SphereDigits, SpherePictures, sphere_parts
from steerable.functions import bump_harmonics
from steerable.groups import Group, rotation
from steerable.layers import SphereActivation
from steerable.models import build_sphere
from steerable.ops import segment_mean, segment_sum

from ...data import Batches
from ..config import ConfigError, check_choices, check_range
from ..predict import predict
from ..task import Measure, Outcome, Problem, Symmetry, Task
from .labels import LabelsFit, label_errors, percent

PASS = 250  # pictures that are predicted together
BUMPS = 6  # in each signal that is certified
SHARPNESS = 10.0  # of these bumps


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
class SphereModel:
    """The part of `steerable.models.sphere_net.SphereClassifier` that a user chooses.

    The data decide the rest.

    Args:
        rings: of the samples of a picture, a Gauss grid with twice as many longitudes.
        degrees: the highest degree of the input and of every layer, falling.
        widths: signals of every layer.
        max_order: columns |n| <= max_order of the signals on the rotations.
        knots: free degrees of a filter.
        hidden: width of the hidden layer of the last perceptron.
        dropout: probability before the last linear layer.
        oversampling: of the grids of the activations.
    """

    rings: int = 48
    degrees: list[int] = field(default_factory=lambda: [23, 15, 11, 11, 7, 7])
    widths: list[int] = field(default_factory=lambda: [12, 12, 16, 20, 24])
    max_order: int = 1
    knots: int = 4
    hidden: int = 48
    dropout: float = 0.3
    oversampling: float = 2.0

    def __post_init__(self) -> None:
        for name, least in (
            ("rings", 1),
            ("max_order", 0),
            ("knots", 2),
            ("hidden", 1),
            ("oversampling", 1),
        ):
            check_range("model", self, name, least=least)
        check_range("model", self, "dropout", least=0, below=1)
        if not self.widths or len(self.degrees) != len(self.widths) + 1:
            raise ConfigError(
                "model.degrees has the degree of the input and one for each of model.widths; got "
                f"{self.degrees} and {self.widths}."
            )


@dataclass
class SphereFit(LabelsFit):
    """How the network is trained: settings that suit it."""

    epochs: int = 12
    batch_size: int = 32
    lr: float = 3e-3
    weight_decay: float = 0.01
    clip: float = 5.0
    ema_decay: float = 0.99


@dataclass
class SphereConfig:
    """A training run on digits on the sphere.

    Args:
        data: the pictures.
        model: the network.
        fit: the training.
        run: folder that the run writes; it must be new or empty.
    """

    task: ClassVar[str] = "sphere"

    data: SphereData = field(default_factory=SphereData)
    model: SphereModel = field(default_factory=SphereModel)
    fit: SphereFit = field(default_factory=SphereFit)
    run: str = "runs/sphere"


def pose(config: SphereConfig, dataset: Digits | None = None) -> Problem:
    """Read and split the digits that the settings ask for.

    Args:
        config: the settings.
        dataset: upright digits; those at `config.data.root` by default.

    Raises:
        ValueError: the digits cannot be read, or are fewer than asked for.
    """
    data, rings = config.data, config.model.rings
    train, validation = (
        SpherePictures(part, rings, data.rotation == "so3") for part in _parts(config, dataset)[:2]
    )
    flat = FlatPictures(train, data.deform)
    arguments = {"classes": 10, **asdict(config.model)}
    metadata = {
        "task": f"sphere/{'mnist' if data.root else 'strokes'}",
        "units": {"prediction": "logits of the digits"},
        "rotation": data.rotation,
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
        train=Batches(flat, config.fit.batch_size, config.fit.seed, flat.change),
        validation=Batches(validation, PASS),
        measures=(Measure("error", "%"), Measure("cross entropy", "nat")),
        errors=label_errors,
        loss=config.fit.cross_entropy,
        probe=validation.batch(torch.tensor([0]))[:1],
        arguments=arguments,
        metadata=metadata,
    )


def held_out(config: SphereConfig, dataset: Digits | None = None) -> SpherePictures:
    """The pictures of the test, rotated."""
    return SpherePictures(_parts(config, dataset)[2], config.model.rings, True)


def test(model: nn.Module, pictures: SpherePictures, metadata: dict[str, Any]) -> Outcome:
    """The share of rotated and of upright pictures that a network takes for another digit.

    A guess is beside it.
    """
    logits, upright = (predict(model, items, PASS) for items in (pictures, pictures.upright()))
    label, guess, guess_upright = pictures.label, logits.argmax(-1), upright.argmax(-1)
    frequency = torch.tensor(metadata["baselines"]["frequency"], dtype=torch.float64)
    most = int(frequency.argmax())
    return Outcome(
        test={
            "pictures": len(label),
            "error": percent(guess != label),
            "error_upright": percent(guess_upright != label),
            "changed_by_rotation": percent(guess != guess_upright),
            "cross_entropy": {"value": float(F.cross_entropy(logits, label)), "unit": "nat"},
            "per_class": {
                str(k): percent(guess[label == k] != k) for k in range(10) if (label == k).any()
            },
        },
        baselines={"majority": {"name": f"always {most}", "error": percent(label != most)}},
        header=("true", "predicted", "predicted upright"),
        rows=list(zip(label.tolist(), guess.tolist(), guess_upright.tolist(), strict=True)),
    )


def symmetry(model: nn.Module, pictures: SpherePictures, metadata: dict[str, Any]) -> Symmetry:
    """The network on signals of bumps whose places are turned about the pole.

    The turns are reduced to those that keep all its grids.
    """
    generator = torch.Generator().manual_seed(0)
    longitudes = [
        layer.transform.shape[1] for layer in model.modules() if isinstance(layer, SphereActivation)
    ]
    turns = math.gcd(*longitudes)
    kept = Group.from_generators(
        [rotation(2 * math.pi / turns, (0, 1, 0))], f"C{turns} about the pole"
    )
    places = torch.randn(2 * BUMPS, 3, generator=generator)
    owner = torch.arange(2).repeat_interleave(BUMPS)
    return Symmetry(Bumps(model), [(places, POSITIONS), (owner, Role())], Role(rows="graph"), kept)


class Bumps(nn.Module):
    """A network on signals of bumps in the directions of points from their centroid.

    It is a function of the points.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pos: Tensor, batch: Tensor) -> Tensor:
        """Points (bump, 3) and the signal of every bump (bump,) to logits (signal, classes)."""
        count, transform = int(batch.max()) + 1, self.model.transform
        places = pos - segment_mean(pos, batch, count).index_select(0, batch)
        bumps = math.exp(-SHARPNESS) * bump_harmonics(
            places, transform.layout.max_degree, SHARPNESS
        )
        result: Tensor = self.model(transform.synthesis(segment_sum(bumps, batch, count)))
        return result


def _parts(
    config: SphereConfig, dataset: Digits | None
) -> tuple[SphereDigits, SphereDigits, SphereDigits]:
    data = config.data
    digits = read_digits(data.root) if dataset is None else dataset
    return sphere_parts(digits, (data.train, data.validation, data.test), data.seed)


TASK = Task(
    SphereConfig.task,
    "pictures on the sphere",
    SphereConfig,
    build_sphere,
    pose,
    held_out,
    test,
    symmetry,
)
