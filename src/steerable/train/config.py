"""The settings of a training run, whatever it learns: how to train, and the sections of a task."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, dataclass_transform, get_args

from steerable.settings import ConfigError, check_choices, check_range

__all__ = [
    "ConfigError",
    "DivergedError",
    "RunConfig",
    "TrainingConfig",
    "check_choices",
    "check_range",
]

D = TypeVar("D")
M = TypeVar("M")
F = TypeVar("F", bound="TrainingConfig")

_LEFT_OUT: Any = None  # each task has a default of its own


class DivergedError(ArithmeticError):
    """Training gave a loss that is no number."""


@dataclass
class TrainingConfig:
    """How a network is trained.

    Args:
        epochs: passes over the training items, at most.
        max_seconds: seconds of training, at most; 0 sets no limit. The schedule ends with whichever
            limit comes first.
        batch_size: items in a step.
        optimizer: `adamw`; or `muon`, whose steps of matrices are orthogonal.
        lr: highest learning rate.
        weight_decay: decoupled weight decay.
        schedule: `cosine` falls to zero at the end; `plateau` halves the rate when validation stops
            improving.
        warmup_steps: steps in which the rate rises linearly from zero.
        patience: epochs without a better validation error before `plateau` halves the rate.
        early_stopping: epochs without a better validation error after which training ends; 0 goes
            on to the end.
        ema_decay: decay of the running average of the weights, which is what is validated, saved
            and tested; 0 keeps the last weights.
        clip: norm to which gradients are clipped; 0 leaves them.
        precision: bits of a number in the network, 32 or 64.
        accelerator: `auto` takes a CUDA device when there is one.
        threads: of the CPU; 0 leaves PyTorch's choice, which beside other busy programs can be far
            slower than 1.
        deterministic: forbid operations whose result may differ between two equal runs.
        seed: seed of the initial weights and of the order of the items.
        logger: who gets the numbers of each epoch besides `log.csv`: `tensorboard`, `wandb` or
            none.
    """

    epochs: int = 100
    max_seconds: float = 0.0
    batch_size: int = 32
    optimizer: Literal["adamw", "muon"] = "adamw"
    lr: float = 2e-3
    weight_decay: float = 0.0
    schedule: Literal["cosine", "plateau"] = "cosine"
    warmup_steps: int = 100
    patience: int = 10
    early_stopping: int = 0
    ema_decay: float = 0.999
    clip: float = 1.0
    precision: Literal[32, 64] = 32
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 0
    deterministic: bool = False
    seed: int = 0
    logger: Literal["none", "tensorboard", "wandb"] = "none"

    least_batch: ClassVar[int] = 1  # a task that chooses the size itself allows 0

    def __post_init__(self) -> None:
        check_choices("fit", self)
        for name in ("epochs", "patience"):
            check_range("fit", self, name, least=1)
        check_range("fit", self, "batch_size", least=self.least_batch)
        for name in ("max_seconds", "weight_decay", "warmup_steps", "clip", "threads", "seed"):
            check_range("fit", self, name, least=0)
        check_range("fit", self, "early_stopping", least=0)
        check_range("fit", self, "lr", above=0)
        check_range("fit", self, "ema_decay", least=0, below=1)


@dataclass_transform()
class _Sections:
    """Makes each subclass a dataclass."""


class RunConfig(_Sections, Generic[D, M, F]):
    """A training run.

    A task has a subclass `class MyConfig(RunConfig[MyData, MySettings, MyFit])` with its name as
    `task`. Each section that is left out has its default values.

    Args:
        data: what is learned from.
        model: the network.
        fit: the training.
        run: folder that the run writes; it must be new or empty.
    """

    task: ClassVar[str]

    data: D = _LEFT_OUT
    model: M = _LEFT_OUT
    fit: F = _LEFT_OUT
    run: str = ""

    @classmethod
    def defaults(cls, content: Mapping[str, Any]) -> Self:
        """The settings that a file of settings leaves out.

        A task whose defaults were others in an earlier version knows the files of that version,
        which hold every setting that there was, and gives them their own.

        Args:
            content: of the file, the settings by section.
        """
        return cls()

    def __init_subclass__(cls) -> None:
        # A dataclass like one written by hand: the types of the sections in place of D, M and F.
        sections = get_args(cls.__orig_bases__[0])  # type: ignore[attr-defined]
        for name, kind in zip(("data", "model", "fit"), sections, strict=True):
            cls.__annotations__[name] = kind
            setattr(cls, name, field(default_factory=kind))
        cls.__annotations__["run"] = str
        cls.run = f"runs/{cls.task}"
        arguments = inspect.cleandoc(RunConfig.__doc__ or "").partition("Args:")[2]
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\nArgs:{arguments}"
        dataclass(cls)
