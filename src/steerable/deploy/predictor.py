"""A trained network, or several, called on structures."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from steerable.data.structures import Structures, Target

from .inputs import NetworkInputs
from .predict import Predictions, predict_parts
from .run_folder import CheckpointError, load, member_folders

if TYPE_CHECKING:
    from ase import Atoms


_PART = 1000  # structures


class UnlikeTrainingWarning(UserWarning):
    """Structures that are unlike those that a network was trained on."""


class Predictor:
    """Networks that predict the same targets of structures, called on structures.

    Args:
        models: one network, or several, whose predictions are averaged.
        metadata: of each of them.
        ignored: `charge` and `spin`, where structures may have any though no network takes it.
        runs: the run folders that they come from.

    Raises:
        CheckpointError: networks that learned no targets of structures, or different ones.

    Example::

        network = steerable.load("runs/gap")
        network(atoms)["gap"]  # (structure,) in eV, as network.units says
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        metadata: Sequence[dict[str, Any]],
        ignored: Sequence[str] = (),
        runs: Sequence[Path | str] = (),
    ) -> None:
        self.models, self.metadata = tuple(models), metadata[0]
        self.runs = tuple(Path(run) for run in runs)
        learned = [targets_of(entry) for entry in metadata]
        self.targets = learned[0]
        self.inputs = NetworkInputs.read(self.metadata, ignored)
        for entry, targets in zip(metadata, learned, strict=True):
            if targets != self.targets or NetworkInputs.read(entry, ignored).takes != (
                self.inputs.takes
            ):
                raise CheckpointError(
                    "Networks that predict together have learned the same targets, of the same "
                    f"elements, from the same inputs; got {self._words(self.metadata)} and "
                    f"{self._words(entry)}. Give runs that differ in their seeds."
                )

    @classmethod
    def load(
        cls,
        *runs: Path | str,
        device: str | torch.device = "cpu",
        dtype: torch.dtype | None = None,
        ignored: Sequence[str] = (),
    ) -> Predictor:
        """The network of a run, or those of several, whose predictions are averaged.

        Args:
            runs: folders that `steerable train` wrote; a committee is all of its members.
            device: where they will run, such as `cpu` or `cuda:1`; `auto` is where the network was
                trained, or the CPU if that device is not here.
            dtype: precision of the networks; that of their training by default.
            ignored: `charge` and `spin`, where structures may have any though no network takes it.

        Raises:
            CheckpointError: a folder is no finished run, or did not learn targets of structures.
            DeviceError: PyTorch finds no such device.
        """
        if not runs:
            raise CheckpointError("Give the folder of a run, or of several; got none.")
        runs = tuple(folder for run in runs for folder in member_folders(run))
        pairs = [load(run, device=device, dtype=dtype) for run in runs]
        for run, (_, metadata) in zip(runs, pairs, strict=True):
            if not has_targets(metadata):
                raise CheckpointError(
                    f"predict reads molecules, and {run} learned {metadata['task']}: give a run of "
                    "qm9 or property."
                )
        return cls([pair[0] for pair in pairs], [pair[1] for pair in pairs], ignored, runs)

    @property
    def model(self) -> nn.Module:
        """The network, or the first of several."""
        return self.models[0]

    @property
    def units(self) -> dict[str, str]:
        """The unit of each target by name."""
        return {target.name: target.unit for target in self.targets}

    def __call__(
        self, structures: Atoms | Structures | Iterable[Atoms | Structures]
    ) -> dict[str, np.ndarray]:
        """The predictions by name of target, float64: (structure, ..), or (atom, ..) of all atoms.

        Where several networks predict, `NAME_std` is the standard deviation of each. Classes are
        names, beside `NAME_probability`.

        Args:
            structures: ASE's atoms, one or a list of them, or `Structures`.

        Raises:
            FramesError: a structure has no right answer.

        Warns:
            UnlikeTrainingWarning: some structures are unlike those of the training set.
        """
        parts = list(self.predict(structures))
        notes = [note for part in parts for note in part.notes]
        unlike = [row for row, note in enumerate(notes) if note]
        if unlike:
            warnings.warn(
                f"{len(unlike)} of {len(notes)} structures are unlike the training set, such as "
                f"number {unlike[0]}: {notes[unlike[0]]}.",
                UnlikeTrainingWarning,
                stacklevel=2,
            )
        names = parts[0].columns if parts else {}
        return {name: _joined(parts, name) for name in names}

    def predict(
        self,
        structures: Atoms | Structures | Iterable[Atoms | Structures],
        skip_bad: bool = False,
    ) -> Iterator[Predictions]:
        """The predictions with their units, what is noted of each structure, and what is skipped.

        Args:
            structures: ASE's atoms, one or many, or `Structures`, one or a stream of parts, which
                is predicted in constant memory.
            skip_bad: leave out structures that cannot be predicted.

        Raises:
            FramesError: a structure has no right answer, and `skip_bad` is false.
        """
        parts = _parts(structures)
        return predict_parts(self.models, self.inputs, self.targets, parts, skip_bad)

    @staticmethod
    def _words(metadata: dict[str, Any]) -> str:
        names = ", ".join(target.label for target in targets_of(metadata))
        return f"{names} of {NetworkInputs.read(metadata).takes}"


def has_targets(metadata: dict[str, Any]) -> bool:
    """Whether a network was trained on targets of structures."""
    return "targets" in metadata or {"target", "elements"} <= set(metadata)


def targets_of(metadata: dict[str, Any]) -> tuple[Target, ...]:
    """What a network learned, from the metadata of its run."""
    if "targets" not in metadata:
        return (Target(metadata["target"]["name"], unit=metadata["target"]["unit"]),)
    names = {field.name for field in fields(Target)}
    targets = []
    for entry in metadata["targets"]:
        settings = {name: value for name, value in entry.items() if name in names}
        settings["classes"] = tuple(settings.get("classes") or ())
        targets.append(Target(**settings))
    return tuple(targets)


def _joined(parts: Sequence[Predictions], name: str) -> np.ndarray:
    return np.concatenate([part.columns[name].data for part in parts])


def _parts(structures: Atoms | Structures | Iterable[Atoms | Structures]) -> Iterator[Structures]:
    """Structures in parts, from whatever the user has."""
    from ase import Atoms

    if isinstance(structures, Structures | Atoms):
        structures = [structures]
    waiting: list[Atoms] = []
    first = 0
    for one in structures:
        if isinstance(one, Structures):
            yield one
            continue
        waiting.append(one)
        if len(waiting) == _PART:
            yield _from_atoms(waiting, first)
            first, waiting = first + len(waiting), []
    if waiting:
        yield _from_atoms(waiting, first)


def _from_atoms(atoms: Sequence[Atoms], first: int) -> Structures:
    """Structures whose frames count from `first`."""
    from steerable.data.structures import from_atoms

    structures = from_atoms(atoms)
    return replace(structures, frame=np.arange(first, first + len(atoms)))
