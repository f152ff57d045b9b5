"""Nonlinearities that commute with the group exactly."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field, invariant_field
from ..groups import Group, coupling, group_label
from .meaning import Meaningful


class Gate(ConstantModule):
    """Scalars pass through SiLU.

    Every other irrep is multiplied by the sigmoid of a scalar of its own.

    The input holds the gates first and then the field: `field_in` = (one trivial irrep per
    non-trivial one of `field_out`) + `field_out`. Constants keep unit variance.

    Args:
        field_out: type of the output.
        group: the group of a field given as text.

    Source: Weiler et al. 2018, arXiv:1807.02547.
    """

    _spread: Tensor

    def __init__(self, field_out: Field | str, group: Group | None = None) -> None:
        super().__init__()
        self.field_out = Field.parse(field_out, group)
        self.gates = sum(t.multiplicity for t in self.field_out if not t.irrep.is_trivial)
        self.field_in = gate_field(self.field_out)
        scalars = [
            s
            for t, s in zip(self.field_out, self.field_out.slices(), strict=True)
            if t.irrep.is_trivial
        ]
        self._scalars = tuple(scalars)
        self.register_constant("_spread", _gate_spread(self.field_out, self.gates))

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim)."""
        self.field_in.check(x, "Gate")
        rest = x[..., self.gates :]
        arguments = torch.cat([x[..., : self.gates], *[rest[..., s] for s in self._scalars]], -1)
        return rest * (torch.sigmoid(arguments) @ self._spread)

    def extra_repr(self) -> str:
        return f"{self.field_in} -> {self.field_out}, {self.field_in.group}"


class NormActivation(Meaningful, ConstantModule):
    """Every irrep is multiplied by sigmoid(a (sqrt(1 + |x|^2 / d) - 1) + b), learned a, b.

    Scalars pass through SiLU.

    Smooth at zero to every order.

    Args:
        field: type of input and output.
        group: the group of a field given as text.
    """

    _mean: Tensor
    _spread: Tensor
    _trivial: Tensor
    _gain: Tensor

    def __init__(self, field: Field | str, group: Group | None = None) -> None:
        super().__init__()
        self.field_in = self.field_out = Field.parse(field, group)
        mean, spread = mean_square(self.field_in), copy_to_components(self.field_in)
        irreps = [term.irrep for term in self.field_in for _ in range(term.multiplicity)]
        trivial = [float(irrep.is_trivial) for irrep in irreps]
        gain = [SILU_GAIN if irrep.is_trivial else _norm_gain(irrep.dim) for irrep in irreps]
        self.register_constant("_gain", torch.tensor(gain, dtype=torch.float64))
        self.register_constant("_mean", mean)
        self.register_constant("_spread", spread)
        self.register_constant("_trivial", torch.tensor(trivial, dtype=torch.float64))
        self.scale = nn.Parameter(torch.ones(self.field_in.channels))
        self.shift = nn.Parameter(torch.zeros(self.field_in.channels))

    def reset_parameters(self) -> None:
        """Set a to 1 and b to 0."""
        nn.init.ones_(self.scale)
        nn.init.zeros_(self.shift)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to the same."""
        self.field_in.check(x, "NormActivation")
        length = torch.sqrt(1 + (x * x) @ self._mean) - 1
        argument = self._trivial * (x @ self._spread.T) + (1 - self._trivial) * (
            self.scale * length + self.shift
        )
        return x * ((self._gain * torch.sigmoid(argument)) @ self._spread)

    def meaning(self) -> str:
        return f"{self.field_in}, {group_label(self.field_in.group)}"


class TensorProductActivation(Meaningful, ConstantModule):
    """y = x + sum over paths p of w_p C_p (x (x) x) in every channel.

    The square is exactly equivariant.

    `channels` copies of one `field` are squared one by one; the learned w make quadratic
    invariants, cross products and higher harmonics that gates alone cannot.

    Args:
        field: the irreps of one channel.
        channels: how many channels; features are (..., channels * field.dim), channel after
            channel.
    """

    _tensor: Tensor

    def __init__(self, field: Field | str, channels: int, group: Group | None = None) -> None:
        super().__init__()
        self.field = Field.parse(field, group)
        self.channels = channels
        self.field_in = self.field_out = self.field * channels
        tensor = _square(self.field)
        self.register_constant("_tensor", tensor)
        self.weight = nn.Parameter(torch.empty(channels, tensor.shape[0]))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        with torch.no_grad():
            self.weight.normal_().mul_(0.25)

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., channels * field.dim) to the same."""
        self.field_in.check(x, "TensorProductActivation")
        channel = x.unflatten(-1, (self.channels, self.field.dim))
        product = torch.einsum("cp,poij->coij", self.weight, self._tensor)
        half = torch.einsum("...cj,coij->...coi", channel, product)
        square = torch.einsum("...ci,...coi->...co", channel, half)
        return (channel + square).flatten(-2)

    def meaning(self) -> str:
        return f"{self.channels} x ({self.field}), {group_label(self.field.group)}"


def gate_field(field: Field) -> Field:
    """The field that Gate takes to give `field`.

    One trivial irrep per non-trivial one, then the field itself.
    """
    return (
        invariant_field(field.group, sum(t.multiplicity for t in field if not t.irrep.is_trivial))
        + field
    )


def unit_gain(function: Callable[[Tensor], Tensor]) -> float:
    """1 / sqrt(E[f(z)^2]) for a standard normal z."""
    z = torch.linspace(
        -12, 12, 1201, dtype=torch.float64
    )  # few enough for one thread: importing starts none
    density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return float(1 / torch.sqrt(torch.trapezoid(function(z) ** 2 * density, z)))


SILU_GAIN = unit_gain(nn.functional.silu)
SIGMOID_GAIN = unit_gain(torch.sigmoid)


def _norm_gain(dim: int) -> float:
    """1 / sqrt(E[|x|^2 sigmoid(sqrt(1 + |x|^2 / d) - 1)^2] / d).

    x is standard normal, of `dim` numbers.
    """
    n = torch.linspace(0, 16, 16001, dtype=torch.float64)
    density = n ** (dim - 1) * torch.exp(-0.5 * n * n)
    value = n * n / dim * torch.sigmoid(torch.sqrt(1 + n * n / dim) - 1) ** 2
    return float(torch.sqrt(torch.trapezoid(density, n) / torch.trapezoid(value * density, n)))


def copy_to_components(field: Field) -> Tensor:
    """A 0-1 matrix (channel, component) that repeats a number per irrep over its components."""
    sizes = [t.irrep.dim for t in field for _ in range(t.multiplicity)]
    result = torch.zeros(len(sizes), field.dim, dtype=torch.float64)
    start = 0
    for k, size in enumerate(sizes):
        result[k, start : start + size] = 1
        start += size
    return result


def mean_square(field: Field) -> Tensor:
    """A matrix (component, channel) that takes squares to their mean over every irrep."""
    copies = copy_to_components(field)
    return (copies / copies.sum(1, keepdim=True)).T.contiguous()


def _gate_spread(field: Field, gates: int) -> Tensor:
    """Where the sigmoids go (gates then scalars, component).

    Returned with the gains that keep unit variance.
    """
    copies = copy_to_components(field)
    trivial = torch.tensor(
        [t.irrep.is_trivial for t in field for _ in range(t.multiplicity)], dtype=torch.bool
    )
    return torch.cat([copies[~trivial] * SIGMOID_GAIN, copies[trivial] * SILU_GAIN])


def _square(field: Field) -> Tensor:
    """Paths of the symmetric square of a field back into it.

    The shape is (path, out, in, in); every path is scaled to unit variance.
    """
    squares = []
    places = list(zip(field, field.slices(), strict=True))
    for out, at_out in places:
        into = []
        for a, (left, at_left) in enumerate(places):
            for right, at_right in places[a:]:
                for tensor in coupling(left.irrep, right.irrep, out.irrep):
                    full = torch.zeros(field.dim, field.dim, field.dim, dtype=torch.float64)
                    full[at_out, at_left, at_right] = torch.from_numpy(tensor * 1.0)
                    full = full + full.transpose(1, 2)
                    trace = full.diagonal(dim1=1, dim2=2).sum(-1)
                    energy = (
                        2 * full.square().sum() + trace.square().sum()
                    )  # E|S x x|^2 for a standard normal x
                    if energy > 1e-9:
                        into.append(full / energy.sqrt())
        squares += [full * (out.irrep.dim / len(into)) ** 0.5 for full in into]
    return (
        torch.stack(squares) if squares else torch.zeros(0, *[field.dim] * 3, dtype=torch.float64)
    )
