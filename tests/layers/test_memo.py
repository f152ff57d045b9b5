"""Matrices that Linear keeps between calls, against a layer that has never been called."""

import copy
import pickle

import pytest
import torch
from torch.func import functional_call
from torch.nn.utils import parametrize

from steerable.layers import Linear
from steerable.layers.memo import Memo

FIELDS = "5x0e+4x1o", "3x0e+2x1o"


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.randn(6, 17)


@pytest.fixture
def layer(x):
    """A layer that has kept its matrix."""
    layer = Linear(*FIELDS)
    with torch.no_grad():
        layer.bias.normal_()
        layer(x)
    return layer


@pytest.fixture
def calls(monkeypatch):
    """How often a matrix was computed."""
    count = []
    matrix = Linear.matrix
    monkeypatch.setattr(Linear, "matrix", lambda self: count.append(1) or matrix(self))
    return count


def fresh(layer):
    """A layer of the same numbers that keeps nothing."""
    other = Linear(*FIELDS).to(layer.weight.dtype)
    with torch.no_grad():
        other.weight.copy_(layer.weight)
        other.bias.copy_(layer.bias)
    return other


def check(layer, x):
    """Without gradients, in inference mode, and with gradients of the weights."""
    wanted = fresh(layer)(x)
    torch.testing.assert_close(layer(x), wanted)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), wanted)
    with torch.inference_mode():
        torch.testing.assert_close(layer(x), wanted)


def test_the_same_numbers_need_no_second_matrix(layer, x, calls):
    with torch.no_grad():
        layer(x), layer(2 * x)
    with torch.inference_mode():
        layer(x)
    assert not calls
    layer(x)
    assert calls  # gradients of the weights


def fused(layer):
    return torch.optim.Adam(layer.parameters(), fused=True)  # leaves versions as they are


@pytest.mark.parametrize("make", [fused, lambda m: torch.optim.SGD(m.parameters(), lr=0.1)])
def test_steps_of_optimizers(make, layer, x):
    optimizer = make(layer)
    for _ in range(2):
        layer(x).square().sum().backward()
        optimizer.step()
        check(layer, x)


def test_writes_that_leave_no_trace_in_versions(layer, x):
    layer.weight.data.mul_(2)
    check(layer, x)
    layer.bias.data += 1
    check(layer, x)
    layer.weight.detach().numpy()[0] = 7.0
    check(layer, x)
    layer.weight.data = torch.randn_like(layer.weight)
    check(layer, x)


def test_other_numbers_in_other_ways(layer, x):
    layer.load_state_dict(Linear(*FIELDS).state_dict())
    check(layer, x)
    layer.load_state_dict(Linear(*FIELDS).state_dict(), assign=True)
    check(layer, x)
    layer.reset_parameters()
    check(layer, x)
    layer.weight = torch.nn.Parameter(torch.randn_like(layer.weight))
    check(layer, x)
    with torch.inference_mode():
        layer.weight = torch.nn.Parameter(torch.randn_like(layer.weight))
        torch.testing.assert_close(layer(x), fresh(layer)(x))


def test_functional_call(layer, x):
    other = Linear(*FIELDS)
    with torch.no_grad():
        state = dict(other.named_parameters())
        torch.testing.assert_close(functional_call(layer, state, (x,)), other(x))
        check(layer, x)


def test_copies_and_pickles(layer, x):
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), copy.copy(layer)):
        assert other._memo._last is None or other._memo is layer._memo
        with torch.no_grad():
            other.weight.add_(1)
        check(other, x)
        check(layer, x)


def test_precisions(layer, x):
    check(layer.double(), x.double())
    check(layer.float(), x)
    assert layer(x).dtype == torch.float32


def test_parametrized_weights(layer, x):
    class Twice(torch.nn.Module):
        def forward(self, weight):
            return 2 * weight

    parametrize.register_parametrization(layer, "weight", Twice())
    check(layer, x)
    with torch.no_grad():
        layer.parametrizations.weight.original.add_(1)
    check(layer, x)


def test_frozen_weights_have_gradients_of_inputs(layer, x, calls):
    with torch.inference_mode():
        layer(x)  # what is kept may be saved by autograd
    layer.requires_grad_(False)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x).square().sum(), x)
    assert not calls
    other = fresh(layer)
    torch.testing.assert_close(gradient, torch.autograd.grad(other(x).square().sum(), x)[0])


def test_transforms_follow_the_weights(layer, x):
    tangents = {name: torch.randn_like(p) for name, p in layer.named_parameters()}
    state = dict(layer.named_parameters())

    def of_weights(state):
        return functional_call(layer, state, (x,))

    with torch.no_grad():
        change = torch.func.jvp(of_weights, (state,), (tangents,))[1]
        batch = {name: torch.stack([p, 2 * p]) for name, p in state.items()}
        both = torch.func.vmap(of_weights)(batch)
    torch.testing.assert_close(change, functional_call(layer, tangents, (x,)))
    torch.testing.assert_close(both, torch.stack([layer(x), 2 * layer(x)]))
    with torch.no_grad(), torch.autograd.forward_ad.dual_level():
        pairs = zip(state.items(), tangents.values(), strict=True)
        duals = {n: torch.autograd.forward_ad.make_dual(p, t) for (n, p), t in pairs}
        dual = torch.autograd.forward_ad.unpack_dual(of_weights(duals)).tangent
    torch.testing.assert_close(dual, change)


@pytest.mark.filterwarnings("ignore")  # torch.jit.trace warns that it is old
def test_traced_programs_follow_the_weights(layer, x):
    with torch.no_grad():
        traced = torch.jit.trace(layer, x)
        compiled = torch.compile(layer, backend="eager", fullgraph=True)
        compiled(x)
        layer.weight.add_(1)
        for program in (traced, compiled):
            torch.testing.assert_close(program(x), fresh(layer)(x))


def test_numbers_that_are_not_equal_to_themselves_are_never_kept():
    memo, weights, calls = Memo(), [torch.tensor([float("nan")])], []
    for _ in range(2):
        memo(lambda: calls.append(1), weights, torch.ones(1))
    assert len(calls) == 2
