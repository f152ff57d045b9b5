"""Molecules and settings small enough to train in a second."""

import ase
import numpy as np
from rich.console import Console

from steerable.models import PropertySettings

QUIET = Console(quiet=True)
SMALL = PropertySettings(
    hidden="8x0e+4x1o", filter_field="0e+1o", density_degree=1, layers=1, filter_channels=4
)
ELEMENTS, NAMES = np.array([1, 6, 8]), ("light", "heavy")


def molecules(count=40, seed=0):
    """Random molecules with quantities of every kind, some of them missing."""
    random = np.random.default_rng(seed)
    frames = []
    for k in range(count):
        z = np.sort(random.choice(ELEMENTS, random.integers(3, 7)))
        pos = 1.2 * np.arange(len(z))[:, None] * [1.0, 0.4, 0.0] + 0.2 * random.normal(
            size=(len(z), 3)
        )
        atoms = ase.Atoms(z, pos)
        charges = (z - z.mean()) / 10
        atoms.info = {
            "energy": float(-10.0 * z.sum() + np.sin(pos).sum()),
            "gap": float(np.cos(pos[:, 0]).mean()),
            "dipole": charges @ pos,
            "alpha": (pos.T @ pos).ravel(),
            "kind": NAMES[int(z.sum() > 20)],
        }
        if k % 5 == 0:
            del atoms.info["gap"]
        atoms.arrays["charges"] = charges
        frames.append(atoms)
    return frames
