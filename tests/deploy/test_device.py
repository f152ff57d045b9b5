"""A network runs where it was trained, or where the user says."""

import pytest
import torch
from torch import nn

from steerable.deploy.device import DeviceError, find_device, placement


@pytest.fixture
def two_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_auto_is_where_the_network_was_trained(two_devices):
    assert find_device("auto", {"device": "cuda"}) == torch.device("cuda")
    assert find_device("auto", {"device": "cpu"}) == torch.device("cpu")
    assert find_device("auto", {}) == find_device("auto") == torch.device("cpu")


def test_auto_is_the_cpu_where_that_device_is_not_here(no_device):
    assert find_device("auto", {"device": "cuda"}) == torch.device("cpu")


def test_the_user_has_the_last_word(two_devices):
    assert find_device("cpu", {"device": "cuda"}) == torch.device("cpu")
    assert find_device("cuda:1", {"device": "cpu"}) == torch.device("cuda", 1)
    assert find_device(torch.device("cuda")) == torch.device("cuda")
    with pytest.raises(DeviceError, match="finds no CUDA:2 device"):
        find_device("cuda:2")


def test_a_device_that_is_not_here_is_refused(no_device):
    with pytest.raises(DeviceError, match="finds no CUDA device: leave the device out, or ask for"):
        find_device("cuda")
    with pytest.raises(DeviceError, match="A device is auto, cpu, cuda or .*; got 'gpu'"):
        find_device("gpu")


def test_placement_is_that_of_the_first_floating_point_tensor():
    assert placement(nn.Linear(1, 1).double()) == (torch.device("cpu"), torch.float64)
    assert placement(nn.Linear(1, 1, device="meta"))[0].type == "meta"
    counted = nn.BatchNorm1d(1, affine=False).half()
    assert placement(counted) == (torch.device("cpu"), torch.float16)
    assert placement(nn.ReLU()) == (torch.device("cpu"), torch.get_default_dtype())
