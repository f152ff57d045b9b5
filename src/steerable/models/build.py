"""The networks of the tasks, from the plain arguments that a run folder keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from steerable.groups import named_group

from .classifier import Classifier
from .dynamics import Dynamics
from .forces import Gravitation, PairForces
from .heads import HeadSettings
from .image_classifier import ImageClassifier
from .messages import MessageForces
from .property_net import PropertyNet, PropertySettings
from .regressor import EARLIER, Reference, Regressor
from .sphere_net import SphereClassifier

_IN_SPACE = {"SO(2)": "Cinf", "O(2)": "Cinfv"}


def in_space(group: str) -> str:
    """The name of a group acting on space: those of the plane turn about the upright axis."""
    return _IN_SPACE.get(group, group)


def build_qm9(elements: Sequence[int], **arguments: Any) -> nn.Module:
    """The library's own network for one property of a molecule.

    It is built from plain numbers, texts and lists.
    """
    settings = {
        name: arguments.pop(name) for name in ("shift", "scale", "pool") if name in arguments
    }
    atoms = arguments.pop("reference", None)
    reference = Reference(tuple(elements), tuple(atoms) if atoms else None, **settings)
    earlier = {} if "contraction" in arguments else EARLIER
    return Regressor(reference, **(earlier | arguments))


def build_property(
    elements: Sequence[int],
    heads: Sequence[dict[str, Any]],
    neighbours: float | None = 16.0,
    **arguments: Any,
) -> nn.Module:
    """The library's own network for named targets of structures, from plain numbers and texts.

    Args:
        elements: atomic numbers that are known.
        heads: what `HeadSettings.plain` returns, for every target.
        neighbours: the usual number of neighbours within the cutoff.
        arguments: the other settings, those of `PropertySettings`.
    """
    settings = [HeadSettings.read(head) for head in heads]
    return PropertyNet(elements, settings, PropertySettings(**arguments), neighbours)


def build_shapes(**arguments: Any) -> nn.Module:
    """The library's own network for the class of a cloud, from plain numbers and texts."""
    model: nn.Module = Classifier(**arguments)
    return model


def build_digits(**arguments: Any) -> nn.Module:
    """The library's own network for pictures, from plain numbers and texts."""
    model: nn.Module = ImageClassifier(**arguments)
    return model


def build_sphere(**arguments: Any) -> nn.Module:
    """The library's own network for signals on the sphere, from plain numbers."""
    model: nn.Module = SphereClassifier(**arguments)
    return model


def build_nbody(forces: str, steps: int, length: float, time: float, **arguments: Any) -> nn.Module:
    """The library's own network for the motion of particles, from plain numbers and texts."""
    if forces == "messages":
        return Dynamics(
            MessageForces(named_group(arguments.pop("group")), **arguments), steps, length, time
        )
    kind: Callable[..., Any] = PairForces if forces == "pairs" else Gravitation
    return Dynamics(kind(**arguments), steps, length, time)


BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "qm9": build_qm9,
    "shapes": build_shapes,
    "digits": build_digits,
    "sphere": build_sphere,
    "nbody": build_nbody,
    "property": build_property,
}


def task_name(metadata: dict[str, Any]) -> str:
    """The name of the task that a network was trained for.

    Raises:
        ValueError: this version has no such task.
    """
    name: str = metadata["task"].partition("/")[0]
    if name not in BUILDERS:
        raise ValueError(
            f"The network was trained for the task {name!r}, and this version has "
            f"{', '.join(BUILDERS)}. "
            f"Use the versions it was made with ({metadata.get('versions')})."
        )
    return name


def builder(metadata: dict[str, Any]) -> Callable[..., nn.Module]:
    """What makes the network of a task from `metadata["model"]`.

    Raises:
        ValueError: this version has no such task.
    """
    return BUILDERS[task_name(metadata)]
