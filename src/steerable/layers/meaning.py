"""Layers that say what their weights mean: in their repr, and in the states they write and load."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_KEY = "_extra_state"  # PyTorch's name for what `get_extra_state` gives


class Meaningful(nn.Module):
    """A mixin: the state of a layer holds a line of text that tells what its weights mean.

    A weight of the right shape may belong to a filter of another cutoff, to terms in another order
    or to another group. The line, `ClassName: meaning`, is written into `state_dict` as a uint8
    tensor, which safetensors holds as well. A state with another line is refused; one
    without, from an older version, is loaded.
    """

    def meaning(self) -> str:
        """What the weights depend on besides their shapes, such as fields and cutoffs.

        States hold it: what changes here makes older states unreadable.
        """
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw new weights, as the constructor does."""
        reset_children(self)

    def get_extra_state(self) -> Tensor:
        return torch.tensor(list(self.state_line().encode()), dtype=torch.uint8, device="cpu")

    def set_extra_state(self, state: Tensor) -> None:
        """Nothing: the line was compared before."""

    def state_line(self) -> str:
        """The line in the state."""
        return f"{type(self).__name__}: {self.meaning()}"

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
        if line != self.state_line():
            error_msgs.append(
                f"{prefix.removesuffix('.') or 'The module'} is {self.state_line()}; the state was "
                f"made by {line}. Load it into a layer of that kind, or drop the keys that end in "
                f"{_KEY!r} if the weights mean the same here."
            )

    def extra_repr(self) -> str:
        return self.meaning()

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


def _text(state: Tensor) -> str:
    # Averages of states may have rounded the numbers.
    return bytes(state.round().to("cpu", torch.uint8).tolist()).decode(errors="replace")
