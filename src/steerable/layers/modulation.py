"""Features that depend on what is known of their nodes, such as the element."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field
from ..groups import Group, group_label
from .activation import copy_to_components
from .meaning import Meaningful


class Modulation(Meaningful, ConstantModule):
    """y_c = (1 + sum over k of W_kc a_k) x_c for every copy c of every irrep.

    After a convolution this makes its weights depend on invariant attributes a of the target, at
    the cost of one small matrix product: for one-hot elements each has a weight of its own. W is 0
    at the start.

    Args:
        field: type of input and output.
        attributes: how many there are.
        group: the group of a field given as text.

    Source: Perez et al. 2018 (FiLM), arXiv:1709.07871, without the shift.

    Example::

        modulation = Modulation("64x0e+32x1o", 5)
        y = modulation(x, one_hot)
    """

    _spread: Tensor

    def __init__(self, field: Field | str, attributes: int, group: Group | None = None) -> None:
        super().__init__()
        self.field_in = self.field_out = Field.parse(field, group)
        self.attributes = attributes
        self.weight = nn.Parameter(torch.zeros(attributes, self.field_in.channels))
        self.register_constant("_spread", copy_to_components(self.field_in))

    def forward(self, x: Tensor, attributes: Tensor) -> Tensor:
        """Features (node, field.dim) and attributes (node, attribute) to features."""
        self.field_in.check(x, "Modulation")
        if attributes.shape != (*x.shape[:-1], self.attributes):
            raise ValueError(
                f"Modulation needs {self.attributes} attributes for each row of the features "
                f"{tuple(x.shape)}; got {tuple(attributes.shape)}."
            )
        return x + x * (attributes @ (self.weight @ self._spread))

    def reset_parameters(self) -> None:
        """Set W to 0."""
        nn.init.zeros_(self.weight)

    def meaning(self) -> str:
        return f"{self.field_in}, {group_label(self.field_in.group)}"
