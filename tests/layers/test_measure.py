"""Scales measured over many batches."""

from pathlib import Path

import pytest
import torch
from torch import nn

from oracles.measured import batches, unequal
from steerable.nn import measure


def test_measure_averages_over_batches():
    many = [*batches(3), torch.zeros(3, 4), torch.full((3, 4), torch.nan)]
    singles = []
    for x in many[:3]:
        layer = unequal()
        layer(x)
        singles.append(layer.neighbours)
    layer = nn.Sequential(nn.Dropout(0.5), unequal()).train()
    result = measure(layer, many)
    assert set(result) == {"1.neighbours"} and layer[0].training
    torch.testing.assert_close(result["1.neighbours"], torch.stack(singles).mean())
    measure(layer, [{"input": many[0]}], lambda model, batch: model(batch["input"]))
    torch.testing.assert_close(layer[1].neighbours, singles[0])
    measure(layer[1], [(many[1],), [many[1]], {"x": many[1]}])
    torch.testing.assert_close(layer[1].neighbours, singles[1])


def test_measure_leaves_everything_as_it_was_where_it_fails():
    layer = unequal()
    layer(batches(1)[0])
    before = layer.neighbours.clone()
    with pytest.raises(ValueError, match="at least 1 batch; got none"):
        measure(layer, [])
    with pytest.raises(RuntimeError):
        measure(layer, [batches(1)[0], torch.zeros(3, 7)])
    assert layer.neighbours.equal(before) and layer.training
    assert measure(layer, [torch.zeros(3, 4)])["neighbours"].isnan()


def test_the_example_of_the_docs():
    text = (Path(__file__).parents[2] / "docs" / "scales.md").read_text()
    exec(text.split("```python\n")[1].split("```")[0], {})
