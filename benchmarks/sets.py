"""Layers on sets and pairs against rivals.

The matrix products they hold, plain PyTorch, and PyTorch Geometric.

`matrix products` are those of the layer alone, x A for every element and m B for every set: what no
layer can go below. Pairs are four graphs of 64 nodes against one einsum over the 15 operators, and
graphs of 4 to 32 nodes one by one.

    python benchmarks/sets.py [--quick] [--threads N] [--json FILE]
"""

import copy
from collections.abc import Callable
from functools import partial

import torch
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor, nn

from steerable.convs import InducedSetAttention, PairLinear, SetLinear, pairs_of

Function = Callable[[nn.Module, Tensor, Tensor, int], Tensor]


def ragged(elements: int, sets: int) -> Tensor:
    """The set of every element, sorted; sizes vary."""
    return (
        torch.randint(sets, (elements,), generator=torch.Generator().manual_seed(0)).sort().values
    )


def job(module: nn.Module, function: Function, x: Tensor, batch: Tensor, size: int) -> Job:
    """A function of a module and the features; the same in float64 is exact."""
    x.requires_grad_()
    exact = copy.deepcopy(module).double()
    return differentiable(
        lambda: function(module, x, batch, size),
        [x, *module.parameters()],
        lambda: function(exact, x.detach().double(), batch, size),
    )


def layer(module: nn.Module, x: Tensor, batch: Tensor, size: int) -> Tensor:
    return module(x, batch, size)


def products(module: SetLinear, x: Tensor, batch: Tensor, size: int) -> Tensor:
    y = x @ module.deviation.matrix()
    module.common(x[:size])
    return y


def gathered(module: SetLinear, x: Tensor, batch: Tensor, size: int) -> Tensor:
    count = torch.bincount(batch, minlength=size).clamp(min=1).unsqueeze(1)
    mean = x.new_zeros(size, x.shape[1]).index_add_(0, batch, x) / count
    return (x - mean[batch]) @ module.deviation.matrix() + module.common(mean)[batch]


def set_job(function: Function, elements: int, sets: int, channels: int) -> Job:
    torch.manual_seed(0)
    module = SetLinear(f"{channels}x0e", f"{channels}x0e")
    return job(module, function, torch.randn(elements, channels), ragged(elements, sets), sets)


def pyg_attention(module: nn.Module, x: Tensor, batch: Tensor, size: int) -> Tensor:
    from torch_geometric.utils import to_dense_batch

    dense, mask = to_dense_batch(x, batch, batch_size=size)
    return module(dense, mask)[mask]


def attention_job(function: Function, elements: int, sets: int, channels: int) -> Job:
    from torch_geometric.nn.aggr.utils import InducedSetAttentionBlock

    torch.manual_seed(0)
    kind = InducedSetAttention if function is layer else InducedSetAttentionBlock
    return job(
        kind(channels, 16, 4),
        function,
        torch.randn(elements, channels),
        ragged(elements, sets),
        sets,
    )


def fifteen(module: PairLinear, x: Tensor, batch: Tensor, size: int) -> Tensor:
    """One einsum over the stacked operators."""
    n, channels = x.shape[1], x.shape[3]
    one = torch.eye(n, dtype=x.dtype)[None, :, :, None]
    diagonal = x.diagonal(dim1=1, dim2=2).transpose(1, 2)
    found = [x, x.transpose(1, 2)]
    for v in (diagonal, x.mean(2), x.mean(1)):
        found += [one * v[:, :, None], v[:, :, None].expand_as(x), v[:, None].expand_as(x)]
    for s in (diagonal.mean(1), x.mean((1, 2))):
        found += [one * s[:, None, None], s[:, None, None].expand_as(x)]
    nodes, graphs = (
        linear.matrix().view(k, channels, k, -1).transpose(1, 2).flatten(0, 1)
        for linear, k in ((module.nodes, 3), (module.graphs, 2))
    )
    weights = torch.cat([module.own.matrix()[None], module.turned.matrix()[None], nodes, graphs])
    return torch.einsum("gijkc,kcd->gijd", torch.stack(found, 3), weights)


def square(module: PairLinear, x: Tensor, batch: Tensor, size: int) -> Tensor:
    return module(x)


def pair_job(function: Function, n: int, channels: int) -> Job:
    torch.manual_seed(0)
    module = PairLinear(f"{channels}x0e", f"{channels}x0e", bias=False)
    return job(module, function, torch.randn(4, n, n, channels), torch.empty(0), 4)


def flat(module: PairLinear, x: Tensor, batch: Tensor, size: int) -> Tensor:
    return module(x, pairs_of(batch, size))


def one_by_one(module: PairLinear, x: Tensor, batch: Tensor, size: int) -> Tensor:
    nodes = torch.bincount(batch, minlength=size).tolist()
    graphs = x.split([n * n for n in nodes])
    return torch.cat(
        [module(g.view(1, n, n, -1)).flatten(0, 2) for n, g in zip(nodes, graphs, strict=True)]
    )


def ragged_pair_job(function: Function, graphs: int, channels: int) -> Job:
    torch.manual_seed(0)
    sizes = torch.randint(4, 33, (graphs,))
    module = PairLinear(f"{channels}x0e", f"{channels}x0e")
    batch = torch.arange(graphs).repeat_interleave(sizes)
    return job(module, function, torch.randn(int(sizes.square().sum()), channels), batch, graphs)


def cases(quick: bool) -> list[Case]:
    elements, sets = (50_000, 500) if quick else (1_000_000, 10_000)
    linear = {"steerable": layer, "matrix products": products, "gather": gathered}
    pairs = {"steerable": square, "15 operators": fifteen}
    graphs = {"steerable": flat, "one by one": one_by_one}
    attention = {"steerable": layer, "PyG, padded": pyg_attention}

    def case(name: str, make: Callable[..., Job], rivals: dict[str, Function], *sizes: int) -> Case:
        return Case(
            name, {rival: partial(make, function, *sizes) for rival, function in rivals.items()}
        )

    return [
        *(
            case(f"set linear, {elements} x {c} in {sets} sets", set_job, linear, elements, sets, c)
            for c in ((32,) if quick else (32, 64, 128))
        ),
        *(
            case(f"pairs, 4 of 64 nodes x {c}", pair_job, pairs, 64, c)
            for c in ((32,) if quick else (32, 64))
        ),
        case("pairs, 64 of 4 to 32 nodes x 32", ragged_pair_job, graphs, 64, 32),
        case(
            f"attention, {elements // 20} x 64 in {sets // 20} sets",
            attention_job,
            attention,
            elements // 20,
            sets // 20,
            64,
        ),
    ]


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
