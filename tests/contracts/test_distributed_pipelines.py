"""Convolutions on points in several processes, of which one has a graph without edges."""

from datetime import timedelta

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from contracts.points import conv_of, graph
from oracles.processes import in_two_processes
from steerable.convs import NeighbourConv
from steerable.ops import Edges

OPTIONS = [(kind, recompute) for kind in ("depthwise", "full") for recompute in (None, False)]


class Energy(nn.Module):
    def __init__(self, kind, recompute):
        super().__init__()
        self.conv = conv_of(kind, NeighbourConv, "1x0e", recompute=recompute)

    def forward(self, x, pos, index):
        return self.conv(x, Edges.between(pos, index)).sum()


def inputs_of(rank):
    x, pos, index = graph()
    return x, pos.requires_grad_(), index if rank == 0 else index[:, :0]


def loss_of(model, rank):
    x, pos, index = inputs_of(rank)
    energy = model(x, pos, index)
    (forces,) = torch.autograd.grad(energy, pos, create_graph=True)
    return energy + forces.square().sum()


def step(rank):
    """Gradients of all layers after a step on energies and forces, and a measured n."""
    group = distributed.new_group(timeout=timedelta(seconds=60))
    gradients = []
    for options in OPTIONS:
        model = DistributedDataParallel(Energy(*options), process_group=group)
        loss_of(model, rank).backward()
        gradients.append([p.grad for p in model.parameters()])
    unmeasured = conv_of(neighbours=None)
    x, pos, index = inputs_of(rank)
    unmeasured(x, Edges.between(pos, index))
    return gradients, unmeasured.neighbours


def test_a_rank_without_edges():
    ours, theirs = in_two_processes(step)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    for options, gradients in zip(OPTIONS, ours[0], strict=True):
        model = Energy(*options)
        loss_of(model, 0).backward()  # the other rank adds 0
        torch.testing.assert_close(gradients, [p.grad / 2 for p in model.parameters()])
    measured = conv_of(neighbours=None)
    x, pos, index = inputs_of(0)
    measured(x, Edges.between(pos, index))
    torch.testing.assert_close(ours[1], measured.neighbours)


def sharded(rank):
    """Gradients of an energy with the weights in shards, whole again; then a measured n."""
    mesh = init_device_mesh("cpu", (2,))
    gradients = []
    for kind in ("depthwise", "full"):
        model = fully_shard(Energy(kind, None), mesh=mesh)
        x, pos, index = graph()
        model(x, pos, index).backward()
        gradients.append([p.grad.full_tensor() for p in model.parameters()])
    unmeasured = conv_of(neighbours=None)
    fully_shard(unmeasured, mesh=mesh)
    for nodes in (8, 15):  # the ranks begin with different graphs, and keep one n
        x, pos, index = graph(nodes + 7 * rank)
        unmeasured(x, Edges.between(pos, index))
    return gradients, unmeasured.neighbours


def test_sharded_weights():
    ours, theirs = in_two_processes(sharded)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    for kind, gradients in zip(("depthwise", "full"), ours[0], strict=True):
        model = Energy(kind, None)
        model(*graph()).backward()
        torch.testing.assert_close(gradients, [p.grad for p in model.parameters()])
