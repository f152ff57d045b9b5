"""Which aggregations of PyG depend on the order of the elements, by trial."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import aggr

from steerable.convs.sets.order import OrderWarning, ordered, warn_of_order

DOUBLE = torch.float64


def rows(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def pyg(name):
    linear = nn.Linear(4, 4)
    made = {
        "Set2Set": lambda: aggr.Set2Set(4, 2),
        "LSTMAggregation": lambda: aggr.LSTMAggregation(4, 4),
        "GRUAggregation": lambda: aggr.GRUAggregation(4, 4),
        "LCMAggregation": lambda: aggr.LCMAggregation(4, 4),
        "QuantileAggregation": lambda: aggr.QuantileAggregation(0.3),
        "SortAggregation": lambda: aggr.SortAggregation(2),
        "AttentionalAggregation": lambda: aggr.AttentionalAggregation(nn.Linear(4, 1)),
        "MLPAggregation": lambda: aggr.MLPAggregation(4, 4, max_num_elements=9, num_layers=1),
        "DeepSetsAggregation": lambda: aggr.DeepSetsAggregation(linear, linear),
        "SetTransformerAggregation": lambda: aggr.SetTransformerAggregation(4),
        "GraphMultisetTransformer": lambda: aggr.GraphMultisetTransformer(4, 2),
        "EquilibriumAggregation": lambda: aggr.EquilibriumAggregation(4, 4, num_layers=[4]),
        "DegreeScalerAggregation": lambda: aggr.DegreeScalerAggregation(
            "mean", "identity", torch.ones(9)
        ),
        "MultiAggregation": lambda: aggr.MultiAggregation(["mean", "std", "max"]),
        "PatchTransformerAggregation": lambda: aggr.PatchTransformerAggregation(4, 4, 2, 4, 1),
    }
    torch.manual_seed(0)
    return made.get(name, getattr(aggr, name))().eval()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in aggr.classes if name != "Aggregation"])
def test_which_aggregations_of_pyg_depend_on_the_order(name):
    """Every Aggregation that the installed PyG has, by trial."""
    pool = pyg(name)
    x, index = rows(8, 4, dtype=torch.float32), torch.tensor([0] * 5 + [1] * 3)
    order = torch.tensor([3, 0, 4, 2, 1, 7, 5, 6])
    change = (
        (pool(x, index, dim_size=2, dim=0) - pool(x[order], index, dim_size=2, dim=0)).abs().max()
    )
    assert (change > 1e-3) == isinstance(pool, ordered())


def test_warnings_of_order():
    with pytest.warns(OrderWarning, match="LSTMAggregation depends on the order of the elements"):
        warn_of_order(aggr.MultiAggregation(["mean", aggr.LSTMAggregation(4, 4)]))
    warn_of_order(aggr.MultiAggregation(["mean", "max"]))
