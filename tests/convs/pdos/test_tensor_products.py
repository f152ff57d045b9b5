"""Coefficients of irreps: the theorem they obey, sums by hand, and how many there are."""

import pytest
import torch

from oracles.groups import EVERY, name
from steerable import Field, FieldMismatchError
from steerable.convs.pdos.tensor_products import TensorProducts, unit_mean_square
from steerable.filters.derivative import Derivatives
from steerable.groups import (
    O2,
    O3,
    SO3,
    coupling,
    dihedral,
    irreps,
    point_group,
)

DOUBLE = torch.float64


def field_of(group, copies=2, degree=1):
    return Field(group, tuple((copies, irrep) for irrep in irreps(group, degree)))


def features(field, nodes=40, seed=1):
    return torch.randn(
        nodes, field.dim, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE
    )


def randomised(layer):
    """The layer with biases that are not 0."""
    for name_, parameter in layer.named_parameters():
        if name_.endswith("bias"):
            torch.nn.init.normal_(parameter)
    return layer


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_coefficients_of_irreps_transform_as_the_theorem_says(group):
    """W(rho y) (rho_h (x) rho) = rho_out W(y), for all derivatives.

    It does not matter what field they come from.
    """
    torch.manual_seed(0)
    h = Derivatives(2, group).field
    products = randomised(TensorProducts(h, field_of(group), field_of(group, 3)).double())
    x, d = (
        features(products.field_in, 6),
        torch.randn(6, products.field_in.dim, h.dim, dtype=DOUBLE),
    )
    y = products(x, lambda _: d)
    for g in group.sample(3, torch.Generator().manual_seed(2)):
        rho, rho_h, rho_out = (
            field.matrix(g) for field in (products.field_in, h, products.field_out)
        )
        moved_d = torch.einsum("ij,njh,kh->nik", rho, d, rho_h)
        moved = products(x @ rho.T, lambda _, moved_d=moved_d: moved_d)
        torch.testing.assert_close(moved, y @ rho_out.T, atol=1e-12, rtol=1e-12)


def test_tensor_products_are_the_sum_written_out_by_hand():
    torch.manual_seed(0)
    group = O3()
    h, field_in = Derivatives(1, group).field, Field.parse("4x0e+2x1o")
    products = randomised(TensorProducts(h, field_in, Field.parse("3x0e+1x1o")).double())
    assert products.channels == 2
    x, d = features(field_in, 3), torch.randn(3, field_in.dim, h.dim, dtype=DOUBLE)
    c = products.generate(x)
    kinds = [term.irrep for term in products.generate.field_out]
    by_kind = [
        c[:, s].unflatten(1, (2, -1, k.dim))
        for k, s in zip(kinds, products.generate.field_out.slices(), strict=True)
    ]
    power = sum(part.square().sum((2, 3)) for part in by_kind) / sum(
        part[0, 0].numel() for part in by_kind
    )
    by_kind = [part * (power + 0.01)[:, :, None, None] ** -0.5 for part in by_kind]
    used, parts = [0] * len(kinds), []
    for term, place in zip(field_in, field_in.slices(), strict=True):
        own = d[:, place].unflatten(
            1, (2, -1, term.irrep.dim)
        )  # (node, channel, copy, m_i, operator)
        for out in irreps(group, 1)[0], irreps(group, 1)[3]:
            paths = [
                (k, s, left, right)
                for t, s in zip(h, h.slices(), strict=True)
                for inner in irreps(group, 2)
                for left in coupling(t.irrep, term.irrep, inner)
                for k, kind in enumerate(kinds)
                for right in coupling(kind, inner, out)
            ]
            total = 0
            for k, s, left, right in paths:
                left, right = torch.from_numpy(left.copy()), torch.from_numpy(right.copy())
                inner = torch.einsum("ngcih,uhi->ngcu", own[..., s], left) * left.shape[0] ** 0.5
                made = torch.einsum("nga,ngcu,oau->ngco", by_kind[k][:, :, used[k]], inner, right)
                total, used[k] = total + made * (out.dim / len(paths)) ** 0.5, used[k] + 1
            parts.append(total.flatten(1))
    torch.testing.assert_close(
        products(x, lambda _: d), products.mix(torch.cat(parts, 1)), atol=1e-12, rtol=1e-12
    )


@pytest.mark.parametrize("group", [O3(), O2(), dihedral(4), point_group("Oh")], ids=str)
def test_all_matrices_can_be_made(group):
    """With every irrep among the coefficients they are coordinates of Hom(V_h (x) V_in, V_out)."""
    h, once = Derivatives(1, group).field, field_of(group, 1)
    products = TensorProducts(h, once, once, hidden=field_of(group, 1, 4))
    wanted = h.dim * once.dim**2
    assert products._matrix.shape == (wanted, wanted)
    assert torch.linalg.matrix_rank(products._exact["_matrix"]) == wanted


def test_a_vector_advects():
    """c = v and D f = grad f make v . grad f: what no steerable PDO can."""
    torch.manual_seed(0)
    h = Derivatives(1, O3()).field
    products = TensorProducts(h, Field.parse("1x0e+1x1o"), Field.parse("1x0e"))
    gradient = products._matrix[:, products._columns[0]].unflatten(1, (4, -1))[
        :, 1:
    ]  # of the scalar
    place = gradient.abs().sum((1, 2)).nonzero().flatten()
    x, d = torch.randn(5, 4), torch.randn(5, 4, h.dim)

    class Vectors(torch.nn.Module):
        field_out = products.generate.field_out

        def forward(self, x):
            return x.new_zeros(len(x), self.field_out.dim).index_copy(1, place, x[:, 1:])

    products.generate = Vectors()
    power = x[:, 1:].square().sum(1) / Vectors.field_out.dim + 0.01
    d[:, 1:] = 0
    advected = (x[:, 1:] * d[:, 0, 1:]).sum(1) * power.rsqrt()
    ratio = products(x, lambda _: d).squeeze(1) / advected
    torch.testing.assert_close(ratio, ratio[:1].expand(5), atol=1e-5, rtol=1e-5)
    assert ratio[0] != 0


def test_coefficients_over_their_root_mean_square():
    """With a floor of 0.01 in the mean square, so that none at all gives 0 and no NaN."""
    c = torch.tensor([[[3.0, 4.0], [0.0, 0.0], [-1.0, 7.0]]], dtype=DOUBLE, requires_grad=True)
    unit = unit_mean_square(c)
    squares = torch.tensor([12.5 / 12.51, 0, 25 / 25.01], dtype=DOUBLE)
    torch.testing.assert_close(unit.square().mean(-1)[0], squares, atol=1e-14, rtol=0)
    torch.testing.assert_close(unit[0, 0], c[0, 0] / 12.51**0.5)
    unit.sum().backward()
    assert c.grad.isfinite().all()


def test_errors():
    h, field = Derivatives(1, O3()).field, Field.parse("4x0e")
    with pytest.raises(ValueError, match="channels=3 does not divide every multiplicity of 4x0e"):
        TensorProducts(h, field, field, channels=3)
    with pytest.raises(
        ValueError,
        match="No coefficients of 0e and derivatives of .* make 2e of O.3. from 4x0e. Raise",
    ):
        TensorProducts(h, field, Field.parse("1x2e"))
    with pytest.raises(FieldMismatchError, match="NeuralPDO needs fields of one group"):
        TensorProducts(h, field, Field.parse("4x0", SO3()))
