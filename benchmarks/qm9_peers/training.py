"""The training loop of every network: AdamW, warm-up and cosine, clipping, averaged weights."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .molecules import Batch, Part

TOGETHER = 100  # molecules of a batch that is evaluated


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Args:
        lr: highest learning rate.
        steps: of the optimiser, until the rate is 0.
        batch_size: molecules of a step.
        warmup: steps in which the rate rises, at most a tenth of all.
        clip: largest norm of the gradient.
        ema: decay of the average of the weights, which is what is evaluated.
        optimizer: `adamw`, or `muon` of steerable.
        seed: of the weights and of the order of the molecules.
    """

    lr: float
    steps: int
    batch_size: int = 32
    warmup: int = 200
    clip: float = 1.0
    ema: float = 0.995
    seed: int = 0
    optimizer: str = "adamw"

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        warmup = min(self.warmup, self.steps // 10)
        rise = min(1.0, (step + 1) / (warmup + 1))
        return self.lr * rise * 0.5 * (1 + math.cos(math.pi * step / self.steps))


class Training:
    """A network on its way: `model(z, pos, batch, edge_index, size)` to `y`.

    The loss is the mean absolute error in units of `scale`.

    Args:
        model: the network; its parameters are changed.
        part: the training molecules.
        scale: unit of the errors, the same for all networks.
        recipe: how to train.
    """

    def __init__(self, model: nn.Module, part: Part, scale: float, recipe: Recipe) -> None:
        self.model, self.part, self.scale, self.recipe = model, part, scale, recipe
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.average = [weight.detach().clone() for weight in self.weights]
        self.optimizer = _optimizer(model, recipe)
        self.done = 0  # steps
        self.cpu_seconds = self.wall_seconds = 0.0  # of these steps
        self._order: tuple[int, Tensor] = -1, torch.empty(0)

    def step(self) -> None:
        """One step of the optimiser and of the average."""
        cpu, wall = time.process_time(), time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(self.done)
        batch = self.batch(self.done)
        loss = (self._predict(batch) - batch.y).abs().mean() / self.scale
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.weights, self.recipe.clip)
        self.optimizer.step()
        self.done += 1
        self._take_average()
        self.cpu_seconds += time.process_time() - cpu
        self.wall_seconds += time.perf_counter() - wall

    def batch(self, step: int) -> Batch:
        """The molecules of a step, which depend on seed and batch size alone.

        What does not fill a batch at the end of an epoch is left out.
        """
        size = self.recipe.batch_size
        epoch, position = divmod(step, len(self.part) // size)
        if self._order[0] != epoch:
            generator = torch.Generator().manual_seed((self.recipe.seed << 20) + epoch)
            self._order = epoch, torch.randperm(len(self.part), generator=generator)
        return self.part.batch(self._order[1][position * size : (position + 1) * size])

    def errors(self, part: Part) -> Tensor:
        """Predictions of the averaged weights minus `y` (molecule,)."""
        with self._averaged(), torch.no_grad():
            batches = map(part.batch, torch.arange(len(part)).split(TOGETHER))
            return torch.cat([self._predict(batch) - batch.y for batch in batches])

    def state(self) -> dict[str, Any]:
        """What is needed to go on later."""
        return {
            "weights": [weight.detach() for weight in self.weights],
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "done": self.done,
            "seconds": [self.cpu_seconds, self.wall_seconds],
        }

    @torch.no_grad()
    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        torch._foreach_copy_(self.weights, state["weights"])
        torch._foreach_copy_(self.average, state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.done = state["done"]
        self.cpu_seconds, self.wall_seconds = state["seconds"]

    def _predict(self, batch: Batch) -> Tensor:
        z, pos, molecule, edge_index, y = batch
        prediction: Tensor = self.model(z, pos, molecule, edge_index, len(y))
        return prediction

    @torch.no_grad()
    def _take_average(self) -> None:
        # The first weights are soon forgotten.
        decay = min(self.recipe.ema, (1 + self.done) / (10 + self.done))
        torch._foreach_lerp_(self.average, self.weights, 1 - decay)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network has the averaged weights for a while."""
        current = [weight.detach().clone() for weight in self.weights]
        with torch.no_grad():
            torch._foreach_copy_(self.weights, self.average)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self.weights, current)


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Without weight decay; `Training` sets the learning rate before each step."""
    if recipe.optimizer == "muon":
        from .ours import muon

        return muon(model, recipe.lr)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    return torch.optim.AdamW(weights, lr=recipe.lr, weight_decay=0.0, fused=True)
