"""The settings of a run that learns properties of structures, and its presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from steerable.models import PropertySettings

from ...config import ConfigError, RunConfig, TrainingConfig, check_range


@dataclass
class PropertyData:
    """What is learned, and from which files.

    Args:
        train: file or folder with the training structures; several are separated by commas. `qm9`
            are the molecules of QM9, with the targets of `steerable.data.TARGETS`.
        validation: file for validation, or the share (0.1) or number (500) of the training
            structures that is kept for it.
        test: file for the test, or a share or number likewise.
        limit: training structures at most, the first of those drawn; 0 takes all.
        target: name of the quantity in the file, or several separated by commas.
        unit: of each target, in the order of `target`; that of the file by default.
        kind: of each target: `scalar`, `vector`, `tensor`, `class` or `labels`; `auto` guesses it.
        extensive: whether each target is a sum over atoms, `yes` or `no`; `auto` compares both.
        weight: of each target in the loss.
        split: how shares are drawn: `random`; `size`, small structures for training and large ones
            for the test; `scaffold` of SMILES; `group`, conformers of a molecule together; `time`,
            in the order of the file; or the name of a column of which each value stays together.
        gap: structures that are left out between the parts of `time`.
        seed: of the split.
        conformers: of each SMILES in a table.
        smiles: name of the column of SMILES in a table; found by its name by default.
    """

    train: str = ""
    validation: str = "0.1"
    test: str = "0.1"
    limit: int = 0
    target: str = ""
    unit: str = ""
    kind: str = "auto"
    extensive: str = "auto"
    weight: str = "1"
    split: str = "random"
    gap: int = 0
    seed: int = 0
    conformers: int = 1
    smiles: str = ""

    def __post_init__(self) -> None:
        for name in ("gap", "limit"):
            check_range("data", self, name, least=0)
        check_range("data", self, "conformers", least=1)


@dataclass
class PropertyFit(TrainingConfig):
    """How the network is trained.

    Args:
        loss: of the error of a number in units of the target's spread in the training set.
        class_weights: `balanced` counts every class the same in the loss, however rare it is.
        batch_size: structures in a step; 0 chooses at most 32, so that an epoch has 20 steps or
            more and a step 2,000 atoms or less.
    """

    epochs: int = 10_000
    max_seconds: float = 240.0
    batch_size: int = 0
    optimizer: Literal["adamw", "muon"] = "muon"
    lr: float = 5e-3
    ema_decay: float = 0.995
    loss: Literal["l1", "mse", "huber"] = "l1"
    class_weights: Literal["none", "balanced"] = "none"

    least_batch: ClassVar[int] = 0

    def batch_of(self, structures: int, atoms: int) -> int:
        """The structures in a step, for a number of training structures and of their atoms."""
        by_atoms = 2000 * structures // max(atoms, 1)
        return self.batch_size or max(1, min(32, structures // 20, by_atoms))


class PropertyConfig(RunConfig[PropertyData, PropertySettings, PropertyFit]):
    """A run that learns properties of structures from files."""

    task = "property"


_SECONDS = {"minutes": 240.0, "hour": 3600.0, "night": 28800.0}


def settings(preset: str) -> PropertyConfig:
    """The settings of a preset.

    `minutes`, `hour` and `night` say how long the training takes. `qm9` learns the atomisation
    energies of 5,000 molecules of QM9, as `steerable demo` does.

    Raises:
        ConfigError: another name.
    """
    if preset == "qm9":
        return PropertyConfig(
            data=PropertyData("qm9", "500", "2000", limit=5000, target="U0_atom"),
            model=PropertySettings(layers=2, cutoff=4.0),
            fit=PropertyFit(max_seconds=270.0, warmup_steps=200, threads=1),
        )
    if preset not in _SECONDS:
        raise ConfigError(f"The presets are {', '.join(_SECONDS)} and qm9; got {preset!r}.")
    model = PropertySettings(layers=2 if preset == "minutes" else 3)
    return PropertyConfig(model=model, fit=PropertyFit(max_seconds=_SECONDS[preset]))
