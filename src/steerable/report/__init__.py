"""Figures of a training run."""

from .figures import confusion, draw, loss_curves, parity
from .rollout import check_film, draw_rollout

__all__ = ["check_film", "confusion", "draw", "draw_rollout", "loss_curves", "parity"]
