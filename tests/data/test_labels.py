"""Labels are values by name, without the rows that are missing."""

import torch

from steerable.data.labels import Label, label, named_labels


def test_a_label_without_gaps_is_its_values():
    values = torch.tensor([1.0, 2.0])
    found = label(values)
    assert found.value is values
    assert found.rows is None
    assert label(torch.tensor([3, 4])).rows is None
    prediction = torch.tensor([5.0, 6.0])
    assert found.select(prediction) is prediction


def test_rows_with_a_nan_are_missing():
    forces = torch.arange(12.0).view(4, 3)
    forces[1, 2] = forces[3, 0] = torch.nan
    found = label(forces)
    assert found.rows.tolist() == [0, 2]
    assert found.value.tolist() == [[0.0, 1.0, 2.0], [6.0, 7.0, 8.0]]
    assert found.select(torch.arange(4)).tolist() == [0, 2]


def test_a_label_may_miss_everything_and_have_more_axes():
    found = label(torch.full((2, 3, 3), torch.nan))
    assert found.value.shape == (0, 3, 3)
    assert found.rows.tolist() == []
    assert label(torch.zeros(0, 3)).value.shape == (0, 3)


def test_labels_have_names_and_are_read_once():
    y = torch.tensor([1.0, torch.nan])
    found = named_labels(y, "gap")
    assert list(found) == ["gap"]
    assert found["gap"].value.tolist() == [1.0]
    assert isinstance(found["gap"], Label)
    again = named_labels(found)
    assert again["gap"] is found["gap"]
    assert list(named_labels({"energy": y, "forces": y})) == ["energy", "forces"]
