"""Networks of other libraries beside steerable's demo on QM9, at equal core seconds.

All learn U0_atom of the 5,000 molecules of `make demo`, one thread each, in one plain loop: the
same batches, neighbours, references and scale, L1 loss, AdamW without decay, warm-up, cosine,
clipped gradients, averaged weights. Equal time is a number of steps: seconds over the milliseconds
of a step that `ms` measured, since the seconds of a process depend on what else the machine does;
those that a run took are written beside it.

    python benchmarks/peers_qm9.py ms RESULTS [--networks NAME ...] [--compiled] [--rounds N]
    python benchmarks/peers_qm9.py train RESULTS --seconds S [--networks NAME ...] [--lr X ...]
    python benchmarks/peers_qm9.py table RESULTS

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
from pathlib import Path
from typing import Any

from qm9_peers.comparison import PEERS, Home, Peer, Worker
from qm9_peers.molecules import Facts, write

TARGET, SIZES = "U0_atom", {"train": 5000, "validation": 500, "test": 2000}
WARM, AT_ONCE = 5, 4  # steps before the measurement, and in a turn of it
Settings = dict[str, Any]


def main() -> None:
    options = arguments().parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    if options.verb == "ms":
        measure(options)
    elif options.verb == "train":
        train_all(options)
    table(options.results)


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
    result.add_argument("--batch-size", type=int, default=32)
    result.add_argument("--threads", type=int, default=1)
    result.add_argument("--rounds", type=int, default=10, help="turns of each network in `ms`")
    result.add_argument("--compiled", action="store_true", help="also compiled in `ms`")
    result.add_argument("--seconds", type=float, default=300.0, help="core seconds of `train`")
    result.add_argument("--lr", type=float, nargs="+", help="instead of the rates of a network")
    result.add_argument("--seeds", type=int, nargs="+", default=[0])
    result.add_argument("--warmup", type=int, default=200, help="steps")
    result.add_argument("--clip", type=float, default=1.0, help="largest norm of the gradient")
    result.add_argument("--ema", type=float, default=0.995, help="decay of averaged weights")
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


def resolved(name: str, options: argparse.Namespace) -> Peer:
    """A peer with its cutoff and learning rates, which steerable's source trees are asked for."""
    peer = PEERS[name]
    if peer.network != "steerable":
        return peer
    worker = homes(options)[peer.home].start({"verb": "settings"}, options.results / f"{name}.log")
    settings = worker.first()
    worker.close()
    if options.old_src and peer.home == "old":
        source = str(Path(options.old_src).resolve())
        assert settings["source"].startswith(source), (settings["source"], source)
    rates = (settings["lr"], settings["lr"] / 3)
    return Peer("steerable", settings["cutoff"], rates, home=peer.home)


def data(results: Path, cutoff: float) -> Path:
    """The file with the molecules and their neighbours within a cutoff, written if it is absent."""
    path = results / f"molecules-{cutoff:g}.npz"
    if not path.exists():
        from steerable.data import QM9, fit_statistics, split, target
        from steerable.data.molecules import gather

        wanted, dataset = target(TARGET), QM9()
        indices = split("n", len(dataset), **SIZES, seed=0)
        parts = {
            name: gather(dataset, getattr(indices, name), wanted.column, cutoff) for name in SIZES
        }
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
    return path


def order(peer: Peer, options: argparse.Namespace, **recipe: Any) -> Settings:
    """What a worker is told, in either verb."""
    assert peer.cutoff is not None
    common = {"warmup": options.warmup, "clip": options.clip, "ema": options.ema}
    return {
        "verb": options.verb,
        "network": peer.network,
        "arguments": peer.arguments,
        "data": str(data(options.results, peer.cutoff)),
        "threads": options.threads,
        "compiled": False,
        "recipe": {"batch_size": options.batch_size} | common | recipe,
    }


def measure(options: argparse.Namespace) -> None:
    """Milliseconds of a step of every network, interleaved, written to `ms.json`."""
    workers: dict[str, Worker] = {}
    rows: dict[str, Settings] = {}
    for name in chosen(options):
        peer = resolved(name, options)
        told = order(peer, options, lr=peer.rates[-1], steps=100_000)
        for compiled in (False, True) if options.compiled else (False,):
            title = f"{name} compiled" if compiled else name
            log = options.results / f"{name}.log"
            worker = homes(options)[peer.home].start(told | {"compiled": compiled}, log)
            try:
                rows[title] = worker.first()
                worker.ask(str(WARM))
                worker.first()
            except (RuntimeError, BrokenPipeError) as error:
                print(f"{title} is left out: {error}", flush=True)
                rows.pop(title, None)
                continue
            workers[title] = worker
            print(f"{title}: {rows[title]['parameters']:,} parameters", flush=True)
    times = interleaved(workers, options.rounds)
    for title, worker in workers.items():
        worker.close()
        for clock, values in times[title].items():
            rows[title] |= {clock: statistics.median(values), f"{clock}_least": min(values)}
        rows[title] |= {"batch_size": options.batch_size, "threads": options.threads}
    path = options.results / "ms.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | rows, indent=1))


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
    measured = json.loads(path.read_text()) if path.exists() else {}
    for name in chosen(options):
        if name not in measured:
            raise SystemExit(f"{path} has no {name}: measure it by the verb ms first.")
        peer = resolved(name, options)
        for lr in options.lr or peer.rates:
            for seed in options.seeds:
                train(name, peer, measured[name]["cpu"], lr, seed, options)


def train(
    name: str, peer: Peer, ms: float, lr: float, seed: int, options: argparse.Namespace
) -> None:
    """Train one network and write what became of it."""
    title = f"{name}-{options.seconds:g}s-lr{lr:g}-seed{seed}"
    path = options.results / f"{title}.json"
    if path.exists():
        print(f"{title} is there already", flush=True)
        return
    steps = max(1, round(1000 * options.seconds / ms))
    told = order(peer, options, lr=lr, steps=steps, seed=seed)
    told |= {"state": str(options.results / f"{title}.pt"), "test": options.test}
    result: Settings = {
        "network": name,
        "seconds": options.seconds,
        "ms": ms,
        "recipe": told["recipe"],
        "arguments": peer.arguments,
        "cutoff": peer.cutoff,
        "history": [],
    }
    print(f"{title}: {steps} steps of {ms:.1f} ms", flush=True)
    worker = homes(options)[peer.home].start(told, options.results / f"{name}.log")
    while (line := worker.answer()) is not None:
        if "share" in line:
            result["history"].append(line)
            print(
                f"{title}: {line['share']:.0%}, validation {line['validation_mae']:.4f} eV, "
                f"{line['cpu_seconds']:.0f} s",
                flush=True,
            )
        else:
            result |= line
    path.write_text(json.dumps(result, indent=1))
    (options.results / f"{title}.pt").unlink()


def table(results: Path) -> None:
    """Print what is in the results as Markdown, and write it to `table.md`."""
    lines: list[str] = []
    path = results / "ms.json"
    if path.exists():
        lines += ["| network | ms/step, CPU (least) | wall | parameters |", "|---|---|---|---|"]
        rows = json.loads(path.read_text())
        for name, row in sorted(rows.items(), key=lambda item: item[1]["cpu"]):
            lines.append(
                f"| {name} | {row['cpu']:.1f} ({row['cpu_least']:.1f}) | {row['wall']:.1f} "
                f"| {row['parameters']:,} |"
            )
    runs = [json.loads(path.read_text()) for path in results.glob("*-seed*.json")]
    for seconds in sorted({run["seconds"] for run in runs}):
        lines += [
            "",
            f"{TARGET}, {seconds:g} core seconds, eV",
            "",
            "| network | parameters | lr | seed | ms/step | epochs | CPU s | "
            "validation MAE at 25 / 50 / 75 / 100 % | test MAE | test RMSE |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        same = [run for run in runs if run["seconds"] == seconds]
        lines += map(_row, sorted(same, key=lambda run: run["history"][-1]["validation_mae"]))
    text = "\n".join(lines) + "\n"
    (results / "table.md").write_text(text)
    print(text)


def _row(run: Settings) -> str:
    recipe, history = run["recipe"], run["history"]
    epochs = recipe["steps"] * recipe["batch_size"] / SIZES["train"]
    validation = " / ".join(f"{line['validation_mae']:.4f}" for line in history)
    test = [f"{run[key]:.4f}" if key in run else "-" for key in ("test_mae", "test_rmse")]
    return (
        f"| {run['network']} | {run['parameters']:,} | {recipe['lr']:g} | {recipe['seed']} "
        f"| {run['ms']:.1f} | {epochs:.1f} | {history[-1]['cpu_seconds']:.0f} | {validation} "
        f"| {' | '.join(test)} |"
    )


if __name__ == "__main__":
    main()
