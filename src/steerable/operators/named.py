"""The operators of vector calculus, between fields of O(2) or O(3).

Use `Symbol.restrict` for other groups. Scalars are the field `0e`, vectors `1` in the plane and
`1o` in space. A symmetric matrix T is a field `0e+2` in the plane and `0e+2e` in space. Its
components are <S_k, T> with the matrices S_k of `symmetric_matrices`, which preserves the Frobenius
norm; the first component is trace(T) / sqrt(d).
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np

from ..field import Field
from ..functions import harmonic_polynomials
from ..groups import O2, O3
from .polynomial import Array
from .symbol import Symbol

_NAMES = {
    2: {"scalar": "0e", "vector": "1", "symmetric": "0e+2"},
    3: {"scalar": "0e", "vector": "1o", "symmetric": "0e+2e"},
}


def identity(field: Field) -> Symbol:
    """The identity of a field."""
    return Symbol(field, field, {0: np.eye(field.dim)[None]})


def gradient(dim: int) -> Symbol:
    """The gradient, from a scalar f to the vector d_i f."""
    return Symbol(_field("scalar", dim), _field("vector", dim), {1: np.eye(dim)[:, :, None]})


def divergence(dim: int) -> Symbol:
    """The divergence, from a vector v to the scalar sum of d_i v_i."""
    return -gradient(dim).adjoint()


def curl() -> Symbol:
    """The curl in space, from a vector v to the axial vector (d_y v_z - d_z v_y, ...), `1e`.

    Its adjoint is the curl of axial vectors.
    """
    axes = np.eye(3)
    # C[i] v = e_i x v: column j of C[i] is e_i x e_j.
    coefficients = np.cross(axes[:, None], axes).transpose(0, 2, 1)
    return Symbol(_field("vector", 3), Field.parse("1e"), {1: coefficients})


def curl_2d() -> Symbol:
    """The curl in the plane, from a vector v to the pseudoscalar d_x v_y - d_y v_x, `0o`.

    Its adjoint maps g to (d_y g, -d_x g).
    """
    return Symbol(
        _field("vector", 2), Field.parse("0o", O2()), {1: np.array([[[0.0, 1.0]], [[-1.0, 0.0]]])}
    )


def laplacian(dim: int) -> Symbol:
    """The Laplacian, from a scalar f to the scalar sum of d_i^2 f."""
    return identity(_field("scalar", dim)).times_laplacian()


def vector_laplacian(dim: int) -> Symbol:
    """The Laplacian of vectors, from a vector v to the vector sum of d_i^2 v."""
    return identity(_field("vector", dim)).times_laplacian()


def biharmonic(dim: int) -> Symbol:
    """The biharmonic operator, the square of the Laplacian of scalars."""
    return identity(_field("scalar", dim)).times_laplacian(2)


def grad_div(dim: int) -> Symbol:
    """The gradient of the divergence of a vector."""
    return gradient(dim) @ divergence(dim)


def strain(dim: int) -> Symbol:
    """The strain, from a vector v to the symmetric matrix (d_i v_j + d_j v_i) / 2.

    Minus its adjoint is the divergence of symmetric matrices.
    """
    parts = {1: symmetric_matrices(dim).transpose(1, 0, 2)}
    return Symbol(_field("vector", dim), _field("symmetric", dim), parts)


def hessian(dim: int) -> Symbol:
    """The Hessian, from a scalar f to the symmetric matrix d_i d_j f."""
    return strain(dim) @ gradient(dim)


def traceless_hessian(dim: int) -> Symbol:
    """The Hessian of a scalar without its trace, `2` or `2e`."""
    return _traceless(hessian(dim))


def cauchy_riemann() -> Symbol:
    """The Cauchy-Riemann operator, from a vector v of the plane to the field `2`.

    The result is (d_x v_x - d_y v_y, d_x v_y + d_y v_x), which vanishes where v_x + i v_y is
    holomorphic.
    """
    return _traceless(strain(2)) * 2**0.5


def symmetric_matrices(dim: int) -> Array:
    """An orthonormal basis S (component, d, d) of the symmetric matrices.

    It transforms as `0e+2` or `0e+2e`: first the identity over sqrt(d), then the matrices of the
    harmonic polynomials of degree 2, in the order of the irrep.
    """
    (_, harmonics), _ = harmonic_polynomials(dim, 2)
    entries = list(combinations_with_replacement(range(dim), 2))
    basis = [np.eye(dim)]
    for row in harmonics:
        matrix = np.zeros((dim, dim))
        for (i, j), coefficient in zip(entries, row, strict=True):
            matrix[i, j] += coefficient / 2
            matrix[j, i] += coefficient / 2
        basis.append(matrix)
    return np.stack([matrix / np.linalg.norm(matrix) for matrix in basis])


def _traceless(symbol: Symbol) -> Symbol:
    """An operator to symmetric matrices, with the traces of its results removed."""
    assert isinstance(symbol.field_out, Field)
    parts = {n: part[:, 1:] for n, part in symbol.parts.items()}
    return Symbol(symbol.field_in, symbol.field_out[1:], parts)


def _field(kind: str, dim: int) -> Field:
    if dim not in _NAMES:
        raise ValueError(
            f"The operators of vector calculus are those of 2 or 3 dimensions; got {dim}."
        )
    return Field.parse(_NAMES[dim][kind], O2() if dim == 2 else O3())
