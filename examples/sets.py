"""Three tasks on sets: sums of digits, statistics of populations, and finding the odd one out.

python examples/sets.py [--steps 1200]

Each line shows the error on test sets, the error of a baseline, and how much the result changes
when the elements are permuted. Sums are trained on sets of up to 10 digits and tested on sets of
100.
"""

import argparse
import math

import torch
from torch.nn.functional import cross_entropy, one_hot

from steerable.models import DeepSets, SetNet

options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument(
    "--steps", type=int, default=1200, help="of each training; 400 are a quick look"
)
asked = options.parse_args()
torch.manual_seed(0)


def train(net, draw, loss, steps, rate=5e-3):
    optimizer = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for _ in range(steps):
        x, batch, truth = draw()
        optimizer.zero_grad()
        loss(net(x, batch, len(truth)), truth).backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def test(net, draw):
    """Results, truth, and the largest relative change under random permutations.

    The elements of every set are permuted.
    """
    x, batch, truth = draw()
    y = net(x, batch, len(truth))
    order = torch.argsort(batch + 0.9 * torch.rand(len(batch)))
    moved = net(x[order], batch, len(truth))
    wanted = y if len(y) == len(truth) else y[order]
    return y, truth, float((moved - wanted).abs().max() / y.abs().max())


def digits(sets, low, high):
    batch = torch.arange(sets).repeat_interleave(torch.randint(low, high + 1, (sets,)))
    digit = torch.randint(10, (len(batch),))
    truth = torch.zeros(sets, 1).index_add_(0, batch, digit.unsqueeze(1).float())
    return one_hot(digit, 10).float(), batch, truth


def entropies(sets, size=256):
    """Samples of a turned normal distribution of the plane.

    The entropy of the first coordinate, log(2 pi e v) / 2.
    """
    angle, spread = math.pi * torch.rand(sets, 1), 0.5 + 2 * torch.rand(sets, 2)
    x = torch.randn(sets, size, 2) * spread.unsqueeze(1)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(sets, 2, 2)
    variance = (turn[:, 0] ** 2 * spread**2).sum(1, keepdim=True)
    truth = torch.log(2 * math.pi * math.e * variance) / 2
    return (x @ turn.mT).flatten(0, 1), torch.arange(sets).repeat_interleave(size), truth


def informations(sets, size=256, dim=4):
    """Samples of x and y of `dim` numbers each, of correlation a.

    Their mutual information, -dim log(1 - a^2) / 2.
    """
    a = 0.9 * torch.rand(sets, 1, 1)
    x, noise = torch.randn(2, sets, size, dim)
    y = a * x + (1 - a * a).sqrt() * noise
    truth = -dim / 2 * torch.log(1 - a.view(sets, 1) ** 2)
    return torch.cat([x, y], -1).flatten(0, 1), torch.arange(sets).repeat_interleave(size), truth


def outliers(sets, size=16, dim=4):
    """Points along one line through 0, and one along another: which?"""
    lines = torch.nn.functional.normalize(torch.randn(sets, 2, dim), dim=2)
    odd = torch.randint(size, (sets,))
    line = lines.gather(1, one_hot(odd, size).unsqueeze(2).expand(-1, -1, dim))
    x = torch.randn(sets, size, 1) * line + 0.05 * torch.randn(sets, size, dim)
    return x.flatten(0, 1), torch.arange(sets).repeat_interleave(size), odd


net = DeepSets("10x0e", "32x0e", "1x0e", layers=(2, 1))
train(net, lambda: digits(128, 1, 10), torch.nn.functional.l1_loss, asked.steps, 1e-2)
y, truth, change = test(net, lambda: digits(1000, 100, 100))
wrong = (y.round() != truth).float().mean()
print(
    f"sums of 100 digits: {wrong:.1%} wrong, mean error {(y - truth).abs().mean():.3f}; "
    f"of the mean sum {(truth - 450).abs().mean():.1f}; permuted {change:.0e}"
)

for name, draw, dim in (("entropy", entropies, 2), ("mutual information", informations, 8)):
    net = DeepSets(f"{dim}x0e", "48x0e", "1x0e", layers=(3, 2), pool="mean")
    train(net, lambda draw=draw: draw(16), torch.nn.functional.mse_loss, asked.steps)
    y, truth, change = test(net, lambda draw=draw: draw(400))
    error = (y - truth).square().mean().sqrt()
    print(
        f"{name}: rms error {error:.3f} nats; of the mean {truth.std():.3f}; permuted {change:.0e}"
    )

net = SetNet("4x0e", "48x0e", "1x0e", layers=2, mixing="attention")
train(
    net,
    lambda: outliers(64),
    lambda y, odd: cross_entropy(y.view(len(odd), -1), odd),
    asked.steps,
    3e-3,
)
y, odd, change = test(net, lambda: outliers(1000))
wrong = (y.view(1000, -1).argmax(1) != odd).float().mean()
print(f"the odd one of 16: {wrong:.1%} wrong; by chance 93.8%; permuted {change:.0e}")
