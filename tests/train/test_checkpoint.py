"""A trained network as a folder: weights bit by bit, and the stamp of its conventions."""

import json
from importlib import metadata

import pytest
import torch
from safetensors import safe_open
from torch import nn

from steerable.deploy import LABELS
from steerable.train import checkpoint
from steerable.train.checkpoint import PACKAGES, save, versions


class Charges(nn.Module):
    """Sums of charges by kind, and of squared distances; by name or as one tensor."""

    def __init__(self, named=False):
        super().__init__()
        self.named, self.charge = named, nn.Embedding(4, 2)

    def forward(self, z, pos):
        total = self.charge(z).sum(0) * pos.square().sum()
        return {"total": total, "count": total[:1]} if self.named else total


PROBE = torch.tensor([1, 3, 3]), torch.randn(3, 3)


def stamp_of(folder):
    with safe_open(folder / "model.safetensors", "pt") as file:
        stamp = json.loads(file.metadata()["conventions"])
        return stamp, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_and_a_prediction_in_float64(tmp_path, dtype):
    model = Charges().to(dtype)
    save(tmp_path, model, {"task": "charges", "model": {"named": False}}, PROBE)
    stamp, state = stamp_of(tmp_path)
    weight = model.charge.weight.detach()
    assert torch.equal(state["charge.weight"], weight) and list(state) == ["charge.weight"]
    z, pos = stamp["inputs"]
    assert z == [1, 3, 3] and torch.equal(torch.tensor(pos), PROBE[1])
    squares = sum(number**2 for row in pos for number in row)
    wanted = [(w1 + 2 * w3) * squares for w1, w3 in zip(*weight[[1, 3]].tolist(), strict=True)]
    assert stamp["prediction"] == pytest.approx(wanted, rel=1e-13)
    assert {key: stamp[key] for key in LABELS} == LABELS
    written = json.loads((tmp_path / "metadata.json").read_text())
    assert written["dtype"] == str(dtype).removeprefix("torch.")
    assert written["task"] == "charges" and written["versions"] == versions()
    assert model.charge.weight.dtype == dtype  # left as it was


def test_predictions_by_name(tmp_path):
    save(tmp_path, Charges(named=True), {"task": "charges"}, PROBE)
    prediction = stamp_of(tmp_path)[0]["prediction"]
    assert {name: len(values) for name, values in prediction.items()} == {"total": 2, "count": 1}


def test_packages_that_are_not_installed(monkeypatch):
    monkeypatch.setattr(checkpoint, "PACKAGES", ("torch", "no-such-package"))
    result = versions()
    assert result["torch"] == metadata.version("torch") and result["no-such-package"] == "unknown"
    monkeypatch.undo()
    assert set(versions()) == {"python", *PACKAGES}
