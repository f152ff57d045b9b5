"""Names of a package that are imported on first use."""

import pytest

import steerable.nn
from steerable.lazy import lazy


def test_lazy_names():
    get = lazy("steerable.nn", {"sqrt": "..nothing", "Pool": "..convs"})
    assert get("Pool") is steerable.nn.Pool
    with pytest.raises(AttributeError, match=r"module 'steerable.nn' has no attribute 'Pol'"):
        get("Pol")
    with pytest.raises(ImportError):
        get("sqrt")
    with pytest.raises(AttributeError, match="module 'steerable' has no attribute 'torch'"):
        steerable.torch  # noqa: B018
