"""Settings are checked against their choices and bounds."""

from dataclasses import dataclass
from typing import Literal

import pytest

from steerable.settings import ConfigError, check_choices, check_range


@dataclass
class Settings:
    kind: Literal["a", "b"] = "a"
    size: float = 1.0


def test_choices_are_those_of_the_type():
    check_choices("data", Settings())
    with pytest.raises(ConfigError, match="data.kind is one of a, b; got 'c'"):
        check_choices("data", Settings("c"))


def test_bounds_are_kept():
    check_range("data", Settings(), "size", least=1, below=2)
    with pytest.raises(ConfigError, match="data.size is a finite number 1 or more; got nan"):
        check_range("data", Settings(size=float("nan")), "size", least=1)
    with pytest.raises(ConfigError, match="above 1 and below 2; got 1.0"):
        check_range("data", Settings(), "size", above=1, below=2)
