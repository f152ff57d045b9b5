"""Our segment reductions against those of PyTorch Geometric and torch-scatter.

Sum, mean, max, softmax.

The index is sorted, 16 rows a segment; the error is against the same reduction by torch in float64.

    python benchmarks/segment.py [--quick] [--threads N] [--json FILE]
"""

from collections.abc import Callable
from functools import partial

import torch
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor

from steerable import ops

Reduction = Callable[[Tensor, Tensor, int], Tensor]

SIZES = [(rows, columns) for rows in (20_000, 200_000, 1_000_000) for columns in (16, 64, 256)]
QUICK = [(20_000, 16)]


def ours(kind: str) -> Reduction:
    return getattr(ops, f"segment_{kind}")


def pyg(kind: str) -> Reduction:
    from torch_geometric.utils import scatter, softmax

    if kind == "softmax":
        return lambda x, index, size: softmax(x, index, num_nodes=size)
    return lambda x, index, size: scatter(x, index, 0, size, kind)


def torch_scatter(kind: str) -> Reduction:
    from torch_scatter import scatter, scatter_softmax

    if kind == "softmax":
        return lambda x, index, size: scatter_softmax(x, index, 0, dim_size=size)
    return lambda x, index, size: scatter(x, index, 0, dim_size=size, reduce=kind)


def reference(kind: str, x: Tensor, index: Tensor, size: int) -> Tensor:
    """Every segment by itself, as a row of a padded tensor: all have equally many rows."""
    segments = x.detach().double().view(size, -1, x.shape[1])
    if kind == "softmax":
        return segments.softmax(1).view_as(x)
    return {"sum": segments.sum, "mean": segments.mean, "max": segments.amax}[kind](1)


def job(make: Callable[[str], Reduction], kind: str, rows: int, columns: int) -> Job:
    size = rows // 16
    reduce = make(kind)
    x = torch.randn(rows, columns, generator=torch.Generator().manual_seed(0)).requires_grad_()
    index = torch.arange(size).repeat_interleave(16)
    return differentiable(
        lambda: reduce(x, index, size), [x], partial(reference, kind, x, index, size)
    )


def cases(quick: bool) -> list[Case]:
    rivals = {"steerable": ours, "PyG": pyg, "torch-scatter": torch_scatter}
    return [
        Case(
            f"{kind} of {rows} x {columns}",
            {name: partial(job, make, kind, rows, columns) for name, make in rivals.items()},
        )
        for kind in ("sum", "mean", "max", "softmax")
        for rows, columns in (QUICK if quick else SIZES)
    ]


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
