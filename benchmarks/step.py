"""A training step on energies and forces of a small network, compiled, against e3nn's.

Two layers, 16 copies of degrees 0 and 1 (or 32 of degrees 0 to 2): embedding, depthwise
convolution, gate, depthwise convolution, gate, linear head. Both networks have a radial perceptron
8 -> 32 -> weights, harmonics and Bessel functions computed once, and a linear map after the sum.
e3nn's is traced by make_fx, since torch.compile does not take its modules as they are; both are
then compiled for the sizes at hand. Molecules are random, with 18 atoms and about 150 pairs each.

    python benchmarks/step.py [--quick] [--threads N] [--match TEXT] [--json FILE]
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from e3nn import o3, set_optimization_defaults
from e3nn.nn import Gate as E3nnGate
from harness import Case, Job, measure, parser, write
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from workload import BESSEL, harmonic_irreps

from steerable import compiled_step
from steerable.filters import HarmonicFilter, Radial
from steerable.layers import Gate
from steerable.nn import NeighbourConv
from steerable.ops import Edges, radius_graph, segment_sum

ATOMS, CUTOFF, HIDDEN, KINDS = 18, 2.6, 32, 5
Graph = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def graph(count: int) -> Graph:
    """Kinds, positions, edges, molecules, energies and forces of `count` molecules."""
    generator = torch.Generator().manual_seed(count)
    axis = 1.5 * torch.arange(4.0)
    lattice = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    clusters = []
    for _ in range(count):
        distance = (lattice - lattice.mean(0)).norm(dim=1)
        nearest = (distance + 0.3 * torch.rand(64, generator=generator)).argsort()[:ATOMS]
        clusters.append(lattice[nearest] + 0.2 * torch.randn(ATOMS, 3, generator=generator))
    pos, batch = torch.cat(clusters), torch.arange(count).repeat_interleave(ATOMS)
    kinds = torch.randint(KINDS, (count * ATOMS,), generator=generator)
    edges = radius_graph(pos, CUTOFF, batch)
    energies = torch.randn(count, generator=generator)
    return kinds, pos, edges, batch, energies, torch.randn(pos.shape, generator=generator)


class Ours(nn.Module):
    """The network of our layers.

    Args:
        copies: of every degree.
        max_degree: highest degree of features and harmonics.
    """

    def __init__(self, copies: int, max_degree: int) -> None:
        super().__init__()
        hidden, scalars = harmonic_irreps(max_degree, copies), f"{copies}x0e"
        self.gate = Gate(hidden)
        self.embed = nn.Embedding(KINDS, copies)
        self.convs = nn.ModuleList(
            NeighbourConv(
                field,
                self.gate.field_in,
                HarmonicFilter(max_degree, Radial(CUTOFF, "bessel", BESSEL), HIDDEN, hidden=()),
                "depthwise",
                neighbours=8.0,
            )
            for field in (scalars, hidden)
        )
        self.head = nn.Linear(copies, 1)

    def forward(
        self, kinds: Tensor, pos: Tensor, index: Tensor, batch: Tensor, count: int
    ) -> Tensor:
        edges = Edges.between(pos, index)
        x = self.embed(kinds)
        for conv in self.convs:
            x = self.gate(conv(x, edges))
        energies = self.head(x[:, : self.head.in_features])
        return segment_sum(energies, batch, count).squeeze(1)


class _Conv(nn.Module):
    """A depthwise convolution of e3nn, as in NequIP."""

    def __init__(self, field_in: str, field_out: str, harmonics: str) -> None:
        super().__init__()
        source, target = o3.Irreps(field_in), o3.Irreps(field_out)
        paths = [
            (i, j, (multiplicity, irrep))
            for i, (multiplicity, left) in enumerate(source)
            for j, (_, right) in enumerate(o3.Irreps(harmonics))
            for irrep in left * right
            if irrep in target
        ]
        messages, place, _ = o3.Irreps([term for _, _, term in paths]).sort()
        instructions = [(i, j, place[k], "uvu", True) for k, (i, j, _) in enumerate(paths)]
        weights = {"shared_weights": False, "internal_weights": False}
        self.product = o3.TensorProduct(source, harmonics, messages, instructions, **weights)
        self.after = o3.Linear(messages.simplify(), target)
        self.radial = nn.Sequential(
            nn.Linear(BESSEL, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, self.product.weight_numel, bias=False),
        )

    def forward(
        self, x: Tensor, harmonics: Tensor, basis: Tensor, envelope: Tensor, index: Tensor
    ) -> Tensor:
        weights = self.radial(basis) * envelope
        message = self.product(x.index_select(0, index[0]), harmonics, weights)
        sums = message.new_zeros(x.shape[0], message.shape[1]).index_add(0, index[1], message)
        return self.after(sums)


class E3nn(nn.Module):
    """The network of e3nn's layers.

    Args:
        copies: of every degree.
        max_degree: highest degree of features and harmonics.
    """

    def __init__(self, copies: int, max_degree: int) -> None:
        super().__init__()
        set_optimization_defaults(jit_script_fx=False)  # make_fx does not see into scripts
        hidden, scalars = harmonic_irreps(max_degree, copies), f"{copies}x0e"
        vectors = hidden.split("+", 1)[1]
        gates = f"{copies * max_degree}x0e"
        silu, sigmoid = nn.functional.silu, torch.sigmoid
        self.gate = E3nnGate(scalars, [silu], gates, [sigmoid], vectors)
        self.embed = nn.Embedding(KINDS, copies)
        self.max_degree, harmonics = max_degree, harmonic_irreps(max_degree)
        self.convs = nn.ModuleList(
            _Conv(field, str(self.gate.irreps_in), harmonics) for field in (scalars, hidden)
        )
        self.head = nn.Linear(copies, 1)

    def forward(
        self, kinds: Tensor, pos: Tensor, index: Tensor, batch: Tensor, count: int
    ) -> Tensor:
        offset = pos.index_select(0, index[0]) - pos.index_select(0, index[1])
        distance = (offset * offset).sum(1).sqrt()
        harmonics = o3.spherical_harmonics(
            list(range(self.max_degree + 1)), offset, True, "component"
        )
        order = torch.arange(1, BESSEL + 1) * (math.pi / CUTOFF)
        basis = torch.sin(distance[:, None] * order) / distance[:, None]
        u = distance / CUTOFF
        envelope = (1 - 28 * u**6 + 48 * u**7 - 21 * u**8)[:, None]
        x = self.embed(kinds)
        for conv in self.convs:
            x = self.gate(conv(x, harmonics, basis, envelope, index))
        energies = self.head(x[:, : self.head.in_features]).squeeze(1)
        return energies.new_zeros(count).index_add(0, batch, energies)


def step_of(net: nn.Module) -> Callable[..., tuple[Tensor, tuple[Tensor, ...]]]:
    """Loss on energies and forces, and its gradients."""
    parameters = list(net.parameters())

    def step(
        kinds: Tensor, pos: Tensor, index: Tensor, batch: Tensor, energies: Tensor, forces: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        pos = pos.detach().requires_grad_()
        predicted = net(kinds, pos, index, batch, energies.shape[0])
        (gradient,) = torch.autograd.grad(predicted.sum(), pos, create_graph=True)
        loss = (predicted - energies).square().mean() + (gradient + forces).square().mean()
        return loss.detach(), torch.autograd.grad(loss, parameters, materialize_grads=True)

    return step


def job(build: Callable[[], nn.Module], compiler: str, count: int) -> Job:
    """The step, and how far its loss is from that of the same network in float64."""
    torch.manual_seed(0)
    net, arguments = build(), graph(count)
    step = step_of(net)
    run = {"eager": lambda: step, "compile": lambda: compiled_step(step, dynamic=False)}.get(
        compiler, lambda: _traced(step, arguments)
    )()

    def error() -> float:
        twin = build().double()
        twin.load_state_dict(net.state_dict())
        exact = step_of(twin)(*(t.double() if t.is_floating_point() else t for t in arguments))[0]
        return float((run(*arguments)[0].double() - exact).abs() / exact.abs())

    return Job({"step": lambda: run(*arguments)}, error)


def _traced(step: Callable, arguments: Graph) -> Callable:
    """The step as one graph of plain operations, compiled: nequip's way.

    make_fx puts a `detach` behind what backward passes save, which would cut second derivatives.
    """
    traced = make_fx(step, tracing_mode="fake", _allow_non_fake_inputs=True)(*arguments)
    for node in list(traced.graph.nodes):
        if node.target is torch.ops.aten.detach.default:
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)
    traced.recompile()
    compiled = torch.compile(traced, dynamic=False)

    def run(*arguments: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        with torch.no_grad():  # the gradients are operations of the graph
            return compiled(*arguments)

    return run


def cases(quick: bool) -> list[Case]:
    """Small networks on 1, 8 and 64 molecules, a large one on 192."""
    sizes = [(16, 1, 1), (16, 1, 8), (16, 1, 64), (32, 2, 192)]
    rows = []
    for copies, max_degree, count in sizes[: 1 if quick else None]:
        ours, peer = partial(Ours, copies, max_degree), partial(E3nn, copies, max_degree)
        rivals = {
            "steerable": partial(job, ours, "compile", count),
            "steerable eager": partial(job, ours, "eager", count),
            "e3nn make_fx, compiled": partial(job, peer, "make_fx", count),
            "e3nn eager": partial(job, peer, "eager", count),
        }
        rows.append(Case(f"{harmonic_irreps(max_degree, copies)}, {count} molecules", rivals, 21))
    return rows


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
