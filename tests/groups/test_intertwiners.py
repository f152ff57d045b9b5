"""The solver: complete, orthonormal, equivariant, and the same bits everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import steerable
from steerable.groups import Group, GroupError, Harmonic, Product, intertwiners, irreps, rotation

FINITE = ["T", "T_h", "O", "I_h", "C_3v", "S_4", "D_4h", "plane_C_5", "plane_D_6", "trivial"]
CONTINUOUS = ["C_inf", "C_infv", "D_inf", "D_infh", "SO(3)", "O(3)", "SO(2)", "O(2)"]


def pairs(group):
    """Pairs of representations of a group: harmonics and products of harmonics."""
    one, two, three = Harmonic(group, 1, -1), Harmonic(group, 2, 1), Harmonic(group, 3, -1)
    return [
        (one, three),
        (two, two),
        (Product(one, two), one),
        (Product(one, one), two),
        (one, Product(one, two)),
    ]


def average(group):
    """Elements and weights that average class functions of low degree over the group exactly."""
    if group.order:
        return group.representatives, np.full(group.order, 1 / group.order)
    angles = 2 * np.pi * np.arange(32) / 32
    if group.dim == 3 and group.axis is None:
        turns = np.stack([rotation(t, (0, 0, 1)) for t in angles])
        weights = (1 - np.cos(angles)) / 32
        return (
            (np.concatenate([turns, -turns]), np.tile(weights, 2) / 2)
            if group.has_reflections
            else (turns, weights)
        )
    turns = np.stack([rotation(t, group.axis) for t in angles])
    elements = np.concatenate([r @ turns for r in group.representatives])
    return elements, np.full(len(elements), 1 / len(elements))


def character(rep, elements):
    return np.trace(rep.matrices(elements), axis1=1, axis2=2)


@pytest.mark.parametrize("name", FINITE + CONTINUOUS)
def test_the_basis_is_the_null_space(groups, draw, name):
    """As many as the characters say, and orthonormal.

    They span what a singular value decomposition finds.
    """
    group = groups[name]
    drawn = draw(group, 10)
    elements, weights = average(group)
    for rep_in, rep_out in pairs(group):
        basis = intertwiners(rep_in, rep_out)
        m, n = rep_out.dim, rep_in.dim
        expected = (weights * character(rep_in, elements) * character(rep_out, elements)).sum()
        assert len(basis) == pytest.approx(expected, abs=1e-10)
        assert basis.shape[1:] == (m, n)
        flat = basis.reshape(-1, m * n)
        np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-12)
        a, b = rep_out.matrices(drawn), rep_in.matrices(drawn)
        rows = np.concatenate(
            [np.kron(x, np.eye(n)) - np.kron(np.eye(m), y.T) for x, y in zip(a, b, strict=True)]
        )
        _, values, vectors = np.linalg.svd(rows)
        null = vectors[len(vectors) - (values < 1e-9).sum() :]
        np.testing.assert_allclose(flat.T @ flat, null.T @ null, atol=1e-10)


@pytest.mark.parametrize("name", FINITE + CONTINUOUS)
def test_the_basis_commutes_with_drawn_elements(groups, draw, name):
    group = groups[name]
    drawn = draw(group, 8, seed=3)
    found = irreps(group, max_degree=3)[:6]
    for rep_in, rep_out in [*pairs(group), *((a, b) for a in found for b in found)]:
        basis = intertwiners(rep_in, rep_out)
        left = np.einsum("gij,bjk->gbik", rep_out.matrices(drawn), basis)
        right = np.einsum("bij,gjk->gbik", basis, rep_in.matrices(drawn))
        np.testing.assert_allclose(left, right, atol=1e-12)


@pytest.mark.parametrize("angle", [1e-4, 2 * np.pi / 480, 1.0])
def test_generators_close_to_the_identity_count_in_full(angle, draw):
    """Of degree l to k there are 2 min(l, k) + 1 maps that commute with turns about an axis.

    The turns may be however small.
    """
    group = Group.from_generators([rotation(angle, (5, 1, angle))])
    drawn = draw(group)
    for l, k in [(1, 1), (1, 3), (2, 3)]:
        rep_in, rep_out = Harmonic(group, l, 1), Harmonic(group, k, 1)
        basis = intertwiners(rep_in, rep_out)
        assert len(basis) == 2 * min(l, k) + 1
        left = np.einsum("gij,bjk->gbik", rep_out.matrices(drawn), basis)
        np.testing.assert_allclose(
            left, np.einsum("bij,gjk->gbik", basis, rep_in.matrices(drawn)), atol=1e-10
        )


@pytest.mark.parametrize("name", ["T", "I_h", "C_inf", "O(3)", "SO(2)"])
def test_irreps_obey_schurs_lemma(groups, name):
    """Nothing joins two irreps.

    What commutes with one is spanned by isometries, the identity among them.
    """
    found = irreps(groups[name], max_degree=2)
    for a in found:
        for b in found:
            basis = intertwiners(a, b)
            assert len(basis) == (a.type if a == b else 0)
            for x in basis:
                np.testing.assert_allclose(x @ x.T * a.dim, np.eye(a.dim), atol=1e-12)


def test_bases_are_signed_shared_and_read_only(groups):
    for rep_in, rep_out in pairs(groups["C_3v"]):
        basis = intertwiners(rep_in, rep_out)
        assert all(x[np.abs(x) > 1e-8][0] > 0 for x in basis)
        assert intertwiners(rep_in, rep_out) is basis
        with pytest.raises(ValueError, match="read-only"):
            basis[:] = 0


def test_no_map_at_all(groups):
    even, odd = Harmonic(groups["O(3)"], 2, 1), Harmonic(groups["O(3)"], 2, -1)
    assert intertwiners(even, odd).shape == (0, 5, 5)


def test_two_groups_are_an_error(groups):
    with pytest.raises(
        GroupError, match="representations of one group; got O and T. Restrict the larger one first"
    ):
        intertwiners(Harmonic(groups["O"], 1, -1), Harmonic(groups["T"], 1, -1))


BASES = """
import sys
import numpy as np
from steerable.groups import GOLDEN_ANGLE, Group, coupling, irreps, rotation

golden = (1 + 5**0.5) / 2
swap = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
next_swap = np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
fifth, third = rotation(2 * np.pi / 5, (0, 1, golden)), rotation(2 * np.pi / 3, (1, 1, 1))
about = rotation(GOLDEN_ANGLE, (1, 1, 1))
usual = {
    "I": [fifth, third],
    "C_3v": [third, swap],
    "S_4": [-rotation(np.pi / 2, (1, 2, 3))],
    "C_infv": [about, swap],
}
other = {
    "I": [third.T, fifth @ fifth, rotation(np.pi, (0, 0, 1))],
    "C_3v": [next_swap, swap],
    "S_4": [-rotation(-np.pi / 2, (1, 2, 3))],
    "C_infv": [rotation(1.0, (-1, -1, -1)), next_swap],
}
order = int(sys.argv[2])


def bases(generators):
    result = {}
    for name, matrices in list(generators.items())[::order]:
        found = irreps(Group.from_generators(matrices), max_degree=3)
        for a in found[::order]:
            result[f"{name} {a.name}"] = a.isometry
            for b in found:
                for c in found[::order]:
                    result[f"{name} {a.name} {b.name} {c.name}"] = coupling(a, b, c)
    return result


np.savez(sys.argv[1] + " usual.npz", **bases(usual))
sys.modules["steerable.groups.irreps"]._search.cache_clear()
sys.modules["steerable.groups.intertwiners"]._solve.cache_clear()
np.savez(sys.argv[1] + " other.npz", **bases(other))
"""


def test_the_same_bits_in_every_process(tmp_path):
    """One thread and two, whichever is asked for first.

    Other generators of the same groups change only rounding.
    """
    source, processes = str(Path(steerable.__file__).parents[1]), []
    for order, threads in [("1", "1"), ("-1", "2")]:
        environment = os.environ | {
            "PYTHONPATH": source,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
        }
        command = [sys.executable, "-c", BASES, str(tmp_path / order), order]
        processes.append(
            subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        )
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    first, second, other = (
        dict(np.load(tmp_path / f"{name}.npz")) for name in ("1 usual", "-1 usual", "1 other")
    )
    assert first.keys() == second.keys() == other.keys() and len(first) > 300
    for key, basis in first.items():
        assert basis.tobytes() == second[key].tobytes(), key
        np.testing.assert_allclose(other[key], basis, atol=1e-11, err_msg=key)
