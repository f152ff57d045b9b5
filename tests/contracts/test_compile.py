"""Compiled layers and networks give what they give eagerly, however they are called."""

import pytest
import torch
from torch.func import functional_call

from contracts.cases import CASES, features, module_of
from steerable import models
from steerable.ops import knn

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

LAYERS = ["Linear", "Gate", "RMSNorm", "SetLinear", "SphereConv", "GridConv2d", "GraphLinear"]
FEW, MANY = 5, 9
CONTEXTS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}


@pytest.fixture(autouse=True)
def fresh_compiler():
    """No graph of a test before."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def compiled(function, backend="eager"):
    """One graph for all sizes; the backend `eager` only traces."""
    return torch.compile(function, fullgraph=True, dynamic=True, backend=backend)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("name", LAYERS)
def test_contexts(name, context):
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


@pytest.mark.parametrize("name", LAYERS)
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


def molecules(rows):
    """Atoms of two molecules, hydrogen and carbon, each near its neighbours in the list."""
    pos, batch = features(rows, 3), torch.arange(rows) * 2 // rows
    return torch.arange(rows) % 2 * 5 + 1, pos, batch, knn(pos, pos, 4, batch, batch), 2


def test_regressor():
    model = models.Regressor(
        models.Reference((1, 6), (0.5, -1.0)), "4x0e+2x1o", 1, 2.0, "0e+1o", 2, neighbours=4.0
    )
    model = model.double().eval()
    function = compiled(model)
    for rows in (12, 17):
        with torch.no_grad():
            inputs = molecules(rows)
            torch.testing.assert_close(function(*inputs), model(*inputs))
            torch.testing.assert_close(model(*inputs), model(*inputs[:-1]))


def test_classifier():
    model = models.Classifier(3, "SO(3)", 4, (16, 6), 3).double().eval()
    with torch.no_grad():
        model(features(32, 3), torch.arange(32) // 16)  # measures the neighbours
    function = compiled(model)
    for rows in (32, 40):
        pos, batch = features(rows, 3), torch.arange(rows) * 2 // rows
        with torch.no_grad():
            result = function(pos, batch, model.hierarchy(pos, batch), 2)
            torch.testing.assert_close(result, model(pos, batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SetNet", "SphereClassifier"])
def test_networks(name):
    module = module_of(name)
    function = compiled(module)
    for rows in (FEW, MANY):
        inputs = CASES[name].inputs(rows)
        with torch.inference_mode():
            torch.testing.assert_close(function(*inputs), module(*inputs))
