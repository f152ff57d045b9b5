"""What a training run is told: typed settings with their units."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints


class ConfigError(ValueError):
    """Settings that cannot be read or make no sense."""


@dataclass
class DataConfig:
    """Which molecules are learned, and which of their properties.

    Args:
        target: name of the property, as in `steerable.data.qm9.TARGETS`.
        split: `n` draws the three sizes below; `110k` and `100k` are the splits of the literature and have their own.
        train: training molecules of the split `n`.
        validation: validation molecules of the split `n`.
        test: test molecules of the split `n`.
        seed: seed of the split.
    """

    target: str = "U0_atom"
    split: Literal["n", "110k", "100k"] = "n"
    train: int = 5000
    validation: int = 500
    test: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        _check_choices("data", self)
        for name in ("train", "validation", "test"):
            _check_range("data", self, name, least=1)

    def sizes(self) -> dict[str, int]:
        """The sizes that the split is asked for; none where its name fixes them."""
        return {"train": self.train, "validation": self.validation, "test": self.test} if self.split == "n" else {}


@dataclass
class ModelConfig:
    """The part of `steerable.models.Regressor` that a user chooses; the data decide the rest.

    Args:
        hidden: field of the hidden features.
        layers: number of convolutions.
        cutoff: radius of the neighbourhoods in Angstrom.
        filter_field: irreps of one channel of the filters.
        filter_channels: channels of the filters.
        group: name of the symmetry group.
    """

    hidden: str = "32x0e+16x1o+8x2e"
    layers: int = 3
    cutoff: float = 5.0
    filter_field: str = "0e+1o+2e"
    filter_channels: int = 8
    group: str = "O(3)"

    def __post_init__(self) -> None:
        for name in ("layers", "filter_channels"):
            _check_range("model", self, name, least=1)
        _check_range("model", self, "cutoff", above=0)


@dataclass
class FitConfig:
    """How the network is trained.

    Args:
        epochs: passes over the training molecules, at most.
        max_seconds: seconds of training, at most; 0 sets no limit. The schedule ends with whichever limit comes first.
        batch_size: molecules in a step.
        lr: highest learning rate of AdamW.
        weight_decay: decoupled weight decay of AdamW.
        schedule: `cosine` falls to zero at the end; `plateau` halves the rate when validation stops improving.
        warmup_steps: steps in which the rate rises linearly from zero.
        patience: epochs without a better validation error before `plateau` halves the rate.
        ema_decay: decay of the running average of the weights, which is what is validated, saved and tested.
        clip: norm to which gradients are clipped; 0 leaves them.
        loss: of the error in units of the target's spread in the training set.
        precision: bits of a number in the network, 32 or 64.
        accelerator: `auto` takes a CUDA device when there is one.
        threads: of the CPU; 0 leaves PyTorch's choice, which beside other busy programs can be far slower than 1.
        deterministic: forbid operations whose result may differ between two equal runs.
        seed: seed of the initial weights and of the order of the molecules.
    """

    epochs: int = 100
    max_seconds: float = 0.0
    batch_size: int = 32
    lr: float = 2e-3
    weight_decay: float = 0.0
    schedule: Literal["cosine", "plateau"] = "cosine"
    warmup_steps: int = 100
    patience: int = 10
    ema_decay: float = 0.999
    clip: float = 1.0
    loss: Literal["l1", "mse", "huber"] = "l1"
    precision: Literal[32, 64] = 32
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 0
    deterministic: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        _check_choices("fit", self)
        for name in ("epochs", "batch_size", "patience"):
            _check_range("fit", self, name, least=1)
        for name in ("max_seconds", "weight_decay", "warmup_steps", "clip", "ema_decay", "threads", "seed"):
            _check_range("fit", self, name, least=0)
        _check_range("fit", self, "lr", above=0)
        if self.ema_decay >= 1:
            raise ConfigError(f"fit.ema_decay is below 1 (0 keeps the last weights); got {self.ema_decay}.")


@dataclass
class QM9Config:
    """A training run on QM9.

    Args:
        data: the molecules.
        model: the network.
        fit: the training.
        run: folder that the run writes; it must be new or empty.
    """

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    run: str = "runs/qm9"


def _check_choices(section: str, config: Any) -> None:
    for name, kind in get_type_hints(type(config)).items():
        if get_origin(kind) is Literal and getattr(config, name) not in get_args(kind):
            choices = ", ".join(str(choice) for choice in get_args(kind))
            raise ConfigError(f"{section}.{name} is one of {choices}; got {getattr(config, name)!r}.")


def _check_range(section: str, config: Any, name: str, least: float = -math.inf, above: float = -math.inf) -> None:
    value = getattr(config, name)
    if not (least <= value < math.inf and value > above):
        wanted = f"{least} or more" if least > above else f"above {above}"
        raise ConfigError(f"{section}.{name} is a finite number {wanted}; got {value}.")
