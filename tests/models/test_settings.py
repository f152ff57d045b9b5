"""Settings of networks are frozen, and their defaults are those of the networks."""

import dataclasses
import inspect

import pytest

from steerable.models import (
    Classifier,
    ClassifierSettings,
    DynamicsSettings,
    ImageClassifier,
    ImageClassifierSettings,
    MessageForces,
    PairForces,
    Regressor,
    RegressorSettings,
    SphereClassifier,
    SphereClassifierSettings,
)
from steerable.settings import ConfigError


def defaults(network):
    """Defaults of the keyword arguments of a network, tuples as lists."""
    parameters = inspect.signature(network).parameters
    return {
        name: list(value) if isinstance(value := parameter.default, tuple) else value
        for name, parameter in parameters.items()
    }


@pytest.mark.parametrize(
    ("settings", "network"),
    [
        (RegressorSettings, Regressor),
        (ImageClassifierSettings, ImageClassifier),
        (SphereClassifierSettings, SphereClassifier),
    ],
)
def test_defaults_are_those_of_the_network(settings, network):
    assert dataclasses.asdict(settings()).items() <= defaults(network).items()


def test_defaults_are_those_of_the_classifier():
    chosen, known = dataclasses.asdict(ClassifierSettings()), defaults(Classifier)
    assert chosen.pop("levels") == known.pop("points")[1:]
    assert chosen.items() <= known.items()


def test_defaults_are_those_of_the_forces():
    settings = DynamicsSettings()
    for forces in (PairForces, MessageForces):
        shared = {"hidden", "softening", "translations"} & set(defaults(forces))
        assert {name: getattr(settings, name) for name in shared} == {
            name: defaults(forces)[name] for name in shared
        }


@pytest.mark.parametrize(
    "kind",
    [
        RegressorSettings,
        ClassifierSettings,
        ImageClassifierSettings,
        SphereClassifierSettings,
        DynamicsSettings,
    ],
)
def test_settings_are_frozen(kind):
    settings = kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.group = "C1"


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (RegressorSettings, {"kernel": "none"}, "model.kernel is one of radial, implicit, bonds"),
        (ClassifierSettings, {"depth": -1}, "model.depth is a finite number 0 or more; got -1"),
        (ImageClassifierSettings, {"dropout": 1.0}, "model.dropout is .* below 1; got 1.0"),
        (SphereClassifierSettings, {"degrees": [3]}, "model.degrees has the degree of the input"),
        (DynamicsSettings, {"softening": 0.0}, "model.softening is a finite number above 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, values, message):
    with pytest.raises(ConfigError, match=message):
        kind(**values)
