"""What training makes small: a weighted sum of terms, one or more for each label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from steerable.data import Labels

from .config import ConfigError

Elementary = Callable[[Tensor, Tensor], Tensor]

LOSSES: dict[str, Callable[..., Tensor]] = {
    "l1": F.l1_loss,
    "mse": F.mse_loss,
    "huber": F.huber_loss,
}


@dataclass(frozen=True)
class Term:
    """weight * function(prediction, label), over the rows that have a label.

    Args:
        output: name of the prediction and of its label.
        function: the prediction and the label (known row, ...) to a number.
        weight: of this term in the sum.
        unit: of the function; it is printed.
    """

    output: str
    function: Elementary
    weight: float = 1.0
    unit: str = "1"

    def __str__(self) -> str:
        return f"{self.weight:g} {self.output} [{self.unit}]"


@dataclass(frozen=True)
class Loss:
    """The sum of the terms whose labels a batch has.

    Where a batch has none the loss is zero, and so are its gradients.

    Args:
        terms: one or more; several may be of one label.

    Raises:
        ConfigError: no term, or a weight that is negative or not finite.
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        wrong = [term for term in self.terms if not 0 <= term.weight < float("inf")]
        if wrong or not self.terms:
            raise ConfigError(
                "A loss has one term or more, with finite weights of 0 or more; got "
                f"{', '.join(map(str, wrong)) or 'no term'}."
            )

    def __call__(self, outputs: Mapping[str, Tensor], labels: Labels) -> Tensor:
        """The loss of a batch.

        Args:
            outputs: predictions by name.
            labels: labels by name.

        Raises:
            ConfigError: the network does not predict what a term asks for.
        """
        parts = []
        for term in self.terms:
            prediction = output(outputs, term.output)
            label = labels.get(term.output)
            if label is not None and label.value.numel():
                part = term.function(label.select(prediction), label.value)
                parts.append(part if term.weight == 1 else term.weight * part)
        if not parts:
            # Still a function of the weights, so that backward() has something to do.
            parts = [0.0 * prediction.sum() for prediction in outputs.values()]
        return sum(parts[1:], parts[0])

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))


def output(outputs: Mapping[str, Tensor], name: str) -> Tensor:
    """The prediction of a name.

    Raises:
        ConfigError: the network does not predict it.
    """
    if name not in outputs:
        raise ConfigError(
            f"The loss and the measures need the output {name!r}, and the network returns "
            f"{', '.join(outputs)}: give a network that returns it, or leave it out of them."
        )
    return outputs[name]


def scaled(name: str, scale: float) -> Elementary:
    """A loss of the error in units of `scale`, which is usually the spread of the label.

    Args:
        name: `l1`, `mse` or `huber`.
        scale: in the unit of the label.
    """

    def function(prediction: Tensor, label: Tensor) -> Tensor:
        error = (prediction - label) / scale
        return LOSSES[name](error, torch.zeros_like(error))

    return function
