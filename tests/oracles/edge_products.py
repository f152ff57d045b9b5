"""Sums of products over neighbourhoods: kernels for `ops.sums.blocks`, and the sum in one line."""

import torch

from steerable.ops import Inputs


def in_one_graph(edge_index, size, inputs):
    """y_i = sum over edges j -> i of (e_ij f_j) W, by plain autograd."""
    source, target = edge_index
    (e,), (f,), (w,) = inputs.edge, inputs.source, inputs.weights
    return torch.zeros(size, w.shape[1], dtype=e.dtype).index_add(0, target, e * f[source] @ w)


class Product:
    """The same sum in blocks; what it derives from is left to the caller."""

    width = 2

    def __call__(self, slots, mask, inputs):
        (e,), (f,), (w,) = inputs.edge, inputs.source, inputs.weights
        products = e * f if mask is None else e * f * mask
        return products.unflatten(0, slots).sum(1) @ w

    def pull(self, slots, mask, inputs, grad, needs):
        return None

    def pull_twice(self, slots, mask, inputs, grad, second):
        return None

    def loops(self, inputs):
        return None


class Written(Product):
    """With the gradients written out, and those that nobody needs left out."""

    def pull(self, slots, mask, inputs, grad, needs):
        (e,), (f,), (w,) = inputs.edge, inputs.source, inputs.weights
        back = (grad @ w.T).repeat_interleave(slots[1], 0) * (1 if mask is None else mask)
        used = (e * f if mask is None else e * f * mask).unflatten(0, slots).sum(1)
        gradients = [back * f, back * e, used.T @ grad]
        return [g if need else None for g, need in zip(gradients, needs, strict=True)]


class Looped(Product):
    """With loops; blocks serve second derivatives that weights enter, and nothing else."""

    def loops(self, inputs):
        return EveryTarget()


class EveryTarget:
    """All targets at once: the sum, and two derivatives."""

    def run(self, hood, inputs):
        return in_one_graph(hood.edge_index, hood.size, inputs)

    def pull(self, hood, inputs, grad, needs):
        source, target = hood.edge_index
        (e,), (f,), (w,) = inputs.edge, inputs.source, inputs.weights
        back = grad[target] @ w.T
        to_source = torch.zeros_like(f).index_add(0, source, back * e)
        gradients = [back * f[source], to_source, (e * f[source]).T @ grad[target]]
        return [g if need else None for g, need in zip(gradients, needs, strict=True)]

    def pull_twice(self, hood, inputs, grad, tangents):
        source, target = hood.edge_index
        (e,), (f,), (w,) = inputs.edge, inputs.source, inputs.weights
        (de,), (df,) = tangents.edge, tangents.source
        change = de * f[source] + e * df[source]
        back = grad[target] @ w.T
        first = torch.zeros_like(grad).index_add(0, target, change @ w)
        to_source = torch.zeros_like(f).index_add(0, source, back * de)
        return first, [back * df[source], to_source, change.T @ grad[target]]


def draw(edge_index, size, width=3, dtype=torch.float64):
    """Inputs that require gradients."""
    generator = torch.Generator().manual_seed(0)
    shapes = (edge_index.shape[1], width), (size, width), (width, 2)
    tensors = [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]
    e, f, w = [tensor.requires_grad_() for tensor in tensors]
    return Inputs([e], [f], [w])
