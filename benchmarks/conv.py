"""PointConv with an implicit filter against the per-edge kernel that it never forms.

The work: 96 molecules of QM9 (random clouds of their sizes where qm9pack is absent), all pairs within 5 Angstrom,
16 channels of degrees 0 and 1, a filter of 3 linear layers and 8 hidden fields. Both compute the same function;
`error` is against the per-edge kernel in float64, `MB` what the forward pass keeps for the backward pass.

    python benchmarks/conv.py [--quick] [--threads N] [--json FILE]
"""

import copy
import sys
from pathlib import Path

import torch
from harness import Row, arguments, interleaved, report, saved_megabytes

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from oracles.per_edge import per_edge_conv
from steerable.nn import ImplicitFilter, PointConv
from steerable.ops import radius_graph


def molecules(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions (atom, 3) in Angstrom and the molecule of every atom."""
    try:
        from steerable.data import QM9

        dataset = QM9()
        chosen = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))[:count]
        clouds = [dataset[int(k)].pos for k in chosen]
    except ImportError:
        clouds = [1.6 * torch.randn(19, 3) for _ in range(count)]
    batch = torch.arange(count).repeat_interleave(torch.tensor([len(cloud) for cloud in clouds]))
    return torch.cat(clouds), batch


def implicit_case(rounds: int, count: int) -> list[Row]:
    torch.manual_seed(0)
    field = "16x0e+16x1o"
    conv = PointConv(field, field, ImplicitFilter("0e+1o+2e", 5.0, channels=8, hidden=8, layers=3), neighbours=16)
    pos, batch = molecules(count)
    edges = radius_graph(pos, 5.0, batch)
    x = torch.randn(len(pos), conv.field_in.dim, requires_grad=True)
    exact = per_edge_conv(copy.deepcopy(conv).double(), x.detach().double(), pos.double(), edges)
    twin = copy.deepcopy(conv)
    twin.recompute = False
    forwards = {
        "steerable": lambda: conv(x, pos, edges),
        "steerable, no recompute": lambda: twin(x, pos, edges),
        "kernel per edge": lambda: per_edge_conv(conv, x, pos, edges),
    }
    times = interleaved({name: lambda f=f: f().square().sum().backward() for name, f in forwards.items()}, rounds)
    case = f"implicit C=16 l<=1, {len(pos)} nodes, {edges.shape[1]} edges"
    rows = []
    for name, forward in forwards.items():
        with torch.no_grad():
            error = float((forward().double() - exact).abs().max() / exact.abs().max())
        ratio = times["kernel per edge"] / times[name]
        rows.append(Row(case, name, times[name], saved_megabytes(forward), error, ratio))
    return rows


if __name__ == "__main__":
    options = arguments(__doc__.splitlines()[0])
    report(implicit_case(3 if options.quick else 9, 24 if options.quick else 96), options)
