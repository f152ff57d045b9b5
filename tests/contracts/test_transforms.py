"""Transforms of torch.func, forward derivatives and the like through every layer."""

import copy

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.func import functional_call, grad, hessian, jvp, stack_module_state, vmap
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

from contracts.cases import CASES, features, module_of

LOSS = {"atol": 1e-9, "rtol": 1e-9}  # sums of squares of some hundred numbers


class Problem:
    """A layer as a function of its parameters and its first input."""

    def __init__(self, name):
        self.module = module_of(name)
        self.x, *self.rest = CASES[name].inputs(5)
        self.parameters = {k: p.detach() for k, p in self.module.named_parameters()}
        self.direction = features(*self.x.shape).flip(0)
        self.directions = {k: features(*p.shape) for k, p in self.parameters.items()}

    def __call__(self, parameters, x):
        return functional_call(self.module, parameters, (x, *self.rest))

    def loss(self, parameters, x):
        return self(parameters, x).square().sum()

    def along(self, step):
        """The result at so many steps along the directions."""
        moved = {k: p + step * self.directions[k] for k, p in self.parameters.items()}
        return self(moved, self.x + step * self.direction)


@pytest.fixture(params=CASES)
def problem(request):
    return Problem(request.param)


def test_gradients(problem):
    leaves = [*problem.module.parameters(), problem.x.clone().requires_grad_()]
    loss = problem.module(leaves[-1], *problem.rest).square().sum()
    wanted = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    by_parameter, by_x = grad(problem.loss, (0, 1))(problem.parameters, problem.x)
    torch.testing.assert_close([*by_parameter.values(), by_x], list(wanted), **LOSS)


def test_batches_of_inputs_and_of_their_gradients(problem):
    inputs = torch.stack([problem.x, 2 * problem.x, problem.x + 1])
    values = vmap(problem, (None, 0))(problem.parameters, inputs)
    wanted = torch.stack([problem.module(x, *problem.rest) for x in inputs])
    torch.testing.assert_close(values, wanted)
    gradients = vmap(grad(problem.loss, 1), (None, 0))(problem.parameters, inputs)
    wanted = torch.stack([grad(problem.loss, 1)(problem.parameters, x) for x in inputs])
    torch.testing.assert_close(gradients, wanted, **LOSS)


def test_ensembles(problem):
    if not problem.parameters:
        return  # every member would be the same
    members = [problem.module, module_of_other_weights(problem.module)]
    parameters, buffers = stack_module_state(members)
    values = vmap(lambda p, b: functional_call(problem.module, (p, b), (problem.x, *problem.rest)))(
        parameters, buffers
    )
    wanted = torch.stack([member(problem.x, *problem.rest) for member in members])
    torch.testing.assert_close(values, wanted)


def module_of_other_weights(module):
    """A copy whose weights are half as large."""
    other = copy.deepcopy(module)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.5)
    return other


def test_forward_derivatives(problem):
    step = 1e-5
    wanted = (problem.along(step) - problem.along(-step)) / (2 * step)
    tangents = problem.directions, problem.direction
    close = {"atol": 1e-6 * float(wanted.abs().max()), "rtol": 1e-6}  # of the differences
    _, along = jvp(problem, (problem.parameters, problem.x), tangents)
    torch.testing.assert_close(along, wanted, **close)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual
        parameters = {k: dual(p, problem.directions[k]) for k, p in problem.parameters.items()}
        result = problem(parameters, dual(problem.x, problem.direction))
        torch.testing.assert_close(forward_ad.unpack_dual(result).tangent, wanted, **close)
    # A kernel that a layer keeps in eval mode must not be that of the dual numbers.
    torch.testing.assert_close(problem.module(problem.x, *problem.rest), problem.along(0))


def test_second_derivatives(problem):
    def moved(step):
        return problem.loss(problem.parameters, problem.x + step * problem.direction)

    step = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(moved(step), step, create_graph=True)
    (wanted,) = torch.autograd.grad(first, step)
    torch.testing.assert_close(hessian(moved)(step.detach()), wanted, **LOSS)


def test_activation_checkpointing(problem):
    leaves = [*problem.module.parameters(), problem.x.clone().requires_grad_()]

    def gradients(result):
        loss = result.square().sum()
        return torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)

    wanted = gradients(problem.module(leaves[-1], *problem.rest))
    result = checkpoint(problem.module, leaves[-1], *problem.rest, use_reentrant=False)
    torch.testing.assert_close(gradients(result), wanted)


class Halved(nn.Module):
    def forward(self, weight):
        return 0.5 * weight


def test_parametrized_weights(problem):
    wanted = module_of_other_weights(problem.module)(problem.x, *problem.rest)
    for module in list(problem.module.modules()):
        for name, _ in list(module.named_parameters(recurse=False)):
            if not isinstance(module, parametrize.ParametrizationList):
                parametrize.register_parametrization(module, name, Halved())
    torch.testing.assert_close(problem.module(problem.x, *problem.rest), wanted)


@pytest.mark.parametrize(("dtype", "error"), [(torch.bfloat16, 0.1), (torch.float16, 0.02)])
def test_autocast(problem, dtype, error):
    """Layers give numbers of half precision, and train on them."""
    module = problem.module.float()
    inputs = [
        part.float() if isinstance(part, torch.Tensor) and part.is_floating_point() else part
        for part in (problem.x, *problem.rest)
    ]
    wanted = module(*inputs)
    with torch.autocast("cpu", dtype):
        result = module(*inputs)
    assert (result - wanted).abs().max() < error * wanted.abs().max()
    if result.requires_grad:
        result.float().square().sum().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in module.parameters())
