"""steerable's network of `make demo`, through what is public; also of an older source tree."""

from __future__ import annotations

from typing import Any

import steerable
from steerable.models import build_qm9
from steerable.train.tasks.presets import demo
from steerable.train.tasks.qm9 import pose
from torch import nn


def settings() -> dict[str, Any]:
    """What the comparison has to know: cutoff, learning rate, and where the source is."""
    config = demo()
    return {
        "cutoff": config.model.cutoff,
        "lr": config.fit.lr,
        "source": str(steerable.__file__),
    }


def network() -> nn.Module:
    """The network as the demo builds it, with the references of its training molecules."""
    return build_qm9(**pose(demo()).arguments)
