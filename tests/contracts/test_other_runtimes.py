"""Exported convolutions in other runtimes: packages of AOTInductor without Python, and ONNX."""

import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from torch import nn

from contracts.points import conv_of, graph
from contracts.sweeps import sweep
from steerable.ops import Edges

# PyTorch's own, of what it will rename.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

FEW, MANY = 8, 15  # nodes: exported with the one, run with the other
TORCH = Path(torch.__file__).parent
ABI = int(torch.compiled_with_cxx11_abi())
PROGRAM = """
#include <fstream>
#include <iostream>
#include <torch/torch.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

// A package and a file of its inputs and result, written by pickle: prints the largest error.
int main(int count, char** words) {
  std::ifstream file(words[2], std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<at::Tensor> tensors;
  for (const auto& value : torch::pickle_load(bytes).toList())
    tensors.push_back(c10::IValue(value).toTensor());
  torch::inductor::AOTIModelPackageLoader model(words[1]);
  std::vector<at::Tensor> inputs(tensors.begin(), tensors.begin() + 3);
  std::vector<at::Tensor> result = model.run(inputs);
  std::cout << (result[0] - tensors[3]).abs().max().item<double>() << std::endl;
}
"""


class FromPositions(nn.Module):
    def __init__(self, contraction):
        super().__init__()
        self.conv = conv_of(contraction)

    def forward(self, x, pos, edges):
        return self.conv(x, Edges.between(pos, edges))


def exported(module):
    nodes, edges = torch.export.Dim("nodes", min=2), torch.export.Dim("edges", min=2)
    shapes = {0: nodes}, {0: nodes}, {1: edges}
    return torch.export.export(module, graph(FEW), dynamic_shapes=shapes)


@pytest.mark.parametrize("contraction", ["depthwise", "full"])
def test_a_program_is_operations_of_pytorch_alone(contraction):
    nodes = exported(FromPositions(contraction)).graph.nodes
    names = [str(node.target) for node in nodes if node.op == "call_function"]
    # Beside them there is arithmetic of Python's on the sizes.
    assert names and all(name.startswith(("aten.", "<built-in function")) for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("contraction", ["depthwise", "full"])
def test_a_package_runs_without_python(contraction, tmp_path):
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    module, inputs = FromPositions(contraction), graph(MANY)
    package = torch._inductor.aoti_compile_and_package(
        exported(module), package_path=str(tmp_path / "conv.pt2")
    )
    expected = module(*inputs).detach()
    torch.testing.assert_close(torch._inductor.aoti_load_package(package)(*inputs), expected)
    torch.save([*inputs, expected], tmp_path / "tensors.pt")
    source, program = tmp_path / "main.cpp", tmp_path / "main"
    source.write_text(PROGRAM)
    flags = f"-std=c++20 -O0 -D_GLIBCXX_USE_CXX11_ABI={ABI} -Wl,--no-as-needed".split()
    headers = [f"-I{TORCH / part}" for part in ("include", "include/torch/csrc/api/include")]
    library = [
        f"-L{TORCH / 'lib'}",
        f"-Wl,-rpath,{TORCH / 'lib'}",
        "-ltorch",
        "-ltorch_cpu",
        "-lc10",
    ]
    subprocess.run([compiler, *flags, *headers, source, "-o", program, *library], check=True)
    arguments = [program, package, tmp_path / "tensors.pt"]
    answer = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert float(answer.stdout) <= 1e-12


@pytest.mark.parametrize("contraction", sweep(["depthwise", "full"], ["depthwise"]))
def test_onnx(contraction, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    module, inputs = FromPositions(contraction).float(), graph(MANY, torch.float32)
    shapes = {0: "nodes"}, {0: "nodes"}, {1: "edges"}
    file = tmp_path / "conv.onnx"
    few = graph(FEW, torch.float32)
    torch.onnx.export(module, few, file, dynamo=True, dynamic_shapes=shapes, verbose=False)
    session = runtime.InferenceSession(file)
    names = [item.name for item in session.get_inputs()]
    arrays = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
    (y,) = session.run(None, arrays)
    torch.testing.assert_close(torch.from_numpy(y), module(*inputs).detach())
