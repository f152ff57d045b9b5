"""One property of molecules as a Lightning module: the loss, the average of the weights, the learning rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from .config import FitConfig
from .molecules import Batch, Batches

LOSSES: dict[str, Callable[..., Tensor]] = {"l1": F.l1_loss, "mse": F.mse_loss, "huber": F.huber_loss}


class PropertyTask(LightningModule):
    """Fits `model(z, pos, batch, edge_index) -> (molecule,)` to `Batch.y`.

    The loss is that of (prediction - y) / scale. Validation uses the running average of the weights, `average`.

    Args:
        model: predicts one number a molecule, in the target's unit.
        config: how to train.
        batches: the training data, whose place is kept in the state of a run.
        scale: spread of the target that makes the loss a pure number, in the target's unit.
    """

    def __init__(self, model: nn.Module, config: FitConfig, batches: Batches, scale: float) -> None:
        super().__init__()
        self.model = model
        self.average = AveragedModel(model, multi_avg_fn=running_average(config.ema_decay)).requires_grad_(False)
        self.config, self.batches, self.scale = config, batches, scale
        self.history: list[dict[str, float]] = []  # one row an epoch: epoch, seconds, train_mae, validation_mae, lr
        self._seconds = 0.0  # of earlier sessions of this run
        self._started = time.perf_counter()
        self._train, self._validation = Mean(), Mean()

    @property
    def seconds(self) -> float:
        """Seconds of training, over all sessions of this run."""
        return self._seconds + time.perf_counter() - self._started

    @property
    def progress(self) -> float:
        """The share of the training that is done, by steps or by time, whichever is larger."""
        done = self.global_step / (self.config.epochs * len(self.batches))
        return min(1.0, max(done, self.seconds / self.config.max_seconds) if self.config.max_seconds else done)

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        warm = min(1.0, (self.global_step + 1) / (self.config.warmup_steps + 1))
        if self.config.schedule == "plateau":
            return (
                self.config.lr * warm * plateau([row["validation_mae"] for row in self.history], self.config.patience)
            )
        return self.config.lr * warm * 0.5 * (1 + math.cos(math.pi * self.progress))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW; its learning rate is written before each step."""
        return torch.optim.AdamW(self.model.parameters(), lr=self.config.lr, weight_decay=self.config.weight_decay)

    def train_dataloader(self) -> Batches:
        """The training data."""
        return self.batches

    def on_fit_start(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def training_step(self, batch: Batch) -> Tensor:
        """The loss of a batch."""
        error = (self.model(*batch[:-1]) - batch.y) / self.scale
        self._train.add(error.detach().abs() * self.scale)
        return LOSSES[self.config.loss](error, torch.zeros_like(error))

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        """A step of the weights and of their average."""
        for group in optimizer.param_groups:
            group["lr"] = self.rate
        optimizer.step(closure=optimizer_closure)
        self.average.update_parameters(self.model)

    def validation_step(self, batch: Batch) -> None:
        """Count the errors of a batch."""
        self._validation.add((self.average(*batch[:-1]) - batch.y).abs())

    def end_epoch(self) -> dict[str, float]:
        """The row of the epoch that ends, which is added to the history; errors are in the target's unit."""
        row = {
            "epoch": len(self.history) + 1,
            "seconds": round(self.seconds, 3),
            "train_mae": self._train.take(),
            "validation_mae": self._validation.take(),
            "lr": self.trainer.optimizers[0].param_groups[0]["lr"],
        }
        self.history.append(row)
        return row

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what a resumed run needs besides weights and optimizer."""
        checkpoint["task"] = {
            "seconds": self.seconds,
            "history": self.history,
            "train": [float(self._train.total), self._train.count],
            "batches": self.batches.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore what `on_save_checkpoint` added."""
        state = checkpoint["task"]
        self._seconds, self.history = state["seconds"], list(state["history"])
        self.batches.load_state_dict(state["batches"])
        self._train.total, self._train.count = torch.tensor(state["train"][0], dtype=torch.float64), state["train"][1]


class Mean:
    """A mean of numbers that come in tensors; it stays on their device, so that adding does not wait for it."""

    def __init__(self) -> None:
        self.total, self.count = torch.zeros((), dtype=torch.float64), 0

    def add(self, values: Tensor) -> None:
        """Count some values."""
        self.total = self.total.to(values.device) + values.sum()
        self.count += values.numel()

    def take(self) -> float:
        """The mean, NaN of nothing; and begin anew."""
        mean = float(self.total) / self.count if self.count else math.nan
        self.total, self.count = torch.zeros((), dtype=torch.float64), 0
        return mean


def running_average(decay: float) -> Callable[[Iterable[Tensor], Iterable[Tensor], Any], None]:
    """Average <- d average + (1 - d) weights with d = min(decay, (1 + n) / (10 + n)), so the first weights soon go."""

    @torch.no_grad()
    def update(average: Any, weights: Any, count: Any) -> None:
        n = int(count)
        torch._foreach_lerp_(list(average), list(weights), 1 - min(decay, (1 + n) / (10 + n)))

    return update


def plateau(errors: Sequence[float], patience: int) -> float:
    """The factor of a learning rate that is halved after each `patience` epochs without a new least error."""
    least, stale, factor = math.inf, 0, 1.0
    for error in errors:
        least, stale = (error, 0) if error < least else (least, stale + 1)
        if stale == patience:
            stale, factor = 0, factor / 2
    return factor
