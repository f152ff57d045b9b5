"""Constants stay exact in every precision and on every device."""

import copy
import inspect

import pytest
import torch
from torch import nn

from steerable.constants import ConstantModule
from steerable.layers import Gate


class Thirds(ConstantModule):
    """A real and a whole constant, and an exact buffer."""

    def __init__(self, inner: nn.Module | None = None, factor: float = 1.0):
        super().__init__()
        self.inner = inner
        self.register_constant("third", torch.tensor([factor / 3], dtype=torch.float64))
        self.register_constant("index", torch.tensor([2, 0]))
        self.register_exact("seventh", torch.tensor([1 / 7], dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_constant_is_its_rounded_number_in_every_precision(dtype):
    """However often it was rounded before."""
    module = copy.deepcopy(Thirds().half()).to(dtype)
    assert module.third.equal(torch.tensor([1 / 3], dtype=torch.float64).to(dtype))
    assert module.index.equal(torch.tensor([2, 0]))


def test_double_starts_from_exact_constants():
    layer = Gate("2x0e+2x1o")
    exact = layer._exact["_spread"]
    assert layer.double()._spread.equal(exact)
    assert layer.float().double()._spread.equal(exact)


def test_an_exact_buffer_is_saved_and_never_cast():
    module = Thirds()
    assert set(module.state_dict()) == {"seventh"}
    module.load_state_dict({"seventh": torch.tensor([1 / 11], dtype=torch.float64)})
    module.half().float()
    assert module.seventh.dtype == torch.float64 and module.seventh.item() == 1 / 11


def test_constants_have_values_after_the_meta_device():
    """Also those of a module that a part was made for on the meta device."""
    with torch.device("meta"):
        part = nn.Linear(2, 2)
        module = Thirds(part)
    tensors = (*module.parameters(), *module.buffers())
    assert len(tensors) == 5 and all(tensor.is_meta for tensor in tensors)
    assert module.to_empty(device="cpu").third.equal(torch.tensor([1 / 3]))
    assert module.index.tolist() == [2, 0] and part.weight.device.type == "cpu"


def test_the_signature_is_that_of_the_constructor():
    assert list(inspect.signature(Thirds).parameters) == ["inner", "factor"]
    with pytest.raises(TypeError):
        inspect.signature(Thirds).bind(1, 2, 3)


@pytest.mark.parametrize("assign", [False, True])
def test_an_exact_buffer_is_exact_whatever_is_loaded(assign):
    module, number = Thirds(), torch.tensor([1 / 11])
    module.load_state_dict({"seventh": number}, assign=assign)
    assert module.seventh.dtype == torch.float64 and module.seventh.equal(number.double())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_an_exact_buffer_refuses_half_precision(dtype):
    module = nn.Sequential(Thirds())
    with pytest.raises(RuntimeError, match=rf"0\.seventh needs float32 or float64.*got {dtype}"):
        module.load_state_dict({"0.seventh": torch.tensor([1 / 11], dtype=dtype)})
    module.load_state_dict({"0.seventh": torch.ones(1, dtype=dtype)})  # exact in any precision
    assert module[0].seventh.item() == 1 and module[0].seventh.dtype == torch.float64
