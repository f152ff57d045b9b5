"""The task `property`: any quantities of structures, from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from steerable.data import Batches
from steerable.data.structures import (
    AtomItems,
    Structures,
    Target,
    domain_of,
    multiplicity,
    neighbours_of,
    read,
    target_values,
    total_charge,
)
from steerable.deploy import feature_reference, targets_of
from steerable.models import Certifiable, Claim, HeadSettings, PropertySettings, build_property

from ...data_record import DataSource, Part
from ...losses import Loss, Term, scaled
from ...measures import Measure
from ...predict import predict
from ...task import Outcome, Problem, Task
from .baselines import BASELINES
from .checks import check_energies, check_labels, check_parts
from .classes import balanced_weights, class_error, class_loss, labels_error
from .outcome import target_errors, target_table
from .reading import Parts, read_all
from .settings import PropertyConfig, PropertyFit, settings
from .targets import chosen_targets, head_of, target_names


@dataclass(frozen=True, eq=False)
class TestSet:
    """The structures of the test, and those of the training for what needs no network.

    Args:
        items: the structures of the test, with their neighbours and labels.
        train: the training structures; no baselines are tested without them.
        targets: what was learned.
    """

    items: AtomItems
    train: Structures | None
    targets: tuple[Target, ...]

    def __len__(self) -> int:
        return len(self.items)


def usual(config: PropertyConfig) -> tuple[Parts, DataSource]:
    """The structures that the settings name, and the files they come from."""
    return read_all(config.data)


def part(config: PropertyConfig, dataset: Any, name: str) -> Part:
    """The structures of one part, with the quantities that are learned."""
    structures = getattr(read_all(config.data, dataset)[0], name)
    names = [name for name in structures.columns if name in ("charge", "spin")]
    columns = [
        structures.column(name) for name in (*names, *target_names(config.data.target, structures))
    ]
    content = [structures.z, structures.pos, structures.ends, structures.cell, structures.pbc]
    content += [column.data for column in columns]
    index = np.arange(len(structures))
    named = tuple(structures.name(int(k)) for k in index)
    return Part(structures.frame, tuple(content), named, structures)


def pose(config: PropertyConfig, dataset: Any = None) -> Problem:
    """Read, check and measure the structures that the settings ask for.

    Everything measured comes from the training structures alone.

    Args:
        config: the settings.
        dataset: structures in place of `data.train`, as in `read_all`.

    Raises:
        ValueError: the files cannot be read, a target is not there or cannot be learned, or the
            parts do not fit each other.
    """
    parts, _ = read_all(config.data, dataset)
    chosen = chosen_targets(config.data, parts.train)
    targets = tuple(target for target, _ in chosen)
    batch_size = config.fit.batch_of(len(parts.train), len(parts.train.z))
    check_parts(parts, batch_size)
    for target in targets:
        check_labels(parts.train, target)
        check_energies(parts.train, target)
    heads = [head_of(target, parts.train) for target in targets]
    model = with_states(config.model, parts.train)
    states = states_of(model, heads)
    train = atom_items(parts.train, targets, model.cutoff, states)
    validation = atom_items(parts.validation, targets, model.cutoff, states)
    arguments = asdict(model) | {
        "elements": np.unique(parts.train.z).tolist(),
        "neighbours": train.neighbours,
        "heads": [head.plain() for head in heads],
    }
    terms = [
        _term(target, head, weight, config.fit, parts.train)
        for (target, weight), head in zip(chosen, heads, strict=True)
    ]
    metadata = {
        "task": f"property/{'+'.join(target.name for target in targets)}",
        "targets": [asdict(target) for target in targets],
        "units": {"positions": "Angstrom"} | {target.name: target.unit for target in targets},
        "split": {"name": config.data.split, "seed": config.data.seed}
        | {name: len(part) for name, part in parts.items()},
        "elements": arguments["elements"],
        "domain": domain_of(parts.train).as_dict(),
        "model": arguments,
    }
    several = len(targets) > 1
    return Problem(
        train=Batches(train, batch_size, config.fit.seed),
        validation=Batches(validation, validation.together),
        measures=tuple(_measure(target, several) for target in targets),
        loss=Loss(tuple(terms)),
        probe=_probe(train),
        arguments=arguments,
        metadata=metadata,
        output=targets[0].name,
    )


def atom_items(
    structures: Structures, targets: Sequence[Target], cutoff: float, states: tuple[str, ...]
) -> AtomItems:
    """Structures with their neighbours, the values of targets, and their charge and spin."""
    labels = {
        target.name: torch.from_numpy(target_values(structures, target)) for target in targets
    }
    per_atom = frozenset(target.name for target in targets if target.per == "atom")
    return AtomItems(structures, *neighbours_of(structures, cutoff), labels, per_atom, states)


def with_states(model: PropertySettings, train: Structures) -> PropertySettings:
    """The settings, with the inputs that they leave to the data.

    A charge or a spin is an input where it is not the same in all training structures.
    """
    chosen: dict[str, Any] = {}
    for name, values in (("charge", total_charge(train)), ("spin", multiplicity(train))):
        if getattr(model, name) is None:
            chosen[name] = bool((values != values[0]).any())
    return replace(model, **chosen)


def states_of(model: PropertySettings, heads: Sequence[HeadSettings]) -> tuple[str, ...]:
    """Which of `charge` and `spin` the network takes. Dipoles of point charges take the charge."""
    takes = {
        "charge": bool(model.charge) or any(head.charges for head in heads),
        "spin": bool(model.spin),
    }
    return tuple(name for name, is_input in takes.items() if is_input)


def held_out(config: PropertyConfig, dataset: Any = None) -> TestSet:
    """The test structures of the settings, which nothing else looks at."""
    parts, _ = read_all(config.data, dataset)
    targets = tuple(target for target, _ in chosen_targets(config.data, parts.train))
    heads = [head_of(target, parts.train) for target in targets]
    model = with_states(config.model, parts.train)
    items = atom_items(parts.test, targets, model.cutoff, states_of(model, heads))
    return TestSet(items, parts.train, targets)


def test_file(model: nn.Module, path: Path, metadata: dict[str, Any]) -> Outcome:
    """Errors of a network on the structures of a file with labels.

    Raises:
        ValueError: the file cannot be read, or has no such label.
    """
    structures = read(path)
    targets = targets_of(metadata)
    heads = [HeadSettings.read(head) for head in metadata["model"]["heads"]]
    names = {field.name for field in fields(PropertySettings)}
    chosen = {name: value for name, value in metadata["model"].items() if name in names}
    settings = PropertySettings(**chosen)
    items = atom_items(structures, targets, settings.cutoff, states_of(settings, heads))
    return test(model, TestSet(items, None, targets), metadata)


def test(model: nn.Module, test_set: TestSet, metadata: dict[str, Any]) -> Outcome:
    """Errors of a network and of baselines that were fitted on the training structures."""
    outputs = predict(model, test_set.items, test_set.items.together, test_set.targets[0].name)
    part = test_set.items.structures
    reached: dict[str, Any] = {}
    baselines: dict[str, dict[str, Any]] = {}
    tables = {}
    for target in test_set.targets:
        predicted, true = outputs[target.name].numpy(), target_values(part, target)
        prefix = f"{target.name}_" if len(test_set.targets) > 1 else ""
        reached |= _prefixed(prefix, target_errors(target, predicted, true))
        for key, (title, baseline) in BASELINES.items():
            if test_set.train is None:
                break
            guess = baseline(test_set.train, part, target)
            if guess is None:
                continue
            row = baselines.setdefault(key, {"name": title})
            row |= _prefixed(prefix, target_errors(target, guess, true))
        tables[target.name] = target_table(part, target, predicted, true)
    return Outcome(test={"structures": len(part)} | reached, baselines=baselines, tables=tables)


def _prefixed(prefix: str, errors: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}{name}": value for name, value in errors.items()}


def describe(model: nn.Module, problem: Problem) -> dict[str, Any]:
    """What the features of the network are like on the training set, if there are enough."""
    items = problem.train.items
    reference = feature_reference(model, Batches(items, AtomItems.together))
    return {} if reference is None else {"features": reference.as_dict()}


def claim(model: nn.Module, test_set: TestSet, metadata: dict[str, Any]) -> Claim:
    """What is certified of a network, on a few structures in one graph."""
    batch = test_set.items.batch(torch.arange(min(test_set.items.certified, len(test_set))))
    if not isinstance(model, Certifiable):
        raise ValueError(
            "A network of the task `property` says itself what is certified of it, by a method "
            f"`certifiable`; {type(model).__name__} has none."
        )
    others = {name: value for name, value in batch._asdict().items() if name not in _FIRST}
    return model.certifiable(batch.z, batch.pos, batch.batch, **others)


_FIRST = ("z", "pos", "batch", "y")  # the rest of a batch are the inputs with names


def _probe(items: AtomItems) -> tuple[torch.Tensor | None, ...]:
    """The inputs of one structure; the network searches its neighbours itself."""
    batch = items.batch(torch.tensor([0]))
    return batch._replace(edge_index=None, shift=None)[:-1]


def _term(
    target: Target, head: HeadSettings, weight: float, fit: PropertyFit, train: Structures
) -> Term:
    """The part of a target in the loss."""
    if not head.is_class:
        spread = head.scale if isinstance(head.scale, float) else float(np.mean(head.scale))
        return Term(target.name, scaled(fit.loss, spread), weight)
    weights = None
    if fit.class_weights == "balanced":
        weights = balanced_weights(target, target_values(train, target))
    return Term(target.name, class_loss(target, weights), weight, "nat")


def _measure(target: Target, is_one_of_several: bool) -> Measure:
    suffix = f" {target.name}" if is_one_of_several else ""
    if target.kind == "class":
        return Measure(f"error{suffix}", "%", target.name, class_error)
    if target.kind == "labels":
        return Measure(f"error{suffix}", "%", target.name, labels_error)
    return Measure(f"MAE{suffix}", target.unit or "1", target.name)


TASK = Task(
    name=PropertyConfig.task,
    items="structures",
    config=PropertyConfig,
    build=build_property,
    pose=pose,
    held_out=held_out,
    test=test,
    claim=claim,
    settings=settings,
    usual=usual,
    part=part,
    test_file=test_file,
    describe=describe,
)
