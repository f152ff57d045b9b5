"""Muon: steps whose matrices are orthogonal, for all weights that are matrices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from steerable.layers import Linear

# The polynomials a x + b x^3 + c x^5 that take singular values between 0.01 and 1 to about 1: each
# is the one of the least largest error on what the one before leaves (by linear programming).
_POLYNOMIALS = (
    (8.0935, -23.6212, 17.4467),
    (3.6367, -2.7220, 0.5366),
    (2.6613, -1.9771, 0.4526),
)
_RMS = 0.2  # of a step, in learning rates: about that of AdamW


class Matrix(NamedTuple):
    """A matrix among the numbers of a parameter.

    Args:
        start: the place of its first number.
        rows: their number.
        columns: their number.
    """

    start: int
    rows: int
    columns: int

    def of(self, parameter: Tensor) -> Tensor:
        """Its numbers, a view (rows, columns)."""
        stop = self.start + self.rows * self.columns
        return parameter.view(-1)[self.start : stop].view(self.rows, self.columns)


class Muon(torch.optim.Optimizer):
    """Steps -lr 0.2 sqrt(max(n, m)) U V^T for matrices (n, m), and AdamW for everything else.

    U S V^T is the momentum of the gradient, so that a step is as large along every singular
    direction; U V^T comes from three polynomials of the matrix, computed for all matrices of one
    shape together. A step has about the mean square of one of
    AdamW, so that one learning rate serves both.

    `torch.optim.Muon` does the same for parameters that are matrices, one by one and in bfloat16,
    which CPUs emulate; and the weights of an equivariant map are several matrices in one parameter.

    Args:
        model: the network; embeddings, biases and other vectors go to AdamW.
        lr: learning rate.
        weight_decay: decoupled weight decay.
        momentum: of the gradients, with Nesterov's look ahead.

    Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the size of a step is
    that of Liu et al. 2025, arXiv:2502.16982.

    Example::

        optimizer = Muon(model, lr=2e-3)
    """

    def __init__(
        self, model: nn.Module, lr: float, weight_decay: float = 0.0, momentum: float = 0.95
    ) -> None:
        matrices = matrices_of(model)
        others = [p for p in model.parameters() if p.requires_grad and p not in matrices]
        settings = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__([{"params": list(matrices)}, {"params": others}], settings)
        self._matrices = matrices
        self._adam = torch.optim.AdamW(others, lr, weight_decay=weight_decay, fused=True)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step with the gradients that are there, or those that `closure` makes."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        group, others = self.param_groups
        self._step_matrices(group)
        # The states and the learning rate are those of this optimizer, also where it was loaded.
        self._adam.state = self.state
        self._adam.param_groups[0].update(
            params=others["params"], lr=others["lr"], weight_decay=others["weight_decay"]
        )
        self._adam.step()
        return loss

    def _step_matrices(self, group: dict[str, Any]) -> None:
        pairs: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            average = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
            average.lerp_(parameter.grad, 1 - group["momentum"])
            direction = parameter.grad.lerp(average, group["momentum"]).contiguous()
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            for matrix in self._matrices[parameter]:
                weights, step = matrix.of(parameter), matrix.of(direction)
                # The iteration is cheapest for wide matrices.
                tall = matrix.rows > matrix.columns
                pair = (weights.T, step.T) if tall else (weights, step)
                pairs[(pair[0].shape[0], pair[0].shape[1])].append(pair)
        for (_, columns), members in pairs.items():
            steps = orthogonal(torch.stack([step for _, step in members]))
            steps *= -group["lr"] * _RMS * columns**0.5
            for (weights, _), step in zip(members, steps, strict=True):
                weights.add_(step)


def orthogonal(x: Tensor) -> Tensor:
    """U V^T of matrices U S V^T (matrix, row, column), nearly: singular values of 0.73 to 1.28.

    Those below a hundredth of the root of the sum of squares of S come out smaller.
    """
    x = x / (torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True) + torch.finfo(x.dtype).tiny)
    for a, b, c in _POLYNOMIALS:
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x


def matrices_of(model: nn.Module) -> dict[nn.Parameter, list[Matrix]]:
    """The matrices among the trained weights of a network, by their parameters.

    They are the parameters of two axes, each (row, column) of those of three, and those of every
    irrep in a `Linear`. Embeddings are none, since a step has gradients for some rows only; nor are
    single rows and columns.
    """
    result = {}
    for module in model.modules():
        parameters: Iterable[nn.Parameter] = module.parameters(recurse=False)
        for parameter in parameters:
            shapes = _shapes(module, parameter)
            if parameter.requires_grad and shapes and all(min(s[1:]) > 1 for s in shapes):
                result[parameter] = shapes
    return result


def _shapes(module: nn.Module, parameter: nn.Parameter) -> list[Matrix]:
    if isinstance(module, nn.Embedding):
        return []
    if isinstance(module, Linear):
        return [Matrix(*m) for m in module.matrices()] if parameter is module.weight else []
    if parameter.dim() not in (2, 3):
        return []
    rows, columns = parameter.shape[-2:]
    size = rows * columns
    return [Matrix(k, rows, columns) for k in range(0, parameter.numel(), max(size, 1))]
