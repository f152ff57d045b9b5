"""Figures of a training run."""

from .confusion import confusion
from .errors import error_profile
from .figures import draw
from .loss import loss_curves
from .parity import parity
from .rollout import check_film, draw_rollout
from .worst import draw_worst, worst_line

__all__ = [
    "check_film",
    "confusion",
    "draw",
    "draw_rollout",
    "draw_worst",
    "error_profile",
    "loss_curves",
    "parity",
    "worst_line",
]
