"""What one task has and others have not; everything else about a training run is shared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn

from steerable.data import Batches
from steerable.models import Claim

from .data_record import DataSource, Part
from .losses import Loss
from .measures import Measure


@dataclass(frozen=True)
class Problem:
    """Settings and a data set made into what is learned.

    Predictions and labels have names. A network that returns one tensor, and a batch whose labels
    are one tensor, get the name `output`.

    Args:
        train: items to learn from; a batch is the inputs of the network and, last, its labels.
        validation: items that choose the best weights.
        measures: what is recorded of each epoch; the least mean of the first chooses the weights.
        loss: what training makes small.
        probe: inputs of the network for one item; None for those that it does without.
        arguments: keyword arguments of the network: numbers, texts and lists.
        metadata: all that a reader of the trained network needs to know of this.
        output: name of what is predicted, where it is one tensor.
    """

    train: Batches
    validation: Batches
    measures: tuple[Measure, ...]
    loss: Loss
    probe: tuple[Tensor | None, ...]
    arguments: dict[str, Any]
    metadata: dict[str, Any]
    output: str = "prediction"


class Table(NamedTuple):
    """The predictions of one output for the items of a test, and how they are drawn.

    Args:
        header: names of the columns: the truth, the prediction, and others, such as `composition`,
            what the elements alone predict of a sum over atoms. Numbers have their unit in
            brackets.
        rows: one row an item, or several, such as one an atom.
        classes: all names of classes, where the predictions are such names.
        items: the number of the item of each row in the test; by default row k is of item k.
    """

    header: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    classes: tuple[str, ...] = ()
    items: Sequence[int] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a network reached on items that it never saw.

    Args:
        test: first the number of items under their name; numbers with a unit are `{"value": ...,
            "unit": ...}`.
        baselines: the same numbers for what knows less, each with a `name` in words.
        tables: the predictions by name of output. The first becomes `predictions.csv`, any other
            `predictions-NAME.csv`; each has a figure.
    """

    test: dict[str, Any]
    baselines: dict[str, dict[str, Any]]
    tables: Mapping[str, Table]


@dataclass(frozen=True)
class Task:
    """One kind of learning.

    The commands, the figures and the certificate of a run ask the task for what they need, and
    nothing about it is known elsewhere.

    Args:
        name: of the task, as in `steerable train NAME`; `metadata["task"]` begins with it.
        items: what is learned from, in words.
        config: type of its settings, a `RunConfig`.
        build: makes the network from `Problem.arguments`.
        pose: makes the problem from the settings and a data set, or from the usual data set if that
            is None.
        held_out: the items of the test, from the same; nothing else looks at them.
        test: measures a network on them, with its metadata.
        claim: what is certified of a network, on some of them; a network that is `Certifiable` says
            it itself.
        settings: settings that are known to work well for a preset, where the task has presets.
        rollout: leads a network on from its own predictions, where these have the form of its
            inputs: (network, metadata, settings, steps, number of the test item, data set, folder)
            to the file that it writes.
        test_file: measures a network on the items of a file with labels, with its metadata, where
            files hold such items.
        describe: what is said of the training set by the trained network, for the metadata.
        summary: the numbers of `metrics.json` that a program wants first, as `steerable demo`
            prints them.
        usual: the usual data set of the settings, and where it comes from.
        part: the items of `train`, `validation` or `test`, from the settings, a data set and that
            name. A run of a task that tells them knows its data, and tests and resumes on no other.
    """

    name: str
    items: str
    config: type
    build: Callable[..., nn.Module]
    pose: Callable[[Any, Any], Problem]
    held_out: Callable[[Any, Any], Any]
    test: Callable[[nn.Module, Any, dict[str, Any]], Outcome]
    claim: Callable[[nn.Module, Any, dict[str, Any]], Claim]
    settings: Callable[[str], Any] | None = None
    rollout: Callable[..., Path] | None = None
    test_file: Callable[[nn.Module, Path, dict[str, Any]], Outcome] | None = None
    describe: Callable[[nn.Module, Problem], dict[str, Any]] | None = None
    summary: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    usual: Callable[[Any], tuple[Any, DataSource]] | None = None
    part: Callable[[Any, Any, str], Part] | None = None
