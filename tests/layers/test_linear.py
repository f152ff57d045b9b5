"""Linear against the null space of the group's action and against e3nn."""

import numpy as np
import pytest
import torch
from e3nn import o3

from oracles.groups import EVERY, name
from steerable import Field
from steerable.groups import irreps
from steerable.layers import Linear, linear


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_has_every_equivariant_map(group):
    field = Field(group, tuple((2, irrep) for irrep in irreps(group, 2)))
    g = group.sample(4, torch.Generator().manual_seed(0))
    rho = field.matrix(g).numpy()
    eye = np.eye(field.dim)
    constraints = np.concatenate([np.kron(r, eye) - np.kron(eye, r.T) for r in rho])
    free = (
        int((np.linalg.svd(constraints, compute_uv=False) < 1e-9).sum())
        if field.dim <= 20
        else None
    )
    layer = Linear(field, field, bias=False)
    if free is not None:
        assert layer.weight.numel() == free
    rows = []
    for k in range(layer.weight.numel()):
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight[k] = 1
        rows.append(layer.matrix().detach().flatten())
    assert np.linalg.matrix_rank(torch.stack(rows).numpy()) == len(rows)


def test_dense_and_per_irrep_products_agree(monkeypatch):
    for group in EVERY:
        torch.manual_seed(0)
        field = Field(group, tuple((3, irrep) for irrep in irreps(group, 2))) * 2
        layer = Linear(field, field).double()
        x = torch.randn(7, field.dim, dtype=torch.float64)
        wanted = layer(x)
        monkeypatch.setattr(linear, "_DENSE_SIZE", 0)
        wide = Linear(field, field).double()
        wide.load_state_dict(layer.state_dict())
        torch.testing.assert_close(wide(x), wanted, atol=1e-12, rtol=1e-12)
        monkeypatch.undo()


def test_equals_e3nn_with_the_same_weights():
    torch.manual_seed(0)
    fields = "5x0e+4x1o+2x2e", "3x0e+2x1o+6x2e"
    ours, theirs = Linear(*fields, bias=False).double(), o3.Linear(*fields).double()
    start = 0
    with torch.no_grad():
        for m_in, m_out in ((5, 3), (4, 2), (2, 6)):
            block = theirs.weight[start : start + m_in * m_out].view(m_in, m_out)
            ours.weight[start : start + m_in * m_out] = (block.T / m_in**0.5).flatten()
            start += m_in * m_out
    x = torch.randn(9, 27, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-12, rtol=1e-12)


def test_irreps_that_nothing_reaches_are_zero():
    layer = Linear("2x0e", "1x0e+2x1o")
    assert layer(torch.randn(3, 2))[:, 1:].eq(0).all()
    assert Linear("", "2x0e", bias=False)(torch.randn(3, 0)).eq(0).all()
