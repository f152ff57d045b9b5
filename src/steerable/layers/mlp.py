"""An equivariant multilayer perceptron."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..field import Field, Term, require_same_group
from ..groups import Irrep
from .activation import Gate, NormActivation, TensorProductActivation
from .linear import Linear
from .meaning import reset

Activation = Callable[[Field], nn.Module]


class MLP(nn.Module):
    """Linear layers with equivariant activations between them, none after the last.

    Activations: `gate` (scalars steer the rest), `norm` (every irrep by its own length), `product`
    (the equivariant square of every channel, then gates: invariants of several vectors, cross
    products), or a maker of a module with `field_in` and `field_out` for a hidden field, as the
    class Gate is.

    Args:
        field_in: type of the input.
        hidden: the irreps of one hidden channel, each as often as it is to occur.
        channels: number of hidden channels.
        field_out: type of the output.
        layers: number of linear layers, at least 1.
        activation: `gate`, `norm`, `product`, or a maker.
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
        activation: str | Activation = "gate",
        bias: bool = True,
    ) -> None:
        super().__init__()
        require_same_group("MLP", field_in, hidden, field_out)
        if layers < 1:
            raise ValueError(f"An MLP has at least 1 linear layer; got {layers}.")
        if isinstance(activation, str):
            if activation not in ACTIVATIONS:
                raise ValueError(
                    f"activation is one of {', '.join(ACTIVATIONS)}; got {activation!r}."
                )
            activation = ACTIVATIONS[activation]
        self.field_in, self.field_out = field_in, field_out
        modules: list[nn.Module] = []
        last = field_in
        for _ in range(layers - 1):
            step = activation(_gathered(hidden, channels))
            modules += [Linear(last, step.field_in), step]  # type: ignore[arg-type]
            last = step.field_out  # type: ignore[assignment]
        self.steps = nn.Sequential(*modules, Linear(last, field_out, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim)."""
        result: Tensor = self.steps(x)
        return result

    def reset_parameters(self) -> None:
        """Draw new weights."""
        # The constructor makes an activation, which may have weights, before its Linear.
        steps = list(self.steps)
        linears, activations = steps[::2], [*steps[1::2], None]
        for linear, activation in zip(linears, activations, strict=True):
            reset(activation)
            reset(linear)

    @torch.no_grad()
    def scale_output(self, factors: Tensor) -> None:
        """Multiply the last layer's weights for every term of `field_out` by a factor (term,)."""
        last = self.steps[-1]
        assert isinstance(last, Linear)
        for path in last._paths:
            last.weight[path.start : path.start + path.weights] *= factors[path.term_out]

    def extra_repr(self) -> str:
        return f"{self.field_in} -> {self.field_out}, {self.field_in.group}"


class _Product(nn.Sequential):
    """The equivariant square of every channel, a Linear, and gates that give `field`."""

    def __init__(self, field: Field) -> None:
        copies: dict[Irrep, int] = {}
        for multiplicity, irrep in field:
            copies[irrep] = copies.get(irrep, 0) + multiplicity
        channel = Field(field.group, tuple(Term(1, irrep) for irrep in copies))
        square, gate = (
            TensorProductActivation(channel, max(copies.values(), default=0)),
            Gate(field),
        )
        super().__init__(square, Linear(square.field_out, gate.field_in), gate)
        self.field_in, self.field_out = square.field_in, gate.field_out


ACTIVATIONS: dict[str, Activation] = {"gate": Gate, "norm": NormActivation, "product": _Product}


def _gathered(hidden: Field, channels: int) -> Field:
    """`channels` copies of the hidden irreps, equal irreps side by side, trivial ones first."""
    terms = sorted(hidden, key=lambda term: not term.irrep.is_trivial)
    return Field(hidden.group, tuple(Term(m * channels, irrep) for m, irrep in terms))
