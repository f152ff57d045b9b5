"""A problem as a Lightning module.

It has the loss, the average of the weights, the learning rate and the errors of an epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ..data import Batches, Labels, named_labels
from ..models import named_outputs
from .config import ConfigError, TrainingConfig
from .losses import output
from .muon import Muon
from .task import Problem


class Learner(LightningModule):
    """Fits a network to a problem: `model(*inputs)` to the labels of each batch.

    Predictions and labels have names, and a label may be missing. Validation uses the running
    average of the weights, `average`.

    Args:
        model: the network.
        config: how to train.
        problem: what to learn; the place in its training items is kept in the state of a run.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig, problem: Problem) -> None:
        super().__init__()
        self.model = model
        self.average = AveragedModel(
            model, multi_avg_fn=running_average(config.ema_decay)
        ).requires_grad_(False)
        self.config, self.problem = config, problem
        # A row an epoch: epoch, seconds, train_*, validation_*, ..., lr.
        self.history: list[dict[str, float]] = []
        self.unmeasured: set[str] = set()  # the errors of the last epoch that had no label
        self._seconds = 0.0  # of earlier sessions of this run
        self._started = time.perf_counter()
        self._train = [Mean() for _ in problem.measures]
        self._validation = [Mean() for _ in problem.measures]

    @property
    def seconds(self) -> float:
        """Seconds of training, over all sessions of this run."""
        return self._seconds + time.perf_counter() - self._started

    @property
    def progress(self) -> float:
        """The share of the training that is done, by steps or by time, whichever is larger."""
        done = self.global_step / (self.config.epochs * len(self.problem.train))
        return min(
            1.0,
            max(done, self.seconds / self.config.max_seconds) if self.config.max_seconds else done,
        )

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        warm = self.config.lr * min(1.0, (self.global_step + 1) / (self.config.warmup_steps + 1))
        if self.config.schedule == "plateau":
            return warm * plateau(
                [self.deciding(row) for row in self.history], self.config.patience
            )
        return warm * 0.5 * (1 + math.cos(math.pi * self.progress))

    def deciding(self, row: dict[str, float]) -> float:
        """The validation error of an epoch that chooses the weights."""
        return row[f"validation_{self.problem.measures[0].key}"]

    @property
    def has_stalled(self) -> bool:
        """Whether the validation error has not improved for `early_stopping` epochs."""
        errors = [self.deciding(row) for row in self.history]
        since = len(errors) - 1 - errors.index(min(errors)) if errors else 0
        return 0 < self.config.early_stopping <= since

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer; its learning rate is written before each step."""
        lr, weight_decay = self.config.lr, self.config.weight_decay
        if self.config.optimizer == "muon":
            return Muon(self.model, lr, weight_decay)
        return torch.optim.AdamW(self.model.parameters(), lr=lr, weight_decay=weight_decay)

    def train_dataloader(self) -> Batches:
        """The training items."""
        return self.problem.train

    def val_dataloader(self) -> Batches:
        """The validation items."""
        return self.problem.validation

    def on_fit_start(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Name the labels and leave out what is missing while the batch is on the CPU."""
        *inputs, y = batch
        return *inputs, named_labels(y, self.problem.output)

    def training_step(self, batch: Any) -> Tensor:
        """The loss of a batch.

        Random numbers, as of dropout, depend on the seed and the step alone.
        """
        torch.manual_seed((self.config.seed * 1_000_003 + self.global_step) % 2**32)
        outputs, labels = self._predict(self.model, batch)
        self._measure(self._train, outputs, labels)
        return self.problem.loss(outputs, labels)

    def _predict(self, model: nn.Module, batch: Any) -> tuple[dict[str, Tensor], Labels]:
        """Predictions and labels of a batch by name."""
        *inputs, y = batch
        name = self.problem.output
        return named_outputs(model(*inputs), name), named_labels(y, name)

    def _measure(
        self, means: Sequence[Mean], outputs: Mapping[str, Tensor], labels: Labels
    ) -> None:
        """Count the errors of a batch in all that has labels."""
        for mean, measure in zip(means, self.problem.measures, strict=True):
            prediction = output(outputs, measure.output).detach()
            label = labels.get(measure.output)
            if label is not None and label.value.numel():
                mean.add(measure.error(label.select(prediction), label.value))

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        """A step of the weights and of their average."""
        for group in optimizer.param_groups:
            group["lr"] = self.rate
        optimizer.step(closure=optimizer_closure)
        self.average.update_parameters(self.model)

    def validation_step(self, batch: Any) -> None:
        """Count the errors of a batch."""
        self._measure(self._validation, *self._predict(self.average, batch))

    def end_epoch(self) -> dict[str, float]:
        """The row of the epoch that ends, which is added to the history.

        Errors are in their units; the mean of no label at all is NaN.

        Raises:
            ConfigError: nothing in the validation has the label that chooses the weights.
        """
        deciding = self.problem.measures[0]
        if not self._validation[0].count:
            raise ConfigError(
                f"No item of the validation has the label {deciding.output!r}, whose error chooses "
                "the weights: add items that have it, or begin the measures with another."
            )
        row = {"epoch": len(self.history) + 1, "seconds": round(self.seconds, 3)}
        self.unmeasured = {
            f"{part}_{measure.key}"
            for part, means in (("train", self._train), ("validation", self._validation))
            for measure, mean in zip(self.problem.measures, means, strict=True)
            if not mean.count
        }
        for measure, train, validation in zip(
            self.problem.measures, self._train, self._validation, strict=True
        ):
            row |= {
                f"train_{measure.key}": train.take(),
                f"validation_{measure.key}": validation.take(),
            }
        row["lr"] = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.history.append(row)
        return row

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what a resumed run needs besides weights and optimizer."""
        checkpoint["task"] = {
            "seconds": self.seconds,
            "history": self.history,
            "train": [[float(mean.total), mean.count] for mean in self._train],
            "batches": self.problem.train.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore what `on_save_checkpoint` added."""
        state = checkpoint["task"]
        self._seconds, self.history = state["seconds"], list(state["history"])
        self.problem.train.load_state_dict(state["batches"])
        for mean, (total, count) in zip(self._train, state["train"], strict=True):
            mean.total, mean.count = torch.tensor(total, dtype=torch.float64), count


class Mean:
    """A mean of numbers that come in tensors.

    It stays on their device, so that adding does not wait for it.
    """

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
    """Average <- d average + (1 - d) weights with d = min(decay, (1 + n) / (10 + n)).

    The first weights are soon forgotten.
    """

    @torch.no_grad()
    def update(average: Any, weights: Any, count: Any) -> None:
        n = int(count)
        torch._foreach_lerp_(list(average), list(weights), 1 - min(decay, (1 + n) / (10 + n)))

    return update


def plateau(errors: Sequence[float], patience: int) -> float:
    """The factor of a learning rate that is halved when training stalls.

    Training stalls after `patience` epochs without a new least error.
    """
    least, stale, factor = math.inf, 0, 1.0
    for error in errors:
        least, stale = (error, 0) if error < least else (least, stale + 1)
        if stale == patience:
            stale, factor = 0, factor / 2
    return factor
