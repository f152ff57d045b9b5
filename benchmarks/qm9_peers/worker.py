"""One network in a process of its own: it answers in lines of JSON.

    python -m qm9_peers.worker ORDER

ORDER is JSON with `verb` and, but for `settings`, `network`, `arguments`, `data`, `recipe`,
`threads` and `compiled`. `settings` answers what steerable's demo chooses. `ms` reads numbers of
steps from the standard input and answers the milliseconds of each. `train` also has `state`, a file
to go on from, and `test`, whether the test molecules are looked at in the end.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from .molecules import read_facts, read_part
from .networks import build
from .training import Recipe, Training

SHARES = (0.25, 0.5, 0.75, 1.0)  # of the steps, after which the network is validated


def main() -> None:
    order = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what packages print is no answer

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    if order["verb"] == "settings":
        from .ours import settings

        answer(**settings())
        return
    torch.set_num_threads(order["threads"])
    training = prepare(order)
    answer(
        parameters=sum(weight.numel() for weight in training.weights),
        molecules=len(training.part),
        batch_size=training.recipe.batch_size,
        optimizer=training.recipe.optimizer,
        threads=order["threads"],
    )
    if order["verb"] == "ms":
        for line in sys.stdin:
            answer(**milliseconds(training, int(line)))
    else:
        train(training, order, answer)


def prepare(order: dict[str, Any]) -> Training:
    """The network of an order and its training molecules."""
    facts, recipe = read_facts(order["data"]), Recipe(**order["recipe"])
    torch.manual_seed(recipe.seed)
    model = build(order["network"], facts, order["compiled"], **order["arguments"])
    return Training(model, read_part(order["data"], "train"), facts.scale, recipe)


def milliseconds(training: Training, steps: int) -> dict[str, list[float]]:
    """Of each of some steps, by the clock of the process and by that on the wall."""
    times: dict[str, list[float]] = {"cpu": [], "wall": []}
    for _ in range(steps):
        cpu, wall = training.cpu_seconds, training.wall_seconds
        training.step()
        times["cpu"].append(1e3 * (training.cpu_seconds - cpu))
        times["wall"].append(1e3 * (training.wall_seconds - wall))
    return times


def train(training: Training, order: dict[str, Any], answer: Callable[..., None]) -> None:
    """All steps, with the validation error at the shares of them, then the test."""
    state, history = Path(order["state"]), []
    if state.exists():
        saved = torch.load(state, weights_only=True)
        training.resume(saved["training"])
        history = saved["history"]
    for line in history:
        answer(**line)
    validation = read_part(order["data"], "validation")
    for share in SHARES[len(history) :]:
        while training.done < round(share * training.recipe.steps):
            training.step()
        history.append(
            {
                "share": share,
                "validation_mae": float(training.errors(validation).abs().mean()),
                "cpu_seconds": training.cpu_seconds,
                "wall_seconds": training.wall_seconds,
            }
        )
        answer(**history[-1])
        temporary = state.with_suffix(".tmp")  # the state is complete or absent
        torch.save({"training": training.state(), "history": history}, temporary)
        temporary.replace(state)
    if order["test"]:
        errors = training.errors(read_part(order["data"], "test"))
        answer(test_mae=float(errors.abs().mean()), test_rmse=float(errors.square().mean().sqrt()))


if __name__ == "__main__":
    main()
