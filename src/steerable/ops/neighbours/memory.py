"""Lists that would not fit into memory are refused before they are made."""

from __future__ import annotations

from math import gamma, pi
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .lattice import Lattices

_BYTES_PER_PAIR = 160  # the list itself has 40; the rest is what the search holds at its peak
_BYTES_PER_IMAGE = 120
_LITTLE = 1e8


def free_bytes(device: torch.device) -> float:
    """Free memory of a device; infinite where the system does not tell."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    path = Path("/proc/meminfo")
    lines = path.read_text().splitlines() if device.type == "cpu" and path.exists() else []
    sizes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable")]
    return 1024.0 * sizes[0] if sizes else float("inf")


def _free_bytes(need: float, device: torch.device) -> float:
    """Free memory, which the system is not asked for where little is needed."""
    return free_bytes(device) if need > _LITTLE else float("inf")


def expected_pairs(
    counts: np.ndarray, spans: np.ndarray, cutoff: float, lattice: Lattices
) -> float:
    """The number of neighbours of all points if they were spread evenly.

    Args:
        counts: (graph,) number of points.
        spans: (graph, d) extent of the points along the directions without period.
        cutoff: radius.
        lattice: of every graph.
    """
    periods = lattice.periodic.sum(1)
    balls = np.array(
        [pi ** (p / 2) / gamma(p / 2 + 1) for p in range(lattice.periodic.shape[1] + 1)]
    )
    images = balls[periods] * float(cutoff) ** periods / lattice.volumes
    # A layer thicker than the ball has neighbours in a part of it alone.
    part = np.minimum(1.0, 1.5 * cutoff / np.maximum(spans, cutoff))
    part = np.where(lattice.periodic, 1.0, part).prod(1)
    return float((counts.astype(float) ** 2 * images * part).sum())


def check_pairs(pos: Tensor, graph: Tensor | None, cutoff: float, lattice: Lattices) -> None:
    """Raise ValueError where the expected pairs of points (node, d) need more than is free."""
    graphs = len(lattice.volumes)
    if graph is None:
        counts = np.array([len(pos)])
    else:
        counts = torch.bincount(graph, minlength=graphs).cpu().numpy()
    spans = np.zeros(lattice.periodic.shape)
    if len(pos) and not lattice.periodic.all():
        spans += (pos.amax(0) - pos.amin(0)).cpu().numpy()
    pairs = expected_pairs(counts, spans, cutoff, lattice)
    need = pairs * _BYTES_PER_PAIR
    if need > (free := _free_bytes(need, pos.device)):
        density = float((counts / lattice.volumes).max())
        raise ValueError(
            f"periodic_graph with cutoff {cutoff:g} would make about {pairs:.2g} edges of "
            f"{len(pos):,} points at a density of {density:.3g} a unit of volume: {need / 1e9:.3g} "
            f"GB, and {free / 1e9:.3g} GB are free. Lower the cutoff, or take fewer points at a "
            "time."
        )


def check_images(count: int, cutoff: float, device: torch.device) -> None:
    """Raise ValueError where so many images of points need more memory than is free."""
    need = count * _BYTES_PER_IMAGE
    if need > (free := _free_bytes(need, device)):
        raise ValueError(
            f"periodic_graph with cutoff {cutoff:g} would make {count:.2g} images of the points: "
            f"{need / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free. Lower the cutoff; where the "
            "cell is much flatter than its vectors are long, choose shorter vectors of the same "
            "lattice."
        )
