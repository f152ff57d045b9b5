"""How a network says which symmetry it has, so that it can be certified."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from steerable.certify import Role
from steerable.groups import Group

from .outputs import Result


class Claim(NamedTuple):
    """A function that is claimed to commute with a group; `steerable.certify` measures it.

    Args:
        function: from tensors to one tensor, or to tensors by name.
        inputs: its arguments, each with how the symmetries act on it.
        output: how they act on the result; by name where the result has names.
        group: acts on positions and fields.
    """

    function: Callable[..., Result]
    inputs: Sequence[tuple[Tensor, Role]]
    output: Role | Mapping[str, Role]
    group: Group


@runtime_checkable
class Certifiable(Protocol):
    """A network that says what is certified of it.

    The claim is of the part that was learned. A network that adds large numbers that are invariant
    whatever it learned, such as reference energies of atoms, leaves them out, because beside them
    errors would look small.

    Without this method the whole network is certified, under the group of its settings.
    """

    def certifiable(self, *inputs: Tensor) -> Claim:
        """The claim of the network on some inputs, which are those of `forward`."""
        ...
