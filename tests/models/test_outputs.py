"""Results of networks have names."""

import torch

from steerable.models.outputs import ATOMWISE, Outputs, named_outputs


def test_one_tensor_gets_a_name_and_names_stay():
    x = torch.zeros(2)
    assert named_outputs(x, "gap") == {"gap": x}
    assert named_outputs(x) == {"prediction": x}
    assert named_outputs({"energy": x, "mine": x}, "gap") == {"energy": x, "mine": x}


def test_outputs_of_atoms_are_outputs():
    assert set(ATOMWISE) <= set(Outputs.__annotations__)
