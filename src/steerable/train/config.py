"""What every training run is told, whatever it learns.

Typed settings with their units, and how they are checked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints


class ConfigError(ValueError):
    """Settings that cannot be read or make no sense."""


@dataclass
class TrainingConfig:
    """How a network is trained.

    Args:
        epochs: passes over the training items, at most.
        max_seconds: seconds of training, at most; 0 sets no limit. The schedule ends with whichever
            limit comes first.
        batch_size: items in a step.
        lr: highest learning rate of AdamW.
        weight_decay: decoupled weight decay of AdamW.
        schedule: `cosine` falls to zero at the end; `plateau` halves the rate when validation stops
            improving.
        warmup_steps: steps in which the rate rises linearly from zero.
        patience: epochs without a better validation error before `plateau` halves the rate.
        ema_decay: decay of the running average of the weights, which is what is validated, saved
            and tested; 0 keeps the last weights.
        clip: norm to which gradients are clipped; 0 leaves them.
        precision: bits of a number in the network, 32 or 64.
        accelerator: `auto` takes a CUDA device when there is one.
        threads: of the CPU; 0 leaves PyTorch's choice, which beside other busy programs can be far
            slower than 1.
        deterministic: forbid operations whose result may differ between two equal runs.
        seed: seed of the initial weights and of the order of the items.
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
    precision: Literal[32, 64] = 32
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 0
    deterministic: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_choices("fit", self)
        for name in ("epochs", "batch_size", "patience"):
            check_range("fit", self, name, least=1)
        for name in ("max_seconds", "weight_decay", "warmup_steps", "clip", "threads", "seed"):
            check_range("fit", self, name, least=0)
        check_range("fit", self, "lr", above=0)
        check_range("fit", self, "ema_decay", least=0, below=1)


def check_choices(section: str, config: Any) -> None:
    """Raise ConfigError if a setting with named choices is none of them."""
    for name, kind in get_type_hints(type(config)).items():
        if get_origin(kind) is Literal and getattr(config, name) not in get_args(kind):
            choices = ", ".join(str(choice) for choice in get_args(kind))
            raise ConfigError(
                f"{section}.{name} is one of {choices}; got {getattr(config, name)!r}."
            )


def check_range(
    section: str,
    config: Any,
    name: str,
    least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> None:
    """Raise ConfigError unless a setting lies within its bounds and is finite.

    The bounds are `least` or more, above `above`, below `below`.
    """
    value = getattr(config, name)
    if not (least <= value < below and value > above):
        wanted = f"{least} or more" if least > above else f"above {above}"
        wanted += f" and below {below}" if below < math.inf else ""
        raise ConfigError(f"{section}.{name} is a finite number {wanted}; got {value}.")
