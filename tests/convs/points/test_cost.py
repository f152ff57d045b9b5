"""Which order is the cheapest: the estimates by hand, and what is taken on graphs."""

from functools import partial

import pytest
import torch

from steerable.convs.points.cost import ENGINES, cheapest, plan, works
from steerable.convs.points.engines import Work
from steerable.convs.points.message_loops import has_loops
from steerable.convs.points.point_conv import PointConv
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.implicit import ImplicitFilter
from steerable.layers import Full
from steerable.ops import radius_graph


def test_the_cheapest_engine_is_chosen_and_explained():
    field = "32x0e+32x1o+32x2e"
    conv = PointConv(field, field, HarmonicFilter(2, 5.0, channels=32), "depthwise")
    pos = torch.randn(30, 3)
    edges = radius_graph(pos, 3.0)
    x = torch.randn(30, conv.field_in.dim)
    plan = conv.explain(x, pos, edges)
    assert plan.chosen.name == "radial" and "radial" in str(plan) and "<-" in str(plan)
    assert plan.chosen.name == min(plan.estimates, key=lambda e: e.seconds).engine.name
    narrow = PointConv("64x0e+64x1o+64x2e", "1x0e", ImplicitFilter("0e+1o+2e", 5.0))
    dense = torch.randint(0, 30, (2, 30 * 64))
    assert narrow.explain(torch.randn(30, narrow.field_in.dim), pos, dense).chosen.name == "source"


WORKS = {"moments": Work(100, 10, 1e6, 50), "messages": Work(3e3, 300, 10, 5)}


@pytest.mark.parametrize(("nodes", "edges"), [(1, 1), (10, 10_000), (1000, 1000), (0, 0)])
def test_estimates_are_flops_and_bytes_over_what_a_core_does(nodes, edges):
    costs = plan(WORKS, nodes, edges)
    seconds = {}
    for name, work in WORKS.items():
        flops = edges * work.edge_flops + nodes * work.node_flops
        numbers = edges * work.edge_numbers + nodes * work.node_numbers
        seconds[name] = flops / 40e9 + 4 * numbers / 10e9  # of float32
    assert {e.engine.name: e.seconds for e in costs.estimates} == pytest.approx(seconds)
    assert costs.chosen.name == min(seconds, key=seconds.get)
    assert cheapest(WORKS, nodes, edges) is costs.chosen
    forced = plan(WORKS, nodes, edges, "messages")
    assert forced.chosen is ENGINES["messages"] and forced.estimates == costs.estimates


def test_few_edges_take_messages_and_many_take_moments():
    assert cheapest(WORKS, 10, 10).name == "messages"
    assert cheapest(WORKS, 10, 1_000_000).name == "moments"


def test_advice_says_what_is_kept():
    costs = plan(WORKS, 1_000, 10_000_000, "moments")
    assert costs.kept_gigabytes == pytest.approx(4 * (10_000_000 * 10 + 1_000 * 50) / 1e9)
    assert "keeps about 0.4 GB for the backward pass. Set recompute=True" in costs.advice(False)
    assert "10,000,000 edges ran out of memory although it keeps no block" in costs.advice(True)
    assert str(costs).count("<-") == 1 and "1,000 nodes, 10,000,000 edges" in str(costs)


def test_orders_that_do_not_apply_are_left_out():
    field = "2x0e+2x1o"
    shared, free = HarmonicFilter(1, 2.0), ImplicitFilter("0e+1o", 2.0)
    depthwise = PointConv(field, field, shared, "depthwise").contraction
    full = PointConv(field, field, free).contraction
    assert set(works(shared, depthwise)) == set(ENGINES)
    # Without harmonics of its own a filter has no radial functions, and no axis.
    assert set(ENGINES) - set(works(free, full)) == {"messages", "radial", "frame"}


@pytest.mark.parametrize("field_out", ["16x0e+16x1o", "1x0e"])
def test_full_contractions_take_the_loops_of_messages_where_these_exist(field_out):
    filter = HarmonicFilter(1, 5.0, channels=8)
    conv = PointConv("64x0e+64x1o", field_out, filter)
    by_loops, by_blocks = works(filter, conv.contraction, True), works(filter, conv.contraction)
    assert {name for name in by_loops if by_loops[name] != by_blocks[name]} == {"messages"}
    for nodes, edges in ((20, 226), (560, 6800), (100, 20_000), (10_000, 240_000)):
        assert cheapest(by_loops, nodes, edges).name == "messages"
    here = by_loops if has_loops(torch.device("cpu"), torch.float32) else by_blocks
    assert conv.plan(560, 6800).chosen is cheapest(here, 560, 6800)
    assert conv.to("meta").plan(560, 6800).chosen is cheapest(by_blocks, 560, 6800)
    grouped = PointConv("4x0e", "4x0e", filter, partial(Full, groups=2)).contraction
    assert works(filter, grouped, True) == works(filter, grouped)
