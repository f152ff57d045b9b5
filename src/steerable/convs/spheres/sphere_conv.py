"""Convolutions of signals on the sphere and on the rotations: one matrix product per degree."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ...constants import ConstantModule
from ...filters import SpectralFilter, Taps
from ...groups import digest
from ...layers import Meaningful, SphereSignals


class SphereConv(Meaningful, ConstantModule):
    """Correlation y(R) = mean over Q of psi(R^-1 Q) f(Q), plus a bias.

    Signals are on the sphere or on the rotations.

    In coefficients F^l = f^l (psi^l)^T / sqrt(2l+1): columns mix and rows, on which rotations act,
    do not. With M^l = psi^l / sqrt(2l+1), a number for every pair of columns n', n and of channels,

        y^l_(c' n') = sum over c, n of M^l_(c' n' c n) f^l_(c n).

    A signal on the sphere is the column n = 0, so that the layouts alone say which correlation it
    is: sphere to rotations with filters on the sphere, rotations to rotations with filters on the
    rotations, rotations to sphere, and sphere to sphere with filters that are symmetric about the
    pole. Fewer degrees or columns in the result cut off the others. At the start signals keep their
    mean square, if their coefficients are of one variance.

    Args:
        signals_in: the argument.
        signals_out: the result.
        filter: which filters are learned; by default all.
        bias: whether constant functions get a bias, 0 at the start.

    Raises:
        ValueError: a result of higher degree than the argument.
        FieldMismatchError: features that do not fit.

    Source: Cohen et al. 2018, arXiv:1801.10130; Kondor, Trivedi 2018, arXiv:1802.03690.
    """

    _spectra: Tensor | None

    def __init__(
        self,
        signals_in: SphereSignals,
        signals_out: SphereSignals,
        filter: SpectralFilter | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.signals_in, self.signals_out = signals_in, signals_out
        self.filter = filter
        self.field_in, self.field_out = signals_in.field, signals_out.field
        layout_in, layout_out = signals_in.layout, signals_out.layout
        if layout_out.max_degree > layout_in.max_degree:
            raise ValueError(
                f"A convolution makes no new degrees: it cannot take degree {layout_in.max_degree} "
                f"to {layout_out.max_degree}. Use the degree of the argument or a lower one."
            )
        self._sizes = [
            (len(layout_out.columns(l)), len(layout_in.columns(l)))
            for l in range(layout_out.max_degree + 1)
        ]
        rows = torch.tensor(
            [2.0 * l + 1 for l, (n, k) in enumerate(self._sizes) for _ in range(n * k)]
        ).double()
        taps, power = len(rows), rows.sum()
        if filter is None:
            self._spectra = None
        else:
            spectra = filter.spectra(layout_in, layout_out)
            taps, power = len(spectra), spectra.square().sum(0) @ rows
            self.register_constant("_spectra", spectra)
        self._deviation = math.sqrt(layout_in.size / max(signals_in.channels * float(power), 1))
        self.weight = nn.Parameter(torch.empty(taps, signals_out.channels, signals_in.channels))
        self.bias = (
            nn.Parameter(torch.zeros(signals_out.channels))
            if bias and 0 in layout_out.orders
            else None
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights and set the bias to 0."""
        with torch.no_grad():
            self.weight.normal_(generator=generator).mul_(self._deviation)
            if self.bias is not None:
                self.bias.zero_()

    def matrices(self) -> list[Tensor]:
        """M^l of every degree l.

        Rows are (channel and column of the result), columns (channel and column of the argument).
        """
        weight = self.weight.flatten(1)
        entries = weight if self._spectra is None else self._spectra.T @ weight
        parts = entries.split([rows * columns for rows, columns in self._sizes])
        channels = self.weight.shape[1:]
        return [
            part.view(*size, *channels)
            .permute(2, 0, 3, 1)
            .reshape(channels[0] * size[0], channels[1] * size[1])
            for part, size in zip(parts, self._sizes, strict=True)
        ]

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., field_in.dim) to (..., field_out.dim)."""
        self.field_in.check(x, "SphereConv")
        blocks = self.signals_in.blocks(x)
        parts = [
            torch.matmul(matrix, blocks[l].flatten(-3, -2)).unflatten(
                -2, (self.signals_out.channels, self._sizes[l][0])
            )
            for l, matrix in enumerate(self.matrices())
        ]
        if self.bias is not None:
            parts[0] = parts[0] + self.bias[:, None, None]
        return self.signals_out.features(parts)

    def meaning(self) -> str:
        return f"{self.signals_in} -> {self.signals_out}, {self.filter or 'every filter'}"

    def details(self) -> str:
        filter = self.filter
        return f"rotations {digest(filter.rotations.cpu())}" if isinstance(filter, Taps) else ""
