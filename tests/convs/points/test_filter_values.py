"""The values of filters at the edges, shared or not, against the filters themselves."""

import pytest
import torch

from steerable.convs.points.filter_values import filter_values, radial_values, separable_values
from steerable.filters import HarmonicFilter, ImplicitFilter
from steerable.ops import Edges

POS = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
EDGES = torch.tensor([[1, 2, 3, 4, 0, 2], [0, 0, 1, 2, 4, 3]])


def edges():
    return Edges.between(POS, EDGES)


@pytest.mark.parametrize("kind", [HarmonicFilter, ImplicitFilter])
def test_values_are_rows_of_channels_and_components(kind):
    torch.manual_seed(0)
    filter = kind(1, 3.0, 2) if kind is HarmonicFilter else kind("0e+1o", 3.0, channels=2)
    offset = POS[EDGES[0]] - POS[EDGES[1]]
    torch.testing.assert_close(filter_values(filter, edges(), None), filter(offset).flatten(1))


def test_separable_filters_are_a_product():
    torch.manual_seed(0)
    filter = HarmonicFilter(1, 3.0, 2)
    radial, harmonics = separable_values(filter, edges(), None)
    torch.testing.assert_close(radial, radial_values(filter, edges(), None))
    product = (radial.unsqueeze(2) * harmonics.unsqueeze(1)).flatten(1)
    torch.testing.assert_close(product, filter_values(filter, edges(), None))
