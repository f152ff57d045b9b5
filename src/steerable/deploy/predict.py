"""Predictions for structures, a part at a time."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from steerable.data import SYMBOLS
from steerable.data.structures import (
    Column,
    Structures,
    Target,
    differences,
    multiplicity,
    total_charge,
)
from steerable.models import ATOMWISE, AtomNetwork, named_outputs

from .device import placement
from .features import pooled_features
from .inputs import FramesError, NetworkInputs, faults

EDGES = 100_000  # in one graph, which bounds the memory that a network takes


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions for some structures.

    Args:
        structures: those that were predicted.
        index: their numbers among all structures of the input (structure,).
        columns: the predictions by name of target, with their units. Classes are names, beside
            `NAME_probability` with the probabilities of all classes; labels are 0 or 1, likewise.
            Where several networks predict, numbers are means and `NAME_std` is their standard
            deviation; for a class it is that of its probability.
        targets: what the columns are.
        notes: how each structure is unlike the training set, in words; empty where it is like it.
        skipped: structures that cannot be predicted, with the reason: "Frame 3 (H4Si) has Si ...".
    """

    structures: Structures
    index: np.ndarray
    columns: dict[str, Column]
    targets: tuple[Target, ...]
    notes: list[str]
    skipped: list[str]

    def rows(self, name: str) -> list[np.ndarray]:
        """The values of one column, by structure: () or (..), or (atom, ..) of a structure."""
        column = self.columns[name]
        if column.per == "structure":
            return list(column.data)
        return np.split(column.data, self.structures.ends[1:-1])


def predict_parts(
    models: Sequence[nn.Module],
    inputs: NetworkInputs,
    targets: Sequence[Target],
    parts: Iterable[Structures],
    skip_bad: bool = False,
) -> Iterator[Predictions]:
    """The predictions of one network, or of several, for each part of a stream of structures.

    They are computed where the network is, in graphs of bounded size, and returned on the CPU.

    Args:
        models: called as `model(z, pos, batch)`, and with `cell`, `pbc`, `charge` and `spin` where
            they take them.
        inputs: what they take.
        targets: their outputs. A result that is one tensor is the first.
        parts: the structures.
        skip_bad: leave out structures that cannot be predicted.

    Raises:
        FramesError: a structure has no right answer; the message names it.
    """
    first = 0
    for structures in parts:
        reasons = faults(structures, inputs)
        words = [f"{_place(structures, row)} {reasons[row]}" for row in sorted(reasons)]
        if words and not skip_bad:
            raise FramesError(words[0])
        rows = np.setdiff1d(np.arange(len(structures)), list(reasons))
        part = structures.select(rows)
        columns, outputs, features = _columns(models, inputs, targets, part)
        notes = _notes(part, inputs, features)
        yield Predictions(part, first + rows, columns, outputs, notes, words)
        first += len(structures)


def formula(numbers: np.ndarray) -> str:
    """The formula of atomic numbers (atom,), in the order of Hill."""
    kinds, counts = np.unique(numbers, return_counts=True)
    amounts = {SYMBOLS[z]: n for z, n in zip(kinds.tolist(), counts.tolist(), strict=True)}
    first = [symbol for symbol in ("C", "H") if "C" in amounts and symbol in amounts]
    order = first + sorted(set(amounts) - set(first))
    return "".join(f"{symbol}{amounts[symbol] if amounts[symbol] > 1 else ''}" for symbol in order)


def _columns(
    models: Sequence[nn.Module],
    inputs: NetworkInputs,
    targets: Sequence[Target],
    structures: Structures,
) -> tuple[dict[str, Column], tuple[Target, ...], list[np.ndarray]]:
    """The predictions for structures, by name, and the features of the first network."""
    chunks: dict[str, list[np.ndarray]] = {}
    features: list[np.ndarray] = []
    for start, stop in _ranges(structures.sizes * inputs.neighbours):
        part = structures.select(range(start, stop))
        members = []
        for model in models:
            outputs, pooled = _outputs(model, part, inputs, targets[0].name)
            members.append(outputs)
            features += pooled if model is models[0] else []
        for name in members[0]:
            values = np.stack([member[name].numpy() for member in members])
            chunks.setdefault(name, []).append(values)
    by_name = {target.name: target for target in targets}
    columns: dict[str, Column] = {}
    described = []
    for name, pieces in chunks.items():
        values = np.concatenate(pieces, 1)
        target = by_name.get(name) or _plain_target(name, values.shape[2:])
        columns |= _summary(target, values)
        described.append(target)
    return columns, tuple(described), features


def _ranges(costs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of structures whose costs are at most `EDGES` together, or that are one structure."""
    start, total = 0, 0.0
    for row, cost in enumerate(costs.tolist()):
        if row > start and total + cost > EDGES:
            yield start, row
            start, total = row, 0.0
        total += cost
    if start < len(costs):
        yield start, len(costs)


def _outputs(
    model: nn.Module, structures: Structures, inputs: NetworkInputs, name: str
) -> tuple[dict[str, Tensor], list[np.ndarray]]:
    """The outputs of a network for structures as one graph, in float64 on the CPU.

    Its features stand beside them if they are compared with those of a training set.
    """
    device, dtype = placement(model)
    owner = np.repeat(np.arange(len(structures)), structures.sizes)
    values = {"z": structures.z, "pos": structures.pos, "batch": owner}
    if inputs.cells and structures.is_periodic.any():
        values |= {"cell": structures.cell, "pbc": structures.pbc}
    if inputs.charge or inputs.dipoles:
        values["charge"] = total_charge(structures)
    if inputs.spin:
        values["spin"] = multiplicity(structures)
    taken = inspect.signature(model.forward).parameters
    tensors = {key: torch.from_numpy(value) for key, value in values.items() if key in taken}
    # Networks of atoms subtract positions before they round, others may want their own precision.
    exact = torch.float64 if isinstance(model, AtomNetwork) else dtype
    moved = {
        key: value.to(device, exact if value.is_floating_point() else None)
        for key, value in tensors.items()
    }
    watch = pooled_features if inputs.features is not None else _no_features
    with torch.no_grad(), watch(model, moved["batch"]) as features:
        outputs = named_outputs(model(**moved), name)
    return {key: value.detach().double().cpu() for key, value in outputs.items()}, features


@contextmanager
def _no_features(model: nn.Module, owner: Tensor) -> Iterator[list[np.ndarray]]:
    yield []


def _notes(structures: Structures, inputs: NetworkInputs, features: list[np.ndarray]) -> list[str]:
    """How each structure is unlike the training set, in words."""
    words: list[list[str]] = [[] for _ in range(len(structures))]
    if inputs.domain is not None:
        words = differences(structures, inputs.domain)
    if inputs.features is not None and features:
        for row, note in enumerate(inputs.features.notes(np.concatenate(features))):
            words[row] += [note] if note else []
    return ["; ".join(row) for row in words]


def _plain_target(name: str, shape: tuple[int, ...]) -> Target:
    """The target of an output that the run says nothing of."""
    kind = {(): "scalar", (3,): "vector", (3, 3): "tensor"}.get(shape, "labels")
    return Target(name, kind, "atom" if name in ATOMWISE else "structure")  # type: ignore[arg-type]


def _summary(target: Target, values: np.ndarray) -> dict[str, Column]:
    """The columns of one target from the outputs of all networks (network, row, ..)."""
    name, per = target.name, target.per
    has_spread = len(values) > 1
    if target.kind not in ("class", "labels") or not target.classes:
        columns = {name: Column(values.mean(0), per, target.unit)}
        if has_spread:
            columns[f"{name}_std"] = Column(values.std(0, ddof=1), per, target.unit)
        return columns
    probabilities = _softmax(values) if target.kind == "class" else 1 / (1 + np.exp(-values))
    mean = probabilities.mean(0)
    spread = probabilities.std(0, ddof=1) if has_spread else np.zeros_like(mean)
    result = (mean > 0.5).astype(np.int64)
    if target.kind == "class":
        best = mean.argmax(1)
        result = np.array(target.classes)[best]
        spread = spread[np.arange(len(best)), best]
    columns = {name: Column(result, per), f"{name}_probability": Column(mean, per)}
    return columns | ({f"{name}_std": Column(spread, per)} if has_spread else {})


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def _place(structures: Structures, row: int) -> str:
    """A structure in words: its number in its file, and its formula."""
    numbers = structures.z[structures.ends[row] : structures.ends[row + 1]]
    return f"Frame {structures.frame[row]} ({formula(numbers) or 'empty'})"
