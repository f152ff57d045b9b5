"""Networks of other libraries beside steerable's demo on QM9, at equal core seconds.

All learn U0_atom of the 5,000 molecules of `make demo`, one thread each, in one plain loop: the
same batches, neighbours, references and scale, L1 loss, AdamW without decay, warm-up, cosine,
clipped gradients, averaged weights. Equal time is a number of steps: seconds over the milliseconds
of a step that `ms` measured, since the seconds of a process depend on what else the machine does;
those that a run took are written beside it.

    python benchmarks/peers_qm9.py ms RESULTS [--networks NAME ...] [--compiled] [--rounds N]
    python benchmarks/peers_qm9.py train RESULTS --seconds S [--networks NAME ...] [--lr X ...]
    python benchmarks/peers_qm9.py table RESULTS

steerable takes the batch size and the optimiser of its demo, unless the options name others.

`ms` interleaves the networks, each in a process of its own; `train` needs it. `train` runs one
after another, with both learning rates of each, and leaves out what is in RESULTS already; a run
that was stopped goes on from its last quarter. With `--test` the test molecules are looked at once,
after the last step. NequIP and MACE exclude each other's e3nn and have an environment each:

    python -m venv env-nequip && env-nequip/bin/pip install torch==2.13.0 nequip==0.19.1
    python -m venv env-mace && env-mace/bin/pip install torch==2.13.0 mace-torch==0.3.16

which `--nequip-python env-nequip/bin/python` and `--mace-python env-mace/bin/python` name. With
`--old-src SRC`, the folder `src` of another checkout, the network `steerable-old` is its demo.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from qm9_peers.comparison import PEERS, Home, Peer, Worker
from qm9_peers.tables import write_tables

WARM, AT_ONCE = 5, 4  # steps before the measurement, and in a turn of it
Settings = dict[str, Any]


def main() -> None:
    options = arguments().parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    if options.verb == "ms":
        measure(options)
    elif options.verb == "train":
        train_all(options)
    write_tables(options.results)


def arguments() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("verb", choices=["ms", "train", "table"])
    result.add_argument("results", type=Path, help="folder of what is written")
    result.add_argument("--networks", nargs="+", choices=PEERS, help="all that have a home")
    result.add_argument("--nequip-python", help="Python of the environment with NequIP")
    result.add_argument("--mace-python", help="Python of the environment with MACE")
    result.add_argument("--old-src", help="source tree whose demo is `steerable-old`")
    result.add_argument("--batch-size", type=int, help="32, and for steerable that of the demo")
    result.add_argument("--threads", type=int, default=1)
    result.add_argument("--rounds", type=int, default=10, help="turns of each network in `ms`")
    result.add_argument("--compiled", action="store_true", help="also compiled in `ms`")
    result.add_argument("--seconds", type=float, default=300.0, help="core seconds of `train`")
    result.add_argument("--lr", type=float, nargs="+", help="instead of the rates of a network")
    result.add_argument("--seeds", type=int, nargs="+", default=[0])
    result.add_argument("--warmup", type=int, help="steps; 200")
    result.add_argument("--clip", type=float, help="largest norm of the gradient; 1")
    result.add_argument("--ema", type=float, help="decay of averaged weights; 0.995")
    result.add_argument("--optimizer", choices=["adamw", "muon"], help="adamw; muon only here")
    result.add_argument("--test", action="store_true", help="look at the test molecules")
    return result


def homes(options: argparse.Namespace) -> dict[str, Home]:
    """The environments that the options name."""
    result = {"here": Home(sys.executable)}
    if options.nequip_python:
        result["nequip"] = Home(options.nequip_python)
    if options.mace_python:
        result["mace"] = Home(options.mace_python)
    if options.old_src:
        result["old"] = Home(sys.executable, str(Path(options.old_src).resolve()))
    return result


def chosen(options: argparse.Namespace) -> list[str]:
    """The names of the networks to run.

    Raises:
        SystemExit: the environment of one that was asked for is not named.
    """
    there = homes(options)
    names = options.networks or [name for name in PEERS if PEERS[name].home in there]
    for name in names:
        if PEERS[name].home not in there:
            option = "--old-src" if PEERS[name].home == "old" else f"--{PEERS[name].home}-python"
            raise SystemExit(f"{name} needs {option}; see --help.")
    return list(names)


def settled(name: str, options: argparse.Namespace) -> Peer:
    """A peer with its cutoff and learning rates; for steerable's, its source tree is asked."""
    peer = PEERS[name]
    if peer.network != "steerable":
        return peer
    home = homes(options)[peer.home]
    with home.start({"verb": "settings"}, options.results / f"{name}.log") as worker:
        settings = worker.first()
    if home.source is not None and not settings["source"].startswith(home.source):
        raise SystemExit(f"{home.source} has no package steerable: name the folder that has it.")
    rates = (settings["lr"], settings["lr"] / 3)
    return replace(peer, cutoff=settings["cutoff"], rates=rates, recipe=settings["recipe"])


def order(peer: Peer, options: argparse.Namespace, **recipe: Any) -> Settings:
    """What a worker is asked for by either verb."""
    path = options.results / f"molecules-{peer.cutoff:g}.npz"
    if not path.exists():
        from qm9_peers.ours import write_molecules

        write_molecules(path, peer.cutoff)
    names = ("batch_size", "warmup", "clip", "ema", "optimizer")
    overrides = {
        name: getattr(options, name) for name in names if getattr(options, name) is not None
    }
    return {
        "verb": options.verb,
        "network": peer.network,
        "arguments": peer.arguments,
        "data": str(path),
        "threads": options.threads,
        "compiled": False,
        "recipe": {"batch_size": 32} | peer.recipe | overrides | recipe,
    }


def measure(options: argparse.Namespace) -> None:
    """Milliseconds of a step of every network, interleaved, written to `ms.json`."""
    path = options.results / "ms.json"
    rows = json.loads(path.read_text()) if path.exists() else {}
    workers: dict[str, Worker] = {}
    with ExitStack() as stack:
        for name, compiled in product(chosen(options), (False, True)[: 1 + options.compiled]):
            title = f"{name} compiled" if compiled else name
            start = time.perf_counter()
            worker = stack.enter_context(start_measured(name, compiled, options))
            try:
                values = worker.first()
                worker.ask(str(WARM))
                worker.first()
            except RuntimeError as error:
                print(f"{title} is left out: {error}", flush=True)
                continue
            workers[title] = worker
            values["start_seconds"] = time.perf_counter() - start
            rows[title] = values
            print(f"{title}: {values}", flush=True)
        times = interleaved(workers, options.rounds)
    for title, clocks in times.items():
        for clock, each in clocks.items():
            rows[title] |= {clock: statistics.median(each), f"{clock}_least": min(each)}
    path.write_text(json.dumps(rows, indent=1))


def start_measured(name: str, compiled: bool, options: argparse.Namespace) -> Worker:
    """A worker that waits for numbers of steps to measure."""
    peer = settled(name, options)
    # The rate hardly falls in so many steps.
    asked = order(peer, options, lr=peer.rates[-1], steps=100_000) | {"compiled": compiled}
    return homes(options)[peer.home].start(asked, options.results / f"{name}.log")


def interleaved(workers: dict[str, Worker], rounds: int) -> dict[str, dict[str, list[float]]]:
    """The times of all steps by network and clock; the networks take turns in shuffled order."""
    times: dict[str, dict[str, list[float]]] = {name: {"cpu": [], "wall": []} for name in workers}
    shuffler = random.Random(0)
    for _ in range(rounds):
        for name in shuffler.sample(list(workers), len(workers)):
            workers[name].ask(str(AT_ONCE))
            for clock, values in workers[name].first().items():
                times[name][clock] += values
    return times


def train_all(options: argparse.Namespace) -> None:
    """Train every network at every rate from every seed that is not in the results."""
    path = options.results / "ms.json"
    rows = json.loads(path.read_text()) if path.exists() else {}
    for name in chosen(options):
        if name not in rows:
            raise SystemExit(f"{path} has no {name}: measure it by the verb ms first.")
        peer = settled(name, options)
        for lr, seed in product(options.lr or peer.rates, options.seeds):
            train(name, peer, rows[name], lr, seed, options)


def train(
    name: str, peer: Peer, measured: Settings, lr: float, seed: int, options: argparse.Namespace
) -> None:
    """Train one network and write the result.

    Raises:
        SystemExit: its milliseconds were measured with other settings.
    """
    asked = order(peer, options, lr=lr, seed=seed)
    for key in ("batch_size", "threads", "optimizer"):
        wanted = asked["recipe"].get(key, asked.get(key))
        if wanted is not None and measured[key] != wanted:
            raise SystemExit(f"{name} was measured with {key} {measured[key]}, not {wanted}.")
    steps = max(1, round(1000 * options.seconds / measured["cpu"]))
    size = asked["recipe"]["batch_size"]
    title = f"{name}-{options.seconds:g}s-batch{size}-lr{lr:g}-seed{seed}"
    path, state = options.results / f"{title}.json", options.results / f"{title}.pt"
    if path.exists():
        print(f"{title} is there already", flush=True)
        return
    asked["recipe"]["steps"] = steps
    asked |= {"state": str(state), "test": options.test}
    result: Settings = {
        "network": name,
        "arguments": peer.arguments,
        "cutoff": peer.cutoff,
        "recipe": asked["recipe"],
        "seconds": options.seconds,
        "ms": measured["cpu"],
        "history": [],
    }
    print(f"{title}: {steps} steps of {measured['cpu']:.1f} ms", flush=True)
    with homes(options)[peer.home].start(asked, options.results / f"{name}.log") as worker:
        while (line := worker.answer()) is not None:
            if "share" not in line:
                result |= line
                continue
            result["history"].append(line)
            print(
                f"{title}: {line['share']:.0%}, validation {line['validation_mae']:.4f} eV, "
                f"{line['cpu_seconds']:.0f} s",
                flush=True,
            )
    path.write_text(json.dumps(result, indent=1))
    state.unlink()


if __name__ == "__main__":
    main()
