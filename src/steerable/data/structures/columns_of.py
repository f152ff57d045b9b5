"""Quantities that some rows have, as columns of all rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .columns import Column, Per, empty_rows
from .texts import lone_text, text_of


def column_of(values: np.ndarray, per: Per = "structure") -> Column:
    """A column in which a row of nothing but NaN is missing."""
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return Column(values, per)
    missing = np.isnan(values).reshape(len(values), -1).all(1)
    return Column(values, per, known=~missing if missing.any() else None)


def spread(column: Column, rows: np.ndarray, count: int) -> Column:
    """A column of `count` rows: those of another at the positions `rows`, the rest missing."""
    if len(rows) == count and np.array_equal(rows, np.arange(count)):
        return column
    result = empty_rows(column, count)
    assert result.known is not None
    result.data[rows] = column.data
    result.known[rows] = ~column.missing
    return result


def array_of(values: Sequence[object]) -> np.ndarray:
    """Values of several structures as one array (value, ...).

    Numbers and truth values of one shape stay what they are. Texts, and values of different kinds
    or shapes, are texts.
    """
    if not any(isinstance(value, str) for value in values):
        try:
            array = np.array(values)
        except ValueError:  # of different shapes
            array = np.array(None)
        if array.dtype.kind in "biuf":
            return array
    texts = [value if isinstance(value, str) else lone_text(text_of(value)) for value in values]
    return np.array(texts)
