"""Figures of a training run."""

from .figures import draw, loss_curves, parity

__all__ = ["draw", "loss_curves", "parity"]
