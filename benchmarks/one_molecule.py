"""Calls of the demo's network with one molecule: milliseconds, and calls of torch.

What such a call takes is mostly the overhead of its operations, so that their number is measured as
well. The passes are

    predict            one prediction, with the search for neighbours
    predict, edges     the same with the edges given
    forces             energy and its gradient by the positions, edges given
    forces, frozen     the same with weights that need no gradient

The fastest of many calls is reported: it is what a call takes on a machine that does nothing else.

    python benchmarks/one_molecule.py [--quick] [--threads N] [--match TEXT] [--json FILE]
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from inspect import signature
from typing import Any

import torch
from harness import interleaved, parser
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from steerable.models import Regressor
from steerable.models.regressor import Reference
from steerable.ops import radius_graph
from steerable.train.tasks.presets import demo

ATOMS = (9, 20, 60)
ELEMENTS = (1, 6, 7, 8, 9)


@dataclass(frozen=True)
class Row:
    """One pass for a molecule of so many atoms and ordered pairs."""

    name: str
    atoms: int
    edges: int
    least_ms: float
    median_ms: float
    torch_calls: int


class Counter(TorchDispatchMode):
    """Counts the operations that reach a device."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        self.calls += 1
        return function(*args, **(kwargs or {}))


def network() -> Regressor:
    """That of `steerable demo`, without training: in time it is the same."""
    model = demo().model
    settings = {field.name: getattr(model, field.name) for field in fields(model)}
    names = signature(Regressor).parameters
    chosen = {name: value for name, value in settings.items() if name in names}
    torch.manual_seed(0)
    return Regressor(Reference(ELEMENTS), **chosen).eval()


def molecule(atoms: int) -> tuple[Tensor, Tensor]:
    """Atomic numbers and positions in Angstrom, on a shaken lattice as dense as molecules are."""
    generator = torch.Generator().manual_seed(atoms)
    axis = 2.1 * torch.arange(6.0)
    lattice = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    nearest = (lattice - lattice.mean(0)).norm(dim=1).argsort()[:atoms]
    pos = lattice[nearest] + 0.2 * torch.randn(atoms, 3, generator=generator)
    return torch.tensor(ELEMENTS)[torch.randint(5, (atoms,), generator=generator)], pos


def passes(z: Tensor, pos: Tensor, edges: Tensor) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    net, frozen, leaf = network(), network().requires_grad_(False), pos.clone().requires_grad_()

    def predict(edge_index: Tensor | None) -> Tensor:
        with torch.inference_mode():
            return net(z, pos, edge_index=edge_index)

    def forces(model: Regressor) -> Tensor:
        energy = model(z, leaf, edge_index=edges).sum()
        return torch.autograd.grad(energy, leaf)[0]

    return {
        "predict": lambda: predict(None),
        "predict, edges": lambda: predict(edges),
        "forces": lambda: forces(net),
        "forces, frozen": lambda: forces(frozen),
    }


def measured(options: argparse.Namespace) -> list[Row]:
    """Measure and print the rows."""
    print(f"{'pass':<16} {'atoms':>6} {'edges':>6} {'least ms':>9} {'median ms':>10} {'calls':>6}")
    rows = []
    for atoms in ATOMS:
        z, pos = molecule(atoms)
        edges = radius_graph(pos, demo().model.cutoff)
        runs = {name: run for name, run in passes(z, pos, edges).items() if options.match in name}
        times = interleaved(runs, 20 if options.quick else 500)
        for name, run in runs.items():
            with Counter() as counter:
                run()
            ordered = sorted(times[name])
            least, median = ordered[0], ordered[len(ordered) // 2]
            rows.append(Row(name, atoms, edges.shape[1], least, median, counter.calls))
            print(
                f"{name:<16} {atoms:>6} {edges.shape[1]:>6} {least:>9.2f} {median:>10.2f} "
                f"{counter.calls:>6}",
                flush=True,
            )
    return rows


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    torch.set_num_threads(options.threads)
    results = measured(options)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in results], indent=1))
