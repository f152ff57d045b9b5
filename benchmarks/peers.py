"""Convolution layers of other libraries on one work: e3nn, cuequivariance, e3tools.

Each is built from a `Work` and maps features (node, field) and what it sees of space to (node,
field). All have a radial perceptron 8 -> 32 -> weights and sum over neighbours; `depthwise` layers
have a weight for each path and channel and mix channels by a Linear at the nodes, `full` layers one
for each path and pair of channels.
"""

import torch
from e3nn import o3
from torch import Tensor, nn
from workload import BESSEL, Work, geometry, harmonic_irreps

HIDDEN = 32
Space = tuple[Tensor, Tensor]


class Peer(nn.Module):
    """A layer that sees harmonics and Bessel functions of the edges.

    Args:
        work: the graph and the fields.
    """

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def features(self) -> Tensor:
        """The features of the work in the layer's layout."""
        return self.work.features

    def see(self, pos: Tensor) -> Space:
        """What the layer sees of positions."""
        return geometry(pos, self.work.edge_index, self.work.max_degree)

    def gather(self, features: Tensor) -> Tensor:
        return features.index_select(0, self.work.edge_index[0])

    def scatter(self, message: Tensor) -> Tensor:
        size = len(self.work.pos), message.shape[1]
        return message.new_zeros(size).index_add(0, self.work.edge_index[1], message)


class E3nnDepthwise(Peer):
    """Linear, channel by channel (`uvu`) tensor product, sum, Linear: the layer of NequIP."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        field, harmonics = o3.Irreps(work.field), o3.Irreps(harmonic_irreps(work.max_degree))
        paths = [
            (i, j, (multiplicity, irrep))
            for i, (multiplicity, left) in enumerate(field)
            for j, (_, right) in enumerate(harmonics)
            for irrep in left * right
            if irrep in field
        ]
        messages, place, _ = o3.Irreps([term for _, _, term in paths]).sort()
        instructions = [(i, j, place[k], "uvu", True) for k, (i, j, _) in enumerate(paths)]
        unweighted = {"shared_weights": False, "internal_weights": False}
        self.product = o3.TensorProduct(field, harmonics, messages, instructions, **unweighted)
        self.before = o3.Linear(field, field)
        self.after = o3.Linear(messages.simplify(), field)
        self.radial = radial(self.product.weight_numel)

    def forward(self, features: Tensor, space: Space) -> Tensor:
        harmonics, basis = space
        message = self.product(self.gather(self.before(features)), harmonics, self.radial(basis))
        return self.after(self.scatter(message))


class E3nnFull(Peer):
    """FullyConnectedTensorProduct with weights from the radial perceptron, sum."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        unweighted = {"shared_weights": False, "internal_weights": False}
        harmonics = harmonic_irreps(work.max_degree)
        self.product = o3.FullyConnectedTensorProduct(
            work.field, harmonics, work.field, **unweighted
        )
        self.radial = radial(self.product.weight_numel)

    def forward(self, features: Tensor, space: Space) -> Tensor:
        harmonics, basis = space
        return self.scatter(self.product(self.gather(features), harmonics, self.radial(basis)))


class CueDepthwise(Peer):
    """The same as E3nnDepthwise of cuequivariance-torch, in plain torch operations.

    The method is "naive": there is no GPU.

    Args:
        work: the graph and the fields.
        layout: `mul_ir` as e3nn's, or `ir_mul`, components before channels.
    """

    def __init__(self, work: Work, layout: str) -> None:
        import cuequivariance as cue
        import cuequivariance_torch as cuet

        super().__init__(work)
        self.layout = layout
        how = {"layout": getattr(cue, layout), "method": "naive", "dtype": work.pos.dtype}
        field, harmonics = (
            cue.Irreps("O3", work.field),
            cue.Irreps("O3", harmonic_irreps(work.max_degree)),
        )
        unweighted = {"shared_weights": False, "internal_weights": False}
        wanted = [irrep for _, irrep in field]
        self.product = cuet.ChannelWiseTensorProduct(field, harmonics, wanted, **unweighted, **how)
        self.before = cuet.Linear(field, field, **how)
        self.after = cuet.Linear(self.product.irreps_out, field, **how)
        self.radial = radial(self.product.weight_numel)

    def features(self) -> Tensor:
        if self.layout == "mul_ir":
            return self.work.features
        blocks = self.work.features.detach().split(
            [self.work.channels * (2 * l + 1) for l in self._degrees()], dim=1
        )
        turned = [
            block.unflatten(1, (self.work.channels, -1)).transpose(1, 2).flatten(1)
            for block in blocks
        ]
        return torch.cat(turned, 1).requires_grad_(self.work.features.requires_grad)

    def _degrees(self) -> range:
        return range(self.work.max_degree + 1)

    def forward(self, features: Tensor, space: Space) -> Tensor:
        harmonics, basis = space
        message = self.product(self.gather(self.before(features)), harmonics, self.radial(basis))
        return self.after(self.scatter(message))


class CueFull(Peer):
    """The same as E3nnFull of cuequivariance-torch."""

    def __init__(self, work: Work) -> None:
        import cuequivariance as cue
        import cuequivariance_torch as cuet

        super().__init__(work)
        field, harmonics = (
            cue.Irreps("O3", work.field),
            cue.Irreps("O3", harmonic_irreps(work.max_degree)),
        )
        how = {"layout": cue.mul_ir, "method": "naive", "dtype": work.pos.dtype}
        unweighted = {"shared_weights": False, "internal_weights": False}
        self.product = cuet.FullyConnectedTensorProduct(
            field, harmonics, field, **unweighted, **how
        )
        self.radial = radial(self.product.weight_numel)

    def forward(self, features: Tensor, space: Space) -> Tensor:
        harmonics, basis = space
        return self.scatter(self.product(self.gather(features), harmonics, self.radial(basis)))


class E3tools(Peer):
    """A convolution of e3tools, which takes the mean over neighbours.

    Args:
        work: the graph and the fields.
        kind: `SeparableConv` (depthwise) or `Conv` (full).
    """

    def __init__(self, work: Work, kind: str) -> None:
        from e3tools import nn as layers

        super().__init__(work)
        make = getattr(layers, kind)
        self.conv = make(
            o3.Irreps(work.field),
            o3.Irreps(work.field),
            o3.Irreps(harmonic_irreps(work.max_degree)),
            BESSEL,
            radial_nn=lambda _, weights: radial(weights),
        )

    def forward(self, features: Tensor, space: Space) -> Tensor:
        harmonics, basis = space
        return self.conv(features, self.work.edge_index, basis, harmonics)


def radial(weights: int) -> nn.Sequential:
    """The perceptron from Bessel functions to the weights of an edge."""
    return nn.Sequential(nn.Linear(BESSEL, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, weights))
