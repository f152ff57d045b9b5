"""A training step on forces, compiled: the numbers of the eager one, or a warning."""

import pytest
import torch

from steerable import compiled_step
from steerable.compiling import CompileWarning
from steerable.nn import Gate, HarmonicFilter, NeighbourConv
from steerable.ops import Edges, radius_graph, segment_sum

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*torch:UserWarning")


class Energy(torch.nn.Module):
    """Two convolutions, a gate, and a sum over atoms."""

    def __init__(self):
        super().__init__()
        self.gate = Gate("4x0e+4x1o")
        self.first = self.conv("4x0e", self.gate.field_in)
        self.second = self.conv("4x0e+4x1o", "4x0e")  # few paths, which compile in a short time
        self.head = torch.nn.Linear(4, 1)

    def conv(self, field_in, field_out):
        filter = HarmonicFilter(1, 2.0, channels=4, hidden=())
        return NeighbourConv(field_in, field_out, filter, "depthwise", neighbours=4.0)

    def forward(self, x, pos, index, batch, count):
        edges = Edges.between(pos, index)
        x = self.second(self.gate(self.first(x, edges)), edges)
        return segment_sum(self.head(x), batch, count).squeeze(1)


def step_of(net):
    parameters = list(net.parameters())

    def step(x, pos, index, batch, energy):
        pos = pos.detach().requires_grad_()
        predicted = net(x, pos, index, batch, energy.shape[0])
        (force,) = torch.autograd.grad(predicted.sum(), pos, create_graph=True)
        loss = (predicted - energy).square().mean() + force.square().mean()
        return loss.detach(), torch.autograd.grad(loss, parameters, materialize_grads=True)

    return step


def graphs(atoms, dtype=torch.float64):
    generator = torch.Generator().manual_seed(atoms)
    pos = torch.randn(2 * atoms, 3, generator=generator, dtype=dtype)
    batch = torch.arange(2).repeat_interleave(atoms)
    x = torch.randn(2 * atoms, 4, generator=generator, dtype=dtype)
    return x, pos, radius_graph(pos, 2.0, batch), batch, torch.zeros(2, dtype=dtype)


@pytest.mark.parametrize(  # docs/compiling.md, which is run, compiles the plain form of one layer
    "few", [pytest.param(10**6, marks=pytest.mark.slow), 0], ids=["plain", "operation"]
)
def test_energies_and_forces_train_compiled(few, monkeypatch):
    """By plain operations, and by the operation with its second backward."""
    monkeypatch.setattr("steerable.convs.points.neighbour_conv._FEW_EDGES", few)
    torch._dynamo.reset()
    torch.manual_seed(0)
    net = Energy().double()
    step = step_of(net)
    compiled = compiled_step(step, backend="aot_eager")
    for atoms in (7, 9, 12):
        arguments = graphs(atoms)
        loss, gradients = compiled(*arguments)
        expected_loss, expected = step(*arguments)
        torch.testing.assert_close(loss, expected_loss, atol=1e-12, rtol=1e-10)
        for a, b in zip(gradients, expected, strict=True):
            torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-8)


def test_a_step_that_cannot_be_compiled_runs_eagerly_after_one_warning(recwarn):
    def broken(graph, inputs):
        raise RuntimeError("no compiler")

    torch._dynamo.reset()
    compiled = compiled_step(lambda x: x * x.sum(), backend=broken)
    with pytest.warns(CompileWarning, match="runs eagerly"):
        first = compiled(torch.ones(3))
    recwarn.clear()
    assert first.tolist() == compiled(torch.ones(3)).tolist() == [3.0, 3.0, 3.0]
    assert not [w for w in recwarn if issubclass(w.category, CompileWarning)]


def test_a_compiler_that_is_wrong_is_not_used():
    def wrong(graph, inputs):
        return lambda *tensors: tuple(2 * t for t in graph(*tensors))

    torch._dynamo.reset()
    compiled = compiled_step(lambda x: x.sin() + 1, backend=wrong)
    with pytest.warns(CompileWarning, match="numbers differ"):
        assert compiled(torch.zeros(2)).tolist() == [1.0, 1.0]
    assert compiled(torch.zeros(2)).tolist() == [1.0, 1.0]
