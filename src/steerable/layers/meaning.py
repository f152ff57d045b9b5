"""Layers that say what their weights mean: in their repr, and in the states they write and load."""

from __future__ import annotations

import inspect
import re
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

_DIGEST = re.compile(r" \([0-9a-f]{8}\)")  # of `groups.group_label`: not for people
_KEY = "_extra_state"  # PyTorch's name for what `get_extra_state` gives


class Meaningful(nn.Module):
    """A mixin: the state of a layer holds a line of text that tells what its weights mean.

    A weight of the right shape may belong to a filter of another cutoff, to terms in another order
    or to another group. The line, `ClassName: meaning`, is written into `state_dict` as a uint8
    tensor, which safetensors holds as well. A state with another line is refused; one
    without, from an older version, is loaded. So is one whose line has no details, where
    layers of this version have some.
    """

    def meaning(self) -> str:
        """What the weights depend on besides their shapes, such as fields and cutoffs.

        States hold it: what changes here makes older states unreadable.
        """
        raise NotImplementedError

    def details(self) -> str:
        """What lines of older versions left out; empty where they left out nothing.

        Of two layers of one meaning both have details or none: a line without them is taken for
        one of an older version.
        """
        return ""

    def reset_parameters(self) -> None:
        """Draw new weights, as the constructor does."""
        reset_children(self)

    def get_extra_state(self) -> Tensor:
        return torch.tensor(list(self.state_line().encode()), dtype=torch.uint8, device="cpu")

    def set_extra_state(self, state: Tensor) -> None:
        """Nothing: the line was compared before."""

    def state_name(self) -> str:
        """The name at the head of the line."""
        return type(self).__name__

    def state_line(self) -> str:
        """The line in the state."""
        details = self.details()
        return f"{self._older_line()}; {details}" if details else self._older_line()

    def _older_line(self) -> str:
        return f"{self.state_name()}: {self.meaning()}"

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        key = prefix + _KEY
        if key in missing_keys:
            missing_keys.remove(key)
        line = _text(state_dict[key]) if key in state_dict else self.state_line()
        if line not in (self.state_line(), self._older_line()):
            error_msgs.append(
                f"{prefix.removesuffix('.') or 'The module'} is {self.state_line()}; the state was "
                f"made by {line}. Load it into a layer of that kind, or drop the keys that end in "
                f"{_KEY!r} if the weights mean the same here."
            )

    def extra_repr(self) -> str:
        return _DIGEST.sub("", self.meaning())

    def __repr__(self) -> str:
        return nn.Module.__repr__(self)  # MessagePassing has one that leaves everything out


def reset_children(module: nn.Module) -> None:
    """Call `reset_parameters` of every child, or of its children where it has none."""
    for child in module.children():
        reset(child)


def reset(module: object) -> None:
    """Draw the weights of a module anew, as its constructor does."""
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()
    elif isinstance(module, nn.Module):
        reset_children(module)


def unless(usual: object, name: str, value: object) -> str:
    """The part `, name=value` of a meaning; empty for the usual value, which older lines imply."""
    return "" if value == usual else f", {name}={value}"


def function_text(function: object) -> str:
    """The name of a function, with the arguments that a `functools.partial` gives it.

    Arguments that are the defaults are left out. Lambdas all have one name.
    """
    if isinstance(function, partial):
        arguments = [_argument_text(value) for value in function.args]
        for name, value in sorted(function.keywords.items()):
            text = _argument_text(value)
            if text != _argument_text(_default(function.func, name)):
                arguments.append(f"{name}={text}")
        name = function_text(function.func)
        return f"{name}({', '.join(arguments)})" if arguments else name
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return "<lambda>" if name.endswith("<lambda>") else name


def _argument_text(value: object) -> str:
    if value is None or isinstance(value, bool | int | float | str | tuple):
        return str(value)
    return function_text(value)


def _default(function: object, name: str) -> object:
    parameters = inspect.signature(function).parameters if callable(function) else {}
    return parameters[name].default if name in parameters else inspect.Parameter.empty


def _text(state: Tensor) -> str:
    # Averages of states may have rounded the numbers.
    return bytes(state.round().to("cpu", torch.uint8).tolist()).decode(errors="replace")
