"""The work of the benchmarks is as described, and every layer that is measured does it rightly."""

from functools import partial
from importlib.util import find_spec

import peers
import pytest
import torch
from e3nn import o3
from harness import Row
from jobs import force_job, layer_job
from ours import ours_depthwise, ours_full, ours_implicit
from scaling import curve, draw, print_slopes, scaling
from workload import Work, cloud, geometry, molecules

ALL = {
    "e3nn depthwise": peers.E3nnDepthwise,
    "e3nn full": peers.E3nnFull,
    "cuequivariance mul_ir": partial(peers.CueDepthwise, layout="mul_ir"),
    "cuequivariance ir_mul": partial(peers.CueDepthwise, layout="ir_mul"),
    "cuequivariance full": peers.CueFull,
    "e3tools SeparableConv": partial(peers.E3tools, kind="SeparableConv"),
    "e3tools Conv": partial(peers.E3tools, kind="Conv"),
}
PEERS = {name: build for name, build in ALL.items() if find_spec(name.split()[0])}
SMALL = partial(molecules, 2, channels=4)


def test_molecules_are_as_described():
    work = molecules()
    assert (
        len(work.pos) == 1828
        and work.edge_index.shape == (2, 29180)
        and work.field == "32x0e+32x1o+32x2e"
    )
    assert work.features.shape == (1828, 288) and work.features.requires_grad
    source, target = work.edge_index
    assert (target.diff() >= 0).all()
    distance = (work.pos[source] - work.pos[target]).norm(dim=1)
    assert distance.min() > 0.94 and distance.max() < 5


def test_copies_do_not_touch():
    one, three = molecules(2), molecules(2, copies=3)
    size = len(one.pos)
    expected = torch.cat([one.edge_index + k * size for k in range(3)], 1)
    assert torch.equal(three.edge_index, expected) and torch.equal(three.pos[-size:], one.pos)


def test_clouds_have_their_neighbours():
    work = cloud(200, 7)
    assert (torch.bincount(work.edge_index[1], minlength=200) == 7).all()
    distance = (work.pos[work.edge_index[0]] - work.pos[work.edge_index[1]]).norm(dim=1)
    assert (distance < 5).double().mean() > 0.95


def moved(work: Work, g: torch.Tensor, D: torch.Tensor) -> Work:
    return Work(
        work.pos @ g.T, work.edge_index, work.features @ D.T, work.channels, work.max_degree
    )


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", PEERS)
def test_peers_commute_with_random_elements(name, double):
    torch.manual_seed(0)
    g = -o3.rand_matrix()
    work = SMALL().double()
    D = o3.Irreps(work.field).D_from_matrix(g)
    layer = PEERS[name](work)
    results = []
    for seen in (work, moved(work, g, D)):
        layer.work = seen
        result = layer(layer.features(), layer.see(seen.pos)).detach()
        if "ir_mul" in name and "mul_ir" not in name:
            blocks = result.split([4, 12, 20], 1)
            result = torch.cat(
                [block.unflatten(1, (-1, 4)).transpose(1, 2).flatten(1) for block in blocks], 1
            )
        results.append(result)
    torch.testing.assert_close(results[0] @ D.T, results[1], atol=1e-10, rtol=0)
    assert results[0].abs().mean() > 0.01


def test_depthwise_peers_have_equal_weights():
    counts = {
        name: sum(p.numel() for p in build(SMALL()).parameters()) for name, build in PEERS.items()
    }
    for kind in (
        ("e3nn depthwise", "cuequivariance mul_ir", "cuequivariance ir_mul"),
        ("e3nn full", "cuequivariance full"),
    ):
        assert len({counts[name] for name in kind if name in counts}) == 1


@pytest.mark.parametrize(
    "build", [*PEERS.values(), ours_depthwise, ours_full], ids=[*PEERS, "depthwise", "full"]
)
def test_layers_agree_with_their_float64_twins(build):
    for job in (layer_job(build, SMALL), force_job(build, SMALL)):
        for run in job.passes.values():
            run()
        assert 0 < job.error() < 2e-5


def test_the_implicit_layer_agrees_with_its_float64_twin():
    assert (
        0
        < layer_job(ours_implicit, partial(molecules, 2, channels=16, max_degree=1)).error()
        < 2e-5
    )


def test_forces_are_derivatives_of_the_energy(double):
    work = SMALL().double()
    layer = peers.E3nnDepthwise(work)
    step = 1e-5 * torch.randn_like(work.pos)

    def energy(pos):
        return layer(work.features, geometry(pos, work.edge_index, 2)).square().sum()

    pos = work.pos.clone().requires_grad_()
    slope = (torch.autograd.grad(energy(pos), pos)[0] * step).sum()
    torch.testing.assert_close(
        slope, (energy(pos + step) - energy(pos - step)).detach() / 2, rtol=1e-5, atol=0
    )


def test_the_growth_is_drawn_and_told(tmp_path, capsys):
    series = scaling(quick=True)
    rows = [
        Row(f"{case.name}, forward + backward", name, float(value) ** 2, float(value), None, 1.0)
        for points in series.values()
        for value, case in points.items()
        for name in case.rivals
    ]
    assert [value for value, _ in curve(series["channels"], rows, "steerable full")] == [16, 32]
    print_slopes(series, rows)
    assert (
        "steerable full         forward + backward: time ~ l^2.00, memory ~ l^1.00"
        in capsys.readouterr().out
    )
    draw(series, rows, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 10_000
