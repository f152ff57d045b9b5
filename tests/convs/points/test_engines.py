"""All orders of computation and all contractions.

The same numbers as a kernel per edge, for every group.
"""

from functools import partial
from itertools import product

import pytest
import torch

from contracts.sweeps import sweep
from oracles.groups import EVERY
from oracles.per_edge import per_edge_conv
from steerable import Field
from steerable.certify import EDGE_INDEX, POSITIONS, Role, certify
from steerable.convs.points.cost import ENGINES
from steerable.convs.points.point_conv import PointConv
from steerable.filters.harmonic import HarmonicFilter
from steerable.filters.implicit import ImplicitFilter
from steerable.groups import O2, O3, SO3, irreps
from steerable.layers import Depthwise, Full
from steerable.ops import neighbourhoods, radius_graph

DOUBLE = torch.float64
KINDS = {
    "full": Full,
    "groups": partial(Full, groups=2),
    "depthwise": Depthwise,
    "rank": partial(Depthwise, rank=3),
}
# Every third and every fifth of them has all groups, contractions and ways to recompute.
SUMS = list(product(EVERY, KINDS))
DERIVATIVES = list(product([O3(), O2(), SO3()], KINDS, [False, True, None]))


def field_of(group, copies, degree=1):
    return Field(group, tuple((copies, irrep) for irrep in irreps(group, degree)))


def cases(group, contraction, **options):
    """Every engine that applies, on one cloud with a hub, a far node and shuffled edges."""
    torch.manual_seed(0)
    pos = torch.randn(9, group.dim, dtype=DOUBLE)
    pos[8] = 50.0
    edges = radius_graph(pos, 2.0)
    edges = edges[:, torch.randperm(edges.shape[1])]
    field_in = Field(group, (*field_of(group, 4).terms, *field_of(group, 2).terms[:1]))
    filters = [
        HarmonicFilter(2, 2.0, channels=3, hidden=(), group=group),
        ImplicitFilter(field_of(group, 1), 2.0, channels=2, hidden=2),
    ]
    for filter in filters:
        conv = PointConv(
            field_in, field_of(group, 2), filter, contraction, neighbours=4.0, **options
        ).double()
        x = torch.randn(9, field_in.dim, dtype=DOUBLE)
        for engine in ENGINES.values():
            if engine.applies(filter, conv.contraction):
                conv.engine = engine.name
                yield conv, x, pos, edges


@pytest.mark.parametrize("case", sweep(SUMS, SUMS[::3]), ids=str)
def test_every_engine_is_the_sum_with_a_kernel_per_edge_and_commutes(case):
    group, kind = case
    for conv, x, pos, edges in cases(group, KINDS[kind]):
        torch.testing.assert_close(
            conv(x, pos, edges),
            per_edge_conv(conv, x, pos, edges),
            atol=1e-12,
            rtol=1e-12,
            msg=conv.engine,
        )
        inputs = [(x, Role(field=conv.field_in)), (pos, POSITIONS), (edges, EDGE_INDEX)]
        report = certify(conv, inputs, Role(field=conv.field_out), group, elements=2)
        assert report.error < 1e-11, (conv.engine, report)


@pytest.mark.parametrize("case", sweep(DERIVATIVES, DERIVATIVES[::5]), ids=str)
def test_first_and_second_derivatives_of_every_engine(case, monkeypatch):
    group, kind, recompute = case
    monkeypatch.setattr(
        "steerable.convs.points.neighbour_conv._MANY_EDGES", 0
    )  # None: sums again, filters kept
    for conv, x, pos, edges in cases(group, KINDS[kind], recompute=recompute):
        x.requires_grad_()
        pos.requires_grad_()
        hood = neighbourhoods(edges, len(pos), 7)
        found, wanted = [], []
        for y, results in (
            (conv(x, pos, hood), found),
            (per_edge_conv(conv, x, pos, edges), wanted),
        ):
            leaves = [x, pos, *conv.parameters()]
            first = torch.autograd.grad(
                y.pow(3).sum(), leaves, create_graph=True, materialize_grads=True
            )
            results += first
            results += torch.autograd.grad(
                sum(g.square().sum() for g in first),
                leaves,
                allow_unused=True,
                materialize_grads=True,
            )
        for a, b in zip(found, wanted, strict=True):
            torch.testing.assert_close(a, b, atol=1e-8, rtol=1e-9, msg=conv.engine)


def test_recomputed_second_derivatives_pass_gradgradcheck():
    for conv, x, pos, edges in cases(O3(), Depthwise, recompute=True):
        pos = pos[:8].clone().requires_grad_()
        x = x[:8].requires_grad_()
        assert torch.autograd.gradgradcheck(
            lambda x, p, conv=conv, edges=edges: conv(x, p, edges), (x, pos), fast_mode=True
        )


def test_third_derivatives_need_blocks_to_be_kept():
    conv, x, pos, edges = next(cases(O3(), Full))

    def third(recompute):
        conv.recompute = recompute
        own = pos.clone().requires_grad_()
        (first,) = torch.autograd.grad(conv(x, own, edges).pow(2).sum(), own, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), own, create_graph=True)
        return torch.autograd.grad(second.square().sum(), own)[0]

    assert torch.isfinite(third(False)).all()
    with pytest.raises(RuntimeError, match="Third derivatives .* set recompute=False"):
        third(True)


def test_deterministic():
    conv, x, pos, edges = next(cases(O3(), Depthwise))
    pos.requires_grad_()
    runs = [
        torch.autograd.grad(conv(x, pos, edges).square().sum(), [pos, *conv.parameters()])
        for _ in range(3)
    ]
    for run in runs[1:]:
        for a, b in zip(run, runs[0], strict=True):
            assert torch.equal(a, b)


def test_errors():
    with pytest.raises(
        ValueError, match="groups=3 does not divide every multiplicity of 4x0e and 6x0e"
    ):
        PointConv("4x0e", "6x0e", HarmonicFilter(1, 2.0), partial(Full, groups=3))
