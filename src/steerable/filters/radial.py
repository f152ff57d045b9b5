"""The radial part of filters: functions of the distance, and the envelope in which they end."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..constants import ConstantModule
from ..field import Field
from ..functions import bessel, cosine_cutoff, even_gaussian, polynomial_cutoff
from ..groups import group_label
from ..layers import function_text, reset_children
from ..ops import Edges, shared
from .bessel_loops import BesselLoops

BASES = ("bessel", "gaussian", "learned")
ENVELOPES = ("polynomial", "cosine", "gaussian", "none")

Function = Callable[[Tensor], Tensor]

_POINTS = 512
_SOFTENING = 1e-6  # of the cutoff; moves a distance near the cutoff by 5e-13 of it


class Radial(ConstantModule):
    """Functions b_n(r) of the distance and an envelope u(r).

    Each has unit mean square over distances up to the cutoff.

    r = sqrt(|x|^2 + (1e-6 c)^2): what is even in r, as every basis and envelope here, is a smooth
    function of x with the right second derivatives at x = 0. The envelopes are twice differentiable
    at the cutoff.

    Args:
        cutoff: c, in the unit of the positions.
        basis: `bessel`; `gaussian`, whose centres go evenly from 0 to c; `learned`, Gaussians that
            begin there; or a function of the distance, such as a module with weights, (edge,) to
            (edge, count).
        count: number of functions.
        envelope: `polynomial`; `cosine`; `gaussian`, of learned width, times the polynomial;
            `none`; or a function of the distance, (edge,) to (edge,).

    Raises:
        ValueError: a cutoff that is not positive and finite, no function, or a name that is not
            known.
    """

    def __init__(
        self,
        cutoff: float,
        basis: str | Function = "bessel",
        count: int = 8,
        envelope: str | Function = "polynomial",
    ) -> None:
        super().__init__()
        if not 0 < cutoff < float("inf"):
            raise ValueError(
                "A filter's cutoff is positive and finite, in the unit of the positions; got "
                f"{cutoff}."
            )
        if count < 1:
            raise ValueError(f"A radial basis has at least 1 function; got count={count}.")
        self.cutoff, self.count = float(cutoff), count
        self._key = _key(cutoff, basis, count, envelope)
        self._names = _name(basis), _name(envelope)
        self.basis = _basis(basis, count, self.cutoff) if isinstance(basis, str) else basis
        self.envelope = _envelope(envelope, self.cutoff) if isinstance(envelope, str) else envelope
        self._loops = _loops(self.basis, self.envelope, count, self.cutoff)

    def forward(self, offset: Tensor | Edges) -> tuple[Tensor, Tensor]:
        """Relative positions (edge, d) to the basis (edge, count) and the envelope (edge, 1)."""
        if self._key is not None:
            return shared(offset, self._key, self._loops or self._values)
        return self._values(offset.offset if isinstance(offset, Edges) else offset)

    def _values(self, offset: Tensor) -> tuple[Tensor, Tensor]:
        distance = torch.sqrt((offset * offset).sum(-1) + (_SOFTENING * self.cutoff) ** 2)
        values = self.basis(distance)
        edges = offset.shape[0]
        if values.shape != (edges, self.count):
            raise ValueError(
                f"The basis gives {tuple(values.shape)} numbers for {edges} distances; "
                f"count={self.count} needs {(edges, self.count)}."
            )
        return values, self.envelope(distance).unsqueeze(-1)

    def reset_parameters(self) -> None:
        """Begin again with the centres and widths of the constructor."""
        reset_children(self)

    def details(self) -> str:
        """The functions that are known by more than the names in `extra_repr`."""
        parts = zip(("basis", "envelope"), self._names, (self.basis, self.envelope), strict=True)
        texts = [
            f"{part}={function_text(function)}"
            for part, name, function in parts
            if not isinstance(function, nn.Module) and function_text(function) != name
        ]
        return ", ".join(texts)

    def extra_repr(self) -> str:
        basis, envelope = self._names
        return f"cutoff={self.cutoff}, count={self.count}, basis={basis}, envelope={envelope}"


def _loops(basis: Function, envelope: Function, count: int, cutoff: float) -> BesselLoops | None:
    """The loops for Bessel functions in a polynomial envelope; None for others."""
    if not isinstance(basis, Scaled) or not isinstance(envelope, Scaled):
        return None
    if (basis.name, envelope.name) != ("bessel", "polynomial"):
        return None
    return BesselLoops(count, cutoff, _SOFTENING * cutoff, basis.gain, envelope.gain)


class Scaled(ConstantModule):
    """A function without weights, scaled to unit mean square."""

    def __init__(self, name: str, function: Function, cutoff: float) -> None:
        super().__init__()
        self.name, self.function, self.gain = name, function, _unit_gain(function, cutoff)

    def forward(self, distance: Tensor) -> Tensor:
        return self.gain * self.function(distance)


class Gaussians(ConstantModule):
    """Even Gaussians; their centres begin evenly from 0 to the cutoff, as wide as they are apart.

    Args:
        count: how many.
        cutoff: in the unit of the distances.
        learned: whether centres and widths are.
    """

    centres: Tensor
    log_width: Tensor

    def __init__(self, count: int, cutoff: float, learned: bool) -> None:
        super().__init__()
        self.cutoff, self.count = cutoff, count
        centres, log_width = self._start()
        self.gain = _unit_gain(lambda r: even_gaussian(r, centres, log_width.exp()), 1.0)
        if learned:
            self.centres = nn.Parameter(centres.to(torch.get_default_dtype()))
            self.log_width = nn.Parameter(log_width.to(torch.get_default_dtype()))
        else:
            self.register_constant("centres", centres)
            self.register_constant("log_width", log_width)

    def _start(self) -> tuple[Tensor, Tensor]:
        centres = torch.linspace(0, 1, self.count, dtype=torch.float64)  # in units of the cutoff
        return centres, torch.full_like(centres, 1 / max(self.count - 1, 1)).log()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Begin again with even centres, where they are learned."""
        if isinstance(self.centres, nn.Parameter):
            centres, log_width = self._start()
            self.centres.copy_(centres)
            self.log_width.copy_(log_width)

    def forward(self, distance: Tensor) -> Tensor:
        return self.gain * even_gaussian(distance / self.cutoff, self.centres, self.log_width.exp())


class GaussianEnvelope(ConstantModule):
    """exp(-r^2 / 2 s^2) times the polynomial cutoff.

    It ends smoothly whatever width s is learned.

    Args:
        cutoff: where it ends; s begins at half of it.
    """

    def __init__(self, cutoff: float) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.gain = _unit_gain(
            lambda r: torch.exp(-2 * (r / cutoff) ** 2) * polynomial_cutoff(r, cutoff), cutoff
        )
        self.log_width = nn.Parameter(torch.tensor(0.5).log())

    def reset_parameters(self) -> None:
        """Begin again with half of the cutoff."""
        nn.init.constant_(self.log_width, math.log(0.5))

    def forward(self, distance: Tensor) -> Tensor:
        decay = torch.exp(-0.5 * (distance / (self.cutoff * self.log_width.exp())) ** 2)
        return self.gain * decay * polynomial_cutoff(distance, self.cutoff)


def as_radial(cutoff: float | Radial) -> Radial:
    """`cutoff` if it is a Radial, else Bessel functions in a polynomial envelope.

    The envelope ends at the cutoff.
    """
    return cutoff if isinstance(cutoff, Radial) else Radial(cutoff)


class _RadialFilter(Protocol):
    channels: int
    field: Field
    attributes: Field
    distance: Radial


def filter_meaning(filter: _RadialFilter) -> str:
    """What the weights of a filter with a radial part depend on."""
    attributes = f"attributes={filter.attributes}, " if len(filter.attributes) else ""
    return (
        f"{filter.channels} x ({filter.field}) of {group_label(filter.field.group)}, {attributes}"
        f"{filter.distance.extra_repr()}"
    )


def typical_inputs(field: Field, cutoff: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Fixed points spread evenly over the ball up to the cutoff.

    Returned with attributes of `field` drawn from a normal distribution.
    """
    dim = field.group.dim
    generator = torch.Generator(device="cpu").manual_seed(0)
    noise = torch.randn(_POINTS, dim + 2 + field.dim, generator=generator, device="cpu").to(like)
    sphere = noise[:, : dim + 2] / noise[:, : dim + 2].square().sum(1, keepdim=True).sqrt()
    return cutoff * sphere[:, :dim], noise[
        :, dim + 2 :
    ]  # the shadow of a sphere of two more dimensions is even


def _key(cutoff: float, basis: object, count: int, envelope: object) -> tuple[Any, ...] | None:
    """What functions without weights are known by, so that layers can share them; else None."""
    if basis in ("bessel", "gaussian") and envelope in ("polynomial", "cosine", "none"):
        return "radial", float(cutoff), basis, count, envelope
    return None


def _name(part: str | Function) -> str:
    return part if isinstance(part, str) else getattr(part, "__name__", type(part).__name__)


def _basis(name: str, count: int, cutoff: float) -> nn.Module:
    if name == "bessel":
        return Scaled(name, partial(bessel, count=count, cutoff=cutoff), cutoff)
    if name in BASES:
        return Gaussians(count, cutoff, learned=name == "learned")
    raise ValueError(
        f"basis is one of {', '.join(BASES)}, or a function of the distance; got {name!r}."
    )


def _envelope(name: str, cutoff: float) -> nn.Module:
    if name == "polynomial":
        return Scaled(name, partial(polynomial_cutoff, cutoff=cutoff), cutoff)
    if name == "cosine":
        return Scaled(name, partial(cosine_cutoff, cutoff=cutoff), cutoff)
    if name == "gaussian":
        return GaussianEnvelope(cutoff)
    if name == "none":
        return Scaled(name, torch.ones_like, cutoff)
    raise ValueError(
        f"envelope is one of {', '.join(ENVELOPES)}, or a function of the distance; got {name!r}."
    )


def _unit_gain(function: Function, cutoff: float) -> float:
    """1 / root mean square of the values over distances from 0 to the cutoff."""
    distance = cutoff * (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    return float(function(distance).square().mean().rsqrt())
