"""A function in two processes of `torch.distributed`, over gloo."""

import tempfile
from pathlib import Path

import torch
from torch import distributed, multiprocessing

# The processes are forks of one that has imported these: every import of PyTorch takes seconds.
multiprocessing.get_context("forkserver").set_forkserver_preload(["torch", "steerable.nn"])


def in_two_processes(function):
    """The results of `function(rank)` of both ranks; they are saved with torch.save."""
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.start_processes(
            _work, (function, folder), nprocs=2, start_method="forkserver"
        )
        return [torch.load(Path(folder, f"{rank}.pt")) for rank in range(2)]


def _work(rank, function, folder):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    try:
        torch.save(function(rank), Path(folder, f"{rank}.pt"))
    finally:
        distributed.destroy_process_group()
