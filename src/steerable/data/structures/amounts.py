"""How many structures each part of a split has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Amount = int | float | Literal["rest"]


@dataclass(frozen=True)
class Amounts:
    """How many structures to train on, to validate on and to test on.

    Args:
        train: a number, a fraction of all (0.8), or `rest`, what the others leave.
        validation: the same.
        test: the same.
    """

    train: Amount = "rest"
    validation: Amount = 0.1
    test: Amount = 0.1

    def counts(self, size: int) -> tuple[int, int, int]:
        """The numbers of structures to train on, to validate on and to test on.

        A fraction that is not 0 gives one structure or more. Fractions that add up to 1 leave none.

        Args:
            size: the number of all structures.

        Raises:
            ValueError: an amount is no number or fraction, or there are too few structures.
        """
        amounts = (self.train, self.validation, self.test)
        names = ("train", "validation", "test")
        for name, amount in zip(names, amounts, strict=True):
            _check(name, amount)
        if amounts.count("rest") > 1:
            raise ValueError(f"Only one part may be the rest; got {self}.")
        fractions = [amount for amount in amounts if isinstance(amount, float)]
        if len(fractions) == 3 and abs(sum(fractions) - 1) < 1e-9:
            amounts = ("rest", self.validation, self.test)
        counts = [_count(amount, size) for amount in amounts]
        if "rest" in amounts:
            counts[amounts.index("rest")] = size - sum(counts)
        if sum(counts) > size or counts[0] < 1 or min(counts) < 0:
            raise ValueError(
                f"train={self.train}, validation={self.validation} and test={self.test} cannot be "
                f"taken of {size} structures: lower them, or add structures."
            )
        return counts[0], counts[1], counts[2]


def _check(name: str, amount: Amount) -> None:
    if isinstance(amount, str):
        is_right = amount == "rest"
    else:
        is_right = 0 <= amount <= 1 if isinstance(amount, float) else amount >= 0
    if not is_right:
        raise ValueError(
            f"{name} is a number of structures, a fraction from 0.0 to 1.0, or 'rest'; got "
            f"{amount!r}."
        )


def _count(amount: Amount, size: int) -> int:
    if isinstance(amount, str):
        return 0
    if isinstance(amount, float):
        return max(1, round(amount * size)) if amount else 0
    return amount
