"""Compiled layers and networks give what they give eagerly, however they are called."""

from itertools import cycle, product

import pytest
import torch
from torch.func import functional_call

from contracts.cases import CASES, EVERY, features, module_of
from contracts.sweeps import sweep

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

LAYERS = ["Linear", "Gate", "RMSNorm", "SetLinear", "SphereConv", "GridConv2d", "GraphLinear"]
FEW, MANY = 5, 9
CONTEXTS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}
PAIRS = list(product(LAYERS, CONTEXTS))
EACH_LAYER = list(zip(LAYERS, cycle(CONTEXTS), strict=False))


@pytest.fixture(autouse=True)
def fresh_compiler():
    """No graph of a test before."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def compiled(function, backend="eager"):
    """One graph for all sizes; the backend `eager` only traces."""
    return torch.compile(function, fullgraph=True, dynamic=True, backend=backend)


@pytest.mark.parametrize("case", sweep(PAIRS, EACH_LAYER), ids="-".join)
def test_contexts(case):
    name, context = case
    dtype = torch.float32 if context == "autocast" else torch.float64
    module = module_of(name).to(dtype)
    function = compiled(module)
    for rows in (FEW, MANY):
        inputs = [
            part.to(dtype) if isinstance(part, torch.Tensor) and part.is_floating_point() else part
            for part in CASES[name].inputs(rows)
        ]
        with CONTEXTS[context]():
            torch.testing.assert_close(function(*inputs), module(*inputs))


@pytest.mark.parametrize("name", sweep(LAYERS, ["Linear", "SetLinear", "GridConv2d"]))
def test_weights_given_and_weights_loaded(name):
    module, inputs = module_of(name), CASES[name].inputs(FEW)
    if not list(module.parameters()):
        return
    other = {k: features(*p.shape) for k, p in module.named_parameters()}
    wanted = functional_call(module, other, inputs)
    before = module(*inputs)
    function = compiled(lambda weights, *inputs: functional_call(module, weights, inputs))
    torch.testing.assert_close(function(other, *inputs), wanted)
    layer = compiled(module)
    torch.testing.assert_close(layer(*inputs), before)
    module.load_state_dict(other, strict=False)
    torch.testing.assert_close(layer(*inputs), wanted)


@pytest.mark.parametrize("name", ["Gate", "SetLinear", "GridConv2d"])
def test_gradients(name):
    module = module_of(name)
    x, *rest = CASES[name].inputs(FEW)
    leaves = [x.requires_grad_(), *module.parameters()]
    gradients = []
    for function in (compiled(module, "aot_eager"), module):
        gradients.append(torch.autograd.grad(function(x, *rest).square().sum(), leaves))
    torch.testing.assert_close(*gradients)


@pytest.mark.slow
def test_machine_code():
    module, function = module_of("SetLinear"), compiled(module_of("SetLinear"), "inductor")
    for rows in (FEW, MANY):
        inputs = CASES["SetLinear"].inputs(rows)
        torch.testing.assert_close(function(*inputs), module(*inputs))


@pytest.mark.parametrize("name", ["Regressor", "Classifier"])
def test_networks_on_points(name):
    """With and without what may be computed beforehand."""
    module = module_of(name)
    function = compiled(module)
    for rows in (6, 9):
        inputs = EVERY[name].inputs(rows)
        with torch.no_grad():
            wanted = module(*inputs)
            torch.testing.assert_close(function(*inputs), wanted)
            given = inputs[:-1] if name == "Regressor" else inputs[:2]
            torch.testing.assert_close(module(*given), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SetNet", "SphereClassifier"])
def test_networks(name):
    module = module_of(name)
    function = compiled(module)
    for rows in (FEW, MANY):
        inputs = CASES[name].inputs(rows)
        with torch.inference_mode():
            torch.testing.assert_close(function(*inputs), module(*inputs))
