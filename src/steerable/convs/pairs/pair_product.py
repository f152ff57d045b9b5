"""The block of provably powerful graph networks: products of features of pairs as matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...field import check_floating
from ...layers import reset_children
from .pair_index import Pairs, SquarePairs, check_square


class PairProduct(nn.Module):
    """y_ij = W [x_ij, n^(-1/2) sum over k of f(x)_ik g(x)_kj].

    f and g are multilayer perceptrons on every pair.

    Products of the matrices of every channel let a network see triangles, which maps of second
    order with pointwise nonlinearities do not: it tells apart what the Weisfeiler-Leman test of
    order 3 does. n^3 operations, n^2 numbers a channel. Invariant features alone.

    Args:
        channels_in: channels of x.
        channels_out: channels of y.
        hidden: channels of the products and of the layer before them; as many as y by default.

    Raises:
        ValueError: features that do not fit.

    Source: Maron et al. 2019 (provably powerful graph networks), arXiv:1905.11136, section 6.
    """

    def __init__(self, channels_in: int, channels_out: int, hidden: int | None = None) -> None:
        super().__init__()
        hidden = hidden or channels_out
        self.channels_in = channels_in
        self.left = _perceptron(channels_in, hidden)
        self.right = _perceptron(channels_in, hidden)
        self.mix = nn.Linear(channels_in + hidden, channels_out)

    def forward(self, x: Tensor, pairs: Pairs | None = None) -> Tensor:
        """Map.

        Args:
            x: features of all pairs of a graph's nodes, (pair, channels_in), or (graph, n, n,
                channels_in).
            pairs: where they lie, of `pairs_of` or `pack`; not needed for (graph, n, n,
                channels_in).

        Returns:
            y in the shape of x, with channels_out channels.
        """
        if x.shape[-1] != self.channels_in:
            raise ValueError(
                f"PairProduct expects {self.channels_in} channels and got {x.shape[-1]}."
            )
        check_floating(x, "PairProduct")
        if pairs is None:
            check_square(x)
            return self._map(x, SquarePairs(x.shape[0], x.shape[1]))
        pairs.check(x, "PairProduct")
        return self._map(pairs.form(x), pairs).flatten(0, -2)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        reset_children(self)

    def extra_repr(self) -> str:
        return f"{self.channels_in} -> {self.mix.out_features}"

    def _map(self, x: Tensor, pairs: Pairs) -> Tensor:
        product = pairs.product(self.left(x), self.right(x))
        y: Tensor = self.mix(torch.cat([x, product], -1))
        return y


def _perceptron(channels_in: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels_in, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
