"""The Fourier transform over S_n and its cosets: sums written out, and its laws."""

from itertools import product
from math import factorial, prod

import numpy as np
import pytest
import torch

from contracts.sweeps import sweep
from steerable.groups import GroupError
from steerable.groups.permutations.fft import PermutationFourier
from steerable.groups.permutations.permutations import compose, coset_numbers, inverse, places
from steerable.groups.permutations.symmetric import SymmetricGroup, YoungSubgroup
from steerable.groups.permutations.tableaux import dimension, kostka, partitions
from steerable.groups.permutations.young import orthogonal_form

COSETS = [parts for n in (2, 3, 4, 5) for parts in partitions(n)] + [
    (3, 2, 1),
    (2, 2, 2),
    (4, 2),
    (2, 2, 1, 1),
]


def signal(fourier, *batch, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(
        *batch, len(fourier.representatives), generator=generator, dtype=torch.float64
    ).to(dtype)


def draw(n, count, seed=0):
    return SymmetricGroup(n).sample(count, torch.Generator().manual_seed(seed)).numpy()


def energy(fourier, spectrum):
    """The sum over irreps of d |F|^2, over the number of cosets."""
    squares = [dimension(shape) * block.square().sum((-2, -1)) for shape, block in spectrum.items()]
    return torch.stack(squares).sum(0) / len(fourier.representatives)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_the_transform_is_the_direct_sum(n):
    fourier = PermutationFourier(n)
    f = signal(fourier, 2, 3)
    spectrum = fourier.analysis(f)
    assert list(spectrum) == list(partitions(n))
    for shape, block in spectrum.items():
        direct = np.einsum(
            "abs,sij->abij", f.numpy(), orthogonal_form(shape, fourier.representatives)
        )
        np.testing.assert_allclose(block, direct, atol=1e-12)
    torch.testing.assert_close(fourier.synthesis(spectrum), f, atol=3e-14, rtol=0)
    torch.testing.assert_close(energy(fourier, spectrum), f.square().sum(-1), atol=0, rtol=1e-13)


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_the_convolution_theorem(n):
    """(f * g)(s) = sum over t of f(s t^-1) g(t), with all permutations."""
    fourier = PermutationFourier(n)
    f, g = signal(fourier), signal(fourier, seed=1)
    elements = fourier.representatives
    direct = torch.stack([f[places(compose(s[None], inverse(elements)))] @ g for s in elements])
    torch.testing.assert_close(fourier.convolve(f, g), direct, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("parts", COSETS)
def test_functions_on_cosets(parts):
    """The columns span the invariant vectors.

    The blocks are those of S_n for the function spread over its cosets.
    """
    n, order = sum(parts), prod(factorial(part) for part in parts)
    fourier, whole = PermutationFourier(n, parts), PermutationFourier(n)
    f = signal(fourier, 2)
    spectrum = fourier.analysis(f)
    assert fourier.columns == {
        shape: count for shape in partitions(n) if (count := kostka(shape, parts))
    }
    spread = f[:, coset_numbers(whole.representatives, parts)]
    delta = torch.zeros_like(f[:1])
    delta[0, 0] = 1
    bases = fourier.analysis(delta)  # of the coset of the identity: B itself
    elements = YoungSubgroup(parts).elements
    for shape, block in whole.analysis(spread).items():
        if shape in spectrum:
            basis = bases[shape][0]
            torch.testing.assert_close(
                basis.T @ basis, torch.eye(fourier.columns[shape], dtype=torch.float64)
            )
            moved = torch.from_numpy(orthogonal_form(shape, elements)) @ basis
            torch.testing.assert_close(moved, basis.expand_as(moved), atol=1e-13, rtol=0)
            torch.testing.assert_close(spectrum[shape] @ basis.T * order, block, atol=1e-11, rtol=0)
        else:
            assert block.abs().max() < 1e-11
    torch.testing.assert_close(fourier.synthesis(spectrum), f, atol=1e-13, rtol=0)
    torch.testing.assert_close(energy(fourier, spectrum), f.square().sum(-1), atol=0, rtol=1e-12)


@pytest.mark.parametrize(
    "parts",
    [(1, 1, 1, 1, 1), (3, 1, 1), (2, 2, 1), (2, 2, 1, 1, 1), (3, 3, 1), (28, 1, 1), (199, 1)],
)
def test_long_chains(parts):
    """Round trip and Plancherel where steps follow the dense start.

    The trivial irrep holds the sum.
    """
    fourier = PermutationFourier(sum(parts), parts)
    f = signal(fourier, 2)
    spectrum = fourier.analysis(f)
    torch.testing.assert_close(spectrum[fourier.n,].flatten(), f.sum(-1), atol=1e-11, rtol=0)
    torch.testing.assert_close(fourier.synthesis(spectrum), f, atol=1e-12, rtol=0)
    torch.testing.assert_close(energy(fourier, spectrum), f.square().sum(-1), atol=0, rtol=1e-12)


@pytest.mark.parametrize(
    "parts", [(1, 1, 1, 1, 1), (1,) * 6, (3, 1, 1), (2, 2, 1), (2, 2, 1, 1, 1), (28, 1, 1)]
)
def test_permutations_move_the_rows(parts):
    """f(t^-1 x) has coefficients rho(t) F, for odd and even t.

    And not those of another permutation.
    """
    fourier, n = PermutationFourier(sum(parts), parts), sum(parts)
    f = signal(fourier, 2)
    spectrum = fourier.analysis(f)
    for t, other in zip(draw(n, 2), draw(n, 2, seed=1), strict=True):
        source = coset_numbers(compose(inverse(t[None]), fourier.representatives), parts)
        for shape, block in fourier.analysis(f[:, source]).items():
            rho = torch.from_numpy(orthogonal_form(shape, t[None])[0])
            torch.testing.assert_close(block, rho @ spectrum[shape], atol=1e-11, rtol=0)
            wrong = torch.from_numpy(orthogonal_form(shape, other[None])[0])
            assert len(block[0]) == 1 or (block - wrong @ spectrum[shape]).abs().max() > 0.1


def test_convolution_with_functions_on_cosets():
    """(f * g)(x) = sum over t of f(t) g(t^-1 x) has coefficients F G."""
    whole, pairs = PermutationFourier(4), PermutationFourier(4, (2, 1, 1))
    f, g = signal(whole), signal(pairs, seed=1)
    moved = [
        coset_numbers(compose(inverse(t[None]), pairs.representatives), pairs.parts)
        for t in whole.representatives
    ]
    direct = (f[:, None] * torch.stack([g[x] for x in moved])).sum(0)
    F, G = whole.analysis(f), pairs.analysis(g)
    torch.testing.assert_close(
        pairs.synthesis({shape: F[shape] @ G[shape] for shape in G}), direct, atol=1e-12, rtol=0
    )


def test_all_of_s8():
    """Round trip and Plancherel to 1e-12; single permutations give their matrices."""
    fourier = PermutationFourier(8)
    f = signal(fourier, 2)
    spectrum = fourier.analysis(f)
    torch.testing.assert_close(fourier.synthesis(spectrum), f, atol=1e-12, rtol=0)
    torch.testing.assert_close(energy(fourier, spectrum), f.square().sum(-1), atol=0, rtol=1e-12)
    s = draw(8, 3)
    deltas = torch.zeros(3, 40320, dtype=torch.float64)
    deltas[torch.arange(3), torch.from_numpy(places(s))] = 1
    for shape, block in fourier.analysis(deltas).items():
        np.testing.assert_allclose(block, orthogonal_form(shape, s), atol=1e-14)
    short = fourier.analysis(f.float())
    for shape, block in short.items():
        assert block.dtype == torch.float32
        torch.testing.assert_close(
            block.double(), spectrum[shape], atol=3e-6 * float(spectrum[shape].abs().max()), rtol=0
        )
    torch.testing.assert_close(fourier.synthesis(short), f.float(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("parts", [(1, 1, 1), (2, 2)])
def test_gradients(parts):
    fourier = PermutationFourier(sum(parts), parts)
    f = signal(fourier, 2).requires_grad_()

    def flat(f):
        return torch.cat([block.flatten(1) for block in fourier.analysis(f).values()], 1)

    def square(f):
        blocks = fourier.analysis(f).items()
        return fourier.synthesis({shape: block**2 for shape, block in blocks})

    assert torch.autograd.gradcheck(flat, f)
    assert torch.autograd.gradcheck(square, f) and torch.autograd.gradgradcheck(square, f)


@pytest.mark.parametrize("parts", sweep([(1, 1, 1, 1), (2, 1, 1), (2, 2)], [(2, 1, 1)]))
def test_compiled(parts):
    fourier = PermutationFourier(4, parts)

    def smooth(f):
        return fourier.synthesis(
            {shape: block / (1 + len(shape)) for shape, block in fourier.analysis(f).items()}
        )

    f = signal(fourier, 2)
    compiled = torch.compile(smooth, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(f), smooth(f), atol=1e-14, rtol=0)


@pytest.mark.parametrize("parts", [(1, 1, 1, 1), (2, 1, 1), (2, 2), (4,)])
def test_batches(parts):
    fourier = PermutationFourier(4, parts)
    f = signal(fourier, 3, 2)
    spectrum = fourier.analysis(f)
    for a, b in product(range(3), range(2)):
        for shape, block in fourier.analysis(f[a, b]).items():
            torch.testing.assert_close(block, spectrum[shape][a, b], atol=1e-14, rtol=0)
    empty = fourier.analysis(f[:0])
    assert all(
        block.shape == (0, 2, dimension(shape), fourier.columns[shape])
        for shape, block in empty.items()
    )
    assert fourier.synthesis(empty).shape == f[:0].shape
    strided = signal(fourier, 5, 2).transpose(0, 1)
    torch.testing.assert_close(
        fourier.synthesis(fourier.analysis(strided)), strided, atol=1e-14, rtol=0
    )


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (
            lambda: PermutationFourier(9),
            r"S_9 has 9! = 362880 values and as many coefficients; n is from 1 to 8",
        ),
        (lambda: PermutationFourier(0), "n is from 1 to 8"),
        (lambda: PermutationFourier(5, (2, 2)), "a partition of 5 is wanted"),
        (lambda: PermutationFourier(3, (1, 2)), "is no partition"),
        (
            lambda: PermutationFourier(200, (198, 1, 1)),
            r"S_200 / S_\(198, 1, 1\) takes matrices of \d+ entries; at most",
        ),
        (
            lambda: PermutationFourier(12, (6, 6)),
            r"takes 12!/6! = 665280 permutations; at most 8! = 40320",
        ),
        (
            lambda: PermutationFourier(3).analysis(torch.zeros(5)),
            r"is 6 real numbers on the last axis; got torch.float32 \(5,\)",
        ),
        (lambda: PermutationFourier(3).analysis(torch.zeros(6).long()), "got torch.int64"),
        (lambda: PermutationFourier(3).analysis(torch.tensor(1.0)), r"got torch.float32 \(\)"),
        (
            lambda: PermutationFourier(3, (2, 1)).convolve(torch.zeros(3), torch.zeros(3)),
            "Functions on S_3 convolve",
        ),
        (
            lambda: PermutationFourier(3, (2, 1)).synthesis({(3,): torch.zeros(1, 1)}),
            r"blocks \(..., d, columns\) with the same axes",
        ),
        (
            lambda: PermutationFourier(3, (2, 1)).synthesis(
                {(3,): torch.zeros(1, 1), (2, 1): torch.zeros(5, 2, 1)}
            ),
            "with the same axes before them, .*; got .*5, 2, 1",
        ),
    ],
)
def test_errors(wrong, text):
    with pytest.raises(ValueError, match=text) as caught:
        wrong()
    assert caught.type in (ValueError, GroupError)
