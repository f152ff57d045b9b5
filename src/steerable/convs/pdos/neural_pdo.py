"""Neural equivariant partial differential operators.

Their coefficients are made from the features at every point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ...field import Field
from ...filters import DerivativeFilter, StencilFilter, filter_details, filter_line, group_of
from ...groups import Group, group_label
from ...layers import Meaningful, function_text, reset_children
from ...ops import CloudStencil, Neighbourhoods, cloud_stencil
from ..grids.window import check_array
from .depthwise_products import DepthwiseProducts
from .derivative_maps import GridDerivatives, PointDerivatives
from .pdo import Fit, GridPDO, SteerablePDO, fit_stencil
from .tensor_products import TensorProducts

PRODUCTS: dict[str, Callable[..., Any]] = {"tensor": TensorProducts, "depthwise": DepthwiseProducts}


class NeuralPDO(Meaningful):
    """y = L W(f) D f + P(d) f on scattered points.

    A map W that f makes at every point, of all derivatives D f.

    L is a Linear. W commutes with the group, W(rho(g) f) (rho_h(g) (x) rho(g)) = rho(g) W(f), and
    so does the operator, whatever f is: it depends on the place, and yet commutes with
    translations. The derivatives are made once, by one pass of moments without weights. P(d) is a
    steerable operator with constant coefficients, if asked for; with it L is 0 at the start, so
    that the layer begins as a SteerablePDO and learns from there on what depends on f.

    Args:
        field_in: type of the features f.
        field_out: type of the result y.
        order: the highest order of derivatives.
        products: how W is made: `tensor` for any field and any group (`TensorProducts`);
            `depthwise` for functions on a finite group, whose values it multiplies one by one
            (`DepthwiseProducts`); or a part such as `functools.partial(DepthwiseProducts,
            channels=4)`.
        fit: how derivatives are found, as for SteerablePDO.
        constant: the order of P, at most `order`; None leaves P out.
        group: the group of fields given as text.

    Raises:
        FieldMismatchError: fields of different groups or that `products` does not take, features
            that do not fit.
        ValueError: an order below 0, a higher one of P, or a choice that does not exist.

    Source: He, Chen, Shen, Yang & Lin 2023, ICLR (Neural ePDOs).
    """

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        order: int = 2,
        products: str | Callable[..., nn.Module] = "tensor",
        fit: Fit = cloud_stencil,
        constant: int | None = None,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        filter = DerivativeFilter(order, group_of(field_in, field_out) or group)
        self.fit, self.products = fit, _made(products, filter.field, field_in, field_out)
        self.field_in, self.field_out = self.products.field_in, self.products.field_out
        self.constant = None
        if constant is not None:
            _begin_constant(self.products, order, constant)
            self.constant = SteerablePDO(
                self.field_in, self.field_out, constant, fit=fit, allow_zero=True
            )
        self.derivatives = PointDerivatives(filter, self.field_in.dim)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset_children(self)
        if self.constant is not None:
            nn.init.zeros_(self.products.mix.weight)

    def meaning(self) -> str:
        group = group_label(self.field_in.group)
        return f"{self.field_in} -> {self.field_out}, {group}, fit={function_text(self.fit)}"

    def stencil(self, pos: Tensor, edge_index: Tensor | Neighbourhoods) -> CloudStencil:
        """The weights of derivatives, which points that do not move need only once.

        Arguments as in `forward`.
        """
        return fit_stencil(self.fit, self.derivatives.filter, pos, edge_index)

    def forward(
        self,
        x: Tensor,
        pos: Tensor,
        edge_index: Tensor | Neighbourhoods,
        stencil: CloudStencil | None = None,
    ) -> Tensor:
        """Differentiate.

        Args:
            x: features (node, field_in.dim).
            pos: positions (node, d).
            edge_index: (2, edge), row 0 the source, row 1 the target; or `ops.neighbourhoods` of
                it, made once.
            stencil: what `stencil` or `ops.cloud_stencil` of at least the same order gives for
                these points.

        Returns:
            (node, field_out.dim).
        """
        self.field_in.check(x, "NeuralPDO")
        stencil = self.stencil(pos, edge_index) if stencil is None else stencil

        def differentiate(f: Tensor, weights: Tensor | None = None) -> Tensor:
            derivatives: Tensor = self.derivatives(f, pos, edge_index, stencil.weight)
            if weights is None:
                return derivatives
            groups, channels = weights.shape[1:3]
            return (
                (derivatives.unflatten(1, (groups, -1, channels)) * weights.unsqueeze(2))
                .sum(-1)
                .flatten(1)
            )

        y: Tensor = self.products(x, differentiate)
        return y if self.constant is None else y + self.constant(x, pos, edge_index, stencil)


class GridNeuralPDO(Meaningful):
    """The operator of NeuralPDO on a square or cubic grid.

    Its derivatives are one convolution with all stencils.

    Args:
        field_in: type of the features f.
        field_out: type of the result y.
        order: the highest order of derivatives, below `kernel_size`.
        kernel_size: points of the stencil along every axis, odd.
        method: how derivatives are found, see `filters.StencilFilter`.
        products: as for NeuralPDO.
        padding_mode: `zeros`, `reflect`, `replicate` or `circular`.
        constant: as for NeuralPDO.
        group: the group of fields given as text.

    Raises:
        FieldMismatchError: fields of different groups or that `products` does not take, features
            that do not fit.
        ValueError: an order that the stencil does not resolve, a higher one of P, or a choice that
            does not exist.

    Source: He, Chen, Shen, Yang & Lin 2023, ICLR (Neural ePDOs).
    """

    def __init__(
        self,
        field_in: Field | str,
        field_out: Field | str,
        order: int = 2,
        kernel_size: int = 5,
        method: str | Callable[[int, int, int], Tensor] = "least_squares",
        products: str | Callable[..., nn.Module] = "tensor",
        padding_mode: str = "zeros",
        constant: int | None = None,
        group: Group | None = None,
    ) -> None:
        super().__init__()
        filter = StencilFilter(
            order, kernel_size, method, group=group_of(field_in, field_out) or group
        )
        self.products = _made(products, filter.field, field_in, field_out)
        self.field_in, self.field_out = self.products.field_in, self.products.field_out
        self.constant = None
        if constant is not None:
            _begin_constant(self.products, order, constant)
            options: dict[str, Any] = {
                "padding_mode": padding_mode,
                "allow_zero": True,
                "bias": False,
            }
            self.constant = GridPDO(
                self.field_in, self.field_out, constant, kernel_size, method, **options
            )
        self.derivatives = GridDerivatives(filter, padding_mode)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset_children(self)
        if self.constant is not None:
            nn.init.zeros_(self.products.mix.weight)

    def meaning(self) -> str:
        filter, mode = self.derivatives.filter, self.derivatives.window.mode
        return (
            f"{self.field_in} -> {self.field_out}, {filter_line(filter)} "
            f"{filter_details(filter)}, padding_mode={mode}"
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (batch, field_in.dim, *spatial) to (batch, field_out.dim, *spatial)."""
        check_array("GridNeuralPDO", self.field_in, x)
        shape = x.shape[0], *x.shape[2:]

        def differentiate(f: Tensor, weights: Tensor | None = None) -> Tensor:
            arrays = f.unflatten(0, shape).movedim(-1, 1)
            if weights is None:
                y: Tensor = self.derivatives(arrays)
                return y.flatten(0, -3)
            groups, channels = weights.shape[1:3]
            split = arrays.unflatten(1, (groups, f.shape[1] // (groups * channels), channels))
            y = self.derivatives.weighted(split, weights.unflatten(0, shape))
            return y.flatten(1, 3).movedim(1, -1).flatten(0, -2)

        features: Tensor = self.products(x.movedim(1, -1).flatten(0, -2), differentiate)
        y = features.unflatten(0, shape).movedim(-1, 1)
        return y if self.constant is None else y + self.constant(x)


def _begin_constant(products: Any, order: int, constant: int) -> None:
    """Check the order of the constant operator, and set L to 0."""
    if not 0 <= constant <= order:
        raise ValueError(
            f"The constant operator has an order from 0 to {order}; got constant={constant}."
        )
    nn.init.zeros_(products.mix.weight)


def _made(
    products: str | Callable[..., nn.Module],
    field_filter: Field,
    field_in: Field | str,
    field_out: Field | str,
) -> Any:
    if isinstance(products, str):
        if products not in PRODUCTS:
            raise ValueError(f"products is one of {', '.join(PRODUCTS)}; got {products!r}.")
        products = PRODUCTS[products]
    group = field_filter.group
    fields = [f if isinstance(f, Field) else Field.parse(f, group) for f in (field_in, field_out)]
    return products(field_filter, *fields)
