"""Errors are means with their units."""

import pytest
import torch

from steerable.train.measures import Measure, absolute_error, errors, percent, quantity


def test_errors_have_units():
    found = errors(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 5.0, 7.0]), "D")
    assert found["mae"] == {"value": pytest.approx(7 / 3), "unit": "D"}
    assert found["rmse"] == {"value": pytest.approx((25 / 3) ** 0.5), "unit": "D"}


def test_a_measure_is_one_word_in_files_and_an_absolute_error_by_default():
    measure = Measure("Forces MAE", "eV/Angstrom", "forces")
    assert measure.key == "forces_mae"
    assert measure.error is absolute_error
    error = measure.error(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.0]))
    assert error.tolist() == [2.0, 0.0]


def test_numbers_have_units():
    assert quantity(torch.tensor(2.0), "eV") == {"value": 2.0, "unit": "eV"}
    assert percent(torch.tensor([True, False, False, False])) == {"value": 25.0, "unit": "%"}
