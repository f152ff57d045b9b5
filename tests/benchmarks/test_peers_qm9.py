"""The peers of the comparison on QM9 compute what their papers say, from a file without us."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from e3nn import o3
from peers_qm9 import arguments, order, train
from qm9_peers import comparison
from qm9_peers.comparison import PEERS, Home, Peer
from qm9_peers.molecules import Batch, Facts, read_facts, read_part, write
from qm9_peers.networks import Referenced, build
from qm9_peers.painn import Message, PaiNN
from qm9_peers.tables import write_tables
from qm9_peers.training import Recipe, Training

from steerable.data.molecules import Molecules
from steerable.ops import radius_graph

CUTOFF = 2.5
FACTS = Facts([1, 6, 8], [-1.0, -38.0, -75.0], 0.0, 0.5, CUTOFF, 4.0)


def molecules(count=12):
    """Random molecules in the flat tensors of `steerable.data`."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.randint(4, 8, (count,), generator=generator)
    atoms = torch.nn.functional.pad(sizes.cumsum(0), (1, 0))
    pos = 2.5 * torch.rand(int(atoms[-1]), 3, generator=generator)
    z = torch.tensor(FACTS.elements)[torch.randint(3, (len(pos),), generator=generator)]
    graphs = [radius_graph(cloud, CUTOFF) for cloud in pos.split(sizes.tolist())]
    edges = torch.tensor([0, *(graph.shape[1] for graph in graphs)]).cumsum(0)
    y = torch.randn(count, generator=generator, dtype=torch.float64)
    return Molecules(z, pos, y, atoms, torch.cat(graphs, 1).int(), edges)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "molecules.npz"
    write(path, {name: molecules() for name in ("train", "validation", "test")}, FACTS)
    return path


def double(batch):
    return batch._replace(pos=batch.pos.double())


def predict(network, batch):
    with torch.no_grad():
        return network(batch.z, batch.pos, batch.batch, batch.edge_index, len(batch.y))


def test_the_file_has_the_molecules_of_the_library(file):
    assert read_facts(file) == FACTS
    index = torch.tensor([7, 2, 2, 11])
    for ours, read in zip(
        molecules().batch(index), read_part(file, "test").batch(index), strict=True
    ):
        assert torch.equal(ours, read)


def test_workers_of_peers_need_no_steerable():
    files = sorted(Path(comparison.__file__).parent.glob("*.py"))
    importers = [
        file.name
        for file in files
        if re.search(r"^(from|import) steerable", file.read_text(), re.M)
    ]
    assert importers == ["ours.py"] and len(files) > 5


def test_messages_of_painn_are_those_of_the_paper():
    torch.manual_seed(0)
    message = Message(5, 3).double()
    s, v = torch.randn(3, 5).double(), torch.randn(3, 3, 5).double()
    edge_index = torch.tensor([[0, 1, 2, 1], [1, 0, 1, 2]])
    basis, decay = torch.randn(4, 3).double(), torch.rand(4, 1).double()
    direction = torch.randn(4, 3, 1).double()
    scalars, vectors = s.clone(), v.clone()
    for e, (j, i) in enumerate(edge_index.T.tolist()):
        phi_s, phi_vv, phi_vs = (message.phi(s[j]) * message.filter(basis[e]) * decay[e]).chunk(3)
        scalars[i] += phi_s
        for axis in range(3):
            vectors[i, axis] += v[j, axis] * phi_vv + direction[e, axis] * phi_vs
    result = message(s, v, edge_index, basis, decay, direction)
    torch.testing.assert_close(result, (scalars, vectors), atol=1e-12, rtol=0)


def test_painn_has_the_parameters_of_the_paper():
    assert round(sum(p.numel() for p in PaiNN(5.0).parameters()), -5) == 600_000  # as it says


NETWORKS = {
    "painn": {"features": 16},
    "schnet": {"hidden_channels": 16, "num_filters": 16, "num_interactions": 2},
    "dimenet": {"num_blocks": 1, "output_initializer": "glorot_orthogonal"},
    "visnet": {"hidden_channels": 16, "num_heads": 2, "num_layers": 2},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_peers_are_invariant_and_take_the_edges_that_are_given(name):
    if name != "painn":
        pytest.importorskip("torch_geometric")
    torch.manual_seed(0)
    network = build(name, FACTS, **NETWORKS[name]).double()
    batch = double(molecules().batch(torch.arange(12)))
    moved = batch._replace(pos=batch.pos @ -o3.rand_matrix(dtype=torch.float64).T + 3.0)
    y = predict(network, batch)
    torch.testing.assert_close(predict(network, moved), y, atol=1e-9, rtol=0)
    alone = [predict(network, double(molecules().batch(torch.tensor([k])))) for k in range(12)]
    torch.testing.assert_close(torch.cat(alone), y, atol=1e-9, rtol=0)
    source, target = batch.edge_index
    near = (batch.pos[source] - batch.pos[target]).norm(dim=1) < 1.5
    fewer = batch._replace(edge_index=batch.edge_index[:, near])
    assert (predict(network, fewer) - y).abs().max() > 1e-6


def test_triplets_are_all_pairs_of_edges_that_do_not_turn_back():
    geometric = pytest.importorskip("qm9_peers.geometric")
    batch = molecules().batch(torch.arange(3))
    edges = batch.edge_index.T.tolist()
    i, j, *indices = geometric.triplets(batch.edge_index, len(batch.z))
    assert torch.equal(torch.stack([j, i]), batch.edge_index)
    expected = {
        (b, a, c, kj, ji)
        for ji, (a, b) in enumerate(edges)
        for kj, (c, end) in enumerate(edges)
        if end == a and c != b
    }
    rows = torch.stack(indices, 1).tolist()
    assert len(rows) == len(expected) and {tuple(row) for row in rows} == expected


def test_references_are_added_to_what_is_learned():
    class Two(torch.nn.Module):
        def forward(self, z, pos, batch, edge_index, size):
            return torch.full((size,), 2.0)

    batch = Batch(
        torch.tensor([8, 1, 1, 6]),
        torch.zeros(4, 3),
        torch.tensor([0, 0, 0, 1]),
        torch.zeros(2, 0, dtype=torch.long),
        torch.zeros(2),
    )
    assert predict(Referenced(Two(), FACTS), batch).tolist() == [-77.0 + 1.0, -38.0 + 1.0]


def trained(part, steps, recipe, state=None):
    torch.manual_seed(0)
    training = Training(PaiNN(CUTOFF, 8, 1), part, 1.0, recipe)
    if state is not None:
        training.resume(state)
    while training.done < steps:
        training.step()
    return training


def test_a_training_goes_on_as_if_it_had_not_been_stopped(file, tmp_path):
    part, recipe = read_part(file, "train"), Recipe(lr=1e-2, steps=10, batch_size=5, seed=3)
    whole, half = trained(part, 10, recipe), trained(part, 5, recipe)
    torch.save(half.state(), tmp_path / "state.pt")
    resumed = trained(part, 10, recipe, torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(whole.errors(part), resumed.errors(part))
    assert not torch.equal(whole.errors(part), half.errors(part))


def test_every_epoch_has_every_molecule_at_most_once(file):
    training = trained(read_part(file, "train"), 0, Recipe(lr=1.0, steps=10, batch_size=5))
    epochs = [torch.cat([training.batch(2 * k).y, training.batch(2 * k + 1).y]) for k in range(2)]
    assert all(len(epoch.unique()) == 10 for epoch in epochs)
    assert not torch.equal(*epochs)


def test_the_rate_rises_and_falls():
    recipe = Recipe(lr=1.0, steps=1000, warmup=200)
    rates = np.array([recipe.rate(step) for step in range(1000)])
    assert rates.argmax() == 100 and rates[0] == pytest.approx(1 / 101)  # a tenth of the steps
    assert rates[500] == pytest.approx(0.5) and 0 < rates[-1] < 1e-5


def test_a_run_is_written_once_and_tabulated(file, tmp_path, monkeypatch, capsys):
    options = arguments().parse_args(
        ["train", str(tmp_path), "--seconds", "0.8", "--batch-size", "4", "--test"]
    )
    file.rename(tmp_path / f"molecules-{CUTOFF:g}.npz")
    monkeypatch.setitem(PEERS, "small", Peer("painn", CUTOFF, (1e-3,), {"features": 8}))
    measured = {"cpu": 100.0, "batch_size": 4, "threads": 1, "optimizer": "adamw"}
    train("small", PEERS["small"], measured, 1e-3, 0, options)
    train("small", PEERS["small"], measured, 1e-3, 0, options)
    write_tables(tmp_path)
    printed = capsys.readouterr().out
    assert "8 steps of 100.0 ms" in printed and "is there already" in printed
    assert "| small |" in (tmp_path / "table.md").read_text()
    assert not list(tmp_path.glob("*.pt"))
    with pytest.raises(SystemExit, match="was measured with batch_size 32, not 4"):
        train("small", PEERS["small"], measured | {"batch_size": 32}, 1e-3, 0, options)


def test_the_optimizer_of_the_demo_can_be_chosen(file):
    part = read_part(file, "train")
    recipe = Recipe(lr=1e-2, steps=10, batch_size=5, optimizer="muon")
    whole, half = trained(part, 10, recipe), trained(part, 5, recipe)
    resumed = trained(part, 10, recipe, half.state())
    assert torch.equal(whole.errors(part), resumed.errors(part))
    assert whole.errors(part).abs().mean() < trained(part, 0, recipe).errors(part).abs().mean()


def test_a_worker_that_fails_says_why(tmp_path):
    options = arguments().parse_args(["ms", str(tmp_path)])
    (tmp_path / f"molecules-{CUTOFF:g}.npz").write_bytes(b"no molecules")
    told = order(Peer("painn", CUTOFF), options, lr=1e-3, steps=10)
    with (
        Home(sys.executable).start(told, tmp_path / "log") as worker,
        pytest.raises(RuntimeError, match="code 1"),
    ):
        worker.first()
