"""The task `qm9`: one property of a molecule from its atoms and their positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import torch
from ase.data import chemical_symbols
from torch import Tensor, nn

from steerable.certify import POSITIONS, Role
from steerable.data import (
    QM9,
    Batches,
    Split,
    Statistics,
    Target,
    composition,
    fit_references,
    fit_statistics,
    split,
    target,
)
from steerable.data.molecules import Molecules, gather, molecular_structures
from steerable.groups import named_group
from steerable.models import EARLIER, Certifiable, Claim, RegressorSettings, build_qm9

from ..config import ConfigError, RunConfig, TrainingConfig, check_choices, check_range
from ..data_record import DataSource, Part
from ..losses import Loss, Term, scaled
from ..measures import Measure, errors
from ..predict import predict
from ..task import Outcome, Problem, Table, Task

ModelConfig = RegressorSettings

# The settings of networks in the files of versions that had no others.
_EARLIER_NAMES = {field.name for field in fields(RegressorSettings)} - EARLIER.keys()


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
class FitConfig(TrainingConfig):
    """How the network is trained.

    Args:
        loss: of the error in units of the target's spread in the training set.
    """

    optimizer: Literal["adamw", "muon"] = "muon"
    loss: Literal["l1", "mse", "huber"] = "l1"


class QM9Config(RunConfig[DataConfig, RegressorSettings, FitConfig]):
    """A training run on QM9."""

    task = "qm9"

    @classmethod
    def defaults(cls, content: Mapping[str, Any]) -> QM9Config:
        settings = set(content.get("model", {}))
        if EARLIER.keys() & settings or not settings >= _EARLIER_NAMES:
            return cls()
        return cls(model=RegressorSettings(**EARLIER), fit=FitConfig(optimizer="adamw"))


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
    dataset = usual(config)[0] if dataset is None else dataset
    parts = _split(config.data, len(dataset))
    train = gather(dataset, parts.train, wanted.column, config.model.cutoff)
    validation = gather(dataset, parts.validation, wanted.column, config.model.cutoff)
    _check_elements(train, validation, held_out(config, dataset))
    statistics = fit_statistics(train.numbers(), train.y, wanted.extensive)
    arguments = _arguments(config.model, wanted, statistics, train)
    sizes = {
        "train": len(parts.train),
        "validation": len(parts.validation),
        "test": len(parts.test),
    }
    counts = composition(train.numbers(), statistics.elements)
    metadata = {
        "task": f"qm9/{wanted.name}",
        "target": {"name": wanted.name, "unit": wanted.unit, "column": wanted.column},
        "units": {"positions": "Angstrom", "prediction": wanted.unit},
        "split": {"name": config.data.split, "seed": config.data.seed} | sizes,
        "elements": list(statistics.elements),
        "statistics": asdict(statistics),
        "baselines": {
            "mean": float(train.y.mean()),
            "composition": fit_references(counts, train.y).tolist(),
        },
        "model": arguments,
    }
    term = Term(wanted.name, scaled(config.fit.loss, statistics.scale))
    return Problem(
        train=Batches(train, config.fit.batch_size, config.fit.seed),
        validation=Batches(validation, validation.together),
        measures=(Measure("MAE", wanted.unit, wanted.name),),
        loss=Loss((term,)),
        probe=train.batch(torch.tensor([0]))[:2],
        arguments=arguments,
        metadata=metadata,
        output=wanted.name,
    )


def _arguments(
    settings: RegressorSettings, wanted: Target, statistics: Statistics, train: Molecules
) -> dict[str, Any]:
    """The keyword arguments of the network: what the user chose and what the data decide."""
    return asdict(settings) | {
        "elements": list(statistics.elements),
        "pool": "sum" if wanted.extensive else "mean",
        "neighbours": train.edge_index.shape[1] / len(train.z),
        "reference": list(statistics.reference),
        "shift": statistics.shift,
        "scale": statistics.scale,
    }


def usual(config: QM9Config) -> tuple[QM9, DataSource]:
    """QM9, as the package `qm9pack` has it."""
    return QM9(), DataSource(f"QM9 of the package qm9pack {version('qm9pack')}")


def part(config: QM9Config, dataset: Any, name: str) -> Part:
    """The molecules of one part, with the property that is learned."""
    index = getattr(_split(config.data, len(dataset)), name)
    structures = molecular_structures(dataset, index, target(config.data.target))
    content = (structures.z, structures.pos, structures.ends, structures.columns["y"].data)
    named = structures.columns.get("name")
    names = () if named is None else tuple(named.data.tolist())
    return Part(index, content, names, structures)


def held_out(config: QM9Config, dataset: Any = None) -> Molecules:
    """The test molecules of the settings, which nothing else looks at."""
    dataset = usual(config)[0] if dataset is None else dataset
    parts = _split(config.data, len(dataset))
    return gather(dataset, parts.test, target(config.data.target).column, config.model.cutoff)


def test(model: nn.Module, molecules: Molecules, metadata: dict[str, Any]) -> Outcome:
    """Errors of a network and of two baselines that were fitted on the training molecules."""
    name, unit = metadata["target"]["name"], metadata["target"]["unit"]
    fitted = metadata["baselines"]
    counts = composition(molecules.numbers(), metadata["elements"])
    predicted = predict(model, molecules, molecules.together, name)[name]
    mean = torch.full_like(molecules.y, fitted["mean"])
    composed = torch.from_numpy(counts @ np.array(fitted["composition"]))
    header, columns = [f"true [{unit}]", f"predicted [{unit}]"], [molecules.y, predicted]
    if metadata["model"].get("pool") == "sum":
        header.append(f"composition [{unit}]")
        columns.append(composed)
    return Outcome(
        test={"molecules": len(molecules)} | errors(predicted, molecules.y, unit),
        baselines={
            "mean": {"name": "mean of the training set"} | errors(mean, molecules.y, unit),
            "composition": {"name": "least squares on composition"}
            | errors(composed, molecules.y, unit),
        },
        tables={name: Table(tuple(header), torch.stack(columns, 1).tolist())},
    )


def claim(model: nn.Module, molecules: Molecules, metadata: dict[str, Any]) -> Claim:
    """What is certified of a network, on a few molecules in one graph."""
    batch = molecules.batch(torch.arange(min(molecules.certified, len(molecules))))
    if isinstance(model, Certifiable):
        return model.certifiable(batch.z, batch.pos, batch.batch)
    inputs: list[tuple[Tensor, Role]] = [
        (batch.z, Role()),
        (batch.pos, POSITIONS),
        (batch.batch, Role()),
    ]
    group = named_group(metadata["model"].get("group", "O(3)"))
    return Claim(model, inputs, Role(rows="graph"), group)


def summary(metrics: dict[str, Any]) -> dict[str, Any]:
    """The errors of the network and of the baselines."""
    mean, composed = metrics["baselines"]["mean"], metrics["baselines"]["composition"]
    return {
        "test_mae_eV": metrics["test"]["mae"]["value"],
        "mean_baseline_mae_eV": mean["mae"]["value"],
        "composition_baseline_mae_eV": composed["mae"]["value"],
    }


def _split(data: DataConfig, count: int) -> Split:
    """The parts of `count` molecules."""
    return split(data.split, count, **data.sizes(), seed=data.seed)


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


TASK = Task(
    name=QM9Config.task,
    items="molecules",
    config=QM9Config,
    build=build_qm9,
    pose=pose,
    held_out=held_out,
    test=test,
    claim=claim,
    summary=summary,
    usual=usual,
    part=part,
)
