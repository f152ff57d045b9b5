"""Predictions of all items by name, computed where the network is."""

import torch
from torch import nn

from steerable.train.predict import predict
from train.potential import Springs, Structures


def test_outputs_have_their_names_and_do_not_depend_on_the_batch():
    torch.manual_seed(0)
    model, structures = Springs().double().eval(), Structures(7, 3)
    whole, parts = predict(model, structures), predict(model, structures, size=2)
    assert {name: value.shape for name, value in whole.items()} == {
        "energy": (7,),
        "forces": (21, 3),
    }
    for name, value in whole.items():
        assert value.dtype == torch.float64
        assert not value.requires_grad
        torch.testing.assert_close(parts[name], value)


def test_inputs_go_to_the_device_and_the_precision_of_the_network():
    class Meta(nn.Module):
        """On a device that computes nothing; what it predicts is on the CPU."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros((), dtype=torch.float64, device="meta"))

        def forward(self, pos, batch):
            arrived.append((pos.device.type, pos.dtype, batch.device.type, batch.dtype))
            return torch.zeros(len(batch) // 3)

    arrived = []
    assert predict(Meta(), Structures(3, 0), 2, "energy")["energy"].device.type == "cpu"
    assert arrived == [("meta", torch.float64, "meta", torch.long)] * 2
