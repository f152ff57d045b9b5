"""Settings and a data set made into what is learned: molecules, their statistics, and the network's arguments."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from ase.data import chemical_symbols
from torch import Tensor

from steerable.data import QM9, Statistics, Target, composition, fit_references, fit_statistics, split, target

from .config import ConfigError, QM9Config
from .molecules import Molecules, gather


@dataclass(frozen=True)
class Problem:
    """A property to learn.

    Args:
        target: the property and its unit.
        train: molecules to learn from.
        validation: molecules that choose the best weights.
        statistics: reference energies and spread of the training molecules.
        arguments: keyword arguments of the network.
        metadata: all that a reader of the trained network needs to know of this.
    """

    target: Target
    train: Molecules
    validation: Molecules
    statistics: Statistics
    arguments: dict[str, Any]
    metadata: dict[str, Any]

    @property
    def probe(self) -> tuple[Tensor, Tensor]:
        """Atomic numbers (atom,) and positions (atom, 3) of the first training molecule."""
        atoms = slice(0, int(self.train.atoms[1]))
        return self.train.z[atoms], self.train.pos[atoms]


def pose(config: QM9Config, dataset: Any = None) -> Problem:
    """Read, split and measure the molecules that the settings ask for.

    Everything measured comes from the training molecules alone.

    Raises:
        ValueError: the target or the split does not exist, the data cannot be read, or other molecules have elements
            that no training molecule has.
    """
    wanted = target(config.data.target)
    dataset = QM9() if dataset is None else dataset
    parts = split(config.data.split, len(dataset), **config.data.sizes(), seed=config.data.seed)
    train, validation = (
        gather(dataset, part, wanted.column, config.model.cutoff) for part in (parts.train, parts.validation)
    )
    _check_elements(train, validation, held_out(config, dataset))
    statistics = fit_statistics(train.numbers(), train.y, wanted.extensive)
    neighbours = train.edge_index.shape[1] / len(train.z)
    arguments = asdict(config.model) | {
        "elements": list(statistics.elements),
        "pool": "sum" if wanted.extensive else "mean",
        "neighbours": neighbours,
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
        "baselines": {"mean": float(train.y.mean()), "composition": fit_references(counts, train.y).tolist()},
        "model": arguments,
    }
    return Problem(wanted, train, validation, statistics, arguments, metadata)


def held_out(config: QM9Config, dataset: Any = None) -> Molecules:
    """The test molecules of the settings, which nothing else looks at."""
    dataset = QM9() if dataset is None else dataset
    parts = split(config.data.split, len(dataset), **config.data.sizes(), seed=config.data.seed)
    return gather(dataset, parts.test, target(config.data.target).column, config.model.cutoff)


def _check_elements(train: Molecules, *others: Molecules) -> None:
    unseen = sorted({int(z) for other in others for z in other.z.unique()} - set(train.z.unique().tolist()))
    if unseen:
        raise ConfigError(
            f"No training molecule has the elements {[chemical_symbols[z] for z in unseen]} of the validation and test "
            f"molecules: raise data.train (now {len(train)}) or change data.seed."
        )


def predict(model: torch.nn.Module, molecules: Molecules, size: int = 256) -> Tensor:
    """The predictions (molecule,) in float64, `size` molecules at a time."""
    numbers = torch.arange(len(molecules)).split(size)
    with torch.no_grad():
        return torch.cat([model(*molecules.batch(chosen)[:-1]).double() for chosen in numbers])
