"""Checks of typed settings, and the error that they raise."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin, get_type_hints


class ConfigError(ValueError):
    """Settings that cannot be read or make no sense."""


def check_choices(section: str, config: Any) -> None:
    """Raise ConfigError if a setting with named choices is none of them."""
    for name, kind in get_type_hints(type(config)).items():
        if get_origin(kind) is Literal and getattr(config, name) not in get_args(kind):
            choices = ", ".join(str(choice) for choice in get_args(kind))
            raise ConfigError(
                f"{section}.{name} is one of {choices}; got {getattr(config, name)!r}."
            )


def check_range(
    section: str,
    config: Any,
    name: str,
    least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> None:
    """Raise ConfigError unless a setting lies within its bounds and is finite.

    The bounds are `least` or more, above `above`, below `below`.
    """
    value = getattr(config, name)
    if not (least <= value < below and value > above):
        wanted = f"{least} or more" if least > above else f"above {above}"
        wanted += f" and below {below}" if below < math.inf else ""
        raise ConfigError(f"{section}.{name} is a finite number {wanted}; got {value}.")
