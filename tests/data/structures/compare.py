"""What tests of structures share."""

import numpy as np

FIELDS = ("z", "pos", "ends", "cell", "pbc")


def assert_same(one, other, units=True):
    """Two sets of structures are equal bit for bit: atoms, quantities, and what is missing."""
    for name in FIELDS:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
    assert set(one.columns) == set(other.columns)
    for name, column in one.columns.items():
        twin = other.columns[name]
        assert (column.per, column.shape) == (twin.per, twin.shape), name
        assert column.data.dtype.kind == twin.data.dtype.kind, name
        assert np.array_equal(column.missing, twin.missing), name
        is_float = column.data.dtype.kind == "f"
        assert np.array_equal(column.data, twin.data, equal_nan=is_float), name
        if is_float:
            values, others = column.data[~column.missing], twin.data[~twin.missing]
            assert np.array_equal(np.signbit(values), np.signbit(others)), name
        assert not units or column.unit == twin.unit, name
