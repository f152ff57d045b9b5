"""Who is compared, with which settings, and the processes that they run in."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

FOLDER = Path(__file__).parents[1]  # of the benchmarks


@dataclass(frozen=True)
class Peer:
    """A network and its settings.

    Args:
        network: its name in `networks.NETWORKS`.
        cutoff: radius of the neighbourhoods in Angstrom; None for that of steerable's demo.
        rates: learning rates, that of the authors first; none for that of the demo and a third.
        arguments: of the network.
        home: the environment it runs in, `here`, `old`, `nequip` or `mace`.
        recipe: what differs from the recipe of all others, `training.Recipe`; that of the demo for
            steerable's.
    """

    network: str
    cutoff: float | None = None
    rates: tuple[float, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    home: str = "here"
    recipe: dict[str, Any] = field(default_factory=dict)


_NEQUIP = {"num_layers": 3, "l_max": 1, "parity": False, "radial_mlp_width": 64}
_MACE = {
    "num_interactions": 2,
    "correlation": 3,
    "max_ell": 2,
    "num_bessel": 8,
    "num_polynomial_cutoff": 5,
}
_DEGREE_2 = {
    "hidden": "64x0e+32x1o+16x2e",
    "filter_field": "0e+1o+2e",
    "density_degree": 2,
}
PEERS = {
    "steerable": Peer("steerable"),
    "steerable-l2": Peer("steerable", arguments=_DEGREE_2),
    "steerable-old": Peer("steerable", home="old"),
    "nequip": Peer("nequip", 4.0, (1e-2, 3e-3), _NEQUIP | {"num_features": 32}, "nequip"),
    "nequip-16": Peer("nequip", 4.0, (1e-2, 3e-3), _NEQUIP | {"num_features": 16}, "nequip"),
    "mace": Peer("mace", 4.0, (1e-2, 3e-3), _MACE | {"hidden": "64x0e"}, "mace"),
    "mace-l1": Peer("mace", 4.0, (1e-2, 3e-3), _MACE | {"hidden": "32x0e+32x1o"}, "mace"),
    "painn": Peer("painn", 5.0, (5e-4, 1.5e-3), {"features": 128}),
    "painn-64": Peer("painn", 5.0, (5e-4, 1.5e-3), {"features": 64}),
    "schnet": Peer("schnet", 5.0, (5e-4, 1.5e-3)),
    "dimenet": Peer("dimenet", 5.0, (1e-3, 3e-4)),
    "visnet": Peer("visnet", 5.0, (1e-4, 4e-4), {"hidden_channels": 64, "num_layers": 4}),
}


@dataclass(frozen=True)
class Home:
    """An environment: its Python, and a source tree of steerable that comes first, or none."""

    python: str
    source: str | None = None

    def start(self, order: dict[str, Any], log: Path) -> Worker:
        """A worker with its order, whose complaints go to the end of a file."""
        variables = os.environ.copy()
        if self.source is not None:
            variables["PYTHONPATH"] = os.pathsep.join([self.source, str(FOLDER)])
        else:
            inherited = [variables["PYTHONPATH"]] if "PYTHONPATH" in variables else []
            variables["PYTHONPATH"] = os.pathsep.join([*inherited, str(FOLDER)])
        variables["OMP_NUM_THREADS"] = str(order.get("threads", 1))
        with log.open("a") as complaints:
            process = subprocess.Popen(
                [self.python, "-m", "qm9_peers.worker", json.dumps(order)],
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            )
        return Worker(process, log)


class Worker:
    """A process that answers in lines of JSON; a context manager that closes it."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self.log = process, log

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, text: str) -> None:
        """Write a line to its standard input."""
        _stream(self.process.stdin).write(f"{text}\n")
        _stream(self.process.stdin).flush()

    def answer(self) -> dict[str, Any] | None:
        """The next answer; None after the last.

        Raises:
            RuntimeError: the process failed.
        """
        line = _stream(self.process.stdout).readline()
        if line:
            values: dict[str, Any] = json.loads(line)
            return values
        if self.process.wait():
            raise RuntimeError(
                f"A worker ended with code {self.process.returncode}; the end of {self.log}:\n"
                + "\n".join(self.log.read_text().splitlines()[-15:])
            )
        return None

    def first(self) -> dict[str, Any]:
        """The next answer, which must be there."""
        values = self.answer()
        if values is None:
            raise RuntimeError(f"A worker ended without an answer; see {self.log}.")
        return values

    def close(self) -> None:
        """Tell it that no more is asked, and wait for its end."""
        with self.process:  # closes the pipes and waits
            pass


def _stream(stream: TextIO | None) -> TextIO:
    assert stream is not None  # all are pipes
    return stream
