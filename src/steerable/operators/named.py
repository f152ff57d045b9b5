"""The operators of vector calculus, between fields of O(2) or O(3).

`Symbol.restrict` takes them to other groups.

Scalars are the field `0e`, vectors `1` in the plane and `1o` in space. A symmetric matrix T is a
field `0e+2` in the plane and `0e+2e` in space, of components <S_k, T> with the matrices S_k of
`symmetric_matrices`: these keep the Frobenius norm, and the first component is trace(T) / sqrt(d).
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
    """The delta: a field to itself."""
    return Symbol(field, field, {0: np.eye(field.dim)[None]})


def gradient(dim: int) -> Symbol:
    """A scalar f to the vector d_i f."""
    return Symbol(_field("scalar", dim), _field("vector", dim), {1: np.eye(dim)[:, :, None]})


def divergence(dim: int) -> Symbol:
    """A vector v to the scalar sum of d_i v_i."""
    return -gradient(dim).adjoint()


def curl() -> Symbol:
    """A vector v of space to the axial vector (d_y v_z - d_z v_y, ...), `1e`.

    Its adjoint is the curl of those.
    """
    axes = np.eye(3)
    return Symbol(
        _field("vector", 3),
        Field.parse("1e"),
        {1: np.cross(axes[:, None], axes).transpose(0, 2, 1)},
    )


def curl_2d() -> Symbol:
    """A vector v of the plane to the pseudoscalar d_x v_y - d_y v_x, `0o`.

    Its adjoint takes g to (d_y g, -d_x g).
    """
    return Symbol(
        _field("vector", 2), Field.parse("0o", O2()), {1: np.array([[[0.0, 1.0]], [[-1.0, 0.0]]])}
    )


def laplacian(dim: int) -> Symbol:
    """A scalar f to the scalar sum of d_i^2 f."""
    return identity(_field("scalar", dim)).times_laplacian()


def vector_laplacian(dim: int) -> Symbol:
    """A vector v to the vector sum of d_i^2 v."""
    return identity(_field("vector", dim)).times_laplacian()


def biharmonic(dim: int) -> Symbol:
    """A scalar to the Laplacian of its Laplacian."""
    return identity(_field("scalar", dim)).times_laplacian(2)


def grad_div(dim: int) -> Symbol:
    """A vector to the gradient of its divergence."""
    return gradient(dim) @ divergence(dim)


def strain(dim: int) -> Symbol:
    """A vector v to the symmetric matrix (d_i v_j + d_j v_i) / 2.

    Minus its adjoint is the divergence of those.
    """
    parts = {1: symmetric_matrices(dim).transpose(1, 0, 2)}
    return Symbol(_field("vector", dim), _field("symmetric", dim), parts)


def hessian(dim: int) -> Symbol:
    """A scalar f to the symmetric matrix d_i d_j f."""
    return strain(dim) @ gradient(dim)


def traceless_hessian(dim: int) -> Symbol:
    """A scalar f to the symmetric matrix d_i d_j f less its trace, `2` or `2e`."""
    return _traceless(hessian(dim))


def cauchy_riemann() -> Symbol:
    """A vector v of the plane to (d_x v_x - d_y v_y, d_x v_y + d_y v_x), `2`.

    Zero where v_x + i v_y is holomorphic.
    """
    return _traceless(strain(2)) * 2**0.5


def symmetric_matrices(dim: int) -> Array:
    """An orthonormal basis S (component, d, d) of the symmetric matrices.

    It turns as `0e+2` or `0e+2e`.

    The identity over sqrt(d), then the matrices of the harmonic polynomials of degree 2, in the
    order of the irrep.
    """
    (_, harmonics), _ = harmonic_polynomials(dim, 2)
    found = [np.eye(dim)]
    for row in harmonics:
        matrix = np.zeros((dim, dim))
        for (i, j), coefficient in zip(
            combinations_with_replacement(range(dim), 2), row, strict=True
        ):
            matrix[i, j] += coefficient / 2
            matrix[j, i] += coefficient / 2
        found.append(matrix)
    return np.stack([matrix / np.linalg.norm(matrix) for matrix in found])


def _traceless(symbol: Symbol) -> Symbol:
    """The symmetric matrices that an operator gives without their trace."""
    assert isinstance(symbol.field_out, Field)
    return Symbol(
        symbol.field_in, symbol.field_out[1:], {n: part[:, 1:] for n, part in symbol.parts.items()}
    )


def _field(kind: str, dim: int) -> Field:
    if dim not in _NAMES:
        raise ValueError(
            f"The operators of vector calculus are those of 2 or 3 dimensions; got {dim}."
        )
    return Field.parse(_NAMES[dim][kind], O2() if dim == 2 else O3())
