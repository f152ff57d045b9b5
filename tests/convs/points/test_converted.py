"""Convolutions converted from e3nn against e3nn itself."""

import pytest
import torch
from e3nn import nn as e3nn_nn
from e3nn import o3
from torch import nn

from steerable.convs import from_e3nn
from steerable.functions import bessel
from steerable.ops import radius_graph

DOUBLE = torch.float64
CASES = {
    "scalars": ("4x0e", "0e", "3x0e"),
    "to vectors": ("4x0e", "0e+1o", "3x0e+2x1o"),
    "degree 2": ("4x0e+3x1o+2x2e", "0e+1o+2e", "3x0e+2x1o+5x2e"),
    "both parities": ("3x0e+2x0o+2x1o+1x1e+1x2e", "0e+1o+2e", "2x0e+1x0o+3x1o+2x1e+1x2o+2x2e"),
    "terms of one irrep apart": ("2x1o+3x0e+1x1o", "0e+1o+2e", "2x1o+1x0e+4x1o+2x0e"),
    "some harmonics, some twice": ("3x0e+2x1o", "2x0e+1x2e+1x2e", "3x0e+2x1o+2x2e"),
}
PERCEPTRONS = {
    "torch": lambda count: nn.Sequential(
        nn.Linear(6, 16), nn.SiLU(), nn.Linear(16, 9), nn.Tanh(), nn.Linear(9, count)
    ),
    "no bias": lambda count: nn.Sequential(
        nn.Linear(6, 16), nn.SiLU(), nn.Linear(16, count, bias=False)
    ),
    "one layer": lambda count: nn.Sequential(nn.Linear(6, count)),
    "e3nn": lambda count: e3nn_nn.FullyConnectedNet([6, 12, 10, count], torch.nn.functional.silu),
}


def basis(distance):
    return bessel(distance, 6, 2.0)


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(DOUBLE)
    yield
    torch.set_default_dtype(torch.float32)


def product_of(irreps, **options):
    return o3.FullyConnectedTensorProduct(*irreps, shared_weights=False, **options)


def theirs(product, radial, x, pos, edges, neighbours=1.0):
    """e3nn's own way: harmonics, weights and products at every edge, then the sum."""
    source, target = edges
    offset = pos[source] - pos[target]
    sh = o3.spherical_harmonics(
        product.irreps_in2, offset, normalize=True, normalization="component"
    )
    message = product(x[source], sh, radial(basis(offset.norm(dim=1))))
    return (
        message.new_zeros(len(pos), message.shape[1]).index_add(0, target, message)
        / neighbours**0.5
    )


def cloud(irreps, nodes=12):
    torch.manual_seed(1)
    pos = torch.randn(nodes, 3, requires_grad=True)
    return (
        torch.randn(nodes, o3.Irreps(irreps).dim, requires_grad=True),
        pos,
        radius_graph(pos.detach(), 2.0),
    )


@pytest.mark.parametrize("perceptron", PERCEPTRONS)
@pytest.mark.parametrize("case", CASES)
def test_output_and_gradients_are_those_of_e3nn(case, perceptron):
    torch.manual_seed(0)
    product = product_of(CASES[case])
    radial = PERCEPTRONS[perceptron](product.weight_numel)
    conv = from_e3nn(product, radial, basis, neighbours=7.0)
    x, pos, edges = cloud(CASES[case][0])
    ours, wanted = conv(x, pos, edges), theirs(product, radial, x, pos, edges, 7.0)
    torch.testing.assert_close(ours, wanted, atol=1e-10, rtol=1e-10)
    assert wanted.abs().max() > 0.1
    for power in (2, 3):
        found = torch.autograd.grad(ours.pow(power).sum(), (x, pos), retain_graph=True)
        expected = torch.autograd.grad(wanted.pow(power).sum(), (x, pos), retain_graph=True)
        torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-10)


@pytest.mark.parametrize("irrep_normalization", ["component", "norm"])
@pytest.mark.parametrize("path_normalization", ["element", "path"])
def test_normalisations(irrep_normalization, path_normalization):
    torch.manual_seed(0)
    irreps = CASES["both parities"]
    product = product_of(
        irreps, irrep_normalization=irrep_normalization, path_normalization=path_normalization
    )
    radial = PERCEPTRONS["torch"](product.weight_numel)
    x, pos, edges = cloud(irreps[0])
    ours = from_e3nn(product, radial, basis)(x, pos, edges)
    torch.testing.assert_close(ours, theirs(product, radial, x, pos, edges), atol=1e-10, rtol=1e-10)


def test_a_basis_with_weights_and_float32():
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    irreps = CASES["degree 2"]
    product = product_of(irreps)
    radial = PERCEPTRONS["torch"](product.weight_numel)
    learned = nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.Linear(1, 6))
    conv = from_e3nn(product, radial, learned)
    assert (
        next(conv.parameters()).dtype == torch.float32 and len(list(conv.filter.parameters())) == 6
    )
    x, pos, edges = cloud(irreps[0])
    source, target = edges
    offset = pos[source] - pos[target]
    sh = o3.spherical_harmonics(
        product.irreps_in2, offset, normalize=True, normalization="component"
    )
    message = product(x[source], sh, radial(learned(offset.norm(dim=1))))
    wanted = torch.zeros(len(pos), message.shape[1]).index_add(0, target, message)
    torch.testing.assert_close(conv(x, pos, edges), wanted, atol=1e-4, rtol=1e-4)


def test_errors():
    product = product_of(CASES["degree 2"])
    with pytest.raises(ValueError, match="shared_weights=False"):
        from_e3nn(o3.FullyConnectedTensorProduct("0e", "0e", "0e"), nn.Sequential(), basis)
    with pytest.raises(
        ValueError,
        match=f"linear layer for the {product.weight_numel} weights of the product; got Lin",
    ):
        from_e3nn(product, PERCEPTRONS["torch"](7), basis)
    with pytest.raises(ValueError, match="ends in a linear layer for the .* got Tanh"):
        from_e3nn(product, nn.Sequential(nn.Linear(6, product.weight_numel), nn.Tanh()), basis)
    with pytest.raises(ValueError, match=r"parity \(-1\)\^l; got 1x0e\+1x1e"):
        from_e3nn(product_of(("0e", "0e+1e", "1e")), nn.Sequential(), basis)
