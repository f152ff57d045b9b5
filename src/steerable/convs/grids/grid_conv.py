"""Convolution on the points of a square or cubic grid with any filter."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...constants import ConstantModule
from ...field import Field, FieldMismatchError, require_same_group
from ...filters import Filter, StencilFilter, filter_details, filter_line
from ...groups import group_label
from ...layers import Contraction, DenseKernel, Meaningful, reset, unless
from ...tracing import is_traced, transforms_active
from ..points.neighbour_conv import CONTRACTIONS
from .stencil import Stencil
from .window import Window, check_array

_ROUNDINGS = 16  # errors of a kernel in units of the dtype's precision

_CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {2: functional.conv2d, 3: functional.conv3d}
_PLAIN: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}


class _GridConv(Meaningful, ConstantModule):
    """What GridConv2d and GridConv3d share."""

    dim: int
    neighbours: Tensor
    _invariant: Tensor

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        filter: Filter,
        kernel_size: int,
        stride: int = 1,
        padding: int | str = "same",
        dilation: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        contraction: str | Callable[..., Contraction] = "full",
        spacing: float = 1.0,
        smoothing: float = 0.7,
    ) -> None:
        super().__init__()
        group, name = filter.field.group, type(self).__name__  # the group of fields given as text
        if group.dim != self.dim:
            raise FieldMismatchError(
                f"{name} needs a filter on {self.dim} coordinates; this one is of {group}, which "
                f"acts on {group.dim}. Use GridConv{group.dim}d, or a group of the "
                f"{'plane' if self.dim == 2 else 'space'}."
            )
        self.field_in = field_in if isinstance(field_in, Field) else Field.parse(field_in, group)
        self.field_out = (
            field_out if isinstance(field_out, Field) else Field.parse(field_out, group)
        )
        require_same_group(name, self.field_in, self.field_out, filter.field)
        if isinstance(contraction, str):
            if contraction not in CONTRACTIONS:
                raise ValueError(
                    f"contraction is one of {', '.join(CONTRACTIONS)}; got {contraction!r}."
                )
            contraction = CONTRACTIONS[contraction]
        self.filter = filter
        self.stencil = Stencil(self.dim, kernel_size, dilation * spacing, smoothing)
        self.stencil.prepare(filter)
        self.window = Window(kernel_size, stride, padding, dilation, padding_mode)
        self.contraction = contraction(filter.field, filter.channels, self.field_in, self.field_out)
        values = None
        if isinstance(filter, StencilFilter) and not list(filter.parameters()):
            values = self.stencil(copy.deepcopy(filter).double())[0]
        self.dense = DenseKernel(self.contraction.paths, values)
        places = zip(self.field_out, self.field_out.slices(), strict=True)
        invariant = [
            k
            for term, place in places
            if term.irrep.is_trivial
            for k in range(place.start, place.stop)
        ]
        self.register_constant("_invariant", torch.tensor(invariant, dtype=torch.long))
        self.bias = nn.Parameter(torch.zeros(len(invariant))) if bias and invariant else None
        self.register_buffer("neighbours", torch.tensor(1.0))
        self._measure()
        self._cached: tuple[list[tuple[Tensor, int]], Tensor] | None = None

    def forward(self, x: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Convolve.

        Args:
            x: features (batch, field_in.dim, *spatial).
            attributes: (batch, filter.attributes.dim), if the filter has any.

        Returns:
            (batch, field_out.dim, *spatial), the spatial axes as `torch.nn.Conv2d` and `Conv3d`
            make them.
        """
        check_array(type(self).__name__, self.field_in, x)
        self._check_attributes(attributes, x.shape[0])
        self.window.warn_off_centre(type(self).__name__, self.field_in, x)
        kernel, bias, window = self.kernel(attributes), self._whole_bias(), self.window
        x = self.contraction.before(x.movedim(1, -1)).movedim(-1, 1)
        x, margin = window.pad(x)
        convolution = _CONVOLUTIONS[self.dim]
        if attributes is None:
            return convolution(x, kernel, bias, window.stride, margin, window.dilation)
        samples, joined = x.shape[0], x.flatten(0, 1).unsqueeze(0)
        if not samples:
            return convolution(
                x, x.new_zeros(kernel.shape[1:]), bias, window.stride, margin, window.dilation
            )
        biases = None if bias is None else bias.repeat(samples)
        y = convolution(
            joined, kernel.flatten(0, 1), biases, window.stride, margin, window.dilation, samples
        )
        return y.squeeze(0).unflatten(0, (samples, -1))

    def kernel(self, attributes: Tensor | None = None) -> Tensor:
        """The expanded kernel K.

        Its shape is (field_out.dim, channels after `contraction.before`, *[kernel_size] * d).

        With attributes (batch, filter.attributes.dim) there is one per sample, along a first axis.
        """
        if attributes is not None:
            return self._expand(attributes)
        if self.training or is_traced(self.neighbours):
            return self._expand().squeeze(0)
        read = [*self.parameters(), *self.buffers()]
        if transforms_active(read):
            return self._expand().squeeze(0)
        learning = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in read)
        if learning or any(tensor.is_inference() for tensor in read):
            return self._expand().squeeze(0)
        cache = self._cached
        if cache is None or not _unchanged(cache[0], read):
            with torch.inference_mode(False), torch.no_grad():
                cache = [(tensor, tensor._version) for tensor in read], self._expand().squeeze(0)
            self._cached = cache
        return cache[1]

    def export(self, attributes: Tensor | None = None) -> nn.Conv2d | nn.Conv3d:
        """A plain convolution that gives the same numbers, with parameters of its own.

        Args:
            attributes: (filter.attributes.dim,), if the filter has any: the result is the
                convolution for this value.
        """
        sample = None if attributes is None else attributes.unsqueeze(0)
        self._check_attributes(sample, 1)
        window = self.window
        with torch.no_grad():
            kernel = self._expand(sample).squeeze(0)
            before = self.contraction.before(
                torch.eye(self.field_in.dim, dtype=kernel.dtype, device=kernel.device)
            )
            bias = self._whole_bias()
            plain = nn.utils.skip_init(
                _PLAIN[self.dim],
                self.field_in.dim,
                self.field_out.dim,
                window.size,
                window.stride,
                window.margin,
                window.dilation,
                bias=bias is not None,
                padding_mode=window.mode,
                dtype=kernel.dtype,
                device=kernel.device,
            )
            assert isinstance(plain, nn.Conv2d | nn.Conv3d)
            plain.weight.copy_(torch.einsum("oc...,ic->oi...", kernel, before))
            if bias is not None and plain.bias is not None:
                plain.bias.copy_(bias)
        return plain.train(self.training)

    def train(self, mode: bool = True) -> Self:
        self._cached = None
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._cached = None
        return super()._apply(fn, recurse)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cached": None}

    def _expand(self, attributes: Tensor | None = None) -> Tensor:
        """The kernels (sample, out, in, *[kernel_size] * d)."""
        h = None if self.dense.is_constant else self.stencil(self.filter, attributes)
        kernel: Tensor = self.dense(
            self.contraction, None if h is None else h.flatten(0, 1), torch.rsqrt(self.neighbours)
        )
        samples = 1 if h is None else h.shape[0]
        return kernel.unflatten(2, (samples, *[self.window.size] * self.dim)).movedim(2, 0)

    def _whole_bias(self) -> Tensor | None:
        if self.bias is None:
            return None
        return self.bias.new_zeros(self.field_out.dim).index_copy(0, self._invariant, self.bias)

    @torch.no_grad()
    def _measure(self) -> None:
        """Set `neighbours` to the mean square of the sum.

        Features and attributes have unit variance.
        """
        width = self.filter.attributes.dim
        some = torch.randn(16, width, generator=torch.Generator().manual_seed(0), device="cpu")
        attributes = some.to(self.neighbours) if width else None
        kernels = self._expand(attributes).double()
        power = kernels.square().sum() / max(1, len(kernels) * self.field_out.dim)
        # A kernel that is 0 on this grid is made of rounding errors, which must not be divided by
        # their own size.
        h = self.stencil(self.filter, attributes).double()
        size = h.square().sum() / max(1, len(h) * h.shape[2] * h.shape[3])
        floor = (_ROUNDINGS * torch.finfo(self.neighbours.dtype).eps) ** 2 * size
        if floor < power < torch.inf:
            self.neighbours.copy_(power)

    def _check_attributes(self, attributes: Tensor | None, samples: int) -> None:
        field = self.filter.attributes
        wanted = (samples, field.dim) if field.dim else None
        came = None if attributes is None else tuple(attributes.shape)
        if came != wanted:
            raise ValueError(
                f"{type(self).__name__}: the filter takes attributes of {field or 'no field'}, one "
                f"vector per sample, of shape {wanted}; got {came}."
            )

    def reset_parameters(self) -> None:
        """Draw new weights, those of the filter as well, and set the bias to 0."""
        self._cached = None
        reset(self.filter)
        reset(self.contraction)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        nn.init.ones_(self.neighbours)
        self._measure()

    def meaning(self) -> str:
        stencil, window = self.stencil, self.window
        unusual = (
            unless(1, "stride", window.stride)
            + unless("same", "padding", window.padding)
            + unless("zeros", "padding_mode", window.mode)
        )
        return (
            f"{self.field_in} -> {self.field_out}, {group_label(self.field_in.group)}, kernel_size="
            f"{stencil.size}, step={stencil.step:g}, smoothing={stencil.smoothing:g}, "
            f"{filter_line(self.filter)}{unusual}"
        )

    def details(self) -> str:
        return filter_details(self.filter)

    def extra_repr(self) -> str:
        window = self.window
        return (
            f"{self.field_in} -> {self.field_out}, {self.field_in.group}, "
            f"kernel_size={window.size}, stride={window.stride}, padding={window.padding!r}, "
            f"dilation={window.dilation}, padding_mode={window.mode!r}"
        )


class GridConv2d(_GridConv):
    """y(x) = n^(-1/2) sum over offsets o of K(o) f(x + o) + b on the points x of a square grid.

    A plain convolution.

    The filter gives h, `Stencil` its values at the offsets, and K = W h with the weights W of a
    contraction; only K is made anew in every step, the rest is `torch.nn.functional.conv2d`. With
    PointConv on the same points the numbers are the same (smoothing=0); there the kernel may be
    seen anywhere, here on the offsets alone.

    The axes of an array are the coordinates in their order, (batch, channel, x, y): x counts rows
    and y columns, so on a picture x points down and y to the right. `torch.rot90(f, 1, (2, 3))` is
    the quarter turn [[0, -1], [1, 0]] from x to y, to the left, of invariants; other channels turn
    by their rho as well. Symmetries of the grid are exact, others hold as well as the stencil
    allows (docs/grids.md).

    In eval mode without gradients K is kept; `train`, `eval`, `to`, `load_state_dict` and changes
    of weights in place make it anew (changes through `.data` do not show: call `eval()` after
    them).

    Args:
        field_in: type of the features f, a Field or its text.
        field_out: type of the result y.
        filter: a Filter, such as HarmonicFilter or ImplicitFilter; a cutoff of about (kernel_size +
            1) / 2 times `dilation` times `spacing` fills the stencil. Its attributes are one vector
            per sample.
        kernel_size: points of the kernel along every axis, odd.
        stride: points between results; `StrideWarning` says where it breaks the symmetry.
        padding: points added at both ends of every axis; `same` is what keeps the size where the
            stride is 1.
        dilation: points between points of the kernel.
        bias: whether invariant channels get a bias b, 0 at the start.
        padding_mode: `zeros`, `reflect`, `replicate` or `circular`.
        contraction: how the weights are built, as for PointConv; groups save weights, not time.
        spacing: distance of neighbouring points, in the unit of the filter's cutoff.
        smoothing: standard deviation, in points of the kernel, of the Gaussian that takes out of
            the filter what the grid cannot hold; 0 samples the filter itself.

    n is the mean square of the sum with the kernel as it is at first and features that are
    independent and of unit variance; so y begins with unit variance, too.

    Raises:
        FieldMismatchError: fields of different groups, a filter of another dimension, features that
            do not fit.
        ValueError: an even kernel, or a choice that does not exist.
    """

    dim = 2


class GridConv3d(_GridConv):
    """The convolution of GridConv2d on a cubic grid (batch, channel, x, y, z).

    The arguments are the same.

    `torch.rot90(f, 1, (2, 3))` is the quarter turn about z from x to y, (3, 4) that about x, (4, 2)
    that about y.
    """

    dim = 3


def _unchanged(versions: list[tuple[Tensor, int]], read: list[Tensor]) -> bool:
    """Whether the tensors that are read are those of `versions`, unchanged since."""
    return len(versions) == len(read) and all(
        tensor is now and version == now._version
        for (tensor, version), now in zip(versions, read, strict=True)
    )
