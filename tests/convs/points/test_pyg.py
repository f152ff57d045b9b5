"""PointConv among PyTorch Geometric's tools, on bipartite graphs, and with every aggregation."""

import pytest
import torch
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.loader import DataLoader
from torch_geometric.nn import HeteroConv, Sequential

from oracles.groups import EVERY, name
from oracles.per_edge import per_edge_conv
from steerable import Field
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs.points.point_conv import PointConv
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.implicit import ImplicitFilter
from steerable.groups import irreps
from steerable.ops import farthest_point_sampling, knn, radius_graph

DOUBLE = torch.float64


def conv_of(field_out="2x0e+2x1o", **options):
    torch.manual_seed(0)
    filter = HarmonicFilter(2, 2.0, channels=3)
    return PointConv("2x0e+2x1o", field_out, filter, neighbours=4.0, **options).double()


def cloud(nodes=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pos = torch.randn(nodes, 3, generator=generator, dtype=DOUBLE)
    return torch.randn(nodes, 8, generator=generator, dtype=DOUBLE), pos, radius_graph(pos, 2.0)


def test_bipartite_graphs_are_rows_of_the_whole():
    conv = conv_of()
    x, pos, _ = cloud(30)
    chosen = farthest_point_sampling(pos, 6)
    down = knn(pos, pos[chosen], 5)
    wanted = per_edge_conv(conv, x, pos, torch.stack([down[0], chosen[down[1]]]))[chosen]
    found = conv((x, None), (pos, pos[chosen]), down)
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=1e-12)
    up = down.flip(0)
    wanted = per_edge_conv(conv, x, pos, torch.stack([chosen[up[0]], up[1]]))
    torch.testing.assert_close(
        conv((x[chosen], None), (pos[chosen], pos), up), wanted, atol=1e-12, rtol=1e-12
    )


def test_bipartite_attributes_and_self_interaction():
    torch.manual_seed(0)
    filter = ImplicitFilter("0e+1o", 2.0, "1x0e+1x1o+1x1o", channels=2, hidden=2)
    conv = PointConv(
        "2x0e+2x1o", "2x0e+2x1o", filter, self_interaction=True, neighbours=4.0
    ).double()
    x, pos, edges = cloud()
    attr, edge_attr = torch.randn(9, 3, dtype=DOUBLE), torch.randn(edges.shape[1], 1, dtype=DOUBLE)
    wanted = per_edge_conv(conv, x, pos, edges, edge_attr, attr) + conv.self_interaction(x)
    torch.testing.assert_close(conv(x, pos, edges, edge_attr, attr), wanted, atol=1e-12, rtol=1e-12)
    kept = torch.tensor([2, 5])
    own = torch.isin(edges[1], kept)
    part = torch.stack([edges[0, own], torch.searchsorted(kept, edges[1, own])])
    found = conv((x, x[kept]), (pos, pos[kept]), part, edge_attr[own], (attr, attr[kept]))
    torch.testing.assert_close(found, wanted[kept], atol=1e-12, rtol=1e-12)
    with pytest.raises(ValueError, match="need features of the targets: pass x as a pair"):
        conv((x, None), (pos, pos[kept]), part, edge_attr[own], (attr, attr[kept]))


@pytest.mark.parametrize("aggregation", ["mean", "max", "attention"])
def test_aggregations_are_what_their_names_say(aggregation):
    conv = conv_of("3x0e" if aggregation == "max" else "2x0e+2x1o", aggregation=aggregation)
    x, pos, edges = cloud()
    singles = [torch.stack([edges[0, e], edges[1, e]]).view(2, 1) for e in range(edges.shape[1])]
    messages = torch.stack([per_edge_conv(conv, x, pos, edge)[edge[1, 0]] for edge in singles])
    for i in range(9):
        own = messages[edges[1] == i]
        if not len(own):
            wanted = torch.zeros(messages.shape[1], dtype=DOUBLE)
        elif aggregation == "max":
            wanted = own.amax(0)
        elif aggregation == "mean":
            wanted = own.mean(0)
        else:
            sources = edges[0, edges[1] == i]
            logits = conv.attention.key(x[sources]) @ conv.attention.query(x[i]) / 8**0.5
            wanted = logits.softmax(0) @ own
        torch.testing.assert_close(conv(x, pos, edges)[i], wanted, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_aggregations_commute(group):
    torch.manual_seed(0)
    pos = torch.randn(9, group.dim, dtype=DOUBLE)
    edges = radius_graph(pos, 2.0)
    field = Field(group, tuple((2, irrep) for irrep in irreps(group, 1)))
    invariant = Field(group, ((3, irreps(group, 0)[0]),))
    for aggregation in ("mean", "max", "attention"):
        out = invariant if aggregation == "max" else field
        conv = PointConv(
            field,
            out,
            HarmonicFilter(1, 2.0, channels=3, group=group),
            aggregation=aggregation,
            self_interaction=True,
        ).double()
        x = torch.randn(9, field.dim, dtype=DOUBLE)
        inputs = [(x, Role(field=field)), (pos, POSITIONS), (edges, EDGE_INDEX)]
        assert certify(conv, inputs, Role(field=out), group, elements=2).error < 1e-11, aggregation


def test_a_net_of_pyg_learns_from_its_loader():
    torch.manual_seed(0)
    graphs = []
    for seed in range(6):
        x, pos, edges = cloud(5 + seed, seed)
        graphs.append(Data(x=x, pos=pos, edge_index=edges))
    net = Sequential(
        "x, pos, edge_index",
        [(conv_of(), "x, pos, edge_index -> x"), (conv_of("1x0e"), "x, pos, edge_index -> x")],
    )
    alone = torch.cat([net(g.x, g.pos, g.edge_index) for g in graphs])
    together = torch.cat([net(b.x, b.pos, b.edge_index) for b in DataLoader(graphs, batch_size=4)])
    torch.testing.assert_close(together, alone, atol=1e-12, rtol=1e-12)
    net(
        *(Batch.from_data_list(graphs)[key] for key in ("x", "pos", "edge_index"))
    ).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_an_explainer_finds_the_edges_that_count():
    conv = conv_of("1x0e")
    x, pos, edges = cloud()

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv

        def forward(self, x, edge_index):
            return self.conv(x, pos, edge_index)

    explainer = Explainer(
        Net(),
        algorithm=GNNExplainer(epochs=20),
        explanation_type="model",
        edge_mask_type="object",
        node_mask_type="attributes",
        model_config={"mode": "regression", "task_level": "node"},
    )
    before = conv(x, pos, edges)
    hub = int(torch.bincount(edges[1]).argmax())
    mask = explainer(x, edges, index=hub).edge_mask
    own = edges[1] == hub
    assert mask.shape == own.shape and (mask[~own] == 0).all() and (mask[own] > 0).any()
    assert torch.equal(conv(x, pos, edges), before) and "aggregate" in str(
        conv.explain(x, pos, edges)
    )


def test_relations_of_a_heterogeneous_graph():
    atoms, pos_a, edges = cloud()
    sites, pos_s, _ = cloud(4, seed=1)
    data = HeteroData()
    data["atom"].x, data["atom"].pos = atoms, pos_a
    data["site"].x, data["site"].pos = sites, pos_s
    data["atom", "near", "atom"].edge_index = edges
    data["atom", "to", "site"].edge_index = knn(pos_a, pos_s, 3)
    net = HeteroConv({edge_type: conv_of() for edge_type in data.edge_types})
    found = net(data.x_dict, data.pos_dict, edge_index_dict=data.edge_index_dict)
    to_site = conv_of()((atoms, sites), (pos_a, pos_s), data["atom", "to", "site"].edge_index)
    torch.testing.assert_close(found["site"], to_site, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(
        found["atom"], conv_of()(atoms, pos_a, edges), atol=1e-12, rtol=1e-12
    )


def test_starts_with_unit_variance_on_the_graph_it_sees_first():
    torch.manual_seed(0)
    pos = torch.rand(400, 3) * 8
    edges = radius_graph(pos, 2.0)
    for aggregation, out in (("sum", "64x0e+64x1o"), ("mean", "64x0e+64x1o")):
        conv = PointConv(
            "16x0e+16x1o", out, HarmonicFilter(2, 2.0, channels=8), aggregation=aggregation
        )
        x = torch.randn(400, 64)
        y = conv(x, pos, edges)
        assert 0.7 < y.square().mean() < 1.4
        twin = PointConv(
            "16x0e+16x1o", out, HarmonicFilter(2, 2.0, channels=8), aggregation=aggregation
        )
        twin.load_state_dict(conv.state_dict())
        assert torch.equal(
            twin(x[:50], pos[:50], radius_graph(pos[:50], 2.0)),
            conv(x[:50], pos[:50], radius_graph(pos[:50], 2.0)),
        )
