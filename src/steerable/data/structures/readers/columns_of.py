"""Quantities that some rows have, as columns of all rows."""

from __future__ import annotations

import numpy as np

from ..columns import Column, Per, empty_rows


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
