"""Free memory is asked for only where much is needed."""

import numpy as np
import pytest
import torch

from steerable.ops.neighbours import memory as MEMORY
from steerable.ops.neighbours.lattice import lattices

CPU = torch.device("cpu")


def test_free_memory_is_that_of_the_machine():
    assert MEMORY.free_bytes(CPU) > 1e6
    assert MEMORY.free_bytes(torch.device("meta")) == float("inf")


def test_few_images_are_not_counted_against_memory(monkeypatch):
    monkeypatch.setattr(MEMORY, "free_bytes", lambda device: 0.0)
    MEMORY.check_images(1000, 5.0, CPU)
    with pytest.raises(ValueError, match=r"cutoff 5 would make 1e\+07 images .* 1.2 GB, and 0 GB"):
        MEMORY.check_images(10**7, 5.0, CPU)


def test_without_periods_all_pairs_are_expected_at_most():
    lattice = lattices(torch.zeros(3, 3), False, 2, 3)
    spans = np.array([[1.0, 1, 1], [1, 1, 1]])
    assert MEMORY.expected_pairs(np.array([10, 20]), spans, 100.0, lattice) == 500
