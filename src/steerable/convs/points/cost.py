"""Which order of computation is cheapest.

The time of an order is estimated as flops / 40e9 + bytes / 10e9 seconds: what a core reaches in the
small matrix products of a block, and in writing memory. Only the ratio of the two rates matters for
the choice.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...filters import Filter
from ...layers import Contraction
from .engines import Aggregate, Engine, Messages, Moments, Source, Work
from .frame import Frame
from .radial import Radial

ENGINES: dict[str, Engine] = {
    e.name: e for e in (Aggregate(), Moments(), Messages(), Radial(), Source(), Frame())
}

_FLOPS, _BYTES = 40e9, 10e9


@dataclass(frozen=True)
class Estimate:
    """The cost of one order on one graph; infinite where it does not apply."""

    engine: Engine
    flops: float
    bytes: float

    @property
    def seconds(self) -> float:
        """Flops / 40e9 + bytes / 10e9."""
        return self.flops / _FLOPS + self.bytes / _BYTES


@dataclass(frozen=True)
class Plan:
    """The orders that apply, their cost for a forward pass, and the one that is taken."""

    estimates: tuple[Estimate, ...]
    chosen: Engine
    nodes: int
    edges: int

    @property
    def kept_gigabytes(self) -> float:
        """What the chosen order keeps for its backward pass with recompute=False, in float32."""
        return next(e.bytes for e in self.estimates if e.engine.name == self.chosen.name) / 1e9

    def advice(self, recompute: bool) -> str:
        """What to do where memory does not suffice."""
        need = f"PointConv on {self.nodes:,} nodes and {self.edges:,} edges ran out of memory"
        if recompute:
            return (
                f"{need} although it keeps no block. Cut the graph into parts, or use fewer "
                "channels."
            )
        return (
            f"{need}: it keeps about {self.kept_gigabytes:.1f} GB for the backward pass. Set "
            "recompute=True."
        )

    def __str__(self) -> str:
        lines = [
            f"{self.nodes:,} nodes, {self.edges:,} edges",
            "engine        GFLOP    GB written    estimate",
        ]
        for estimate in self.estimates:
            mark = "  <-" if estimate.engine.name == self.chosen.name else ""
            lines.append(
                f"{estimate.engine.name:<10}{estimate.flops / 1e9:>9.3f}"
                f"{estimate.bytes / 1e9:>14.3f}"
                f"{1e3 * estimate.seconds:>9.1f} ms{mark}"
            )
        return "\n".join(lines)


def cheapest(candidates: dict[str, Work], nodes: int, edges: int) -> Engine:
    """The order that `plan` takes, without a table."""
    best, least = "", float("inf")
    for name, work in candidates.items():
        flops = edges * work.edge_flops + nodes * work.node_flops
        size = 4 * (edges * work.edge_numbers + nodes * work.node_numbers)
        seconds = flops / _FLOPS + size / _BYTES
        if seconds < least:
            best, least = name, seconds
    return ENGINES[best]


def works(filter: Filter, contraction: Contraction, loops: bool = False) -> dict[str, Work]:
    """The work of every order that applies, by loops where it has some and these exist."""
    orders = {}
    for name, engine in ENGINES.items():
        if engine.applies(filter, contraction):
            by_loops = engine.loop_work(filter, contraction) if loops else None
            orders[name] = by_loops or engine.work(filter, contraction)
    return orders


def plan(candidates: dict[str, Work], nodes: int, edges: int, engine: str = "auto") -> Plan:
    """Estimate every order of `works` on a graph and take the cheapest, or the one named."""
    estimates = []
    for name, work in candidates.items():
        flops = edges * work.edge_flops + nodes * work.node_flops
        size = 4 * (edges * work.edge_numbers + nodes * work.node_numbers)
        estimates.append(Estimate(ENGINES[name], flops, size))
    wanted = [e for e in estimates if engine in ("auto", e.engine.name)]
    best = min(wanted, key=lambda e: e.seconds)
    return Plan(tuple(estimates), best.engine, nodes, edges)
