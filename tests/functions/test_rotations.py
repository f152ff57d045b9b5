"""The Fourier transform on SO(3).

Against sums over Wigner matrices and over the irreps of the group.
"""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from steerable.field import Field
from steerable.functions.layout import Layout
from steerable.functions.rotations import RotationTransform
from steerable.functions.sphere import SphereGrid, SphereTransform
from steerable.functions.wigner import wigner_matrix
from steerable.groups import SO3


def coefficients(transform, batch=2, dtype=torch.float64):
    return torch.randn(
        batch, transform.layout.size, generator=torch.Generator().manual_seed(0), dtype=dtype
    )


def rotation(seed=0):
    q = torch.linalg.qr(
        torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    )[0]
    return q * torch.linalg.det(q)


def evaluated(layout, c, rotations):
    """The signal at rotations (..., 3, 3), as the sum written out."""
    total = 0
    for l, block in enumerate(layout.split(c)):
        matrices = wigner_matrix(l, rotations)[..., [n + l for n in layout.columns(l)]]
        total = total + (2 * l + 1) ** 0.5 * torch.einsum("...mn,nm->...", matrices, block)
    return total


@pytest.mark.parametrize(
    ("degree", "order", "grid"),
    [
        (0, None, None),
        (1, None, None),
        (3, None, None),
        (3, None, SphereGrid.resolving(3, "fejer")),
        (4, 1, SphereGrid.resolving(4, "clenshaw-curtis")),
        (7, None, None),
        (7, 2, None),
    ],
)
def test_synthesis_is_the_sum_of_wigner_matrices_and_analysis_its_inverse(degree, order, grid):
    transform = RotationTransform(degree, order, grid).double()
    c = coefficients(transform)
    samples = transform.synthesis(c)
    expected = torch.stack([evaluated(transform.layout, one, transform.rotations()) for one in c])
    torch.testing.assert_close(samples, expected, atol=2e-12, rtol=0)
    torch.testing.assert_close(transform.analysis(samples), c, atol=2e-14, rtol=0)
    weights = transform.grid.weights[:, None, None] / (transform.grid.longitudes * transform.turns)
    torch.testing.assert_close(
        (weights * samples**2).sum((1, 2, 3)), c.square().sum(1), rtol=2e-15, atol=0
    )


def test_the_grid_of_kostelec_and_rockmore():
    grid = SphereGrid.resolving(3, "fejer")
    transform = RotationTransform(3, grid=grid, turns=8)
    assert (grid.rings, transform.layout.size) == (8, 84)
    grid = SphereGrid("fejer", 8, 8)
    assert RotationTransform(3, grid=grid, turns=8).shape == (8, 8, 8)


@pytest.mark.parametrize(
    ("band", "exact", "single"),
    [(4, 1e-14, 1e-6), (8, 2e-14, 1e-6), (16, 5e-14, 2e-6), (32, 1e-13, 2e-6)],
)
def test_round_trips(band, exact, single):
    transform = RotationTransform(band - 1)
    c = coefficients(transform, 1)
    assert (transform.analysis(transform.synthesis(c.float())) - c.float()).abs().max() <= single
    transform.double()
    assert (transform.analysis(transform.synthesis(c)) - c).abs().max() <= exact


def test_matrix_and_steps_agree(monkeypatch):
    whole = RotationTransform(3, 2).double()
    monkeypatch.setattr(RotationTransform, "_dense_entries", 0)
    steps = RotationTransform(3, 2).double()
    assert whole.dense and not steps.dense
    samples = torch.randn(
        3, *whole.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64
    )
    torch.testing.assert_close(whole.analysis(samples), steps.analysis(samples), atol=1e-14, rtol=0)
    torch.testing.assert_close(
        whole.synthesis(coefficients(whole)),
        steps.synthesis(coefficients(whole)),
        atol=1e-13,
        rtol=0,
    )


@pytest.mark.parametrize("order", [None, 1])
def test_a_rotated_signal_is_a_rotated_field(order):
    """f(Q^-1 R) has the coefficients that D(Q), of the group's irreps, makes of those of f."""
    transform = RotationTransform(3, order).double()
    c = coefficients(transform, 1)[0]
    copies = (f"{len(transform.layout.columns(l))}x{l}" for l in range(4))
    field = Field.parse("+".join(copies), SO3())
    for seed in range(3):
        q = rotation(seed)
        samples = evaluated(transform.layout, c, q.T @ transform.rotations())
        torch.testing.assert_close(
            transform.analysis(samples), field.matrix(q) @ c, atol=1e-12, rtol=0
        )


def test_the_sphere_is_the_column_in_the_middle():
    transform, sphere = RotationTransform(5).double(), SphereTransform(5).double()
    signal = torch.randn(36, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    blocks = [torch.zeros(2 * l + 1, 2 * l + 1, dtype=torch.float64) for l in range(6)]
    for l, block in enumerate(blocks):
        block[l] = signal[l * l : (l + 1) ** 2]
    expected = sphere.synthesis(signal)[..., None].expand(transform.shape)
    torch.testing.assert_close(
        transform.synthesis(transform.layout.join(blocks)), expected, atol=1e-13, rtol=0
    )
    alone = RotationTransform(5, 0, turns=1).double()
    torch.testing.assert_close(
        alone.synthesis(signal)[..., 0], sphere.synthesis(signal), atol=1e-13, rtol=0
    )


@pytest.mark.parametrize("dense", [0, 2**18])
def test_derivatives(monkeypatch, dense):
    monkeypatch.setattr(RotationTransform, "_dense_entries", dense)
    transform = RotationTransform(1).double()
    c = coefficients(transform).requires_grad_()
    samples = transform.synthesis(c).detach().requires_grad_()
    for function, x in ((transform.analysis, samples), (transform.synthesis, c)):
        assert gradcheck(function, x)
        assert gradgradcheck(lambda x, f=function: f(x).square(), x)


@pytest.mark.parametrize("dense", [0, 2**18])
def test_batches_empty_and_the_compiler(monkeypatch, dense):
    monkeypatch.setattr(RotationTransform, "_dense_entries", dense)
    transform = RotationTransform(6, 2).double()
    c = coefficients(transform, 6).view(2, 3, -1)
    samples = transform.synthesis(c)
    torch.testing.assert_close(samples[1, 2], transform.synthesis(c[1, 2]), atol=1e-13, rtol=0)
    torch.testing.assert_close(transform.analysis(samples)[1, 2], c[1, 2], atol=1e-13, rtol=0)
    assert transform.synthesis(c[:0]).shape == (0, 3, *transform.shape)
    assert transform.analysis(samples[:0]).shape == (0, 3, transform.layout.size)
    compiled = torch.compile(
        lambda x: transform.analysis(transform.synthesis(x)), fullgraph=True, backend="aot_eager"
    )
    torch.testing.assert_close(compiled(c), c, atol=1e-13, rtol=0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: RotationTransform(5, grid=SphereGrid.resolving(4)),
            "RotationTransform of degree 5 needs 6 rings",
        ),
        (lambda: RotationTransform(5, turns=10), "orders up to 5 needs at least 11 turns; got 10"),
        (lambda: RotationTransform(5, 6), "orders up to 5"),
        (
            lambda: RotationTransform(1).analysis(torch.full((2, 3, 3), math.nan)),
            "needs finite samples",
        ),
        (lambda: RotationTransform(1).synthesis(torch.zeros(9)), "expects 10 coefficients"),
    ],
)
def test_what_has_no_transform(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_layouts_are_shared():
    assert RotationTransform(3, 1).layout == Layout.rotations(3, 1)
