"""What is measured of a layer.

Forward, backward, force training, and the error against itself in float64.
"""

from collections.abc import Callable

import torch
from harness import Job, deviation, differentiable
from torch import Tensor, nn
from workload import Work

Build = Callable[[Work], nn.Module]


def layer_job(build: Build, recipe: Callable[[], Work], compiled: bool = False) -> Job:
    """A layer forward, and backward to features and parameters.

    Harmonics are given to the peers, ours makes them.
    """
    work = recipe()
    layer = _seeded(build, work)
    features, space = layer.features(), layer.see(work.pos)
    run = torch.compile(layer, fullgraph=True) if compiled else layer

    def exact() -> Tensor:
        twin = _double(build, work, layer)
        return twin(twin.features(), twin.see(twin.work.pos))

    return differentiable(lambda: run(features, space), [features, *layer.parameters()], exact)


def force_job(build: Build, recipe: Callable[[], Work]) -> Job:
    """Forces from the gradient of an energy, then backward through them.

    Everyone starts from positions.
    """
    work = recipe()
    layer = _seeded(build, work)
    features, pos = layer.features(), work.pos.clone().requires_grad_()

    def train() -> None:
        _forces(layer, features, pos, create_graph=True).square().sum().backward()
        for leaf in (features, pos, *layer.parameters()):
            leaf.grad = None

    def error() -> float:
        twin = _double(build, work, layer)
        exact = _forces(twin, twin.features(), twin.work.pos.clone().requires_grad_())
        return deviation(_forces(layer, features, pos), exact)

    return Job({"force training": train}, error)


def _forces(layer: nn.Module, features: Tensor, pos: Tensor, create_graph: bool = False) -> Tensor:
    energy = layer(features, layer.see(pos)).square().sum()
    return torch.autograd.grad(energy, pos, create_graph=create_graph)[0]


def _seeded(build: Build, work: Work) -> nn.Module:
    torch.manual_seed(0)
    return build(work)


def _double(build: Build, work: Work, layer: nn.Module) -> nn.Module:
    """The same layer built in float64, with the same parameters.

    Its constants are exact too.
    """
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        twin = build(work.double())
    finally:
        torch.set_default_dtype(usual)
    for exact, parameter in zip(twin.parameters(), layer.parameters(), strict=True):
        exact.data.copy_(parameter.data)
    return twin
