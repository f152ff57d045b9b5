"""Breaking a symmetry inside a network: from here on a subgroup."""

from __future__ import annotations

from torch import Tensor

from ..constants import ConstantModule
from ..field import Field
from ..groups import Group


class Restrict(ConstantModule):
    """Features of a field of G as features of its restriction to a subgroup H.

    An orthogonal change of basis.

    Args:
        field: type of the input, a field of G.
        subgroup: H; `field_out` is the restricted field.
        group: G, for a field given as text.

    Raises:
        GroupError: H holds elements that G does not.
    """

    _change: Tensor

    def __init__(self, field: Field | str, subgroup: Group, group: Group | None = None) -> None:
        super().__init__()
        self.field_in = Field.parse(field, group)
        self.field_out, change = self.field_in.restrict(subgroup)
        self.register_constant("_change", change.T.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim)."""
        self.field_in.check(x, "Restrict")
        return x @ self._change

    def extra_repr(self) -> str:
        fields = self.field_in, self.field_out
        return " -> ".join(f"{field} of {field.group}" for field in fields)
