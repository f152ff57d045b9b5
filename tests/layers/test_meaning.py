"""Lines that say what weights mean: written, compared, and what comes without one."""

from functools import partial

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from steerable.layers import Meaningful, function_text, reset, reset_children, unless
from steerable.ops import cloud_stencil


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


class Measured(Scale):
    """A factor whose older lines do not say how it was measured."""

    def __init__(self, unit, method):
        super().__init__(unit)
        self.method = method

    def details(self):
        return f"method={self.method}"


def test_details_are_compared_where_a_state_has_them():
    net, twin, other = Measured("nm", "ruler"), Measured("nm", "ruler"), Measured("nm", "laser")
    state = twin.state_dict()
    line = bytes(state["_extra_state"].tolist()).decode()
    assert line == "Measured: a length in nm; method=ruler"
    net.load_state_dict(state)
    assert net.factor.equal(twin.factor)
    with pytest.raises(RuntimeError, match="nm; method=ruler; the state was made by .*=laser"):
        net.load_state_dict(other.state_dict())
    assert repr(net) == "Measured(a length in nm)"


def test_older_lines_without_details_are_loaded():
    net, older = Measured("nm", "ruler"), Measured("nm", "laser")
    older.details = str
    net.load_state_dict(older.state_dict())
    assert net.factor.equal(older.factor)
    older.unit = "pm"
    with pytest.raises(RuntimeError, match="made by Measured: a length in pm"):
        net.load_state_dict(older.state_dict())


def test_functions_are_named_with_the_arguments_that_were_changed():
    def nested(radius):
        return radius

    assert function_text(cloud_stencil) == "cloud_stencil"
    assert function_text(partial(cloud_stencil, method="least_squares")) == "cloud_stencil"
    stencil = partial(cloud_stencil, sigma=0.7, method="rbf")
    assert function_text(stencil) == "cloud_stencil(method=rbf, sigma=0.7)"
    assert function_text(partial(stencil, 3)) == "cloud_stencil(3, method=rbf, sigma=0.7)"
    assert function_text(partial(map, nested)).startswith("map(test_functions_are")
    assert function_text(lambda radius: radius) == "<lambda>"
    assert function_text(nn.SiLU()) == "SiLU"


def test_usual_values_are_left_out():
    assert unless(1, "stride", 1) == "" and unless(1, "stride", 2) == ", stride=2"
