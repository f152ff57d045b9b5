"""What one task has and others have not; everything else about a training run is shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from steerable.certify import Role
from steerable.groups import Group

from ..data import Batches


class Measure(NamedTuple):
    """A mean error over items, with its unit."""

    name: str
    unit: str

    @property
    def key(self) -> str:
        """The name as one word of small letters."""
        return self.name.lower().replace(" ", "_")


@dataclass(frozen=True)
class Problem:
    """Settings and a data set made into what is learned.

    Args:
        train: items to learn from; a batch is the inputs of the network and, last, what it should
            predict.
        validation: items that choose the best weights.
        measures: what is recorded of each epoch; the least mean of the first chooses the weights.
        errors: values of each measure for the items of a batch, from the prediction and what it
            should be.
        loss: what training makes small, from the same two.
        probe: inputs of the network for one item.
        arguments: keyword arguments of the network: numbers, texts and lists.
        metadata: all that a reader of the trained network needs to know of this.
    """

    train: Batches
    validation: Batches
    measures: tuple[Measure, ...]
    errors: Callable[[Tensor, Tensor], tuple[Tensor, ...]]
    loss: Callable[[Tensor, Tensor], Tensor]
    probe: tuple[Tensor, ...]
    arguments: dict[str, Any]
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a network reached on items that it never saw.

    Args:
        test: first the number of items under their name; numbers with a unit are `{"value": ...,
            "unit": ...}`.
        baselines: the same numbers for what knows less, each with a `name` in words.
        header: names of the columns of the predictions.
        rows: the predictions, one row an item.
    """

    test: dict[str, Any]
    baselines: dict[str, dict[str, Any]]
    header: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Symmetry(NamedTuple):
    """What `steerable.certify` is asked about a trained network."""

    function: nn.Module
    inputs: Sequence[tuple[Tensor, Role]]
    output: Role
    group: Group


@dataclass(frozen=True)
class Task:
    """One kind of learning.

    Args:
        name: of the task, as in `steerable train NAME`; `metadata["task"]` begins with it.
        items: what is learned from, in words.
        config: type of its settings: `data`, `model`, `fit` (a `TrainingConfig`) and `run`.
        build: makes the network from `Problem.arguments`.
        pose: makes the problem from the settings and a data set, or from the usual data set if that
            is None.
        held_out: the items of the test, from the same; nothing else looks at them.
        test: measures a network on them, with its metadata.
        symmetry: what is certified of a network, on some of them.
        settings: settings that are known to work well for a preset, where the task has presets.
    """

    name: str
    items: str
    config: type
    build: Callable[..., nn.Module]
    pose: Callable[[Any, Any], Problem]
    held_out: Callable[[Any, Any], Any]
    test: Callable[[nn.Module, Any, dict[str, Any]], Outcome]
    symmetry: Callable[[nn.Module, Any, dict[str, Any]], Symmetry]
    settings: Callable[[str], Any] | None = None
