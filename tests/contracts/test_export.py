"""Exported programs, saved, and loaded in another process that has never seen the library."""

from importlib.util import find_spec

import pytest
import torch

from contracts.cases import EVERY, features, module_of
from contracts.programs import results_of
from contracts.sweeps import collected, sweep

# PyTorch's own, of what it will rename.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

TOLERANCE = 1e-12
FEW, MANY = 6, 9  # rows: exported with the one, run with the other
# Without those that are made of the others and take seconds.
MADE_OF_OTHERS = {"ImageClassifier", "DeepSets", "SetNet, attention", "GridConv2d, implicit"}
EXPORTED = [name for name in EVERY if name not in MADE_OF_OTHERS]
VARIANTS = {  # of kinds that are exported by default
    *["Linear of many channels", "TensorProductActivation", "CosetActivation", "LayerNorm", "MLP"],
    *["SphereActivation", "SphereProduct", "SphereBatchNorm", "SphereInvariants", "Bispectrum"],
    *["LocalGConv", "SetLinear, max", "InducedSetAttention", "SortPoolAggregation", "PairProduct"],
    *["GridNeuralPDO", "GridNeuralPDO, depthwise", "SetNet", "SphereClassifier", "NeuralPDO"],
    *["InstanceNorm", "FourierActivation", "PairLinear"],
    *["PointConv, full, implicit", "PointConv, depthwise, harmonic"],
}
ONNX = ["Linear", "Gate", "SetLinear", "SphereConv", "GridConv2d"]
STRICT = ["Linear", "SetLinear", "SphereConv", "GridConv2d", "GraphLinear", "Regressor"]


def exported(name, strict):
    """The program of a case."""
    case, module = EVERY[name], module_of(name)
    with torch.no_grad():
        return torch.export.export(
            module, case.inputs(FEW), dynamic_shapes=case.dynamic(), strict=strict
        )


@pytest.fixture(scope="module")
def results(request, tmp_path_factory):
    """What the programs of the cases give in a fresh process, or why there is none."""
    return results_of(
        collected(request, "name"),
        lambda name: exported(name, False),
        lambda name: EVERY[name].inputs(MANY),
        tmp_path_factory.mktemp("programs"),
    )


@pytest.mark.parametrize("name", sweep(EXPORTED, set(EXPORTED) - VARIANTS))
def test_a_fresh_process_computes_the_same(results, name):
    if isinstance(results[name], Exception):
        raise results[name]
    with torch.no_grad():
        wanted = module_of(name)(*EVERY[name].inputs(MANY))
    assert wanted.dtype == torch.float64
    torch.testing.assert_close(results[name], wanted, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("name", sweep(STRICT, ["Linear", "SetLinear", "SphereConv"]))
def test_strict_export(name):
    inputs = EVERY[name].inputs(MANY)
    with torch.no_grad():
        result, wanted = exported(name, strict=True).module()(*inputs), module_of(name)(*inputs)
    torch.testing.assert_close(result, wanted, atol=TOLERANCE, rtol=TOLERANCE)


def test_a_program_keeps_its_weights():
    """Training a layer on does not change what was exported of it."""
    module, (x, *rest) = module_of("SetLinear"), EVERY["SetLinear"].inputs(FEW)
    program, before = torch.export.export(module, (x, *rest)), module(x, *rest)
    trained = {name: features(*p.shape) for name, p in module.named_parameters()}
    module = module_of("SetLinear")
    module.load_state_dict(trained, strict=False)
    assert (module(x, *rest) - before).abs().max() > 0.1
    torch.testing.assert_close(program.module()(x, *rest), before)


@pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxscript"))), reason="onnx and onnxscript are not installed"
)
@pytest.mark.parametrize("name", sweep(ONNX, ["SetLinear", "GridConv2d"]))
def test_onnx_programs_take_any_number_of_rows(name, tmp_path):
    import onnx
    from onnx.reference import ReferenceEvaluator

    case, module = EVERY[name], module_of(name)
    tensors = [k for k, part in enumerate(case.inputs(FEW)) if isinstance(part, torch.Tensor)]
    program = torch.onnx.export(
        module, case.inputs(FEW), dynamo=True, dynamic_shapes=case.dynamic(), verbose=False
    )
    program.save(str(tmp_path / "layer.onnx"))
    evaluate = ReferenceEvaluator(onnx.load(tmp_path / "layer.onnx"))
    inputs = case.inputs(MANY)
    names = evaluate.input_names
    assert len(names) == len(tensors)
    given = {key: inputs[k].numpy() for key, k in zip(names, tensors, strict=True)}
    (result,) = evaluate.run(None, given)
    torch.testing.assert_close(torch.from_numpy(result), module(*inputs).detach())
