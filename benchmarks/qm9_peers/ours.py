"""What comes from steerable: the molecules of `make demo` and its network.

A worker imports it from any source tree that has these public names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

import steerable
from steerable.data import QM9, fit_statistics, split, target
from steerable.data.molecules import gather
from steerable.models import build_qm9
from steerable.train.tasks.presets import demo
from steerable.train.tasks.qm9 import pose

from .molecules import Facts, write

# Those of the demo, but fixed, so that source trees can be compared.
TARGET, SIZES = "U0_atom", {"train": 5000, "validation": 500, "test": 2000}


def settings() -> dict[str, Any]:
    """What the comparison has to know of the demo, and where the source is."""
    config = demo()
    fit = config.fit
    return {
        "cutoff": config.model.cutoff,
        "lr": fit.lr,
        "recipe": {
            "batch_size": fit.batch_size,
            "warmup": fit.warmup_steps,
            "clip": fit.clip,
            "ema": fit.ema_decay,
            "optimizer": getattr(fit, "optimizer", "adamw"),  # older trees have no choice
        },
        "source": str(steerable.__file__),
    }


def muon(model: nn.Module, lr: float) -> torch.optim.Optimizer:
    """The optimizer that steerable's demo may choose."""
    from steerable.train.muon import Muon  # older trees have none

    return Muon(model, lr)


def network(**settings: Any) -> nn.Module:
    """The network as the demo builds it, with the references of its training molecules.

    Settings replace those of the demo.
    """
    return build_qm9(**(pose(demo()).arguments | settings))


def write_molecules(path: Path, cutoff: float) -> None:
    """Write the molecules of the demo, with their neighbours within a cutoff, to a file."""
    wanted, dataset = target(TARGET), QM9()
    indices = split("n", len(dataset), **SIZES, seed=0)
    parts = {name: gather(dataset, getattr(indices, name), wanted.column, cutoff) for name in SIZES}
    train = parts["train"]
    fitted = fit_statistics(train.numbers(), train.y, wanted.extensive)
    neighbours = train.edge_index.shape[1] / len(train.z)
    facts = Facts(
        list(fitted.elements),
        list(fitted.reference),
        fitted.shift,
        fitted.scale,
        cutoff,
        neighbours,
    )
    write(path, parts, facts)
