"""What every benchmark shares.

Rivals on one work, interleaved timing, memory in a process of its own, a table.

    python benchmarks/NAME.py [--quick] [--threads N] [--match TEXT] [--json FILE]

A case is one work and who does it, ours first. Every rival is built and warmed up once; then each
round runs every pass of everyone once, in shuffled order, for 2 seconds at least. A row holds

    median_ms  median wall time of one pass
    peak_mb    highest resident memory during one pass above what was resident before it, in a
               process that runs just this row, after one pass to warm up (compilers, thread
               pools) and with freed memory handed back
    error      largest deviation from the same function in float64, relative to its largest value
    ratio      the row's time over that of our row, the median over rounds: above 1 we are faster
"""

import argparse
import ctypes
import gc
import json
import platform
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

Name = TypeVar("Name")
_SECONDS = 2.0  # that a case is measured at least
PEERS = (
    "e3nn",
    "cuequivariance-torch",
    "e3tools",
    "sphericart-torch",
    "torch-harmonics",
    "torch-geometric",
    "torch-scatter",
)


@dataclass(frozen=True)
class Job:
    """What one rival does: its passes by name, and its error, computed when asked."""

    passes: dict[str, Callable[[], object]]
    error: Callable[[], float]


@dataclass(frozen=True)
class Case:
    """One work and the builders of its rivals, ours first.

    Processes hand them on, so no lambdas.
    """

    name: str
    rivals: dict[str, Callable[[], Job]]
    rounds: int = 9


@dataclass(frozen=True)
class Row:
    """One measurement; None where there is nothing to measure."""

    case: str
    name: str
    median_ms: float
    peak_mb: float | None
    error: float | None
    ratio: float


def parser(description: str) -> argparse.ArgumentParser:
    """The options of every benchmark."""
    result = argparse.ArgumentParser(description=description.splitlines()[0])
    result.add_argument("--quick", action="store_true", help="fewer rounds, smaller cases")
    result.add_argument("--threads", type=int, default=2, help="threads of torch")
    result.add_argument("--match", default="", help="only the cases whose name holds this text")
    result.add_argument("--json", type=Path, help="write the rows and the machine here")
    return result


def differentiable(
    forward: Callable[[], Tensor], leaves: Sequence[Tensor], exact: Callable[[], Tensor]
) -> Job:
    """The two usual passes of `forward`, with gradients to `leaves`.

    `exact` is the same function in float64.
    """
    with torch.no_grad():
        seed = torch.randn_like(forward())

    def inference() -> None:
        with torch.no_grad():
            forward()

    def training() -> None:
        forward().backward(seed)
        for leaf in leaves:
            leaf.grad = None

    def error() -> float:
        with torch.no_grad():
            return deviation(forward(), exact())

    return Job({"forward": inference, "forward + backward": training}, error)


def deviation(value: Tensor, exact: Tensor) -> float:
    """The largest difference, relative to the largest exact value."""
    return float((value.double() - exact).abs().max() / exact.abs().max())


def measure(cases: Sequence[Case], options: argparse.Namespace) -> list[Row]:
    """Measure and print the rows of all cases.

    A rival whose package is missing is reported and skipped.
    """
    torch.set_num_threads(options.threads)
    print(f"{_processor()}, torch {torch.__version__}, {options.threads} threads")
    print(
        f"{'case':<52} {'name':<28} {'median ms':>10} {'peak MB':>9} {'error':>9} {'ratio':>7}",
        flush=True,
    )
    rows = []
    for case in cases:
        if options.match in case.name:
            rows += _measure(
                case, min(case.rounds, 3) if options.quick else case.rounds, options.threads
            )
    return rows


def show(row: Row) -> None:
    """Print one row of the table."""
    memory = "-" if row.peak_mb is None else f"{row.peak_mb:.1f}"
    error = "-" if row.error is None else f"{row.error:.1e}"
    print(
        f"{row.case:<52} {row.name:<28} {row.median_ms:>10.2f} {memory:>9} {error:>9} "
        f"{row.ratio:>7.2f}",
        flush=True,
    )


def write(rows: list[Row], options: argparse.Namespace) -> None:
    """Write rows, machine and versions as JSON, if asked."""
    if options.json is None:
        return
    machine = {
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": options.threads,
        "versions": {"torch": torch.__version__}
        | {name: found for name in PEERS if (found := _version(name))},
    }
    temporary = options.json.with_suffix(".tmp")
    temporary.write_text(
        json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1)
    )
    temporary.replace(options.json)


def _measure(case: Case, rounds: int, threads: int) -> list[Row]:
    torch.compiler.reset()  # a compiled function is forgotten after some eight variants of it
    jobs = {}
    for name, build in case.rivals.items():
        try:
            jobs[name] = build()
        except ImportError as missing:
            print(f"{case.name:<52} {name:<28} skipped: {missing}", flush=True)
    ours = next(iter(jobs))
    errors = {name: job.error() for name, job in jobs.items()}
    runs = {(name, step): run for name, job in jobs.items() for step, run in job.passes.items()}
    times = interleaved(runs, rounds, _SECONDS)
    rows = []
    for step in jobs[ours].passes:
        for name in jobs:
            peak = peak_megabytes(case.rivals[name], step, threads)
            ratio = statistics.median(
                a / b for a, b in zip(times[name, step], times[ours, step], strict=True)
            )
            median = statistics.median(times[name, step])
            rows.append(Row(f"{case.name}, {step}", name, median, peak, errors[name], ratio))
            show(rows[-1])
    return rows


def interleaved(
    runs: dict[Name, Callable[[], object]], rounds: int, seconds: float = 0.0
) -> dict[Name, list[float]]:
    """Milliseconds of every run in every round, after one to warm up.

    It runs for so many rounds and seconds at least.
    """
    for run in runs.values():
        run()
    times: dict[Name, list[float]] = {name: [] for name in runs}
    order = random.Random(0)
    end = time.perf_counter() + seconds
    while len(times[next(iter(runs))]) < rounds or time.perf_counter() < end:
        for name in order.sample(list(runs), len(runs)):
            start = time.perf_counter()
            runs[name]()
            times[name].append(1e3 * (time.perf_counter() - start))
    return times


def peak_megabytes(build: Callable[[], Job], step: str, threads: int) -> float | None:
    """Peak resident memory of one pass above the start, in a process of its own.

    None where /proc does not tell.
    """
    if not Path("/proc/self/clear_refs").exists():
        return None
    context = get_context("forkserver")
    context.set_forkserver_preload(
        ["torch"]
    )  # once instead of in every process; it starts no threads yet
    with ProcessPoolExecutor(1, context) as process:
        return process.submit(partial(_peak, build, step, threads)).result()


def _peak(build: Callable[[], Job], step: str, threads: int) -> float:
    torch.set_num_threads(threads)
    run = build().passes[step]
    run()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    start = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    run()
    return _status("VmHWM") - start


def _status(key: str) -> float:
    """A line of /proc/self/status in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024 / 1e6


def _processor() -> str:
    """The name of the processor, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
