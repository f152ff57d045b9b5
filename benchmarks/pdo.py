"""Differential operators against convolutions.

On points, on grids, and with coefficients made at every point.

On points the peer is a PointConv with harmonics on the same graph and channels; on grids a plain
`torch.nn` convolution with the expanded kernel, which is the same function; for generated
coefficients the published order of computation, which unfolds all taps, as the same function, too.
The last case makes the network of six layers for C16.

    python benchmarks/pdo.py [--quick] [--threads N] [--match TEXT] [--json FILE]
"""

import copy
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor, nn
from torch.nn import functional

from steerable import Field
from steerable.convs import (
    DepthwiseProducts,
    GridNeuralPDO,
    GridPDO,
    NeuralPDO,
    PointConv,
    SteerablePDO,
    function_field,
)
from steerable.filters import HarmonicFilter
from steerable.groups import O2, cyclic
from steerable.ops import knn, neighbourhoods

FIELD, NEIGHBOURS = "32x0e+32x1o", 24
C16_WIDTHS = (16, 24, 32, 32, 48, 64)


def on_points(kind: str, points: int) -> Job:
    """One layer; the graph and, for operators, the weights of derivatives are made once."""
    torch.manual_seed(0)
    pos = torch.rand(points, 3)
    edge_index = knn(pos, pos, NEIGHBOURS)
    hood = neighbourhoods(edge_index, points)
    x = torch.randn(points, 128, requires_grad=True)
    given: dict[str, object] = {}
    if kind == "PointConv":
        reach = float((pos[edge_index[0]] - pos[edge_index[1]]).norm(dim=1).max())
        layer: nn.Module = PointConv(FIELD, FIELD, HarmonicFilter(2, 1.05 * reach))
    else:
        layer = (SteerablePDO if kind == "steerable" else NeuralPDO)(FIELD, FIELD, 2)
        given = {"stencil": layer.stencil(pos, hood)}
    with torch.no_grad():
        layer(x, pos, hood, **given)  # measures what begins with unit variance

    def exact() -> Tensor:
        twin = copy.deepcopy(layer).double()
        if given:
            given["stencil"] = given["stencil"]._replace(weight=given["stencil"].weight.double())
        return twin(x.detach().double(), pos.double(), hood, **given)

    fixed = dict(given)
    return differentiable(lambda: layer(x, pos, hood, **fixed), [x, *layer.parameters()], exact)


def on_grid(kind: str, make: Callable[[], nn.Module], batch: int, width: int) -> Job:
    """A layer, its plain twin with the same kernel, or the same with all taps unfolded."""
    torch.manual_seed(0)
    layer = make()
    x = torch.randn(
        batch, layer.field_in.dim, *[width] * layer.field_in.group.dim, requires_grad=True
    )
    twin = copy.deepcopy(layer).double()
    run: Callable[[Tensor], Tensor] = layer
    if kind == "plain":
        run = layer.export()
    elif kind == "unfolded":
        run = partial(unfolded, layer)
    leaves = [x, *(run if kind == "plain" else layer).parameters()]
    return differentiable(lambda: run(x), leaves, lambda: twin(x.detach().double()))


def unfolded(layer: GridNeuralPDO, x: Tensor) -> Tensor:
    """The operator as published.

    A kernel at every point, times an unfolded copy of the features.
    """
    products, size = layer.products, layer.derivatives.filter.size
    batch, _, *spatial = x.shape
    flat = x.movedim(1, -1).flatten(0, -2)
    weights = products._coefficients(flat)
    points, groups, channels, operators = weights.shape
    kernel = weights @ (layer.derivatives.filter.values().T * (operators * size**2) ** -0.5)
    values = (
        products.functions.values(flat).flatten(1).unflatten(0, (batch, *spatial)).movedim(-1, 1)
    )
    taps = functional.unfold(values, size, padding=size // 2)
    taps = taps.view(batch, groups, -1, channels, size**2, points // batch)
    kernel = kernel.view(batch, -1, groups, channels, size**2).permute(0, 2, 3, 4, 1).unsqueeze(2)
    y = (taps * kernel).sum(4).flatten(1, 3).movedim(1, -1).flatten(0, 1)
    made = products.mix(products.functions.irreps(y.unflatten(1, (-1, products.functions.points))))
    return made.unflatten(0, (batch, *spatial)).movedim(-1, 1)


def planar(channels: int) -> GridPDO:
    return GridPDO(
        f"{channels}x0e+{channels}x1+{channels}x2",
        f"{channels}x0e+{channels}x1+{channels}x2",
        group=O2(),
    )


def regular(count: int, out: int) -> GridPDO:
    group = cyclic(16)
    return GridPDO(function_field(group, count), function_field(group, out), 3, maximum_offset=0)


def neural(count: int, out: int) -> GridNeuralPDO:
    group = cyclic(16)
    products = partial(DepthwiseProducts, channels=4)
    return GridNeuralPDO(
        function_field(group, count), function_field(group, out), 4, products=products
    )


def construction(kind: str) -> Job:
    """The six layers for C16, as operators or with generated coefficients."""
    group = cyclic(16)
    fields = [Field.parse("1x0", group), *(function_field(group, width) for width in C16_WIDTHS)]
    make = partial(GridPDO, order=3, maximum_offset=0, allow_zero=True)
    later = make
    if kind == "neural":
        make = partial(GridPDO, order=4, allow_zero=True)
        later = partial(GridNeuralPDO, order=4, products=partial(DepthwiseProducts, channels=4))

    def construct() -> list[nn.Module]:
        return [make(*fields[:2]), *(later(a, b) for a, b in pairwise(fields[1:]))]

    return Job({"construction": construct}, lambda: 0.0)


def cases(quick: bool) -> list[Case]:
    points, batch = (2_000, 2) if quick else (10_000, 16)
    kinds = ("steerable", "PointConv", "NeuralPDO")
    grids = {
        "O(2) 16 x (0, 1, 2)": partial(planar, 16),
        "C16 regular 16 -> 24": partial(regular, 16, 24),
    }
    found = [
        Case(
            f"{points} points x {NEIGHBOURS}, order 2",
            {k: partial(on_points, k, points) for k in kinds},
        )
    ]
    for name, make in grids.items():
        rivals = {k: partial(on_grid, k, make, batch, 28) for k in ("steerable", "plain")}
        found.append(Case(f"{name}, {batch} x 28 x 28", rivals, rounds=25))  # to tell 1.1 from 1
    make = partial(neural, 16, 24)
    rivals = {k: partial(on_grid, k, make, batch, 28) for k in ("steerable", "unfolded")}
    found.append(Case(f"Neural C16 16 -> 24, {batch} x 28 x 28", rivals))
    names = {"steerable": "static", "with generated coefficients": "neural"}
    found.append(
        Case(
            "six layers for C16",
            {name: partial(construction, kind) for name, kind in names.items()},
        )
    )
    return found


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
