"""Two threads beside a busy program: a full contraction, with OpenMP's threads spinning or asleep.

Every row is a process of its own, since OpenMP reads its settings when torch is imported. The rows
take turns, and the least of all rounds is shown: the forward of a PointConv with about 25,000
edges.

    python benchmarks/threads.py [--rounds N] [--idle]
"""

import argparse
import os
import subprocess
import sys
import time

BUSY = "while True: pass"
SETTINGS = {
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "2 threads, as torch sets them": {"OMP_NUM_THREADS": "2"},
    "2 threads, as `steerable` sets them": {
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "passive",
        "GOMP_SPINCOUNT": "0",
    },
}


def step() -> None:
    """Print the seconds of one step, the median of five."""
    import torch

    from steerable.nn import HarmonicFilter, PointConv
    from steerable.ops import radius_graph

    torch.manual_seed(0)
    field = "16x0e+16x1o+16x2e"
    conv = PointConv(field, field, HarmonicFilter(2, 2.0), contraction="full", neighbours=16.0)
    pos = 15.6 * torch.rand(1800, 3)
    x, edges = torch.randn(1800, conv.field_in.dim), radius_graph(pos, 2.0)
    seconds = []
    for _ in range(6):
        start = time.perf_counter()
        with torch.no_grad():
            conv(x, pos, edges)
        seconds.append(time.perf_counter() - start)
    print(edges.shape[1], sorted(seconds[1:])[2])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--idle", action="store_true", help="without a busy program")
    options.add_argument("--step", action="store_true", help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.step:
        step()
        return
    busy = None if asked.idle else subprocess.Popen([sys.executable, "-c", BUSY])
    seconds: dict[str, list[float]] = {name: [] for name in SETTINGS}
    try:
        for _ in range(asked.rounds):
            for name, setting in SETTINGS.items():
                done = subprocess.run(
                    [sys.executable, __file__, "--step"],
                    env=os.environ | setting,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                seconds[name].append(float(done.stdout.split()[1]))
    finally:
        if busy is not None:
            busy.kill()
    print("| threads | seconds a step |\n|---|---|")
    for name, times in seconds.items():
        print(f"| {name} | {min(times):.3f} |")


if __name__ == "__main__":
    main()
