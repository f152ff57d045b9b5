"""What a run leaves behind while it trains.

It writes a log, the best weights and a state to go on from, and prints lines to watch.
"""

from __future__ import annotations

import csv
import io
import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn

from ..deploy import LOG, STATE, write
from .config import DivergedError
from .learner import Learner
from .measures import Measure


class Recorder(Callback):
    """Writes `log.csv`, `last.ckpt` and the best weights, and stops in time.

    The first two are written at the end of each epoch.

    Args:
        run: the run folder.
        save: called with the averaged network when its validation error is the least so far.
        console: where the lines go; a terminal gets a progress bar too.
    """

    def __init__(self, run: Path, save: Callable[[nn.Module], None], console: Console) -> None:
        self.run, self.save = run, save
        self.interrupted = False
        bar = (
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %"),
            TimeElapsedColumn(),
        )
        self.bar = Progress(
            *bar,
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[error]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.console = console

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the bar."""
        self.bar.start()
        self.bar.add_task("training", total=1.0, error="")

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Stop in the middle of an epoch when time is up or the user asks for it."""
        progress = _learner(pl_module).progress
        self.bar.update(self.bar.task_ids[0], completed=progress)
        if (self.interrupted or progress == 1.0) and not trainer.is_last_batch:
            trainer.save_checkpoint(self.run / STATE)
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the epoch.

        Raises:
            DivergedError: the loss is no number; what earlier epochs left stays.
        """
        learner = _learner(pl_module)
        measures, config = learner.problem.measures, learner.config
        earlier = min(map(learner.deciding, learner.history), default=math.inf)
        row = learner.end_epoch()
        measured = (value for key, value in row.items() if key not in learner.unmeasured)
        if not all(map(math.isfinite, measured)):
            raise DivergedError(
                f"Training diverged in epoch {row['epoch']}: {words(row, measures)}. Lower fit.lr "
                f"({config.lr:g}) or fit.clip ({config.clip:g}), or train longer with "
                "fit.warmup_steps."
            )
        write(self.run / LOG, table(learner.history, measures).encode())
        if learner.deciding(row) < earlier:
            self.save(learner.average.module)
        if (
            not trainer.should_stop
        ):  # else the state is that of the middle of the epoch, where it can go on
            trainer.save_checkpoint(self.run / STATE)
            ended = learner.progress == 1.0 or learner.has_stalled
            trainer.should_stop = self.interrupted or ended
        if trainer.logger is not None:
            trainer.logger.log_metrics(row, step=int(row["epoch"]))
        first = measures[0]
        error = f"{first.name} {learner.deciding(row):#.3g} {first.unit}"
        self.bar.update(self.bar.task_ids[0], error=error)
        self.console.out(line(row, measures), highlight=False)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the bar away."""
        self.bar.stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away."""
        self.bar.stop()


@contextmanager
def stop_on_interrupt(recorder: Recorder) -> Iterator[None]:
    """The first Ctrl-C ends training after the step that runs; the second is an ordinary one."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return

    def stop(*_: Any) -> None:
        recorder.interrupted = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def table(history: list[dict[str, float]], measures: Sequence[Measure]) -> str:
    """The log as CSV, one row an epoch; errors in their units, time in seconds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [
        f"{part} {measure.name} [{measure.unit}]"
        for measure in measures
        for part in ("train", "validation")
    ]
    writer.writerow(["epoch", "time [s]", *columns, "learning rate"])
    for row in history:
        writer.writerow([f"{value:.7g}" for value in row.values()])
    return text.getvalue()


def line(row: dict[str, float], measures: Sequence[Measure]) -> str:
    """An epoch in words."""
    return (
        f"epoch {row['epoch']:3.0f} {row['seconds']:7.0f} s   lr {row['lr']:.1e}   "
        f"{words(row, measures)}"
    )


def words(row: dict[str, float], measures: Sequence[Measure]) -> str:
    """The errors of an epoch in words."""
    return "   ".join(
        f"{measure.name} [{measure.unit}] train {row[f'train_{measure.key}']:#.4g} "
        f"validation {row[f'validation_{measure.key}']:#.4g}"
        for measure in measures
    )


def _learner(module: LightningModule) -> Learner:
    assert isinstance(module, Learner)
    return module
