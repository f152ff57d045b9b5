"""Graphs that layers of second order can distinguish, and the dipole of a set of charges.

python examples/graphs.py [--steps 2000]

The script compares cycles of six nodes with two triangles, and the rook's graph with the Shrikhande
graph: it prints the largest difference between the results of networks with random weights. Then a
network on S_n x O(3) learns the dipole of a set of charges. It is trained on sets of up to 10
charges and tested on sets of 50, with the change under permutations, rotations and reflections.
"""

import argparse

import torch
from torch import nn

from steerable.convs import PairLinear, PairProduct
from steerable.field import Field
from steerable.groups import O3
from steerable.models import DeepSets

options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument(
    "--steps", type=int, default=2000, help="of the training; 500 are a quick look"
)
asked = options.parse_args()


def ring(n):
    return torch.eye(n).roll(1, 0) + torch.eye(n).roll(-1, 0)


def board(steps):
    """Squares of a 4 x 4 board that wraps around, joined by steps."""
    place = torch.arange(16)
    target = torch.stack([(place // 4 + i) % 4 * 4 + (place + j) % 4 for i, j in steps])
    return torch.zeros(16, 16).index_put((place.expand_as(target), target), torch.ones(()))


rook = board([(0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0)])
shrikhande = board([(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)])
pairs = {
    "C6 and 2 C3": (ring(6), torch.block_diag(ring(3), ring(3))),
    "rook and Shrikhande": (rook, shrikhande),
}
torch.manual_seed(0)
networks = {
    "linear maps of second order (2-WL)": [
        PairLinear("2x0e", "16x0e"),
        nn.SiLU(),
        PairLinear("16x0e", "16x0e"),
    ],
    "with products (3-WL)": [PairProduct(2, 16), nn.SiLU(), PairProduct(16, 16)],
}
for name, layers in networks.items():
    net = nn.Sequential(*layers).double()
    for both, graphs in pairs.items():
        with torch.no_grad():
            a, b = (
                net(torch.stack([torch.eye(len(g)), g], -1)[None].double()).mean((0, 1, 2))
                for g in graphs
            )
        print(f"{name}: {both} differ by {(a - b).abs().max():.0e}")


def charges(sets, low, high):
    """Charges, their positions, and dipoles sum q r, scaled to the root of their number."""
    size = torch.randint(low, high + 1, (sets,))
    batch = torch.arange(sets).repeat_interleave(size)
    x = torch.randn(len(batch), 4)
    return x, batch, torch.zeros(sets, 3).index_add_(0, batch, x[:, :1] * x[:, 1:])


net = DeepSets("1x0e+1x1o", "16x0e+16x1o", "1x1o", layers=(2, 1), activation="product")
optimizer = torch.optim.Adam(net.parameters(), 1e-2)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=asked.steps)
for _ in range(asked.steps):
    x, batch, dipole = charges(64, 1, 10)
    optimizer.zero_grad()
    (net(x, batch, 64) - dipole).square().mean().backward()
    optimizer.step()
    schedule.step()

x, batch, dipole = charges(500, 50, 50)
field, g = Field.parse("1x0e+1x1o"), O3().sample(1)[0].float()
order = torch.argsort(batch + 0.9 * torch.rand(len(batch)))
with torch.no_grad():
    y = net(x, batch, 500)
    change = net(x[order] @ field.matrix(g).T, batch, 500) - y @ g.T
print(
    f"dipoles of 50 charges: error {(y - dipole).norm() / dipole.norm():.2%} of the rms; of zero "
    f"100%; permuted, turned and reflected {change.abs().max() / y.abs().max():.0e}"
)
