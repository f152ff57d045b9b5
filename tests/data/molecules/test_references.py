"""Reference energies of atoms and standardisation."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from steerable.data import Statistics, composition, fit_references, fit_statistics

METHANE, WATER, ETHYNE = [6, 1, 1, 1, 1], [8, 1, 1], [6, 6, 1, 1]


def test_composition_counts_the_atoms_of_arrays_tensors_and_data():
    expected = [[4, 1, 0], [2, 0, 1], [2, 2, 0]]
    for wrap in (
        np.array,
        torch.tensor,
        lambda z: Data(z=torch.tensor(z)),
        lambda z: np.array(z, dtype=np.uint8),
    ):
        counts = composition([wrap(z) for z in (METHANE, WATER, ETHYNE)], (1, 6, 8))
        assert counts.dtype == np.float64
        np.testing.assert_array_equal(counts, expected)


def test_no_molecule_and_no_atom_are_counted_too():
    assert composition([], (1, 6)).shape == (0, 2)
    np.testing.assert_array_equal(composition([np.zeros(0, dtype=int)], (1, 6)), [[0, 0]])


def test_an_element_that_is_not_asked_for_is_an_error():
    with pytest.raises(
        ValueError, match=r"molecule 1 has atoms of the atomic numbers \[8\].*elements \[1, 6\]"
    ):
        composition([np.array(METHANE), np.array(WATER)], (1, 6))


def test_references_recover_what_made_the_energies():
    counts = np.random.default_rng(0).integers(0, 10, (50, 5))
    truth = np.array([-13.6, -1029.8, -1485.3, -2042.6, -2713.4])
    np.testing.assert_allclose(fit_references(counts, counts @ truth), truth, rtol=1e-12)


def test_references_of_rank_deficient_counts_are_those_of_least_norm():
    # Hydrogen and carbon always come 4 to 1: only 4 H + C is known.
    reference = fit_references([[4, 1], [8, 2]], [17.0, 34.0])
    np.testing.assert_allclose(reference, [4.0, 1.0])


def test_references_of_total_energies_keep_float64():
    counts = composition([np.array(z) for z in (METHANE, WATER, ETHYNE)], (1, 6, 8))
    energies = counts @ np.array([-13.6, -1029.8, -2042.6]) + np.array([1e-7, 0, 0])
    fitted = counts @ fit_references(counts, energies)
    np.testing.assert_allclose(fitted, energies, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("counts", "energies", "message"),
    [
        ([[1.0, 2.0]], [1.0, 2.0], r"got \(1, 2\) and \(2,\)"),
        (np.zeros((0, 2)), [], "at least one molecule"),
        ([[1.0]], [np.nan], "NaN or infinite"),
        ([[np.inf]], [1.0], "NaN or infinite"),
    ],
)
def test_references_of_bad_input_are_an_error(counts, energies, message):
    with pytest.raises(ValueError, match=message):
        fit_references(counts, energies)


def test_an_extensive_target_has_references_and_the_scale_of_what_they_leave():
    rng = np.random.default_rng(1)
    molecules = [rng.choice([1, 6, 8], size=rng.integers(3, 20)) for _ in range(200)]
    counts = composition(molecules, (1, 6, 8))
    noise = rng.normal(0, 0.3, 200)
    y = counts @ [-2.0, -6.0, -4.0] + noise
    found = fit_statistics(molecules, y, extensive=True)
    assert (found.elements, found.shift) == ((1, 6, 8), 0.0)
    residual = y - counts @ found.reference
    assert found.scale == pytest.approx(residual.std())
    np.testing.assert_allclose(counts.T @ residual, 0, atol=1e-9)  # the normal equations


def test_an_intensive_target_has_its_mean_and_standard_deviation():
    found = fit_statistics([METHANE, WATER, ETHYNE], [1.0, 2.0, 6.0], extensive=False)
    assert found == Statistics(
        (1, 6, 8), (0.0, 0.0, 0.0), 3.0, pytest.approx(np.std([1.0, 2.0, 6.0]))
    )


@pytest.mark.parametrize("extensive", [True, False])
def test_a_target_without_spread_has_scale_one(extensive):
    found = fit_statistics([METHANE, METHANE], [-17.0, -17.0], extensive)
    assert found.scale == 1.0


def test_statistics_need_a_molecule():
    with pytest.raises(ValueError, match="at least one molecule"):
        fit_statistics([], [], extensive=True)
