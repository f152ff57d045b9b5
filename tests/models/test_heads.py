"""Settings of heads: what fits together, and what JSON keeps."""

import json

import pytest

from steerable.groups import O3
from steerable.models import HeadSettings
from steerable.settings import ConfigError


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"kind": "matrix"}, "kind is one of scalar, vector"),
        ({"per": "bond"}, "per is one of structure, atom"),
        ({"kind": "class"}, "classes is 2 or more .* got 0 for 'class'"),
        ({"kind": "class", "classes": 1}, "got 1 for 'class'"),
        ({"classes": 3}, "got 3 for 'scalar'"),
        ({"charges": True}, "charges are a part of vectors"),
        ({"kind": "vector", "pool": "mean", "charges": True}, "with the pool 'sum'"),
        ({"kind": "vector", "shift": 1.0}, "of scalars and tensors; the kind is 'vector'"),
        ({"scale": (1.0, 2.0)}, "one scale, not one per element"),
        ({"scale": 0.0}, "scale is a finite number above 0; got 0.0"),
        ({"shift": float("nan")}, "finite numbers"),
    ],
)
def test_settings_that_do_not_fit(settings, text):
    with pytest.raises(ConfigError, match=text):
        HeadSettings("gap", **settings)


@pytest.mark.parametrize(
    "head",
    [
        HeadSettings("energy", reference=(1.0, 2.0), shift=0.1, scale=3.0),
        HeadSettings("charges", per="atom", scale=(1.0, 2.0)),
        HeadSettings("tests", "labels", classes=4, pool="attention"),
    ],
)
def test_json_keeps_the_settings(head):
    assert HeadSettings.read(json.loads(json.dumps(head.plain()))) == head


@pytest.mark.parametrize(
    ("head", "field", "shape"),
    [
        (HeadSettings("a"), "1x0e", ()),
        (HeadSettings("a", "vector"), "1x1o", (3,)),
        (HeadSettings("a", "tensor"), "1x0e+1x2e", (3, 3)),
        (HeadSettings("a", "tensor", symmetric=False), "1x0e+1x2e+1x1e", (3, 3)),
        (HeadSettings("a", "class", classes=4), "4x0e", (4,)),
    ],
)
def test_the_field_of_a_value(head, field, shape):
    assert str(head.field(O3()).field) == field
    assert head.shape == shape
