"""A training step on gravitating bodies against steerable messages.

The other network is made of e3nn's products.

The rival is built as SEGNN is: four layers, each two gated tensor products of both ends with the
harmonics of the edge, summed, and two of the node; 16 scalars and 16 vectors (64 numbers a node).
Ours are the network of `steerable train nbody --preset gravity`, forces of pairs in 40 steps of
leapfrog, and one of the rival's size: messages of 16 channels in four steps. All bodies see each
other.

    python benchmarks/dynamics.py [--quick] [--threads N] [--json FILE]
"""

import copy
from functools import partial

import torch
from e3nn import nn as gates
from e3nn import o3
from harness import Case, Job, differentiable, measure, parser, write
from torch import Tensor, nn

from steerable.groups import O3
from steerable.models import Dynamics, MessageForces, PairForces

CHANNELS = 16
HIDDEN = o3.Irreps(f"{CHANNELS}x0e+{CHANNELS}x1o")
HARMONICS = o3.Irreps("0e+1o")


class Product(nn.Module):
    """A fully connected product of features with harmonics, gated."""

    def __init__(self, irreps_in: o3.Irreps) -> None:
        super().__init__()
        self.gate = gates.Gate(
            f"{CHANNELS}x0e", [torch.nn.functional.silu], f"{CHANNELS}x0e", [torch.sigmoid], "16x1o"
        )
        self.product = o3.FullyConnectedTensorProduct(irreps_in, HARMONICS, self.gate.irreps_in)

    def forward(self, x: Tensor, harmonics: Tensor) -> Tensor:
        return self.gate(self.product(x, harmonics))


class Layer(nn.Module):
    """x_i + phi(x_i, sum over j of psi(x_i, x_j, |r|^2))."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = nn.ModuleList([Product(2 * HIDDEN + o3.Irreps("0e")), Product(HIDDEN)])
        self.update = Product(2 * HIDDEN)
        self.last = o3.FullyConnectedTensorProduct(HIDDEN, HARMONICS, HIDDEN)

    def forward(
        self, x: Tensor, edges: Tensor, offset: Tensor, harmonics: Tensor, mean: Tensor
    ) -> Tensor:
        source, target = edges
        message = torch.cat([x[target], x[source], offset.square().sum(1, keepdim=True)], 1)
        for product in self.messages:
            message = product(message, harmonics)
        heard = torch.zeros_like(x).index_add(0, target, message)
        return x + self.last(self.update(torch.cat([x, heard], 1), mean), mean)


class SteerableMessages(nn.Module):
    """Four layers from positions, velocities and masses to displacements and new velocities."""

    def __init__(self) -> None:
        super().__init__()
        self.first = o3.FullyConnectedTensorProduct("2x0e+2x1o", HARMONICS, HIDDEN)
        self.layers = nn.ModuleList(Layer() for _ in range(4))
        self.last = o3.Linear(HIDDEN, "2x1o")

    def forward(self, pos: Tensor, velocity: Tensor, mass: Tensor, pairs: Tensor) -> Tensor:
        edges = torch.cat([pairs, pairs.flip(0)], 1)
        offset = pos[edges[0]] - pos[edges[1]]
        harmonics = o3.spherical_harmonics(
            HARMONICS, offset, normalize=True, normalization="component"
        )
        mean = torch.zeros(len(pos), 4, dtype=pos.dtype).index_add(0, edges[1], harmonics) / len(
            pos
        )
        speed = velocity.square().sum(1, keepdim=True)
        x = self.first(torch.cat([mass, speed, pos - pos.mean(0), velocity], 1), mean)
        for layer in self.layers:
            x = layer(x, edges, offset, harmonics, mean)
        return self.last(x)


def pair_forces() -> nn.Module:
    return Dynamics(PairForces(hidden=16), steps=40)


def message_forces() -> nn.Module:
    return Dynamics(MessageForces(O3(), hidden=CHANNELS, neighbours=99.0), steps=4)


def step(make: type[nn.Module], bodies: int) -> Job:
    """Forward and backward on one system."""
    torch.manual_seed(0)
    model, exact = make(), None
    pos, velocity = torch.randn(2, bodies, 3)
    mass, pairs = torch.ones(bodies, 1), torch.triu_indices(bodies, bodies, 1)
    exact = copy.deepcopy(model).double()
    return differentiable(
        lambda: model(pos, velocity, mass, pairs),
        list(model.parameters()),
        lambda: exact(pos.double(), velocity.double(), mass.double(), pairs),
    )


def cases(quick: bool) -> list[Case]:
    bodies = 20 if quick else 100
    rivals = {"messages": message_forces, "pairs": pair_forces, "e3nn": SteerableMessages}
    return [
        Case(
            f"{bodies} bodies", {name: partial(step, make, bodies) for name, make in rivals.items()}
        )
    ]


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    write(measure(cases(options.quick), options), options)
