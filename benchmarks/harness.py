"""What every benchmark shares: interleaved timing, memory kept for backward, a table, a JSON file."""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass
class Row:
    """One measurement. `ratio` is the peer's time over ours, in the same run; above 1 we are faster."""

    case: str
    name: str
    median_ms: float
    peak_mb: float
    error: float
    ratio: float


def arguments(description: str) -> argparse.Namespace:
    """The options of every benchmark."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller cases")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--json", type=Path, help="write the rows and the machine here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


def interleaved(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of every run, one of each in turn after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for k in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if k:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def saved_megabytes(forward: Callable[[], object]) -> float:
    """Megabytes of storage that a forward pass keeps for its backward pass, each storage counted once."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    del result
    return sum(kept.values()) / 1e6


def report(rows: list[Row], options: argparse.Namespace) -> None:
    """Print the rows as a table and write them if asked."""
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, {options.threads} threads")
    print(f"{'case':<34} {'name':<22} {'median ms':>10} {'MB':>9} {'error':>9} {'ratio':>7}")
    for row in rows:
        print(
            f"{row.case:<34} {row.name:<22} {row.median_ms:>10.1f} {row.peak_mb:>9.1f} "
            f"{row.error:>9.1e} {row.ratio:>7.2f}"
        )
    if options.json:
        machine = {"machine": platform.platform(), "torch": torch.__version__, "threads": options.threads}
        temporary = options.json.with_suffix(".tmp")
        temporary.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1))
        temporary.replace(options.json)
