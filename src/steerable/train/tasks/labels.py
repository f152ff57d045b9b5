"""What the tasks with classes share: the problem, the loss, the test, and what is certified."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from steerable.data import Batches, Change, Items
from steerable.models import Certifiable, Claim

from ..config import RunConfig, TrainingConfig, check_range
from ..data_record import DataSource, Part
from ..losses import Loss, Term
from ..measures import Measure, quantity
from ..predict import predict
from ..task import Outcome, Problem, Task

OUTPUT = "class"  # name of the logits, and of the number of the class


@dataclass
class LabelsFit(TrainingConfig):
    """How a network that tells classes is trained.

    Args:
        smoothing: share of the label that is spread over all classes in the loss, the cross
            entropy.
    """

    smoothing: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("fit", self, "smoothing", least=0, below=1)

    def cross_entropy(self, prediction: Tensor, y: Tensor) -> Tensor:
        """The loss of logits (item, class) for classes y (item,), in nat."""
        return functional.cross_entropy(prediction, y, label_smoothing=self.smoothing)


def label_error(prediction: Tensor, y: Tensor) -> Tensor:
    """100 where the class of logits (item, class) is not y (item,)."""
    return 100.0 * (prediction.argmax(-1) != y)


def entropy(prediction: Tensor, y: Tensor) -> Tensor:
    """The cross entropy of each item in nat, of logits (item, class) for classes y (item,)."""
    return functional.cross_entropy(prediction, y, reduction="none")


ERROR = Measure("error", "%", OUTPUT, label_error)
ENTROPY = Measure("cross entropy", "nat", OUTPUT, entropy)


class Labelled(Items, Protocol):
    """Items with classes."""

    together: ClassVar[int]
    certified: ClassVar[int]

    @property
    def label(self) -> Tensor:
        """The class of each item (item,)."""
        ...


@dataclass(frozen=True)
class LabelData:
    """Items with classes, ready to be learned.

    Args:
        train: to learn from.
        validation: to choose the best weights.
        frequency: share of each class in training (class,).
        arguments: keyword arguments of the network.
        metadata: of the data; the rest is added.
        change: what happens to each batch of training.
    """

    train: Items
    validation: Labelled
    frequency: Tensor
    arguments: dict[str, Any]
    metadata: dict[str, Any]
    change: Change | None = None


class Guesses(NamedTuple):
    """What a network says of the items of a test.

    Args:
        logits: under each protocol (pass, item, class); that of the test first.
        label: the true classes (item,).
        frequency: share of each class in training (class,), float64.
        metadata: of the network.
    """

    logits: dict[str, Tensor]
    label: Tensor
    frequency: Tensor
    metadata: dict[str, Any]


@dataclass(frozen=True)
class LabelTask:
    """A task with classes, from its parts.

    Args:
        name: as in `Task`, like the next three.
        items: in words.
        config: type of its settings.
        build: makes the network.
        read: the data, from the settings and a data set or None.
        held_out: the items of the test, from the same.
        views: from these, the passes of each protocol of the test, that of the test first.
        score: the outcome of a test.
        claim: what is certified of a network that is not `Certifiable`, from its inputs for some
            items and the metadata.
        usual: as in `Task`, like the next.
        part: as in `Task`.
        measures: of each epoch; the first chooses the weights.
    """

    name: str
    items: str
    config: type[RunConfig[Any, Any, Any]]
    build: Callable[..., nn.Module]
    read: Callable[[Any, Any], LabelData]
    held_out: Callable[[Any, Any], Any]
    views: Callable[[Any], Mapping[str, Sequence[Labelled]]]
    score: Callable[[Guesses], Outcome]
    claim: Callable[[nn.Module, Sequence[Tensor], dict[str, Any]], Claim]
    usual: Callable[[Any], tuple[Any, DataSource]] | None = None
    part: Callable[[Any, Any, str], Part] | None = None
    measures: tuple[Measure, ...] = (ERROR, ENTROPY)

    def task(self) -> Task:
        """The task."""
        return Task(
            name=self.name,
            items=self.items,
            config=self.config,
            build=self.build,
            pose=self._pose,
            held_out=self.held_out,
            test=self._test,
            claim=self._claim,
            usual=self.usual,
            part=self.part,
        )

    def _pose(self, config: Any, dataset: Any = None) -> Problem:
        """The problem of some settings and a data set, or the usual one."""
        data = self.read(config, dataset)
        learned = {"baselines": {"frequency": data.frequency.tolist()}, "model": data.arguments}
        return Problem(
            train=Batches(data.train, config.fit.batch_size, config.fit.seed, data.change),
            validation=Batches(data.validation, data.validation.together),
            measures=self.measures,
            loss=Loss((Term(OUTPUT, config.fit.cross_entropy, unit="nat"),)),
            probe=data.validation.batch(torch.tensor([0]))[:-1],
            arguments=data.arguments,
            metadata=data.metadata | learned,
            output=OUTPUT,
        )

    def _test(self, model: nn.Module, held_out: Any, metadata: dict[str, Any]) -> Outcome:
        """What a network reaches on the items of the test."""
        views = self.views(held_out)
        logits = {}
        for name, passes in views.items():
            parts = [predict(model, items, items.together, OUTPUT)[OUTPUT] for items in passes]
            logits[name] = torch.stack(parts)
        frequency = torch.tensor(metadata["baselines"]["frequency"], dtype=torch.float64)
        label = next(iter(views.values()))[0].label
        return self.score(Guesses(logits, label, frequency, metadata))

    def _claim(self, model: nn.Module, held_out: Any, metadata: dict[str, Any]) -> Claim:
        """What is certified of a network, on a few items of the test."""
        items = next(iter(self.views(held_out).values()))[0]
        inputs = items.batch(torch.arange(min(items.certified, len(items))))[:-1]
        if isinstance(model, Certifiable):
            return model.certifiable(*inputs)
        return self.claim(model, inputs, metadata)


def cross_entropy(logits: Tensor, label: Tensor) -> dict[str, Any]:
    """The mean cross entropy, with its unit."""
    return quantity(functional.cross_entropy(logits, label), "nat")


def majority(frequency: Tensor, label: Tensor) -> tuple[int, Tensor]:
    """The most frequent class in training, and where it is the right one (item,)."""
    most = int(frequency.argmax())
    return most, label == most
