import pytest
import torch

from steerable.models import build_property, transfer

HEADS = [{"name": "energy"}]
KINDS = ["radial", "implicit", "ends"]


def network(elements, seed, heads=HEADS, **settings):
    torch.manual_seed(seed)
    settings = {"layers": 2, "hidden": "8x0e+4x1o", "filter_channels": 8} | settings
    return build_property(elements=elements, heads=heads, **settings).double()


def molecule():
    torch.manual_seed(5)
    return torch.tensor([1, 6, 8, 8, 1]), torch.randn(5, 3, dtype=torch.float64)


@pytest.mark.parametrize("kernel", KINDS)
@pytest.mark.parametrize("density_degree", [0, 1])
@pytest.mark.parametrize("element_weights", [False, True])
def test_new_elements_leave_the_function_of_the_others(kernel, density_degree, element_weights):
    settings = {
        "kernel": kernel,
        "density_degree": density_degree,
        "element_weights": element_weights,
    }
    source = network([1, 6, 8], 0, **settings)
    target = network([1, 6, 7, 8, 9], 1, **settings)
    result = transfer(source, target)
    assert not result.fresh
    assert torch.allclose(source(*molecule())["energy"], target(*molecule())["energy"], atol=1e-12)


def test_fewer_elements_in_another_order():
    source, target = network([1, 6, 7, 8], 0), network([8, 6, 1], 1)
    transfer(source, target)
    assert torch.allclose(source(*molecule())["energy"], target(*molecule())["energy"], atol=1e-12)


def test_as_many_but_other_elements_do_not_get_the_weights_of_others():
    source, target = network([1, 6, 8], 0), network([1, 6, 9], 1)
    before = {name: weight.clone() for name, weight in target.named_parameters()}
    result = transfer(source, target)
    assert result.partly
    after = dict(target.named_parameters())
    z, pos = torch.tensor([9, 9]), molecule()[1][:2]
    for name in result.partly:  # the rows of fluorine
        probe = network([1, 6, 9], 1)
        probe(z, pos)["energy"].sum().backward()
        rows = dict(probe.named_parameters())[name].grad != 0
        alone = rows & (after[name] == before[name])
        assert alone.any(), name


def test_heads_are_matched_by_their_targets():
    source = network([1, 6, 8], 0)
    heads = [{"name": "gap", "pool": "mean"}, {"name": "energy"}]
    target = network([1, 6, 8], 1, heads)
    result = transfer(source, target)
    assert all(name.startswith("heads.0.") for name in result.fresh)
    assert torch.allclose(source(*molecule())["energy"], target(*molecule())["energy"], atol=1e-12)


def test_nothing_fits_a_network_of_other_elements():
    result = transfer(network([1], 0), network([8], 1))
    assert not result.whole
    assert not result.partly
