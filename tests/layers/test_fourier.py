"""Pointwise functions of signals."""

import pytest
import torch

from oracles.groups import EVERY, name
from steerable.groups import SO2, Group, cyclic, dihedral, point_group
from steerable.layers import CosetActivation, FourierActivation


@pytest.mark.parametrize("group", [g for g in EVERY if g.order is None], ids=name)
def test_fourier_activation_error_falls_with_oversampling(group):
    torch.manual_seed(0)
    for oversampling, documented in ((1, 2.5e-1), (2, 2e-3), (4, 5e-6)):
        layer = FourierActivation(group, 2, 3, oversampling=oversampling).double()
        x = torch.randn(100, layer.field_in.dim, dtype=torch.float64)
        turns = layer.field_in.matrix(group.sample(10))
        errors = [float((layer(x @ g.T) - layer(x) @ g.T).norm() / layer(x).norm()) for g in turns]
        assert sum(errors) / 10 < documented


def test_a_product_of_waves_in_closed_form():
    """f = (a + sqrt(2) b . e) / sqrt(3) squared: 2 a b is the part of frequency 1."""
    layer = FourierActivation(SO2(), 1, 1, torch.square).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    expected = torch.cat([x.square().sum(1, keepdim=True), 2 * x[:, :1] * x[:, 1:]], 1) / 3
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_the_identity_gives_features_back(group):
    layer = FourierActivation(group, 2, 3, lambda samples: samples).double()
    x = torch.randn(5, layer.field_in.dim, dtype=torch.float64)
    torch.testing.assert_close(layer(x), x)


@pytest.mark.parametrize("group", [cyclic(5), dihedral(3), point_group("D4h")], ids=name)
def test_elements_permute_the_samples_of_functions_on_cosets(group):
    """The mean square of the samples is that of the features; one sample for every coset."""
    mirror = Group.from_generators(group.generators[-1:])
    for subgroup in (None, mirror):
        layer = CosetActivation(group, 2, subgroup, torch.relu).double()
        x = torch.randn(4, layer.field_in.dim, dtype=torch.float64)
        samples = layer.signals.samples(x)
        count = group.order // (1 if subgroup is None else subgroup.order)
        assert samples.shape == (4, 2, count)
        torch.testing.assert_close(samples.square().sum((1, 2)), x.square().sum(1))
        for g in torch.from_numpy(group.representatives):
            matrix = layer.field_in.matrix(g)
            moved = layer.signals.samples(x @ matrix.T)
            torch.testing.assert_close(moved.sort(-1).values, samples.sort(-1).values)
            torch.testing.assert_close(layer(x @ matrix.T), layer(x) @ matrix.T)


def test_a_grid_that_does_not_resolve_the_signal():
    with pytest.raises(ValueError, match="oversampling is at least 1, .*; got 0.9"):
        FourierActivation(SO2(), 1, 1, oversampling=0.9)
