"""Settings that are known to work well."""

from __future__ import annotations

from .qm9 import DataConfig, FitConfig, ModelConfig, QM9Config

INTRODUCTION = """\
What is learned: the energy that holds a molecule together (U0 of QM9, less that of its atoms),
from nothing but its elements and where its atoms are. Quantum chemistry takes minutes to hours for
one such number, the network takes milliseconds.

It sees 5,000 molecules for 270 s on one thread and is then tested on 2,000 others. Turning or
mirroring a molecule changes no energy: the network has this symmetry by construction, and the last
step measures it.
"""


PEERS = {"NequIP 0.19": 0.087}
"""Errors in eV of other packages after 300 s on one thread (docs/molecules.md)."""


def demo(run: str = "runs/qm9-demo") -> QM9Config:
    """5,000 molecules and at most 270 s of training: what `steerable demo` runs.

    One thread: on two free cores two are 1.4 times faster, but beside any other busy program
    several times slower.
    """
    return QM9Config(
        data=DataConfig(target="U0_atom", split="n", train=5000, validation=500, test=2000),
        model=ModelConfig(cutoff=4.0, layers=2),
        fit=FitConfig(
            epochs=400,
            max_seconds=270.0,
            batch_size=32,
            lr=5e-3,
            warmup_steps=200,
            ema_decay=0.995,
            threads=1,
        ),
        run=run,
    )


def comparison(run: str) -> str:
    """What other packages reached in the time of the demo, and what to do with the run."""
    peers = ", ".join(f"{name} {error:.3f} eV" for name, error in PEERS.items())
    return f"""\
in 300 s on one thread of another machine: {peers} (docs/molecules.md)

what next
  steerable predict {run} FILE            energies of your own molecules, from any file ASE reads
  steerable certify {run}                 measure the symmetry once more
  steerable train qm9 --data.target gap   another property; --help lists all settings
"""
