"""An equivariant multilayer perceptron."""

from __future__ import annotations

from torch import Tensor, nn

from ..field import Field, require_same_group
from .activation import Gate, NormActivation, TensorProductActivation
from .linear import Linear

ACTIVATIONS = ("gate", "norm", "product")


class MLP(nn.Module):
    """Linear layers with equivariant activations between them, none after the last.

    Activations: `gate` (scalars steer the rest), `norm` (every irrep by its own length), `product` (the equivariant
    square of every channel, then gates: invariants of several vectors, cross products).

    Args:
        field_in: type of the input.
        hidden: the irreps of one hidden channel.
        channels: number of hidden channels.
        field_out: type of the output.
        layers: number of linear layers, at least 1.
        activation: `gate`, `norm` or `product`.
        bias: whether the last layer has a bias on scalars.

    Raises:
        ValueError: no linear layer, or an unknown activation.
    """

    def __init__(
        self,
        field_in: Field,
        hidden: Field,
        channels: int,
        field_out: Field,
        layers: int = 3,
        activation: str = "gate",
        bias: bool = True,
    ) -> None:
        super().__init__()
        require_same_group("MLP", field_in, hidden, field_out)
        if layers < 1:
            raise ValueError(f"An MLP has at least 1 linear layer; got {layers}.")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(ACTIVATIONS)}; got {activation!r}.")
        self.field_in, self.field_out = field_in, field_out
        modules: list[nn.Module] = []
        last = field_in
        for _ in range(layers - 1):
            step = _activation(activation, hidden, channels)
            modules += [Linear(last, step[0].field_in), *step]
            last = step[-1].field_out
        self.steps = nn.Sequential(*modules, Linear(last, field_out, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim)."""
        result: Tensor = self.steps(x)
        return result


def _activation(
    name: str, hidden: Field, channels: int
) -> list[Gate | NormActivation | TensorProductActivation | Linear]:
    if name == "product":
        square = TensorProductActivation(hidden, channels)
        gate = Gate(_gathered(hidden, channels))
        return [square, Linear(square.field_out, gate.field_in), gate]
    field = _gathered(hidden, channels)
    return [Gate(field)] if name == "gate" else [NormActivation(field)]


def _gathered(hidden: Field, channels: int) -> Field:
    """`channels` copies of the hidden irreps, equal irreps side by side, trivial ones first."""
    terms = sorted(hidden, key=lambda term: not term.irrep.is_trivial)
    return Field(hidden.group, tuple((m * channels, irrep) for m, irrep in terms))  # type: ignore[misc]
