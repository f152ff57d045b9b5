"""Lines that say what weights mean: written, compared, and what comes without one."""

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from steerable.layers import Meaningful, reset, reset_children


class Scale(Meaningful):
    """A factor whose meaning is a unit."""

    def __init__(self, unit):
        super().__init__()
        self.unit = unit
        self.factor = nn.Parameter(torch.randn(2))

    def meaning(self):
        return f"a length in {self.unit}"

    def reset_parameters(self):
        nn.init.ones_(self.factor)


def test_a_state_says_what_it_is():
    net = nn.Sequential(nn.Identity(), Scale("\N{ANGSTROM SIGN}"))
    line = net.state_dict()["1._extra_state"]
    assert line.dtype == torch.uint8
    assert bytes(line.tolist()).decode() == "Scale: a length in \N{ANGSTROM SIGN}"
    assert repr(net[1]) == "Scale(a length in \N{ANGSTROM SIGN})"
    twin = nn.Sequential(nn.Identity(), Scale("\N{ANGSTROM SIGN}"))
    twin.load_state_dict(load(save(net.state_dict())))
    assert twin[1].factor.equal(net[1].factor)


def test_a_state_of_another_meaning_is_refused_by_name():
    net, other = nn.Sequential(Scale("nm")), nn.Sequential(Scale("pm"))
    with pytest.raises(RuntimeError, match="0 is Scale: a length in nm; .* made by Scale: .* pm"):
        net.load_state_dict(other.state_dict())
    with pytest.raises(RuntimeError, match="The module is Scale: a length in nm"):
        net[0].load_state_dict(other[0].state_dict())


def test_older_states_and_averages_are_loaded():
    net, other = Scale("nm"), Scale("nm")
    net.load_state_dict({"factor": torch.zeros(2)})
    assert not net.factor.any()
    state = other.state_dict()
    state["_extra_state"] = state["_extra_state"].double() + 0.3
    net.load_state_dict(state)
    assert net.factor.equal(other.factor)
    with pytest.raises(RuntimeError, match="Missing key.*factor"):
        net.load_state_dict({})


def test_weights_are_drawn_anew_however_deep_they_lie():
    net = nn.Sequential(nn.ModuleDict({"a": Scale("nm")}), nn.ReLU(), nn.Linear(1, 1))
    weight = net[2].weight.clone()
    reset_children(net)
    assert net[0]["a"].factor.tolist() == [1, 1] and not net[2].weight.equal(weight)
    reset(torch.nn.functional.silu)  # what has no weights stays as it is
