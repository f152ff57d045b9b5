"""When PyTorch only follows the operations on a tensor."""

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx

from steerable.tracing import is_traced, transforms_active


def answers(question, context):
    """What the question gives for the tensor that a function gets within a context."""
    results = []

    def function(x):
        results.append(question(x))
        return x.square().sum()

    context(function)
    return results


TRANSFORMS = {
    "grad": lambda f: torch.func.grad(f)(torch.ones(3)),
    "vmap": lambda f: torch.func.vmap(f)(torch.ones(2, 3)),
    "jvp": lambda f: torch.func.jvp(f, (torch.ones(3),), (torch.ones(3),)),
}


def faked(function):
    with FakeTensorMode() as mode:
        function(mode.from_tensor(torch.ones(3)))


RECORDED = {
    "make_fx": lambda f: make_fx(f)(torch.ones(3)),
    "fake": faked,
    "meta": lambda f: f(torch.ones(3, device="meta")),
}


@pytest.mark.parametrize("context", [*TRANSFORMS.values(), *RECORDED.values()])
def test_hidden_numbers(context):
    assert all(answers(is_traced, context))


@pytest.mark.parametrize("context", [lambda f: f(torch.ones(3)), lambda f: f(torch.tensor(1j))])
def test_plain_numbers(context):
    assert answers(is_traced, context) == [False]
    assert answers(lambda x: transforms_active([x]), context) == [False]


def test_compilers_take_the_branch_without_checks():
    def function(x):
        if is_traced(x):
            return x + 1
        return x.sum().item() * x

    compiled = torch.compile(function, backend="eager", fullgraph=True)
    assert compiled(torch.ones(2)).tolist() == [2, 2]


@pytest.mark.parametrize("context", TRANSFORMS.values(), ids=TRANSFORMS)
def test_transforms_of_torch_func(context):
    assert all(answers(lambda x: transforms_active([torch.ones(1), x]), context))


def test_forward_derivatives_and_batches_of_gradients():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.ones(2), torch.ones(2))
        assert transforms_active([torch.ones(2), dual]) and not transforms_active([torch.ones(2)])
    batches = []
    x = torch.ones(2, requires_grad=True)
    y = 2 * x
    y.register_hook(lambda gradient: batches.append(transforms_active([gradient])))
    torch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True)
    assert batches == [True]
