"""The task `qm9`: one property of a molecule from its atoms and their positions."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from ase.data import chemical_symbols
from torch import Tensor, nn
from torch.nn import functional as F

from steerable.certify import POSITIONS, Role
from steerable.data import QM9, composition, fit_references, fit_statistics, split, target
from steerable.groups import named_group
from steerable.models import build_qm9

from ...data import Batches
from ...data.molecules import Molecules, gather
from ..config import ConfigError, TrainingConfig, check_choices, check_range
from ..predict import predict
from ..task import Measure, Outcome, Problem, Symmetry, Task

CERTIFIED = 8  # molecules in the graph that is certified
LOSSES: dict[str, Callable[..., Tensor]] = {
    "l1": F.l1_loss,
    "mse": F.mse_loss,
    "huber": F.huber_loss,
}


@dataclass
class DataConfig:
    """Which molecules are learned, and which of their properties.

    Args:
        target: name of the property, as in `steerable.data.TARGETS`.
        split: `n` draws the three sizes below; `110k` and `100k` are the splits of the literature
            and have their own.
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
        check_choices("data", self)
        for name in ("train", "validation", "test"):
            check_range("data", self, name, least=1)

    def sizes(self) -> dict[str, int]:
        """The sizes that the split is asked for; none where its name fixes them."""
        return (
            {"train": self.train, "validation": self.validation, "test": self.test}
            if self.split == "n"
            else {}
        )


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
        kernel: what the kernels depend on, `radial`, `implicit`, `bonds` or `ends`.
    """

    hidden: str = "32x0e+16x1o+8x2e"
    layers: int = 3
    cutoff: float = 5.0
    filter_field: str = "0e+1o+2e"
    filter_channels: int = 8
    group: str = "O(3)"
    kernel: Literal["radial", "implicit", "bonds", "ends"] = "ends"

    def __post_init__(self) -> None:
        check_choices("model", self)
        for name in ("layers", "filter_channels"):
            check_range("model", self, name, least=1)
        check_range("model", self, "cutoff", above=0)


@dataclass
class FitConfig(TrainingConfig):
    """How the network is trained.

    Args:
        loss: of the error in units of the target's spread in the training set.
    """

    loss: Literal["l1", "mse", "huber"] = "l1"


@dataclass
class QM9Config:
    """A training run on QM9.

    Args:
        data: the molecules.
        model: the network.
        fit: the training.
        run: folder that the run writes; it must be new or empty.
    """

    task: ClassVar[str] = "qm9"

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    run: str = "runs/qm9"


def pose(config: QM9Config, dataset: Any = None) -> Problem:
    """Read, split and measure the molecules that the settings ask for.

    Everything measured comes from the training molecules alone.

    Args:
        config: the settings.
        dataset: `dataset[i]` is a PyG `Data` with `z`, `pos` and `y` (1, 19); QM9 by default.

    Raises:
        ValueError: the target or the split does not exist, the data cannot be read, or other
            molecules have elements that no training molecule has.
    """
    wanted = target(config.data.target)
    dataset = QM9() if dataset is None else dataset
    parts = split(config.data.split, len(dataset), **config.data.sizes(), seed=config.data.seed)
    train, validation = (
        gather(dataset, part, wanted.column, config.model.cutoff)
        for part in (parts.train, parts.validation)
    )
    _check_elements(train, validation, held_out(config, dataset))
    statistics = fit_statistics(train.numbers(), train.y, wanted.extensive)
    arguments = asdict(config.model) | {
        "elements": list(statistics.elements),
        "pool": "sum" if wanted.extensive else "mean",
        "neighbours": train.edge_index.shape[1] / len(train.z),
        "reference": list(statistics.reference),
        "shift": statistics.shift,
        "scale": statistics.scale,
    }
    counts = composition(train.numbers(), statistics.elements)
    metadata = {
        "task": f"qm9/{wanted.name}",
        "target": {"name": wanted.name, "unit": wanted.unit, "column": wanted.column},
        "units": {"positions": "Angstrom", "prediction": wanted.unit},
        "split": {"name": config.data.split, "seed": config.data.seed}
        | {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)},
        "elements": list(statistics.elements),
        "statistics": asdict(statistics),
        "baselines": {
            "mean": float(train.y.mean()),
            "composition": fit_references(counts, train.y).tolist(),
        },
        "model": arguments,
    }

    def loss(prediction: Tensor, y: Tensor) -> Tensor:
        error = (prediction - y) / statistics.scale
        return LOSSES[config.fit.loss](error, torch.zeros_like(error))

    return Problem(
        train=Batches(train, config.fit.batch_size, config.fit.seed),
        validation=Batches(validation, 256),
        measures=(Measure("MAE", wanted.unit),),
        errors=lambda prediction, y: ((prediction - y).abs(),),
        loss=loss,
        probe=train.batch(torch.tensor([0]))[:2],
        arguments=arguments,
        metadata=metadata,
    )


def held_out(config: QM9Config, dataset: Any = None) -> Molecules:
    """The test molecules of the settings, which nothing else looks at."""
    dataset = QM9() if dataset is None else dataset
    parts = split(config.data.split, len(dataset), **config.data.sizes(), seed=config.data.seed)
    return gather(dataset, parts.test, target(config.data.target).column, config.model.cutoff)


def test(model: nn.Module, molecules: Molecules, metadata: dict[str, Any]) -> Outcome:
    """Errors of a network and of two baselines that were fitted on the training molecules."""
    unit, known = metadata["target"]["unit"], metadata["baselines"]
    counts = composition(molecules.numbers(), metadata["elements"])
    predicted = predict(model, molecules)
    baselines = {
        "mean": ("mean of the training set", torch.full_like(molecules.y, known["mean"])),
        "composition": (
            "least squares on composition",
            torch.from_numpy(counts @ np.array(known["composition"])),
        ),
    }
    return Outcome(
        test={"molecules": len(molecules)} | errors(predicted, molecules.y, unit),
        baselines={
            key: {"name": name} | errors(values, molecules.y, unit)
            for key, (name, values) in baselines.items()
        },
        header=(f"true [{unit}]", f"predicted [{unit}]"),
        rows=torch.stack([molecules.y, predicted], 1).tolist(),
    )


def errors(predicted: Tensor, true: Tensor, unit: str) -> dict[str, Any]:
    """Mean absolute and root mean square error, each with its unit."""
    error = predicted - true
    found = {"mae": error.abs().mean(), "rmse": error.square().mean().sqrt()}
    return {name: {"value": float(value), "unit": unit} for name, value in found.items()}


def symmetry(model: nn.Module, molecules: Molecules, metadata: dict[str, Any]) -> Symmetry:
    """What the network learned, on a few molecules in one graph.

    References of atoms and the shift are left out: they are invariant, and so large that errors
    would look small.
    """
    learned = copy.deepcopy(model)
    learned.get_buffer("reference").zero_()
    learned.get_buffer("statistics")[0] = 0.0
    batch = molecules.batch(torch.arange(min(CERTIFIED, len(molecules))))
    inputs = [(batch.z, Role()), (batch.pos, POSITIONS), (batch.batch, Role())]
    return Symmetry(
        learned, inputs, Role(rows="graph"), named_group(metadata["model"].get("group", "O(3)"))
    )


def _check_elements(train: Molecules, *others: Molecules) -> None:
    unseen = sorted(
        {int(z) for other in others for z in other.z.unique()} - set(train.z.unique().tolist())
    )
    if unseen:
        raise ConfigError(
            f"No training molecule has the elements {[chemical_symbols[z] for z in unseen]} of the "
            f"validation and test molecules: raise data.train (now {len(train)}) or change "
            "data.seed."
        )


TASK = Task(QM9Config.task, "molecules", QM9Config, build_qm9, pose, held_out, test, symmetry)
