"""The demo's network with one thing changed at a time, by the errors of the validation molecules.

    python benchmarks/ablation_qm9.py RESULTS [--epochs 9] [--only NAME ...]

Every change trains for as many epochs on the 5,000 molecules of `make demo`, with the schedule of
the demo; the loop is that of peers_qm9.py. The test molecules are never looked at. Results that are
in the folder already are left out. Milliseconds are those of the process, whatever else runs.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from qm9_peers.molecules import Facts, Part, read_facts, read_part
from qm9_peers.ours import settings, write_molecules
from qm9_peers.training import Recipe, Training

from steerable.models import build_qm9
from steerable.train.tasks.presets import demo
from steerable.train.tasks.qm9 import pose

# Changes of the network (model), of its training (fit), or of both.
CHANGES: dict[str, dict[str, Any]] = {
    "the demo": {},
    "AdamW, lr 0.002": {"optimizer": "adamw", "lr": 2e-3},
    "AdamW, lr 0.005": {"optimizer": "adamw", "lr": 5e-3},
    "lr 0.01": {"lr": 1e-2},
    "lr 0.0025": {"lr": 2.5e-3},
    "batch 16, lr 0.003": {"batch_size": 16, "lr": 3e-3},
    "batch 64, lr 0.007": {"batch_size": 64, "lr": 7e-3},
    "EMA 0.999": {"ema": 0.999},
    "gates, no products": {"products": False},
    "RMSNorm": {"norm": True},
    "embeddings, no density": {"density_degree": 0},
    "density to l = 2": {"density_degree": 2},
    "features to l = 2": {
        "hidden": "64x0e+32x1o+16x2e",
        "filter_field": "0e+1o+2e",
        "density_degree": 2,
    },
    "3 layers": {"layers": 3},
    "1 layer": {"layers": 1},
    "16 filter channels": {"filter_channels": 16},
    "8 filter channels": {"filter_channels": 8},
    "filters without a perceptron": {"kernel": "radial"},
    "filters of both elements": {"kernel": "ends"},
    "half as wide": {"hidden": "32x0e+16x1o"},
    "twice as wide": {"hidden": "128x0e+64x1o"},
    "full contraction, 32x0e+16x1o": {
        "contraction": "full",
        "hidden": "32x0e+16x1o",
        "filter_channels": 8,
    },
    "cutoff 3.5": {"cutoff": 3.5},
    "cutoff 5": {"cutoff": 5.0},
}
RECIPE = {"lr", "batch_size", "ema", "optimizer"}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("results", type=Path, help="folder of what is written")
    options.add_argument("--epochs", type=float, default=9.0)
    options.add_argument("--only", nargs="+", choices=CHANGES, default=list(CHANGES))
    args = options.parse_args()
    args.results.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    file = args.results / f"ablation-{args.epochs:g}.json"
    rows = json.loads(file.read_text()) if file.exists() else {}
    for name in args.only:
        if name not in rows:
            rows[name] = run(CHANGES[name], args.epochs, args.results)
            file.write_text(json.dumps(rows, indent=1))
            print(name, rows[name], flush=True)
    table = [
        f"| {name} | {row['parameters']:,} | {row['validation']:.4f} | {row['ms']:.0f} |"
        for name, row in rows.items()
    ]
    print("\n".join(table))


def run(change: dict[str, Any], epochs: float, results: Path) -> dict[str, Any]:
    """Train the demo's network with a change; parameters, validation error and time of a step."""
    fit, config = settings(), demo()
    model = {name: value for name, value in change.items() if name not in RECIPE}
    changed = {name: value for name, value in change.items() if name in RECIPE}
    config.model = replace(config.model, **model)
    train, validation, facts = molecules(results, config.model.cutoff)
    recipe = Recipe(**({"lr": fit["lr"], "steps": 0} | fit["recipe"] | changed))
    recipe = replace(recipe, steps=round(epochs * len(train) / recipe.batch_size))
    torch.manual_seed(recipe.seed)
    network = build_qm9(**pose(config).arguments)
    training = Training(network, train, facts.scale, recipe)
    while training.done < recipe.steps:
        training.step()
    return {
        "parameters": sum(weight.numel() for weight in training.weights),
        "validation": float(training.errors(validation).abs().mean()),
        "ms": 1e3 * training.cpu_seconds / recipe.steps,
    }


def molecules(results: Path, cutoff: float) -> tuple[Part, Part, Facts]:
    """Those of training and validation with neighbours within a cutoff; written to a file once."""
    path = results / f"molecules-{cutoff:g}.npz"
    if not path.exists():
        write_molecules(path, cutoff)
    return read_part(str(path), "train"), read_part(str(path), "validation"), read_facts(str(path))


if __name__ == "__main__":
    main()
