"""Kernel matrices made at once against the tensor of the contraction, written out path by path."""

from functools import partial

import pytest
import torch

from oracles.groups import name
from oracles.per_edge import contraction_tensor
from steerable import Field
from steerable.groups import O3, SO2, Group, cyclic
from steerable.layers import DenseKernel, Depthwise, Full, dense_kernel
from steerable.layers.paths import Paths

DOUBLE = torch.float64
FIELDS = {  # terms of one irrep apart from each other, copies of all sizes, and none
    O3(): ("1x0e+2x1o", "4x1o+2x0e+0x1e+2x1o+4x2e", "2x1o+4x0e+2x1o+2x1e"),
    SO2(): ("2x0+1x1", "2x1+4x0+2x1", "2x0+2x2+4x0+2x1"),
    cyclic(4): ("1x0+1x1+1x2", "2x0+4x1+2x2", "2x2+2x1+4x0"),
}
CONTRACTIONS = {
    "full": Full,
    "groups": partial(Full, groups=2),
    "depthwise": Depthwise,
    "rank": partial(Depthwise, rank=3),
}


SMALL = ("1x0+1x1", "1x1+2x0+1x1", "1x0+1x2+2x0+1x1")  # of SO(2), to differentiate twice


def made(group: Group, kind: str, channels: int = 3, texts=None):
    torch.manual_seed(0)
    fields = [Field.parse(text, group) for text in texts or FIELDS[group]]
    h = torch.randn(5, channels, fields[0].dim, dtype=DOUBLE, requires_grad=True)
    return CONTRACTIONS[kind](fields[0], channels, *fields[1:]).double(), h


@pytest.mark.parametrize("kind", CONTRACTIONS)
@pytest.mark.parametrize("group", FIELDS, ids=name)
def test_equals_the_tensor_written_out(group, kind):
    contraction, h = made(group, kind)
    expected = torch.einsum("ekm,kmoi->eoi", h, contraction_tensor(contraction))
    torch.testing.assert_close(dense_kernel(contraction, h), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["full", "depthwise"])
def test_first_and_second_derivatives(kind):
    contraction, h = made(SO2(), kind, channels=2, texts=SMALL)
    dense = DenseKernel(contraction.paths)
    weights = contraction.own_parameters()
    inputs = (h[:2].detach().requires_grad_(), *weights)
    one = torch.ones((), dtype=DOUBLE)
    assert torch.autograd.gradcheck(lambda h, *_: dense(contraction, h, one), inputs)
    assert torch.autograd.gradgradcheck(lambda h, *_: dense(contraction, h, one).square(), inputs)


@pytest.mark.parametrize("kind", ["full", "depthwise"])
def test_constant_values_give_the_same_kernels(kind):
    contraction, h = made(SO2(), kind, channels=2)
    scale = torch.tensor(0.3, dtype=DOUBLE)
    constant = DenseKernel(contraction.paths, h).double()(contraction, None, scale)
    expected = DenseKernel(contraction.paths)(contraction, 0.3 * h, torch.ones_like(scale))
    torch.testing.assert_close(constant, expected, rtol=0, atol=1e-13)


def test_what_no_path_makes_is_zero():
    group = SO2()
    fields = [Field.parse(text, group) for text in ("1x0+1x1", "2x0+1x3", "1x7+2x1+1x3")]
    contraction = Full(fields[0], 2, *fields[1:], paths=partial(Paths, allow_zero=True)).double()
    kernel = dense_kernel(contraction, torch.randn(3, 2, fields[0].dim, dtype=DOUBLE))
    possible = torch.tensor(
        [[0, 0, 0], [0, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]]
    )
    possible = possible.repeat_interleave(torch.tensor([1, 1, 2]), 1).bool()
    assert (kernel[:, ~possible] == 0).all() and (kernel[:, possible] != 0).any(0).all()
