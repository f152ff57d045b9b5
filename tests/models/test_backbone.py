"""Blocks against their formula, part by part, and the fields of densities."""

import pytest
import torch
from torch import nn

from steerable import Field
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs import NeighbourConv
from steerable.filters import HarmonicFilter
from steerable.groups import O3, named_group
from steerable.layers import BatchNorm, Gate, Linear, Products, RMSNorm
from steerable.models.backbone import (
    Backbone,
    Block,
    density_field,
    invariant_part,
    residual_block,
)
from steerable.ops import Edges

FIELD = Field.parse("4x0e+2x1o", O3())
POS = torch.randn(7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
INDEX = torch.combinations(torch.arange(7)).T
INDEX = torch.cat([INDEX, INDEX.flip(0)], 1)


def conv(field_in=FIELD, field_out=FIELD):
    filter = HarmonicFilter(1, 3.0, 4)
    return NeighbourConv(field_in, field_out, filter, "depthwise", neighbours=6.0)


def features(field=FIELD):
    return torch.randn(7, field.dim, dtype=torch.float64)


def test_every_part_has_its_place():
    """x' = skip(x) + activation(modulation(conv(norm x)) + linear(norm x))."""

    class Modulation(nn.Module):
        def forward(self, y, condition):
            return y * condition

    torch.manual_seed(0)
    gate = Gate(FIELD)
    block = Block(
        conv(field_out=gate.field_in),
        linear=Linear(FIELD, gate.field_in),
        modulation=Modulation(),
        norm=RMSNorm(FIELD),
        activation=gate,
        skip=Linear(FIELD, FIELD),
    ).double()
    x, edges, condition = features(), Edges.between(POS, INDEX), torch.rand(7, 1).double()
    y = block.norm(x)
    wanted = block.skip(x) + gate(block.conv(y, edges) * condition + block.own(y))
    torch.testing.assert_close(block(x, edges, condition=condition), wanted)


def test_a_norm_may_come_after_the_convolution_of_sources_and_targets():
    torch.manual_seed(0)
    gate = Gate(FIELD)
    norm = BatchNorm(gate.field_in)
    block = (
        Block(
            conv(field_out=gate.field_in),
            linear=Linear(FIELD, gate.field_in),
            norm=norm,
            activation=gate,
            norm_first=False,
        )
        .double()
        .eval()
    )
    x, targets = features(), features()[:3]
    edges = Edges.between((POS, POS[:3] + 0.1), torch.tensor([[3, 4, 5, 6], [0, 1, 2, 2]]))
    wanted = gate(norm(block.conv((x, targets), edges) + block.own(targets)))
    torch.testing.assert_close(block((x, targets), edges), wanted)


@pytest.mark.parametrize("products", [True, False])
@pytest.mark.parametrize("is_last", [True, False])
@pytest.mark.parametrize("group", ["O(3)", "SO(3)", "Cinfv"])
def test_a_backbone_commutes_with_its_group(products, is_last, group):
    torch.manual_seed(0)
    symmetry = named_group(group)
    text = "4x0+2x2" if group == "Cinfv" else "4x0e+2x1o"
    field = Field.parse(text, symmetry)
    last = invariant_part(field) if is_last else field

    def filter():
        return HarmonicFilter(1, 3.0, 4, group=symmetry)

    options = {"products": products, "neighbours": 6.0}
    network = Backbone(
        [
            residual_block(invariant_part(field), field, filter(), **options),
            residual_block(field, field, filter(), norm=True, is_last=is_last, **options),
        ]
    )

    def call(x, pos, index):
        return network(x, Edges.between(pos, index))

    x = torch.randn(7, 4, dtype=torch.float64)
    inputs = [(x, Role()), (POS, POSITIONS), (INDEX, EDGE_INDEX)]
    network.double()
    report = certify(call, inputs, Role(field=last), symmetry, dtype=torch.float64)
    assert report.error < 1e-10, report


def test_products_or_gates_and_what_the_last_block_makes():
    block = residual_block(FIELD, FIELD, HarmonicFilter(1, 3.0, 4), is_last=True)
    assert isinstance(block.activation, Products) and block.skip is None
    assert str(block.activation.field_out) == "4x0e"
    gated = residual_block(FIELD, FIELD, HarmonicFilter(1, 3.0, 4), products=False)
    assert isinstance(gated.activation, Gate) and gated.skip is not None
    invariant = Field.parse("4x0e", O3())
    assert isinstance(
        residual_block(invariant, invariant, HarmonicFilter(1, 3.0, 4)).activation, Gate
    )


def test_every_parameter_of_the_last_block_has_a_gradient():
    block = residual_block(FIELD, FIELD, HarmonicFilter(1, 3.0, 4), is_last=True).double()
    block(features(), Edges.between(POS, INDEX)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in block.parameters())


@pytest.mark.parametrize(
    ("group", "field", "degree", "density"),
    [
        ("O(3)", "8x0e+4x1o", 2, "8x0e+4x1o+4x2e"),
        ("O(3)", "8x0e+4x1o+2x2e", 1, "8x0e+4x1o"),
        ("O(3)", "8x0e", 1, "8x0e+4x1o"),
        (
            "C3v",
            "8x0+2x1+4x2",
            1,
            "8x0+4x2",
        ),  # no harmonic of degree 1 changes sign by mirrors only
    ],
)
def test_densities_have_the_harmonics(group, field, degree, density):
    assert str(density_field(Field.parse(field, named_group(group)), degree)) == density
