"""Figures of a training run."""

from .figures import confusion, draw, loss_curves, parity

__all__ = ["confusion", "draw", "loss_curves", "parity"]
