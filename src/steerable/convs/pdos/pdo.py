"""Steerable partial differential operators.

Convolutions whose filter is made of derivatives of the delta.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...field import Field, FieldMismatchError
from ...filters import DerivativeFilter, Filter, JointFilter, StencilFilter, group_of
from ...groups import Group, group_label
from ...layers import (
    Contraction,
    Full,
    Meaningful,
    MeasuredScale,
    Paths,
    dense_kernel,
    function_text,
    reset,
)
from ...operators import Symbol
from ...ops import CloudStencil, Neighbourhoods, cloud_stencil
from ..grids.grid_conv import GridConv2d, GridConv3d
from ..points.graph import edges_of
from ..points.neighbour_conv import CONTRACTIONS, NeighbourConv

Fit = Callable[[Tensor, Neighbourhoods, int], CloudStencil]
_EXACT = 1e-5  # of an operator's largest coefficient: what single precision gives


class _PDO(nn.Module):
    """What operators on points and on grids share: the convolution, and its learned symbol."""

    conv: NeighbourConv | GridConv2d | GridConv3d

    @property
    def field_in(self) -> Field:
        return self.conv.field_in

    @property
    def field_out(self) -> Field:
        return self.conv.field_out

    @property
    def _derivatives(self) -> Any:
        """The DerivativeFilter or StencilFilter."""
        filter = self.conv.filter
        return filter.filters[0] if isinstance(filter, JointFilter) else filter

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset(self.conv)

    def extra_repr(self) -> str:
        order = self._derivatives.basis.order
        group = group_label(self.field_in.group)
        return f"{self.field_in} -> {self.field_out}, {group}, order={order}"

    def _factor(self) -> Tensor:
        """n^(-1/2) of the convolution; 1 where that has not been measured yet."""
        n = self.conv.neighbours
        return torch.where(n.isnan(), 1.0, n).rsqrt()

    @torch.no_grad()
    def symbol(self) -> Symbol:
        """The learned operator, without bias and without the kernel that may be joined to it."""
        contraction, operators = self.conv.contraction, self._derivatives.operators
        values = torch.eye(self.conv.filter.field.dim).to(operators)[: len(operators), None]
        before = contraction.before(torch.eye(self.field_in.dim).to(operators))
        parts = dense_kernel(contraction, values) @ before.T * self._factor()
        coefficients = torch.einsum("cm,coi->moi", operators, parts)
        return Symbol.from_coefficients(
            self.field_in, self.field_out, coefficients.cpu().double().numpy()
        )

    def set_symbol(self, symbol: Symbol) -> None:
        """Make this layer the operator of a symbol, such as `operators.named.gradient(3)`.

        The layer becomes exactly this operator, and its bias zero.

        Raises:
            FieldMismatchError: an operator between other fields.
            ValueError: an operator of a higher order, one that does not commute with the group, or
                a contraction that is not `full`.
        """
        contraction, operators = self.conv.contraction, self._derivatives.operators
        self._check_symbol(symbol)
        wanted = torch.from_numpy(symbol.coefficients()).to(operators)
        coefficients = operators.new_zeros(operators.shape[1], *wanted.shape[1:])
        coefficients[: len(wanted)] = wanted
        parts = torch.linalg.solve(operators.T, coefficients.flatten(1)).view_as(coefficients)
        values = torch.eye(self.conv.filter.field.dim).to(operators).unsqueeze(1)
        parts = torch.cat([parts, parts.new_zeros(len(values) - len(parts), *parts.shape[1:])])
        weights = contraction.own_parameters()
        with (
            torch.enable_grad()
        ):  # the kernel is linear in the weights, by tensors that are orthogonal: a projection
            projected = torch.autograd.grad(dense_kernel(contraction, values), weights, parts)
        with torch.no_grad():
            for weight, gradient, irrep in zip(
                weights, projected, contraction.paths.irreps, strict=True
            ):
                weight.copy_(gradient / irrep.dim / self._factor())
            if isinstance(self.conv, GridConv2d | GridConv3d) and self.conv.bias is not None:
                self.conv.bias.zero_()
        for module in self.modules():
            if isinstance(module, MeasuredScale):
                module.fix_scale()  # these weights belong to it
        self.load_state_dict(self.state_dict())
        error = abs((self.symbol() - symbol).coefficients()).max()
        if error > _EXACT * abs(symbol.coefficients()).max():
            raise ValueError(
                f"{symbol!r} does not commute with {symbol.group}, or has frequencies that "
                "maximum_offset leaves out: the nearest operator, which this layer is now, misses "
                f"its coefficients by {error:.1e}."
            )

    def _check_symbol(self, symbol: Symbol) -> None:
        order = self._derivatives.basis.order
        if (symbol.field_in, symbol.field_out) != (self.field_in, self.field_out):
            raise FieldMismatchError(
                f"This operator takes {self.field_in} to {self.field_out} of "
                f"{self.field_in.group}; got {symbol!r}."
            )
        if symbol.order > order:
            raise ValueError(f"This operator has derivatives up to order {order}; got {symbol!r}.")
        if not isinstance(self.conv.contraction, Full):
            raise ValueError(
                "Only with contraction='full' can weights give any operator; make the layer with "
                "that."
            )


class SteerablePDO(Meaningful, _PDO):
    """y = n^(-1/2) P(d) f on scattered points.

    P(d) is a learned operator that commutes with the group.

    P(d) = sum over paths of w C (|d|^(n - j) Y_j(d)): all steerable operators of orders 0 to N. The
    derivatives are weights of neighbours, so this is a PointConv with a DerivativeFilter: the sum
    over neighbours comes first, the tensor product with weights once per point.

    Args:
        field_in: type of the features f.
        field_out: type of the result y.
        order: N.
        contraction: how the weights are built, as for PointConv.
        fit: how derivatives are found: `ops.cloud_stencil`, or a part such as
            `functools.partial(cloud_stencil, method="rbf")`.
        kernel: a filter without attributes that is joined to the derivatives: y = (P(d) + K) f.
        maximum_offset: which frequencies a finite group of the plane may alias, see
            `filters.Derivatives`.
        allow_zero: whether irreps of the output that no derivative of these orders makes are 0,
            such as the high frequencies of regular fields; else they are an error.
        group: the group of fields given as text.

    Raises:
        FieldMismatchError: fields of different groups, or features that do not fit.
        ValueError: an order below 0, or a choice that does not exist.

    Source: Jenner & Weiler 2022, arXiv:2106.10163.
    """

    conv: NeighbourConv

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        order: int = 2,
        contraction: str | Callable[..., Contraction] = "full",
        fit: Fit = cloud_stencil,
        kernel: Filter | None = None,
        maximum_offset: int | None = None,
        allow_zero: bool = False,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        group = group_of(field_in, field_out) or group or (kernel.field.group if kernel else None)
        filter = DerivativeFilter(order, group, maximum_offset)
        self.fit = fit
        self.conv = NeighbourConv(
            field_in, field_out, _joined(filter, kernel), _limited(contraction, filter, allow_zero)
        )

    def stencil(
        self, pos: Tensor | tuple[Tensor, Tensor], edge_index: Tensor | Neighbourhoods
    ) -> CloudStencil:
        """The weights of derivatives, which points that do not move need only once.

        Arguments as in `forward`.
        """
        return fit_stencil(self.fit, self._derivatives, pos, edge_index)

    def meaning(self) -> str:
        return f"{_PDO.extra_repr(self)}, fit={function_text(self.fit)}"

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset(self.conv)

    def forward(
        self,
        x: Tensor | tuple[Tensor, Tensor | None],
        pos: Tensor | tuple[Tensor, Tensor],
        edge_index: Tensor | Neighbourhoods,
        stencil: CloudStencil | None = None,
    ) -> Tensor:
        """Differentiate.

        Args:
            x: features (node, field_in.dim), or those of sources and targets as a pair.
            pos: positions (node, d), or those of sources and targets.
            edge_index: (2, edge), row 0 the source, row 1 the target; or `ops.neighbourhoods` of
                it, made once. A point is best also a neighbour of itself, as in `knn(pos, pos, k)`.
            stencil: what `stencil` or `ops.cloud_stencil` of at least the same order gives for
                these points.

        Returns:
            (target, field_out.dim); targets without neighbours get 0.
        """
        stencil = self.stencil(pos, edge_index) if stencil is None else stencil
        edges = edges_of(x, pos, edge_index, self._derivatives.field.group.dim)
        return self.conv(x, edges, self._derivatives.components(stencil.weight))


class GridPDO(_PDO):
    """y(x) = n^(-1/2) P(d) f(x) + b on a square or cubic grid.

    P is a learned operator that commutes with the group.

    A GridConv2d or GridConv3d with a StencilFilter: a plain convolution with the weights of finite
    differences or of their better kin (`ops.grid_stencil`). Symmetries of the grid are exact.

    Args:
        field_in: type of the features f.
        field_out: type of the result y.
        order: the highest order of P, below `kernel_size`.
        kernel_size: points of the stencil along every axis, odd.
        method: how derivatives are found, see `filters.StencilFilter`.
        kernel: a filter that is joined to the derivatives: y = (P(d) + K) f.
        maximum_offset: which frequencies a finite group of the plane may alias, see
            `filters.Derivatives`.
        allow_zero: whether irreps of the output that no derivative of these orders makes are 0,
            such as the high frequencies of regular fields; else they are an error.
        group: the group of fields given as text.
        options: `stride`, `padding`, `dilation`, `bias`, `padding_mode`, `contraction`, `spacing`
            and `smoothing` (of `kernel`), as GridConv2d takes them.

    Raises:
        FieldMismatchError: fields of different groups, features that do not fit.
        ValueError: an order that the stencil does not resolve, or a choice that does not exist.

    Source: Jenner & Weiler 2022, arXiv:2106.10163.
    """

    conv: GridConv2d | GridConv3d

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        order: int = 2,
        kernel_size: int = 5,
        method: str | Callable[[int, int, int], Tensor] = "least_squares",
        kernel: Filter | None = None,
        maximum_offset: int | None = None,
        allow_zero: bool = False,
        group: Group | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        spacing = options.get("spacing", 1.0) * options.get("dilation", 1)
        group = group_of(field_in, field_out) or group or (kernel.field.group if kernel else None)
        filter = StencilFilter(order, kernel_size, method, spacing, group, maximum_offset)
        contraction = _limited(options.pop("contraction", "full"), filter, allow_zero)
        layer = GridConv2d if filter.field.group.dim == 2 else GridConv3d
        joined = _joined(filter, kernel)
        self.conv = layer(
            field_in, field_out, joined, kernel_size, contraction=contraction, **options
        )

    def forward(self, x: Tensor, attributes: Tensor | None = None) -> Tensor:
        """Arrays of features (batch, field_in.dim, *spatial) to (batch, field_out.dim, *spatial).

        See GridConv2d.
        """
        y: Tensor = self.conv(x, attributes)
        return y

    def export(self) -> nn.Conv2d | nn.Conv3d:
        """A plain convolution that gives the same numbers, with parameters of its own."""
        return self.conv.export()


def fit_stencil(
    fit: Fit,
    filter: DerivativeFilter,
    pos: Tensor | tuple[Tensor, Tensor],
    edge_index: Tensor | Neighbourhoods,
) -> CloudStencil:
    """The weights of the derivatives of a filter on points.

    The arguments are those of SteerablePDO.

    Raises:
        RuntimeError: while a program is exported.
    """
    if torch.compiler.is_exporting():
        raise RuntimeError(
            "Stencils are fitted outside of exported programs, since their steps depend on the "
            "points. Export a module that takes the two tensors of pdo.stencil(pos, edge_index) "
            "and passes stencil=CloudStencil(weight, condition)."
        )
    edges = edges_of(None, pos, edge_index, filter.field.group.dim)
    return fit(edges.offset, edges.hood, filter.basis.order)


def _joined(filter: Filter, kernel: Filter | None) -> Filter:
    return filter if kernel is None else JointFilter([filter, kernel])


def _limited(
    contraction: str | Callable[..., Contraction],
    filter: DerivativeFilter | StencilFilter,
    allow_zero: bool,
) -> str | Callable[..., Contraction]:
    """The contraction with the products that `maximum_offset` leaves."""
    form = CONTRACTIONS.get(contraction) if isinstance(contraction, str) else contraction
    if form is None:
        return contraction
    products = None if filter.basis.maximum_offset is None else filter.basis.products
    return partial(form, paths=partial(Paths, products=products, allow_zero=allow_zero))
