"""Transforms of torch.func and the like through convolutions on points, however they sum."""

import copy
from itertools import product

import pytest
import torch
from torch.autograd import forward_ad, grad
from torch.func import functional_call, hessian, jvp, stack_module_state, vmap
from torch.func import grad as gradient
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.checkpoint import checkpoint

from contracts.points import conv_of, edge_attr, graph
from contracts.sweeps import sweep
from steerable.ops import Edges

LOSS = {"atol": 1e-9, "rtol": 1e-9}  # sums of squares of some hundred numbers
# Every fourth has all kinds and ways to recompute.
PROBLEMS = list(product(("depthwise", "full", "implicit"), (None, False, True)))
SWITCHES = ("_MANY_EDGES", "_FILTERED_AT_ONCE", "_SEPARABLE_AT_ONCE")


class Problem:
    """A layer as a function of its parameters, features and positions."""

    def __init__(self, kind, **options):
        self.module = conv_of(kind, **options)
        self.x, self.pos, self.edges = graph()
        self.attr = edge_attr(self.edges) if kind == "implicit" else None
        torch.manual_seed(1)  # other weights than the layer's own
        named = self.module.named_parameters()
        self.parameters = {k: p.detach() + 0.1 * torch.randn_like(p) for k, p in named}
        self.tangents = {k: torch.randn_like(p) for k, p in self.parameters.items()}
        self.dx, self.dpos = torch.randn_like(self.x), torch.randn_like(self.pos)

    def arguments(self, x, pos):
        return x, Edges.between(pos, self.edges), self.attr

    def __call__(self, parameters, x, pos):
        return functional_call(self.module, parameters, self.arguments(x, pos))

    def loss(self, parameters, x, pos):
        return self(parameters, x, pos).square().sum()

    @property
    def point(self):
        return self.parameters, self.x, self.pos

    def filled(self):
        """The layer with these weights."""
        layer = copy.deepcopy(self.module)
        layer.load_state_dict(self.parameters, strict=False)
        return layer

    def wanted(self):
        """Gradients by autograd of the layer with its blocks kept."""
        layer = self.filled()
        layer.recompute = False
        x, pos = self.x.clone().requires_grad_(), self.pos.clone().requires_grad_()
        loss = layer(*self.arguments(x, pos)).square().sum()
        return list(grad(loss, [*layer.parameters(), x, pos]))


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    """Graphs that are summed at once, and such as are summed again in parts when differentiated."""
    if request.param == "large":
        for name in SWITCHES:
            monkeypatch.setattr(f"steerable.convs.points.neighbour_conv.{name}", 10)


@pytest.fixture(
    params=sweep(PROBLEMS, PROBLEMS[::4]),
    ids=str,
)
def problem(request, size):
    kind, recompute = request.param
    return Problem(kind, recompute=recompute)


def test_gradients(problem):
    weights, *others = gradient(problem.loss, (0, 1, 2))(*problem.point)
    torch.testing.assert_close([*weights.values(), *others], problem.wanted(), **LOSS)


def test_functional_call_and_backward(problem):
    weights = {k: p.clone().requires_grad_() for k, p in problem.parameters.items()}
    x, pos = problem.x.clone().requires_grad_(), problem.pos.clone().requires_grad_()
    result = list(grad(problem.loss(weights, x, pos), [*weights.values(), x, pos]))
    torch.testing.assert_close(result, problem.wanted(), **LOSS)


def test_batches(problem):
    x, pos = problem.x, problem.pos
    inputs = torch.stack([x, 2 * x, x + 1])
    wanted = torch.stack([problem(problem.parameters, x, pos) for x in inputs])
    torch.testing.assert_close(
        vmap(problem, (None, 0, None))(*problem.point[:1], inputs, pos), wanted
    )
    places = torch.stack([pos, 0.5 * pos])
    wanted = torch.stack([problem(problem.parameters, x, place) for place in places])
    torch.testing.assert_close(vmap(problem, (None, None, 0))(*problem.point[:2], places), wanted)
    forces = vmap(gradient(problem.loss, 2), (None, None, 0))(*problem.point[:2], places)
    wanted = [gradient(problem.loss, 2)(*problem.point[:2], place) for place in places]
    torch.testing.assert_close(forces, torch.stack(wanted), **LOSS)


def test_ensembles(problem):
    members = [problem.module, copy.deepcopy(problem.module)]
    torch.nn.init.normal_(members[1].contraction.own_parameters()[0])
    state = stack_module_state(members)

    def call(parameters, buffers):
        arguments = problem.arguments(problem.x, problem.pos)
        return functional_call(problem.module, (parameters, buffers), arguments)

    arguments = problem.arguments(problem.x, problem.pos)
    wanted = torch.stack([member(*arguments) for member in members])
    torch.testing.assert_close(vmap(call)(*state), wanted)


def test_forward_derivatives(problem):
    """Against central differences, by torch.func and by dual numbers."""
    step = 1e-5

    def moved(s):
        weights = {k: p + s * problem.tangents[k] for k, p in problem.parameters.items()}
        return problem(weights, problem.x + s * problem.dx, problem.pos + s * problem.dpos)

    wanted = (moved(step) - moved(-step)) / (2 * step)
    close = {"atol": 1e-6 * float(wanted.abs().max()), "rtol": 1e-6}
    tangents = problem.tangents, problem.dx, problem.dpos
    torch.testing.assert_close(jvp(problem, problem.point, tangents)[1], wanted, **close)
    dual = forward_ad.make_dual
    with forward_ad.dual_level():
        weights = {k: dual(p, problem.tangents[k]) for k, p in problem.parameters.items()}
        along_all = problem(weights, dual(problem.x, problem.dx), dual(problem.pos, problem.dpos))
        along_weights = problem(weights, problem.x, problem.pos)
        torch.testing.assert_close(forward_ad.unpack_dual(along_all).tangent, wanted, **close)
        tangent = forward_ad.unpack_dual(along_weights).tangent
    alone = jvp(lambda p: problem(p, problem.x, problem.pos), problem.point[:1], tangents[:1])[1]
    torch.testing.assert_close(tangent, alone)


def test_hessians(problem):
    """By torch.func, by autograd row by row, and by batches of gradients."""

    def loss(shift):
        return problem.loss(problem.parameters, problem.x, problem.pos + shift)

    shift = torch.zeros_like(problem.pos[:2])

    def of_two(shift):
        return loss(torch.cat([shift, torch.zeros_like(problem.pos[2:])]))

    wanted = torch.autograd.functional.hessian(of_two, shift)
    torch.testing.assert_close(hessian(of_two)(shift), wanted, **LOSS)
    batched = torch.autograd.functional.hessian(of_two, shift, vectorize=True)
    torch.testing.assert_close(batched, wanted, **LOSS)


def test_batches_of_gradients(problem):
    pos = problem.pos.clone().requires_grad_()
    y = problem(problem.parameters, problem.x, pos)
    directions = torch.randn(3, *y.shape, dtype=y.dtype)
    (rows,) = grad(y, pos, directions, retain_graph=True, is_grads_batched=True)
    wanted = [grad(y, pos, direction, retain_graph=True)[0] for direction in directions]
    torch.testing.assert_close(rows, torch.stack(wanted), **LOSS)


def test_activation_checkpointing(problem):
    layer, wanted = problem.filled(), problem.wanted()
    for reentrant in (False, True):
        x, pos = problem.x.clone().requires_grad_(), problem.pos.clone().requires_grad_()

        def call(x, pos):
            return layer(*problem.arguments(x, pos))

        layer.zero_grad()
        checkpoint(call, x, pos, use_reentrant=reentrant).square().sum().backward()
        gradients = [*(p.grad for p in layer.parameters()), x.grad, pos.grad]
        torch.testing.assert_close(gradients, wanted, **LOSS)


def test_weights_of_another_parametrization(problem):
    arguments = problem.arguments(problem.x, problem.pos)
    before = problem.module(*arguments)
    modules = list(problem.module.contraction.modules())
    for module in modules:
        for name, _ in list(module.named_parameters(recurse=False)):
            weight_norm(module, name)
    torch.testing.assert_close(problem.module(*arguments), before)
    problem.module(*arguments).square().sum().backward()
    assert all(p.grad is not None for p in problem.module.parameters())


@pytest.mark.parametrize("kind", ["depthwise", "full", "implicit"])
def test_layers_that_share_edges_are_checkpointed_one_by_one(kind):
    """What a layer computes again may not depend on what another one left in the edges."""
    layers = [conv_of(kind), conv_of(kind), conv_of(kind)]
    x, pos, index = graph()
    attr = edge_attr(index) if kind == "implicit" else None
    weights = [p for layer in layers for p in layer.parameters()]
    gradients = []
    for again in (True, False):
        leaf = pos.clone().requires_grad_()
        edges, y = Edges.between(leaf, index), x
        for layer in layers:
            call = (layer, y, edges, attr)
            y = checkpoint(*call, use_reentrant=False) if again else layer(*call[1:])
        (force,) = grad(y.square().sum(), leaf, create_graph=True)
        gradients.append(grad(force.square().sum(), [leaf, *weights], allow_unused=True))
    torch.testing.assert_close(*gradients)
