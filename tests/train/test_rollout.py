"""A rollout is asked of the task of a run."""

import pytest
import torch

from steerable.train import ConfigError, rollout


def test_another_task_has_no_rollout(monkeypatch):
    monkeypatch.setitem(rollout.__globals__, "load", lambda *_: (None, {"task": "qm9/U0"}))
    with pytest.raises(ConfigError, match="A rollout needs a run of nbody, .* learned qm9/U0"):
        rollout("here", 1)


def test_the_network_is_loaded_in_double_precision_where_the_user_says(monkeypatch):
    def load(run, build, device, dtype):
        asked.append((device, dtype))
        return None, {"task": "qm9/U0"}

    asked = []
    monkeypatch.setitem(rollout.__globals__, "load", load)
    for device in ({}, {"device": "cuda:1"}):
        with pytest.raises(ConfigError):
            rollout("here", 1, **device)
    assert asked == [("auto", torch.float64), ("cuda:1", torch.float64)]
