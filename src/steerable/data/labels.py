"""Labels by name: what a network should predict, as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor


class Label(NamedTuple):
    """The values of one label in a batch, without those that are missing.

    The rows are numbers rather than a mask, so that selecting them never waits for the device.

    Args:
        value: the values that are known (known row, ...).
        rows: the rows of the prediction that they belong to (known row,); None for all of them.
    """

    value: Tensor
    rows: Tensor | None = None

    def select(self, prediction: Tensor) -> Tensor:
        """The rows of a prediction (row, ...) that have a label (known row, ...)."""
        return prediction if self.rows is None else prediction.index_select(0, self.rows)


Labels = Mapping[str, Label]


def label(values: Tensor) -> Label:
    """The label of values (row, ...), of which a row that has a NaN is missing."""
    if not values.is_floating_point():
        return Label(values)
    missing = values.flatten(1).isnan().any(1) if values.dim() > 1 else values.isnan()
    if not missing.any():
        return Label(values)
    rows = (~missing).nonzero().flatten()
    return Label(values.index_select(0, rows), rows)


def named_labels(
    y: Tensor | Mapping[str, Tensor | Label], name: str = "prediction"
) -> dict[str, Label]:
    """The labels of a batch by name.

    Args:
        y: the last part of a batch: values, with NaN where they are missing, or labels; one tensor,
            or several by name. A name that is absent is missing in the whole batch.
        name: of labels that are one tensor.
    """
    named = {name: y} if isinstance(y, Tensor) else y
    return {
        key: values if isinstance(values, Label) else label(values) for key, values in named.items()
    }
