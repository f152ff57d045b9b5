"""A network that tells to which class a signal on the sphere belongs, however it is turned."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from ..convs import SphereConv
from ..filters import DegreeKnots
from ..functions import SphereGrid, SphereTransform
from ..layers import SphereActivation, SphereBatchNorm, SphereInvariants, SphereSignals
from ..settings import ConfigError, check_range
from .bumps import bumps_claim
from .certifiable import Claim


@dataclass(frozen=True)
class SphereClassifierSettings:
    """The part of `SphereClassifier` that a user chooses; the data decide the rest.

    Args:
        rings: of the samples of a picture, a Gauss grid with twice as many longitudes.
        degrees: the highest degree of the input and of every layer, falling.
        widths: signals of every layer.
        max_order: columns |n| <= max_order of the signals on the rotations.
        knots: free degrees of a filter.
        hidden: width of the hidden layer of the last perceptron.
        dropout: probability before the last linear layer.
        oversampling: of the grids of the activations.
    """

    rings: int = 48
    degrees: list[int] = dataclasses.field(default_factory=lambda: [23, 15, 11, 11, 7, 7])
    widths: list[int] = dataclasses.field(default_factory=lambda: [12, 12, 16, 20, 24])
    max_order: int = 1
    knots: int = 4
    hidden: int = 48
    dropout: float = 0.3
    oversampling: float = 2.0

    def __post_init__(self) -> None:
        least = {"rings": 1, "max_order": 0, "knots": 2, "hidden": 1, "oversampling": 1}
        for name, bound in least.items():
            check_range("model", self, name, least=bound)
        check_range("model", self, "dropout", least=0, below=1)
        if not self.widths or len(self.degrees) != len(self.widths) + 1:
            raise ConfigError(
                "model.degrees has the degree of the input and one for each of model.widths; got "
                f"{self.degrees} and {self.widths}."
            )


class SphereClassifier(nn.Module):
    """logits = MLP(means and powers) of signals on the rotations, of ever lower degree.

    Every layer is activation(norm(convolution)). Its features are signals on the rotations with
    columns |n| <= N: with N = 1 numbers and tangent vectors at every point of the sphere. That is
    what directed filters need, at about three times the cost of signals on the sphere. Filters are
    piecewise linear in the degree, so local. Everything but the activations commutes with rotations
    to rounding; these do to the error that `SphereActivation` states.

    Args:
        classes: number of classes.
        rings: of the samples, a Gauss grid with twice as many longitudes.
        degrees: the highest degree of the input and of every layer, falling.
        widths: signals of every layer.
        max_order: N.
        knots: free degrees of a filter.
        hidden: width of the hidden layer of the perceptron.
        dropout: probability before its last linear layer.
        oversampling: of the activations; 1.5 halves the time of 2 and makes ten times its error.

    Raises:
        ValueError: another number of widths than of layers, degrees that rise, or more of them than
            the samples carry.

    Source: Cohen et al. 2018, arXiv:1801.10130; Esteves, Makadia, Daniilidis 2020,
    arXiv:2006.10731.
    """

    def __init__(
        self,
        classes: int,
        rings: int = 48,
        degrees: Sequence[int] = (23, 15, 11, 11, 7, 7),
        widths: Sequence[int] = (12, 12, 16, 20, 24),
        max_order: int = 1,
        knots: int = 4,
        hidden: int = 48,
        dropout: float = 0.3,
        oversampling: float = 2.0,
    ) -> None:
        super().__init__()
        if not widths or len(degrees) != len(widths) + 1:
            raise ValueError(
                "A SphereClassifier needs the degree of its input and one for every width; got "
                f"degrees {tuple(degrees)} and widths {tuple(widths)}."
            )
        self.grid = SphereGrid("gauss", rings, 2 * rings)
        self.transform = SphereTransform(degrees[0], self.grid)
        signals = SphereSignals.sphere(degrees[0], 1)
        layers: list[nn.Module] = []
        for degree, width in zip(degrees[1:], widths, strict=True):
            signals_out = SphereSignals.rotations(degree, width, min(max_order, degree))
            conv = SphereConv(signals, signals_out, DegreeKnots(knots), bias=False)
            layers += [
                conv,
                SphereBatchNorm(signals_out),
                SphereActivation(signals_out, oversampling=oversampling),
            ]
            signals = signals_out
        self.layers = nn.Sequential(*layers, SphereInvariants(signals, power=True))
        invariants = widths[-1] * (degrees[-1] + 1)
        self.head = nn.Sequential(
            nn.BatchNorm1d(invariants), nn.Linear(invariants, hidden),
            nn.BatchNorm1d(hidden), nn.SiLU(),
            nn.Dropout(dropout), nn.Linear(hidden, classes),
        )  # fmt: skip

    def forward(self, samples: Tensor) -> Tensor:
        """Samples (batch, ring, longitude) on `grid` to logits (batch, classes)."""
        result: Tensor = self.head(self.layers(self.transform.analysis(samples)))
        return result

    def certifiable(self, samples: Tensor) -> Claim:
        """The claim that logits do not change when a signal is turned about the pole."""
        return bumps_claim(self, self.transform)
