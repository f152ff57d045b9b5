"""Inverses of many small positive matrices, some of which may have none."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def positive_inverse(matrix: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    """Inverses of positive matrices A, and their condition numbers |A| |A^-1| (Frobenius norms).

    By Cholesky's factors; where the condition number is above `limit`, by eigenvectors without
    those whose eigenvalue is below the largest over `limit`. That is the inverse on all that the
    matrix determines and 0 on the rest, and for A -> R A R^T, R orthogonal, it turns along as
    exactly as an inverse does.

    There are no gradients: x <- x + A^-1 (b - A x), from x = A^-1 b on, makes one more order of
    them exact every time.

    Args:
        matrix: A (batch, m, m).
        limit: of the condition number.

    Returns:
        Inverses (batch, m, m) and condition numbers (batch,), infinite where something is left out.
    """
    factor, fault = torch.linalg.cholesky_ex(matrix)
    unit = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    inverse = torch.cholesky_inverse(torch.where(fault[:, None, None] == 0, factor, unit))
    condition = _condition(matrix, inverse)
    poor = ((fault != 0) | ~(condition <= limit)).nonzero().squeeze(1)
    if len(poor):
        inverse[poor], condition[poor] = _truncated(matrix[poor], limit)
    return inverse, condition


def _truncated(matrix: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(matrix)
    is_large = values > values[:, -1:] / limit
    inverse = vectors / torch.where(is_large, values, torch.inf).unsqueeze(1) @ vectors.mT
    return inverse, torch.where(is_large.all(1), _condition(matrix, inverse), torch.inf)


def _condition(matrix: Tensor, inverse: Tensor) -> Tensor:
    return matrix.norm(dim=(1, 2)) * inverse.norm(dim=(1, 2))
